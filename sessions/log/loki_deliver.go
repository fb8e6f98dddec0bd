package log

import (
	"errors"
	"fmt"
	"slices"
)

var errStopped = errors.New("the sink has ended")

// delivery is one batch on its way: l.rest are its parts that Loki has neither
// taken nor refused, in their order.
type delivery struct {
	*Loki
	splits int // pushes more that were made to find bad lines
}

// deliver tries until nothing of the batch under way is left. It is false where it gave up:
// then Stop finds in rest what is left.
func (l *Loki) deliver(wait *pause) bool {
	d := &delivery{Loki: l}
	for {
		group, metadata, ok := d.group()
		if !ok {
			break
		}
		parts := l.push.push(group, metadata)
		again, alive := d.settle(group, parts)
		if !alive {
			return false
		}
		if !again {
			wait.reset()
			continue
		}
		if d.stopsNow() {
			return false
		}
		l.keepUnderWay()
		if !wait.wait(l.quit) {
			return false
		}
	}
	l.order.Lock()
	defer l.order.Unlock()
	l.mu.Lock()
	over, file := l.over, l.file
	l.rest, l.file = nil, spooled{}
	if items, _, _ := l.queue.state(); items == 0 && l.spooled == 0 { // nothing needs a disk
		l.spoolErr, l.stuck = nil, false
	}
	l.mu.Unlock()
	if l.spool != nil && !over {
		l.spool.remove(file)
	}
	return true
}

// keepUnderWay writes the batch under way into the spool, where it is in memory
// only: Loki takes nothing, and that may last.
func (l *Loki) keepUnderWay() {
	l.order.Lock()
	defer l.order.Unlock()
	l.mu.Lock()
	left := slices.Concat(l.rest...)
	needless := l.spool == nil || l.over || l.file.number > 0
	l.mu.Unlock()
	if needless {
		return
	}
	file, err := l.spool.keep(left)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.spoolBad++
		l.spoolErr = fmt.Errorf("log: the spool of Loki: %w", err)
		return
	}
	l.file = file
}

// group is what is to be sent next.
func (d *delivery) group() (group []item, metadata, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.rest) == 0 || d.over {
		return nil, false, false
	}
	return d.rest[0], d.metadata, true
}

// stopsNow says that the program ends and a spool keeps what is left.
func (d *delivery) stopsNow() bool {
	_, _, closed := d.queue.state()
	return closed && d.spool != nil
}

// settle counts what became of a group that was sent. again says that Loki is to
// be left alone for a while, alive that Stop has not counted it already.
func (d *delivery) settle(group []item, parts []part) (again, alive bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		return false, false
	}
	var rest [][]item
	for _, p := range parts {
		some := group[:p.records]
		group = group[p.records:]
		left, wait := d.part(some, p.outcome)
		again = again || wait
		rest = append(rest, left...)
	}
	d.rest = append(rest, d.rest[1:]...)
	return again, true
}

// part counts what became of a part of a push, and gives what is to be sent
// again; mu is held.
func (d *delivery) part(some []item, o outcome) (left [][]item, wait bool) {
	d.last = o.err
	switch o.kind {
	case stored:
		d.counted.Written += uint64(len(some))
		d.under -= len(some)
		return nil, false
	case failed, failedUnsure:
		d.counted.Retried += uint64(len(some))
		if o.kind == failedUnsure {
			d.counted.Unsure += uint64(len(some))
		}
		return [][]item{some}, true
	case refusedMetadata:
		if d.metadata {
			d.metadata = false
			d.counted.Retried += uint64(len(some))
			return [][]item{some}, false
		}
	}
	d.last = nil // it was refused for what is in it: Loki takes records
	return d.refused(some, o), false
}

// refused gives the parts of a refused push that may hold good lines. They are
// sent again, since what Loki stored of them is not known; mu is held.
func (d *delivery) refused(some []item, o outcome) [][]item {
	if !o.oldest.IsZero() {
		young := slices.DeleteFunc(slices.Clone(some), func(it item) bool { return it.time.Before(o.oldest) })
		if n := len(some) - len(young); n > 0 {
			d.lose(TooOld, n)
			if len(young) == 0 {
				return nil
			}
			d.resend(len(young), o)
			return [][]item{young}
		}
	}
	if len(some) == 1 || d.splits >= d.o.MaxSplits {
		d.lose(o.reason, len(some))
		return nil
	}
	d.splits += 2
	d.resend(len(some), o)
	half := len(some) / 2
	return [][]item{some[:half], some[half:]}
}

func (d *delivery) lose(reason Reason, n int) {
	d.counted.drop(reason, n)
	d.under -= n
}

func (d *delivery) resend(n int, o outcome) {
	d.counted.Retried += uint64(n)
	if o.reason != TooLong {
		d.counted.Unsure += uint64(n)
	}
}
