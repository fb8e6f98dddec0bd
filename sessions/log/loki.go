package log

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// pusher delivers records to a log store and keeps truthful counts of what
// became of them. Its methods are called by one goroutine, except counts and failure.
type pusher interface {
	push(it *item)      // hands a record over; may wait while the store is away
	counts() pushCounts // since the start
	stop()              // ends; only when nothing is under way is that quick
	failure() error     // why the last push failed; tells no secret
}

// pushCounts counts records that were acknowledged or given up, and how often
// a push was tried again.
type pushCounts struct{ sent, dropped, retries uint64 }

// Loki is a sink that pushes records to Grafana Loki. Write puts them into a
// bounded queue; one goroutine takes them out in batches and waits until each
// batch was acknowledged or given up, so that the counts are the truth.
//
// Written means that Loki answered 2xx. Dropped means that there was no such
// answer: the queue was full, the tries were used up, Loki refused (it refuses a
// whole push for one bad line, e.g. one older than its limit of a week, though it
// may have stored the others), or Stop's time was over. Retried counts the
// records of a push each time it was tried again.
type Loki struct {
	o     LokiOptions
	queue *queue
	push  pusher
	done  chan struct{} // closed when the goroutine ended

	mu       sync.Mutex
	counted  Counts
	inFlight int        // taken from the queue, outcome unknown
	handed   int        // of these, how many the pusher has
	last     pushCounts // what the pusher had counted when last asked
	again    uint64     // tries of the batch under way after its first
	over     bool       // Stop's time is over: what was left is counted
}

// NewLoki checks the options and starts the sink.
func NewLoki(o LokiOptions) (*Loki, error) {
	o = o.withDefaults()
	p, err := newLokiClient(o)
	if err != nil {
		return nil, err
	}
	return startLoki(o, p), nil
}

func startLoki(o LokiOptions, p pusher) *Loki {
	l := &Loki{
		o: o, push: p, queue: newQueue(o.MaxRecords, o.MaxBytes),
		last: p.counts(), done: make(chan struct{}),
	}
	go l.run()
	return l
}

// Write implements Sink. Live it never waits: what finds no space is dropped
// and counted. With Block it waits for space, at most BlockWait.
func (l *Loki) Write(rec Record) {
	it := item{line: string(rec.Line), time: rec.Time, event: rec.Event, role: rec.Role, direction: rec.Direction}
	if l.queue.put(it, l.o.BlockWait) {
		return
	}
	l.mu.Lock()
	l.counted.Dropped++
	l.mu.Unlock()
}

// Counts says what became of the records.
func (l *Loki) Counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle()
	c := l.counted
	items, _, _ := l.queue.state()
	c.Waiting = items + l.inFlight
	return c
}

// Err says why the last failed push failed, nil where none did. The text holds
// no URL, no credentials and nothing that the server said but its status.
func (l *Loki) Err() error { return l.push.failure() }

// Stop takes no more records, delivers what waits until ctx ends, and counts
// what is then left as dropped. It may be called again.
func (l *Loki) Stop(ctx context.Context) error {
	l.queue.close()
	select {
	case <-l.done:
		return nil
	case <-ctx.Done():
	}
	if n := l.giveUp(); n > 0 {
		return fmt.Errorf("log: Loki: %d records were not delivered when the time to stop was over", n)
	}
	return nil
}

// giveUp counts all that is left as dropped and ends the accounts. The
// goroutine may still be inside the client, which cannot be cancelled; it ends
// with the tries of the batch under way.
func (l *Loki) giveUp() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle()
	n := l.queue.drop() + l.inFlight
	l.counted.Dropped += uint64(n)
	l.inFlight, l.handed = 0, 0
	l.over = true
	return n
}

func (l *Loki) run() {
	defer close(l.done)
	// The client hangs for ever on what is handed to it after its stop:
	// this goroutine alone does both.
	defer l.push.stop()
	var batch []item
	for l.wait() {
		batch = l.take(batch[:0])
		l.deliver(batch)
		clear(batch)
	}
}

// wait returns when a batch is due: BatchWait after its first record, at once
// where the queue holds a full batch or is closed. It is false at the end.
func (l *Loki) wait() bool {
	var due <-chan time.Time
	for {
		items, bytes, closed := l.queue.state()
		switch {
		case items == 0 && closed:
			return false
		case closed, bytes >= l.o.BatchBytes:
			return true
		case items > 0 && due == nil:
			timer := time.NewTimer(l.o.BatchWait)
			defer timer.Stop()
			due = timer.C
		}
		select {
		case <-l.queue.filled:
		case <-due:
			return true
		}
	}
}

// take moves a batch from the queue to what is under way.
func (l *Loki) take(batch []item) []item {
	l.mu.Lock()
	defer l.mu.Unlock()
	batch = l.queue.take(batch, l.o.BatchBytes)
	l.inFlight += len(batch)
	return batch
}

// deliver hands a batch over and waits for its outcome.
func (l *Loki) deliver(batch []item) {
	for i := range batch {
		l.push.push(&batch[i])
		l.mu.Lock()
		l.settle() // a push that waited saw the end of a part of this batch
		l.handed++
		over := l.over
		l.mu.Unlock()
		if over {
			return
		}
	}
	l.await()
}

// pollEvery is how often the client's counts are read while a batch is under
// way; it is also how often the client looks whether it has something to send.
const pollEvery = 10 * time.Millisecond

// await returns when nothing is under way. The client forgets a batch that it
// cannot encode: after the longest time that its tries can take, what is still
// unknown counts as dropped.
func (l *Loki) await() {
	longest := time.Duration(l.o.Tries)*(l.o.Timeout+l.o.MaxBackoff) + 5*time.Second
	deadline := time.NewTimer(longest)
	defer deadline.Stop()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		select {
		case <-poll.C:
			if l.settled() {
				return
			}
		case <-deadline.C:
			l.giveUpBatch()
			return
		}
	}
}

func (l *Loki) settled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle()
	return l.inFlight == 0
}

func (l *Loki) giveUpBatch() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle()
	l.counted.Dropped += uint64(l.inFlight)
	l.inFlight, l.handed, l.again = 0, 0, 0
}

// settle brings the counts up to what the pusher knows; l.mu is held.
func (l *Loki) settle() {
	c, last := l.push.counts(), l.last
	l.last = c
	if l.over {
		return
	}
	// The client counts a retry after its last try too.
	before := min(l.again, uint64(l.o.Tries-1))
	l.again += c.retries - last.retries
	l.counted.Retried += (min(l.again, uint64(l.o.Tries-1)) - before) * uint64(l.handed)

	sent := min(int(c.sent-last.sent), l.inFlight)
	l.counted.Written += uint64(sent)
	l.inFlight -= sent
	dropped := min(int(c.dropped-last.dropped), l.inFlight)
	l.counted.Dropped += uint64(dropped)
	l.inFlight -= dropped
	if sent+dropped > 0 {
		l.handed = max(0, l.handed-sent-dropped)
		l.again = 0
	}
}
