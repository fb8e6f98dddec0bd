package notify

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/mailtap/mailtap/alerts"
)

// worker delivers to one receiver.
type worker struct {
	name    string
	options *Options
	outbox  *outbox
	wake    chan struct{}
	changed chan struct{} // another subscription came: no pause is worth waiting for
	closing chan struct{}
	cancel  context.CancelFunc // of what it is doing

	mu           sync.Mutex
	Subscription // written under mu, and by the goroutine of Alert alone
	limit        limit
	queue        queue
	under        []note // taken out of the queue, not delivered yet
	dismissed    bool   // its receiver is no longer configured
}

// newWorker begins with what an earlier process left.
func newWorker(s Subscription, o *Options, box *outbox, left []note) *worker {
	w := &worker{
		Subscription: s, name: s.Receiver.Name(), options: o, outbox: box, limit: newLimit(s.PerHour), cancel: func() {},
		queue: queue{max: o.Queue}, wake: make(chan struct{}, 1), changed: make(chan struct{}, 1), closing: make(chan struct{}),
	}
	for _, x := range left {
		w.add(x.id, x.alert, x.since)
	}
	return w
}

func (w *worker) add(id uint64, a *alerts.Alert, since int64) {
	w.mu.Lock()
	folded, dropped := w.queue.push(id, a, since)
	n := w.queue.len() + len(w.under)
	w.mu.Unlock()
	w.gone(folded, Folded)
	w.gone(dropped, Dropped)
	w.queued(n)
	signal(w.wake)
}

// gone is an alert that left the queue for another.
func (w *worker) gone(id uint64, result string) {
	if id > 0 {
		w.outbox.done(w.name, id)
		w.count(result, 1)
	}
}

func (w *worker) take() []note {
	w.mu.Lock()
	defer w.mu.Unlock()
	batch := w.queue.batch(MaxBatch, w.PerHour > 0)
	w.under = batch
	return batch
}

// done is said of alerts that were delivered, or refused.
func (w *worker) done(batch []note) {
	ids := make([]uint64, len(batch))
	for i, x := range batch {
		ids[i] = x.id
	}
	w.outbox.done(w.name, ids...)
	w.mu.Lock()
	w.under = w.under[len(batch):] // it is their beginning
	n := w.queue.len() + len(w.under)
	w.mu.Unlock()
	w.queued(n)
}

// waiting is how many alerts are not delivered yet.
func (w *worker) waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queue.len() + len(w.under)
}

func (w *worker) run(ctx context.Context) {
	for w.await() {
		if !w.allowed(ctx) || !w.deliver(ctx, w.young(w.take())) {
			if !w.outbox.durable() {
				w.count(Dropped, w.waiting())
			}
			return
		}
	}
}

// await returns when there is something to deliver; false: nor will there be.
func (w *worker) await() bool {
	for w.waiting() == 0 {
		select {
		case <-w.wake:
		case <-w.closing:
			return w.waiting() > 0 // one may have come just before
		}
	}
	return true
}

// allowed waits until the limit an hour allows a Send. The end of the program
// does not wait: what stays in the outbox is for the next start, and what
// would be lost goes in spite of the limit.
func (w *worker) allowed(ctx context.Context) bool {
	for {
		now := w.options.Clock.Now()
		d := w.room(now)
		if d == 0 {
			return true
		}
		select {
		case <-w.options.Clock.After(d):
		case <-w.changed:
		case <-w.closing:
			return !w.outbox.durable()
		case <-ctx.Done():
			return false
		}
	}
}

// room counts a Send where the limit has room for it, else it says for how long not.
func (w *worker) room(now time.Time) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.limit.wait(now)
	if d == 0 {
		w.limit.take(now)
	}
	return d
}

// receiver is the one that is configured now.
func (w *worker) receiver() Receiver {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.Receiver
}

// deliver tries until it is done with; false means that the end came first.
func (w *worker) deliver(ctx context.Context, batch []note) bool {
	list := alertsOf(batch)
	backoff := w.options.MinBackoff
	for try := 0; len(batch) > 0; try++ {
		err := w.receiver().Send(ctx, list)
		if err == nil {
			w.count(Sent, len(batch))
			w.done(batch)
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		var how *Error
		if errors.As(err, &how) && how.Final {
			return w.refused(ctx, batch, err)
		}
		w.count(Retried, len(batch))
		if try == 0 {
			w.failed(err)
		}
		if !w.sleep(ctx, w.pause(backoff, how)) {
			return false
		}
		if n := len(batch); n > 0 {
			if batch = w.young(batch); len(batch) < n {
				list = alertsOf(batch)
			}
		}
		backoff = min(2*backoff, w.options.MaxBackoff)
	}
	return true // all are too old
}

func alertsOf(batch []note) []alerts.Alert {
	list := make([]alerts.Alert, len(batch))
	for i, x := range batch {
		list[i] = *x.alert
	}
	return list
}

// young drops the alerts that waited for too long.
func (w *worker) young(batch []note) []note {
	if w.options.MaxAge <= 0 {
		return batch
	}
	before := w.options.Clock.Now().Add(-w.options.MaxAge).Unix()
	var young, old []note
	for _, x := range batch {
		if x.since < before {
			old = append(old, x)
		} else {
			young = append(young, x)
		}
	}
	if len(old) > 0 {
		w.count(Dropped, len(old))
		w.done(old)
	}
	return young
}

// refused gives an alert up. Of several only one may be at fault: the others
// must not be lost with it.
func (w *worker) refused(ctx context.Context, batch []note, err error) bool {
	if len(batch) == 1 {
		w.count(Refused, 1)
		w.failed(err)
		w.done(batch)
		return true
	}
	for i := range batch {
		if !w.deliver(ctx, batch[i:i+1]) {
			return false
		}
	}
	return true
}

// pause is half the backoff and a random part of the other half, so that many
// sensors do not come back at once; at least what the receiver asked for.
func (w *worker) pause(backoff time.Duration, how *Error) time.Duration {
	d := backoff/2 + time.Duration(w.options.Jitter()*float64(backoff/2))
	if how != nil {
		d = max(d, how.After)
	}
	return min(d, w.options.MaxBackoff)
}

// sleep waits; the end of the program cuts a long wait short.
func (w *worker) sleep(ctx context.Context, d time.Duration) bool {
	closing := w.closing
	select {
	case <-closing:
		closing, d = nil, min(d, w.options.MinBackoff)
	default:
	}
	select {
	case <-w.options.Clock.After(d):
	case <-w.changed:
	case <-closing:
	case <-ctx.Done():
		return false
	}
	return true
}

func (w *worker) count(result string, n int) {
	if w.options.Observer != nil {
		w.options.Observer.Notified(w.name, result, n)
	}
}

func (w *worker) queued(n int) {
	if w.options.Observer != nil {
		w.options.Observer.Queued(w.name, n)
	}
}

func (w *worker) failed(err error) {
	if w.options.Failed != nil {
		w.options.Failed(w.name, err)
	}
}
