// Package notify brings alerts to receivers at least once, in order.
//
// It owns the queues between the engine, which must never wait, and receivers,
// which may be slow, away or broken: a bounded queue and a worker for each, so
// that one that fails delays neither packets nor the others. cmd makes the
// Notifier and gives it the engine's alerts; package receivers implements
// Receiver. It judges no event and knows no protocol.
package notify
