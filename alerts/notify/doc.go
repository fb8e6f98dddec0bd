// Package notify brings alerts to receivers at least once, in order.
//
// It owns the queues between the engine, which must never wait, and receivers,
// which may be slow, away or broken: a bounded queue and a worker for each, so
// that one that fails delays neither packets nor the others. It owns the outbox,
// which keeps over a kill and a power loss what receivers lack and which alerts
// fire. cmd makes the Notifier and gives it the engine's alerts; package
// receivers implements Receiver. It judges no event and knows no protocol.
//
// An alert's way: Notifier.Alert asks each Subscription whether it wants it
// (subscription.go), the outbox writes it to a journal (outbox.go, journal.go)
// and, half a second later, with all that changed (batch.go), to the store
// (store.go); it waits in the queue of each worker (queue.go, worker.go), under
// a limit an hour (limit.go). open.go is the way back, after a restart.
package notify
