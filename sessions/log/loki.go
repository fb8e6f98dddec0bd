package log

import (
	"context"
	"fmt"
	"sync"
)

// pusher sends records to a log store, once. One goroutine calls it.
type pusher interface {
	// push sends a batch and waits for the outcome: the parts are those of the
	// batch in its order, and together all of it.
	push(batch []item, metadata bool) []part
	stop()
}

// part is what became of the next so many records of a push.
type part struct {
	records int
	outcome outcome
}

// Loki is a sink that pushes records to Grafana Loki. Write puts them into a
// bounded queue; one goroutine takes them out in batches, in order, and tries until
// each was taken or refused. With a spool, what cannot wait in memory waits in
// files, also over a restart; without one it is dropped and counted.
//
// Written means that Loki answered 2xx to a push with the record in it. Loki
// refuses a whole push for one bad line, although it stores the good ones: such
// a push is sent again in parts until the bad lines are alone. So Loki may get a
// record twice (Counts.Retried), and stores it once: an entry of the same stream,
// time and text is the same entry.
type Loki struct {
	o      LokiOptions
	queue  *queue
	push   pusher
	ending chan struct{} // closed when nothing more comes
	quit   chan struct{} // closed when nothing more is to be sent
	ended  sync.WaitGroup

	order sync.Mutex // held while records leave the queue or the spool; before mu
	spool *spool     // nil: memory only

	mu       sync.Mutex // never held while a disk is waited for, but at the end
	counted  Counts
	spoolErr error    // what is wrong with the spool
	stuck    bool     // it took nothing when last asked
	under    int      // records that left the queue or the spool, outcome unknown
	spooled  int      // records in the spool
	aside    int      // damaged files of it
	spoolBad uint64   // its writes that failed
	rest     [][]item // of the batch under way
	file     spooled  // that it came from
	last     error    // why the last push failed
	metadata bool     // send structured metadata
	over     bool     // Stop's time is over: what was left is counted

	stopOnce, quitOnce sync.Once
}

// NewLoki checks the options and starts the sink.
func NewLoki(o LokiOptions) (*Loki, error) {
	o = o.withDefaults()
	p, err := newLokiClient(o)
	if err != nil {
		return nil, err
	}
	l, err := startLoki(o, p)
	if err != nil {
		p.stop()
	}
	return l, err
}

func startLoki(o LokiOptions, p pusher) (*Loki, error) {
	l := &Loki{o: o, push: p, queue: newQueue(o.MaxRecords, o.MaxBytes), ending: make(chan struct{}), quit: make(chan struct{}), metadata: !o.NoMetadata}
	if o.SpoolDir != "" {
		s, damaged, err := openSpool(o.SpoolDir, o.SpoolSize)
		if err != nil {
			return nil, fmt.Errorf("log: the spool of Loki: %w", err)
		}
		l.aside, s.fault = damaged, o.Fault
		s.age = o.SpoolAge
		l.spool, l.spooled = s, s.items()
		l.ended.Go(l.spill)
	}
	l.ended.Go(l.run)
	return l, nil
}

// Write implements Sink. Live it never waits: what finds no space is dropped
// and counted. With Block it waits for space, at most BlockWait.
func (l *Loki) Write(rec Record) {
	it := own(&rec)
	// Years of five digits, as a hostile capture has them, cannot be sent.
	reason := Refused
	if year := it.time.Year(); year > 0 && year < 10_000 {
		if l.queue.put(it, l.o.BlockWait) {
			return
		}
		reason = QueueFull
	}
	l.mu.Lock()
	l.counted.drop(reason, 1)
	l.mu.Unlock()
}

// Counts says what became of the records.
func (l *Loki) Counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.counted
	items, _, _ := l.queue.state()
	c.Waiting = items + l.under + l.spooled
	return c
}

// Spooled says how many of the records that wait do so in the spool.
func (l *Loki) Spooled() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spooled
}

// Err says why the last push failed, nil where it did not. The text holds no
// URL, no credentials and nothing that the server said but its status.
func (l *Loki) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// SpoolErr says why the spool took nothing when it was last needed.
func (l *Loki) SpoolErr() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spoolErr
}

// SpoolFaults says how many writes of the spool failed, and how many of its files
// were damaged and set aside.
func (l *Loki) SpoolFaults() (failed uint64, aside int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spoolBad, l.aside
}

// Metadata says whether structured metadata is sent: not where Loki refused it.
func (l *Loki) Metadata() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.metadata
}

// Stop takes no more records and delivers what waits until ctx ends. What is then
// left goes to the spool, or is counted as dropped. With a spool it does not wait
// for a Loki that takes nothing.
func (l *Loki) Stop(ctx context.Context) error {
	l.queue.close()
	l.stopOnce.Do(func() { close(l.ending) })
	ended := make(chan struct{})
	go func() { l.ended.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-ctx.Done():
	}
	l.quitOnce.Do(func() { close(l.quit) })
	if n := l.settleRest(); n > 0 {
		return fmt.Errorf("log: Loki: %d records were not delivered when the time to stop was over", n)
	}
	return nil
}

// run delivers batch by batch.
func (l *Loki) run() {
	// The client hangs for ever on what is handed to it after its stop: this
	// goroutine alone does both.
	defer l.push.stop()
	wait := pause{least: l.o.MinBackoff, most: l.o.MaxBackoff}
	for {
		if !l.next() || !l.deliver(&wait) {
			return
		}
	}
}

// next waits for the oldest batch. What is in the spool stays there when the time
// to stop is over.
func (l *Loki) next() bool {
	for {
		if l.spool == nil || !l.hasSpooled() {
			if !l.queue.wait(l.o.BatchWait, l.o.BatchBytes, l.quit) {
				return false
			}
		}
		select {
		case <-l.quit:
			return false
		default:
		}
		if l.take() {
			return true
		}
	}
}

func (l *Loki) hasSpooled() bool {
	l.order.Lock()
	defer l.order.Unlock()
	return len(l.spool.files) > 0
}

// take takes the oldest batch out of the spool or, where that is empty, out of
// the queue, and makes it the one under way. It is false where a file was damaged.
func (l *Loki) take() bool {
	l.order.Lock()
	defer l.order.Unlock()
	var file spooled
	var ok bool
	var batch []item
	var err error
	if l.spool != nil {
		if file, ok = l.spool.take(); ok {
			if batch, err = l.spool.load(file); err != nil {
				l.spool.setAside(file)
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		l.aside++
		l.counted.drop(Damaged, file.items)
	case !ok:
		batch = l.queue.take(nil, l.o.BatchBytes)
	}
	l.spooled -= file.items
	l.under += len(batch)
	l.rest, l.file = [][]item{batch}, file
	return len(batch) > 0
}
