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

// Options are the settings of all receivers; the zero value works.
type Options struct {
	Queue      int                              // alerts that wait for one receiver; default 10,000
	MaxActive  int                              // firing groups that Active knows; default 20,000
	Dir        string                           // folder of the outbox, this process's alone; empty: what waits is in memory
	MaxAge     time.Duration                    // an alert that waited so long is dropped; default: none is
	MinBackoff time.Duration                    // after the first failure, then doubled; default 1 s
	MaxBackoff time.Duration                    // longest wait, also where the receiver asks for more; default 5 min
	Observer   Observer                         // nil: nobody
	Failed     func(receiver string, err error) // told once for each delivery that begins to fail, and for each refused one; nil: nobody
	Notice     func(text string)                // told what became of the outbox, in a sentence; must not call the Notifier; nil: nobody
	Wrote      func(err error)                  // told how each write of the outbox went; must not call the Notifier; nil: Notice is told of the first that fails
	Damaged    func(files int)                  // told how many files of the outbox were set aside; nil: nobody
	Fault      func() error                     // why the next write of the outbox fails, in a build that makes them; nil: none does
	Clock      Clock                            // nil: the wall clock
	Jitter     func() float64                   // 0 to 1, the part of half the backoff that is added to its other half; nil: random
}

func (o *Options) fill() {
	o.Queue = cmp.Or(max(o.Queue, 0), 10_000)
	o.MaxActive = cmp.Or(max(o.MaxActive, 0), 20_000)
	o.MinBackoff = cmp.Or(max(o.MinBackoff, 0), time.Second)
	o.MaxBackoff = cmp.Or(max(o.MaxBackoff, 0), 5*time.Minute)
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	if o.Damaged == nil {
		o.Damaged = func(int) {}
	}
	if o.Fault == nil {
		o.Fault = func() error { return nil }
	}
	if o.Clock == nil {
		o.Clock = WallClock{}
	}
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
}

// Notifier is a Sink that brings alerts to receivers, each with its own queue
// and worker: one that fails delays neither the others nor the engine. An
// alert is tried until it is delivered, refused for good or pushed out of a
// full queue; with an outbox, over the end of the process.
type Notifier struct {
	workers []*worker
	outbox  *outbox
	options Options
	ctx     context.Context // of the workers
	cancel  context.CancelFunc
	wait    sync.WaitGroup
}

// New opens the outbox, where Options.Dir names one, and starts a worker for
// each receiver, which delivers what the last process left. Close ends them.
func New(list []Subscription, o Options) (*Notifier, error) {
	o.fill()
	var names []string
	seen := map[string]bool{}
	for _, s := range list {
		name := s.Receiver.Name()
		switch {
		case seen[name]:
			return nil, fmt.Errorf("receiver %q: the name is used twice", name)
		case name == "" && o.Dir != "":
			return nil, errors.New("a receiver without a name: its alerts could not be found again")
		}
		seen[name] = true
		names = append(names, name)
	}
	box, waiting, err := openOutbox(&o, names)
	if err != nil {
		return nil, err
	}
	if box.durable() {
		go box.run()
	}
	ctx, cancel := context.WithCancel(context.Background())
	n := &Notifier{outbox: box, options: o, ctx: ctx, cancel: cancel}
	for i, s := range list {
		n.workers = append(n.workers, newWorker(s, &n.options, box, waiting[names[i]]))
	}
	for _, w := range n.workers {
		n.start(w)
	}
	return n, nil
}

// Alert queues an alert for every receiver that wants it. With an outbox the
// alert outlives the process when Alert returns. It never waits for a receiver
// or for a disk.
func (n *Notifier) Alert(a alerts.Alert) {
	var to []*worker
	var names []string
	for _, w := range n.workers {
		if w.wants(&a) { // reading without mu: Replace is called by the same goroutine
			to, names = append(to, w), append(names, w.name)
		}
	}
	since := n.options.Clock.Now().Unix()
	id := n.outbox.add(&a, names, since)
	for _, w := range to {
		w.add(id, &a, since)
	}
}

// Active are the last notices of the groups that fire, those that began first
// in front; at most Options.MaxActive. After New they are those of the last
// process, whatever was delivered of them, for an engine to go on with.
func (n *Notifier) Active() []alerts.Alert { return n.outbox.firing() }

// Close delivers what waits and ends the workers. When ctx ends first, or a
// limit an hour is used up, the rest stays in the outbox; without one it is
// given up and its number is in the error. Alert must not be called after it.
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
		case <-n.options.Clock.After(grace): // a terminal that is stopped takes nothing and heeds no context
		}
	}
	left := 0
	for _, w := range n.workers {
		left += w.waiting()
	}
	durable := n.outbox.durable()
	if err := n.outbox.close(); err != nil {
		return fmt.Errorf("outbox %s: %w", n.options.Dir, err)
	}
	switch {
	case left == 0:
	case durable:
		n.options.Notice(fmt.Sprintf("%d notifications wait in %s for the next start", left, n.options.Dir))
	default:
		return fmt.Errorf("%d notifications were not delivered before the end", left)
	}
	return nil
}

// grace is what Close leaves a receiver to notice that its context ended.
const grace = time.Second
