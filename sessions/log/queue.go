package log

import (
	"sync"
	"time"
)

// item is a record that waits for a sink: it owns its line.
type item struct {
	line                   string
	time                   time.Time
	event, role, direction string
	session, community     string
}

// own makes an item of a record, whose line is borrowed.
func own(rec *Record) item {
	return item{
		line: string(rec.Line), time: rec.Time, event: rec.Event, role: rec.Role, direction: rec.Direction,
		session: rec.Session, community: rec.CommunityID,
	}
}

// itemOverhead is what an item costs beside its line, for the limit in octets.
const itemOverhead = 128

func (i *item) size() int { return len(i.line) + itemOverhead }

// queue is bounded in items and octets. put never waits unless it is told how
// long; take waits for a batch.
type queue struct {
	mu                 sync.Mutex
	ring               []item
	head, n, bytes     int
	maxItems, maxBytes int
	closed             bool
	slow               bool          // a wait for space ended in vain: no further one until there was some
	filled             chan struct{} // capacity 1: something came in, or closed
	half               chan struct{} // capacity 1: more than half of the room is used
	freed              chan struct{} // closed and made anew when something goes out
}

func newQueue(maxItems, maxBytes int) *queue {
	return &queue{
		maxItems: maxItems, maxBytes: maxBytes,
		filled: make(chan struct{}, 1), half: make(chan struct{}, 1), freed: make(chan struct{}),
	}
}

// put tells whether it took the item. It waits for space up to wait, which may
// be 0.
func (q *queue) put(it item, wait time.Duration) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if it.size() > q.maxBytes {
		return false // it would never fit
	}
	if wait > 0 && !q.slow && !q.closed && !q.fits(&it) {
		q.waitForSpace(&it, wait)
	}
	if q.closed || !q.fits(&it) {
		return false
	}
	q.push(it)
	signal(q.filled)
	if q.n > q.maxItems/2 || q.bytes > q.maxBytes/2 {
		signal(q.half)
	}
	return true
}

// signal wakes who waits for a channel of capacity 1.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// overHalf says whether more than half of the room is used.
func (q *queue) overHalf() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.n > q.maxItems/2 || q.bytes > q.maxBytes/2
}

// wait returns when a batch is due: wait after its first item, at once where the
// queue holds a full batch or is closed. It is false where nothing more comes, or
// quit is closed.
func (q *queue) wait(wait time.Duration, batch int, quit <-chan struct{}) bool {
	var due <-chan time.Time
	for {
		items, bytes, closed := q.state()
		switch {
		case items == 0 && closed:
			return false
		case closed, bytes >= batch:
			return true
		case items > 0 && due == nil:
			timer := time.NewTimer(wait)
			defer timer.Stop()
			due = timer.C
		}
		select {
		case <-q.filled:
		case <-due:
			return true
		case <-quit:
			return false
		}
	}
}

// waitForSpace is called and returns with the lock held.
func (q *queue) waitForSpace(it *item, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for !q.closed && !q.fits(it) {
		freed := q.freed
		q.mu.Unlock()
		late := false
		select {
		case <-freed:
		case <-timer.C:
			late = true
		}
		q.mu.Lock()
		if late {
			q.slow = !q.fits(it)
			return
		}
	}
}

func (q *queue) fits(it *item) bool {
	return q.n < q.maxItems && q.bytes+it.size() <= q.maxBytes
}

func (q *queue) push(it item) {
	if q.n == len(q.ring) {
		q.grow()
	}
	q.ring[(q.head+q.n)%len(q.ring)] = it
	q.n++
	q.bytes += it.size()
}

// grow doubles the ring: a queue that is never full costs little.
func (q *queue) grow() {
	ring := make([]item, max(min(max(64, 2*len(q.ring)), q.maxItems), len(q.ring)+1))
	for i := range q.n {
		ring[i] = q.ring[(q.head+i)%len(q.ring)]
	}
	q.ring, q.head = ring, 0
}

// take moves up to limit octets, and at least one item, into batch.
func (q *queue) take(batch []item, limit int) []item {
	q.mu.Lock()
	defer q.mu.Unlock()
	size := 0
	for q.n > 0 {
		it := q.ring[q.head]
		if size += it.size(); size > limit && len(batch) > 0 {
			break
		}
		q.ring[q.head] = item{}
		q.head = (q.head + 1) % len(q.ring)
		q.n--
		q.bytes -= it.size()
		batch = append(batch, it)
	}
	if len(batch) > 0 {
		q.slow = false
		close(q.freed)
		q.freed = make(chan struct{})
	}
	return batch
}

// putBack returns items to the head that were taken from there.
func (q *queue) putBack(batch []item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := len(batch) - 1; i >= 0; i-- {
		if q.n == len(q.ring) {
			q.grow()
		}
		q.head = (q.head + len(q.ring) - 1) % len(q.ring)
		q.ring[q.head] = batch[i]
		q.n++
		q.bytes += batch[i].size()
	}
}

// close refuses further items; what is in stays to be taken.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.closed = true
	close(q.freed)
	q.freed = make(chan struct{})
	signal(q.filled)
}

// drop empties the queue and tells how many items that were.
func (q *queue) drop() int {
	n := 0
	for batch := q.take(nil, q.maxBytes); len(batch) > 0; batch = q.take(nil, q.maxBytes) {
		n += len(batch)
	}
	return n
}

func (q *queue) state() (items, bytes int, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.n, q.bytes, q.closed
}
