package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/mailtap/mailtap/alerts"
)

// Receiver delivers alerts somewhere. Send gets at most MaxBatch alerts of one
// rule, in order; it is called by one goroutine. An error that is no
// *Error is taken for one that passes.
type Receiver interface {
	Name() string
	Send(ctx context.Context, batch []alerts.Alert) error
}

// MaxBatch is how many alerts one Send delivers at most.
const MaxBatch = 50

// Error says what to do about a failed Send. It holds no secret.
type Error struct {
	What  string
	Final bool          // sending it again would fail again
	After time.Duration // the receiver asked to wait so long; 0 where it did not
}

func (e *Error) Error() string { return e.What }

// Results of a delivery, counted per alert.
const (
	Sent    = "sent"
	Retried = "retried" // failed for now and stays in the queue
	Refused = "refused" // failed for good
	Dropped = "dropped" // the queue was full, or the end came
)

// Results lists every result.
var Results = [...]string{Sent, Retried, Refused, Dropped}

// Observer is told what metrics show. It is called by several goroutines.
type Observer interface {
	Notified(receiver, result string, n int)
	Queued(receiver string, n int)
}

// Clock is the time of the workers; tests put in their own.
type Clock interface {
	Now() time.Time
	After(time.Duration) <-chan time.Time
}

// WallClock is the Clock of the machine.
type WallClock struct{}

// Now implements Clock.
func (WallClock) Now() time.Time { return time.Now() }

// After implements Clock.
func (WallClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Options are the settings of all receivers; the zero value works.
type Options struct {
	Queue      int                              // alerts that wait for one receiver; default 10,000
	MinBackoff time.Duration                    // after the first failure, then doubled; default 1 s
	MaxBackoff time.Duration                    // longest wait, also where the receiver asks for more; default 5 min
	Observer   Observer                         // nil: nobody
	Failed     func(receiver string, err error) // told once for each delivery that begins to fail, and for each refused one; nil: nobody
	Clock      Clock                            // nil: the wall clock
	Jitter     func() float64                   // 0 to 1, the part of half the backoff that is added to its other half; nil: random
}

// Notifier is a Sink that brings alerts to receivers, each with its own queue
// and worker: one that fails delays neither the others nor the engine. An
// alert is tried until it is delivered, refused for good or pushed out of a
// full queue.
type Notifier struct {
	workers []*worker
	clock   Clock
	cancel  context.CancelFunc
	wait    sync.WaitGroup
}

// New starts a worker for each receiver. Close ends them.
func New(list []Subscription, o Options) (*Notifier, error) {
	o.Queue = cmp.Or(max(o.Queue, 0), 10_000)
	o.MinBackoff = cmp.Or(max(o.MinBackoff, 0), time.Second)
	o.MaxBackoff = cmp.Or(max(o.MaxBackoff, 0), 5*time.Minute)
	if o.Clock == nil {
		o.Clock = WallClock{}
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	names := map[string]bool{}
	for _, s := range list {
		r := s.Receiver
		if names[r.Name()] {
			return nil, fmt.Errorf("receiver %q: the name is used twice", r.Name())
		}
		names[r.Name()] = true
	}
	ctx, cancel := context.WithCancel(context.Background())
	n := &Notifier{clock: o.Clock, cancel: cancel}
	for _, s := range list {
		w := &worker{Subscription: s, options: &o, queue: queue{max: o.Queue}, wake: make(chan struct{}, 1), closing: make(chan struct{})}
		n.workers = append(n.workers, w)
		n.wait.Go(func() { w.run(ctx) })
	}
	return n, nil
}

// Alert queues an alert for every receiver that wants it. It never blocks.
func (n *Notifier) Alert(a alerts.Alert) {
	for _, w := range n.workers {
		if w.wants(&a) {
			w.add(a)
		}
	}
}

// Close delivers what waits and ends the workers. When ctx ends first, the
// rest is given up and its number is in the error. Alert must not be called
// after it.
func (n *Notifier) Close(ctx context.Context) error {
	defer n.cancel()
	for _, w := range n.workers {
		close(w.closing)
	}
	done := make(chan struct{})
	go func() { n.wait.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		n.cancel()
		select {
		case <-done:
		case <-n.clock.After(grace): // a terminal that is stopped takes nothing and heeds no context
		}
	}
	left := 0
	for _, w := range n.workers {
		left += w.waiting()
	}
	if left > 0 {
		return fmt.Errorf("%d notifications were not delivered before the end", left)
	}
	return nil
}

// grace is what Close leaves a receiver to notice that its context ended.
const grace = time.Second

// worker delivers to one receiver.
type worker struct {
	Subscription
	options *Options
	wake    chan struct{}
	closing chan struct{}

	mu    sync.Mutex
	queue queue
	out   int // taken out of the queue, not delivered yet
}

func (w *worker) add(a alerts.Alert) {
	w.mu.Lock()
	dropped := w.queue.push(a)
	n := w.queue.len() + w.out
	w.mu.Unlock()
	if dropped {
		w.count(Dropped, 1)
	}
	w.queued(n)
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *worker) take() []alerts.Alert {
	w.mu.Lock()
	defer w.mu.Unlock()
	batch := w.queue.batch(MaxBatch)
	w.out = len(batch)
	return batch
}

func (w *worker) done() {
	w.mu.Lock()
	w.out = 0
	n := w.queue.len()
	w.mu.Unlock()
	w.queued(n)
}

// waiting is how many alerts are not delivered yet.
func (w *worker) waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.queue.len() + w.out
}

func (w *worker) run(ctx context.Context) {
	for {
		batch := w.take()
		if batch == nil {
			select {
			case <-w.wake:
				continue
			case <-w.closing:
			}
			if batch = w.take(); batch == nil { // one may have come just before
				return
			}
		}
		if !w.deliver(ctx, batch) {
			w.count(Dropped, w.waiting())
			return
		}
		w.done()
	}
}

// deliver tries until it is done with; false means that the end came first.
func (w *worker) deliver(ctx context.Context, batch []alerts.Alert) bool {
	backoff := w.options.MinBackoff
	for try := 0; ; try++ {
		err := w.Receiver.Send(ctx, batch)
		if err == nil {
			w.count(Sent, len(batch))
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
		backoff = min(2*backoff, w.options.MaxBackoff)
	}
}

// refused gives an alert up. Of several only one may be at fault: the others
// must not be lost with it.
func (w *worker) refused(ctx context.Context, batch []alerts.Alert, err error) bool {
	if len(batch) == 1 {
		w.count(Refused, 1)
		w.failed(err)
		return true
	}
	for i := range batch {
		if !w.deliver(ctx, batch[i:i+1]) {
			return false
		}
		w.mu.Lock()
		w.out--
		w.mu.Unlock()
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
	case <-closing:
	case <-ctx.Done():
		return false
	}
	return true
}

func (w *worker) count(result string, n int) {
	if w.options.Observer != nil {
		w.options.Observer.Notified(w.Receiver.Name(), result, n)
	}
}

func (w *worker) queued(n int) {
	if w.options.Observer != nil {
		w.options.Observer.Queued(w.Receiver.Name(), n)
	}
}

func (w *worker) failed(err error) {
	if w.options.Failed != nil {
		w.options.Failed(w.Receiver.Name(), err)
	}
}
