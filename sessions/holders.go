package sessions

import "math"

// This file has early octets and segments that wait paid for by those that have the
// most of them where all together are too many: a few connections that fill the room
// must not make gaps of what taps swap in all others.

// holds files a connection by the early octets that it has.
func (t *Tracker) holds(f *flow) {
	n := uint32(min(f.early(), math.MaxUint32))
	if n != f.held.octets && (rank(n) > 0 || rank(f.held.octets) > 0) {
		f.own()
		t.holders.move(f, n)
	}
}

// early is how many octets wait in a connection for others.
func (f *flow) early() int {
	n := f.half[client].Held(&f.t.pool) + f.half[server].Held(&f.t.pool)
	for s := range f.queue {
		for i := range f.queue[s] {
			n += len(f.queue[s][i].Data)
		}
		for i := range f.suspects[s] {
			n += len(f.suspects[s][i].Data)
		}
	}
	return n
}

// payHeld has less held, where it is too much: by those that hold the most, or where
// none holds much by the one that brings more.
func (t *Tracker) payHeld(brings *flow) {
	for t.held > t.opts.Limits.HeldTotal {
		f := t.holders.largest()
		if f == nil {
			f = brings
		}
		was := t.held
		if f.entry == nil || f.done || f.early() == 0 {
			return
		}
		if f.pay(); t.held >= was {
			return
		}
	}
}

// pay gives up what a connection has waited for.
func (f *flow) pay() {
	t := f.t
	switch {
	case f.holding():
		f.giveUpHolds(f.last)
	case f.half[client].Held(&t.pool) > f.half[server].Held(&t.pool):
		f.payEarly(client)
	case f.half[server].Held(&t.pool) > 0:
		f.payEarly(server)
	default:
		t.stats.EvictedMemory++
		f.freeSuspects()
	}
	f.settle(t.now)
	t.holds(f)
	t.reckon(f)
	if f.done {
		t.talkers.retire(f)
	}
}

func (f *flow) payEarly(s side) {
	f.overflow(s)
	if f.half[s].Ended(&f.t.pool) {
		f.ended(s)
	}
}
