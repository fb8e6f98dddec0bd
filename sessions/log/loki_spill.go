package log

import (
	"fmt"
	"slices"
	"time"
)

// spill moves records from the queue to the spool while they cannot wait in
// memory: it is half full, or Loki takes nothing.
func (l *Loki) spill() {
	look := time.NewTicker(l.o.SpoolWait)
	defer look.Stop()
	for {
		select {
		case <-l.queue.half:
			if l.isStuck() {
				break // not with every record
			}
			for l.queue.overHalf() && l.spillBatch() {
			}
		case <-look.C:
			l.expire()
			for (l.Err() != nil || l.queue.overHalf()) && l.spillBatch() {
			}
		case <-l.ending:
			return
		}
	}
}

// expire drops what waits in the spool for too long.
func (l *Loki) expire() {
	l.order.Lock()
	defer l.order.Unlock()
	gone := l.spool.expire(time.Now())
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spooled -= gone
	l.counted.drop(Outlived, gone)
}

func (l *Loki) isStuck() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stuck
}

// spillBatch is false where nothing was moved.
func (l *Loki) spillBatch() bool {
	l.order.Lock()
	defer l.order.Unlock()
	l.mu.Lock()
	over := l.over
	batch := l.queue.take(nil, l.o.BatchBytes)
	l.under += len(batch)
	l.mu.Unlock()
	if len(batch) == 0 {
		return false
	}
	gone, err := 0, errStopped
	if !over {
		gone, err = l.spool.append(batch)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.under -= len(batch)
	l.spooled -= gone
	l.counted.drop(SpoolFull, gone)
	if err != nil { // a full disk: they wait in memory, and what finds no room there is dropped
		l.queue.putBack(batch)
		l.spoolBad++
		l.spoolErr, l.stuck = fmt.Errorf("log: the spool of Loki: %w", err), true
		return false
	}
	l.spooled += len(batch)
	l.spoolErr, l.stuck = nil, false
	return true
}

// settleRest ends the accounts: what is left goes to the spool or is dropped. A
// goroutine may still be inside the client, which cannot be cancelled.
func (l *Loki) settleRest() (lost int) {
	l.order.Lock()
	defer l.order.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return 0
	}
	l.over = true
	left := slices.Concat(l.rest...)
	l.rest = nil
	if l.spool != nil && len(left) > 0 && (l.spool.putBack(left, l.file) == nil || l.file.number > 0) {
		l.spooled += len(left) // at worst the file that they came from still has them
		l.under -= len(left)
	}
	for l.spool != nil {
		batch := l.queue.take(nil, l.o.BatchBytes)
		if len(batch) == 0 {
			break
		}
		if l.toSpool(batch) != nil {
			l.under += len(batch)
		}
	}
	lost = l.queue.drop() + l.under
	l.under = 0
	l.counted.drop(TimeOver, lost)
	return lost
}

// toSpool writes a batch that was taken from the queue; order and mu are held.
func (l *Loki) toSpool(batch []item) error {
	gone, err := l.spool.append(batch)
	l.spooled -= gone
	l.counted.drop(SpoolFull, gone)
	if err == nil {
		l.spooled += len(batch)
	}
	return err
}
