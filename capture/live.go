package capture

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// reader takes packets from the system by one method.
type reader interface {
	read(batch []Packet) (int, error)
	counts() (liveCounts, error)
	wake() // ends a read that waits, if it can
	close() error
}

// backlogged is a reader that knows how much of its buffer waits to be read, in
// percent.
type backlogged interface{ waiting() int }

// binding is a reader that knows to which interface the system has bound it.
type binding interface{ bound(index int) bool }

// What a reader returns where the interface went down under it, or was taken from it
// for good: it may be back already, under the same number.
var (
	errWentDown = errors.New("interface went down")
	errUnbound  = errors.New("interface was taken away")
)

// Live captures from an interface. One that goes down or is removed is no
// error: capture goes on when it is back, made anew or not. One goroutine calls
// NextBatch, any may call the rest.
type Live struct {
	opts    LiveOptions
	member  *member
	system  system
	spares  spares
	refused error
	closed  chan struct{}
	closing sync.Once

	reading sync.Mutex // NextBatch, or taking down
	checked time.Time  // when the interface was last looked at
	retry   time.Time
	backoff time.Duration

	mu      sync.Mutex // of what follows
	reader  reader     // nil while the interface is gone
	index   int        // of the interface, 0 where it is none
	problem error
	before  liveCounts // of readers that were closed
}

// How often an interface is looked at.
const (
	checkSilent  = time.Second // while no packet comes
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 2 * time.Second
)

// NextBatch waits for packets, at most the poll timeout, and fills batch with
// those that are there. All are borrowed until the next call. With none it
// returns ErrTimeout, also while the interface is away, which Problem tells. Any
// other error is final: io.EOF after Close.
func (l *Live) NextBatch(batch []Packet) (int, error) {
	l.reading.Lock()
	defer l.reading.Unlock()
	if l.isClosed() {
		return 0, io.EOF
	}
	if l.reader == nil {
		return 0, l.reopen()
	}
	n, err := l.reader.read(batch)
	switch {
	case err == nil:
		l.tell(nil)
		return n, nil
	case l.isClosed():
		return 0, io.EOF
	}
	return 0, l.silent(err)
}

func (l *Live) isClosed() bool {
	select {
	case <-l.closed:
		return true
	default:
		return false
	}
}

// silent finds out why no packet came.
func (l *Live) silent(err error) error {
	now := time.Now()
	quiet := err == ErrTimeout
	if l.index == 0 || quiet && l.Problem() == nil && now.Sub(l.checked) < checkSilent {
		return err
	}
	l.checked = now
	switch d, ok := l.system.find(l.opts.Interface); {
	case !ok || d.index != l.index || err == errUnbound || !l.bound():
		l.tell(fmt.Errorf("capture on %s: %w", l.opts.Interface, ErrNoInterface))
		l.member.forsake()
		l.drop(now)
	case !d.up:
		l.tell(downError(l.opts.Interface))
		if !quiet && err != errWentDown {
			l.drop(now)
		}
	case !quiet && err != errWentDown:
		return err
	default:
		l.tell(nil)
	}
	return ErrTimeout
}

// bound is false where the interface left and came back under its number: the kernel
// does not bind the reader to it again.
func (l *Live) bound() bool {
	b, ok := l.reader.(binding)
	return !ok || b.bound(l.index)
}

func (l *Live) tell(problem error) {
	l.mu.Lock()
	l.problem = problem
	l.mu.Unlock()
}

// drop closes the reader, to be opened anew.
func (l *Live) drop(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c, err := l.reader.counts(); err == nil {
		l.before.add(c)
	}
	l.reader.close()
	l.reader = nil
	l.member.leave()
	l.backoff, l.retry = firstBackoff, now
}

// reopen tries again from time to time. An interface that is down can be
// opened where the method knows to wait.
func (l *Live) reopen() error {
	if wait := time.Until(l.retry); wait > 0 {
		timer := time.NewTimer(min(wait, l.opts.PollTimeout))
		defer timer.Stop()
		select {
		case <-l.closed:
			return io.EOF
		case <-timer.C:
			return ErrTimeout
		}
	}
	d, known := l.system.find(l.opts.Interface)
	err := fmt.Errorf("capture on %s: %w", l.opts.Interface, ErrNoInterface)
	if known {
		err = l.open(d, known)
	}
	if err != nil {
		l.retry = time.Now().Add(l.backoff)
		l.backoff = min(2*l.backoff, lastBackoff)
	}
	if errors.Is(err, ErrPrivilege) { // it does not come back; who starts the program gives it
		return fmt.Errorf("capture on %s: the interface was made anew, and what is needed to open it again was given up: restart mailtap", l.opts.Interface)
	}
	if known && !d.up {
		err = downError(l.opts.Interface)
	}
	l.tell(err)
	return ErrTimeout
}

// Problem tells why no packet can come just now: the interface is down
// (ErrDown), gone (ErrNoInterface), or cannot be opened again. It is nil while
// packets can come.
func (l *Live) Problem() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.problem
}

// Method says how packets are taken, and where that is libpcap because there
// was no ring to be had, why not.
func (l *Live) Method() (m Method, refused error) { return l.opts.Method, l.refused }

// OpenBlock is how long a packet may wait in the kernel before NextBatch can have
// it: until its block is full, or its time is over.
func (l *Live) OpenBlock() time.Duration {
	if l.opts.Method == MethodRing {
		return retireAfter(l.opts.PollTimeout)
	}
	return l.opts.PollTimeout
}

// retireAfter is for how long the ring keeps a block open.
func retireAfter(poll time.Duration) time.Duration { return poll / 2 }

// Close ends the capture and with it the packets that are borrowed; another
// goroutine may wait in NextBatch, which then returns io.EOF.
func (l *Live) Close() (err error) {
	l.closing.Do(func() {
		close(l.closed)
		l.mu.Lock()
		if l.reader != nil {
			l.reader.wake()
		}
		l.mu.Unlock()
		l.reading.Lock()
		defer l.reading.Unlock()
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.reader != nil {
			if c, e := l.reader.counts(); e == nil {
				l.before.add(c)
			}
			err = l.reader.close()
			l.reader = nil
			l.member.leave()
		}
		l.spares.close()
		err = errors.Join(err, l.system.close())
	})
	return err
}

// liveCounts are packets since a reader began.
type liveCounts struct{ received, kernel, device uint64 }

func (c *liveCounts) add(d liveCounts) {
	c.received += d.received
	c.kernel += d.kernel
	c.device += d.device
}

// Waiting says how much of the kernel's buffer waited to be read when packets were
// last taken from it, in percent; 0 where that is not known. It is for the goroutine
// that calls NextBatch.
func (l *Live) Waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b, ok := l.reader.(backlogged); ok {
		return b.waiting()
	}
	return 0
}

// Stats counts packets since OpenLive: received ones passed the filter, those
// that the kernel then dropped for want of room in the ring among them;
// droppedInterface were lost before, in the card or its driver, and are told by
// the first of an interface's shards. It must be asked at least once in 2^32
// packets.
func (l *Live) Stats() (received, droppedKernel, droppedInterface uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	sum := l.before
	if l.reader != nil {
		c, err := l.reader.counts()
		if err != nil {
			return 0, 0, 0, err
		}
		sum.add(c)
	}
	return sum.received, sum.kernel, sum.device, nil
}
