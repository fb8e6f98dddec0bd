package sessions

import (
	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/capture/prefetch"
)

// With thousands of connections open nothing that a packet needs is in a cache,
// and each thing says where the next one lies. So packets go in groups, and while
// one is taken those behind it are on their way: each takes a step, which asks
// for memory and does not wait. When a group is taken, what it needs has come.
const (
	groupSize = prefetch.Size
	steps     = 5
	farthest  = steps * groupSize
	ringSize  = 64 // a power of two, at least farthest and a group
)

// approach is what is known of the segments on their way, by their place in the
// list, which goes round.
type approach struct {
	hash  [ringSize]uint64
	entry [ringSize]*entry // most likely theirs; nil: none is
	flow  [ringSize]*flow  // likewise
}

// place is where something of a segment stands.
func place(i int) uint { return uint(i) % ringSize }

// Segments takes segments in the order of the capture. What they point to is
// borrowed.
func (t *Tracker) Segments(all []packet.Segment) {
	for first := -farthest; first < len(all); first += groupSize {
		t.near.steps(t, all, first+farthest)
		for i := max(first, 0); i < min(first+groupSize, len(all)); i++ {
			t.segment(&all[i], t.near.hash[place(i)], t.near.entry[place(i)])
		}
	}
}

// steps takes every group that is on its way one step further. The group at
// first has the first step before it.
func (a *approach) steps(t *Tracker, all []packet.Segment, first int) {
	for step := range steps {
		from, to := first-step*groupSize, min(first-(step-1)*groupSize, len(all))
		if from < 0 {
			return
		}
		switch step {
		case 0:
			a.toSlots(t, all, from, to)
		case 1:
			a.toEntries(t, from, to)
		case 2:
			a.toFlows(t, all, from, to)
		case 3:
			a.toDialogs(from, to)
		case 4:
			a.toContents(from, to)
		}
	}
}

func (a *approach) toSlots(t *Tracker, all []packet.Segment, from, to int) {
	var w prefetch.Group
	for i := from; i < to; i++ {
		hash := t.flows.hashOf(&all[i])
		a.hash[place(i)] = hash
		prefetch.Add(&w, &t.flows.slots[t.flows.home(hash)])
	}
	w.Ask(1)
}

func (a *approach) toEntries(t *Tracker, from, to int) {
	var w prefetch.Group
	for i := from; i < to; i++ {
		e := t.flows.likely(a.hash[place(i)])
		a.entry[place(i)] = e
		if e != nil {
			prefetch.Add(&w, e)
		}
	}
	w.Ask(prefetch.Lines[entry]())
}

// toFlows asks for flows. Of a pure acknowledgement nearly always nothing but
// the entry is looked at.
func (a *approach) toFlows(t *Tracker, all []packet.Segment, from, to int) {
	var w prefetch.Group
	for i := from; i < to; i++ {
		var f *flow
		if e := a.entry[place(i)]; e != nil && all[i].Length > 0 {
			f = t.talkers.of(e)
		}
		a.flow[place(i)] = f
		if f != nil {
			prefetch.Add(&w, f)
		}
	}
	w.Ask(prefetch.Lines[flow]())
}

// toDialogs asks for what a flow leads to: the command that waits, and the message or
// the TLS connection that is being read.
func (a *approach) toDialogs(from, to int) {
	var waiting, read prefetch.Group
	for i := from; i < to; i++ {
		f := a.flow[place(i)]
		if f == nil {
			continue
		}
		s := &f.dialog
		if len(s.pending) > 0 {
			prefetch.Add(&waiting, &s.pending[0])
		}
		switch {
		case s.sealed:
			prefetch.Add(&read, s.tls)
		case s.mail.content != nil:
			prefetch.Add(&read, s.mail.content)
		}
	}
	waiting.Ask(prefetch.Lines[command]())
	read.Ask(prefetch.Lines[content]())
}

func (a *approach) toContents(from, to int) {
	var w prefetch.Group
	for i := from; i < to; i++ {
		f := a.flow[place(i)]
		if f == nil {
			continue
		}
		switch s := &f.dialog; {
		case s.sealed:
			prefetch.Add(&w, s.tls.watch)
		case s.mail.content != nil:
			prefetch.Add(&w, s.mail.content.reader)
		}
	}
	w.Ask(2)
}
