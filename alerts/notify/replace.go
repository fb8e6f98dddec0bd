package notify

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Replace changes who gets alerts, while alerts wait. A receiver of a name that was
// there before takes over what waits for it, with the next try; a new one gets
// what comes from now on. One that is gone gets drain to take what waits for it,
// then the rest is given up, counted and told. It is called by the goroutine of
// Alert, and waits for nobody. The names must differ.
func (n *Notifier) Replace(list []Subscription, drain time.Duration) {
	before := n.workers
	n.workers = nil
	for _, s := range list {
		at := slices.IndexFunc(before, func(w *worker) bool { return w.name == s.Receiver.Name() })
		if at >= 0 {
			before[at].change(s)
			n.workers = append(n.workers, before[at])
			continue
		}
		w := newWorker(s, &n.options, n.outbox, nil)
		n.workers = append(n.workers, w)
		n.start(w)
	}
	for _, w := range before {
		if !slices.Contains(n.workers, w) {
			w.dismiss(drain)
		}
	}
}

// start lets a worker run until Close, or until it is dismissed.
func (n *Notifier) start(w *worker) {
	ctx, cancel := context.WithCancel(n.ctx)
	w.cancel = cancel
	n.wait.Go(func() {
		defer cancel()
		w.run(ctx)
		w.lapse()
	})
}

// change gives a worker another subscription of the same name.
func (w *worker) change(s Subscription) {
	w.mu.Lock()
	old := w.Receiver
	if s.PerHour != w.PerHour {
		w.limit = newLimit(s.PerHour)
	}
	w.Subscription = s
	w.mu.Unlock()
	release(old)
	signal(w.changed)
}

// dismiss ends a worker when it has delivered what waits, or drain is over.
func (w *worker) dismiss(drain time.Duration) {
	w.mu.Lock()
	w.dismissed = true
	w.mu.Unlock()
	close(w.closing)
	time.AfterFunc(drain, w.cancel)
}

// lapse gives up what a dismissed worker did not deliver: nobody would ever take it.
func (w *worker) lapse() {
	w.mu.Lock()
	gone, left := w.dismissed, w.queue.len()+len(w.under)
	w.mu.Unlock()
	if !gone {
		return
	}
	release(w.receiver())
	w.queued(0)
	if left == 0 {
		return
	}
	if w.outbox.durable() { // else run counted them
		w.count(Dropped, left)
		w.forget()
	}
	w.options.Notice(fmt.Sprintf("%d notifications for %s, which is no longer configured, are dropped", left, w.name))
}

// forget takes all that waits out of the outbox. The worker has ended.
func (w *worker) forget() {
	for _, x := range w.under {
		w.outbox.done(w.name, x.id)
	}
	w.under = nil
	for w.queue.len() > 0 {
		w.outbox.done(w.name, w.queue.drop())
	}
}

// release lets go of the connections that a receiver keeps for its next Send.
func release(r Receiver) {
	if keeps, ok := r.(interface{ CloseIdleConnections() }); ok {
		keeps.CloseIdleConnections()
	}
}
