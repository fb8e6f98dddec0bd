package sessions

import "github.com/mailtap/mailtap/capture/packet"

// groupSize is how many segments are looked up together.
const groupSize = 16

// group finds the connections of several segments before the first of them is
// taken: with thousands of connections each step of a look-up waits for memory,
// and the processor waits for sixteen at once as long as for one.
type group struct {
	keys  [groupSize]flowKey
	hash  [groupSize]uint64
	fromA [groupSize]bool
	touch uint64 // keeps the compiler from leaving loads out
}

// Segments takes segments in the order of the capture. What they point to is
// borrowed.
func (t *Tracker) Segments(all []packet.Segment) {
	for len(all) > 0 {
		n := min(len(all), groupSize)
		t.lookAhead(all[:n])
		for i := range all[:n] {
			t.segment(&all[i], &t.group.keys[i], t.group.hash[i], t.group.fromA[i])
		}
		all = all[n:]
	}
}

// lookAhead brings what the segments need near: the index, the entries, the
// flows.
func (t *Tracker) lookAhead(all []packet.Segment) {
	g := &t.group
	touch := g.touch
	for i := range all {
		g.keys[i], g.fromA[i] = keyOf(&all[i])
		g.hash[i] = t.flows.hash(&g.keys[i])
		touch += t.flows.slots[t.flows.home(g.hash[i])]
	}
	var entries [groupSize]*entry
	for i := range all {
		if e := t.flows.likely(g.hash[i]); e != nil {
			entries[i] = e
			touch += e.key.a.Lo + e.octets[0] + uint64(e.talker)
		}
	}
	for i, e := range entries[:len(all)] {
		if e == nil || all[i].Length == 0 {
			continue
		}
		if f := t.talkers.of(e); f != nil {
			touch += f.warm()
		}
	}
	g.touch = touch
}

// warm loads what nearly every segment needs.
func (f *flow) warm() uint64 {
	s := &f.dialog
	return uint64(f.number) + uint64(s.now) + uint64(s.c.Mode()) + uint64(s.c.Offset()) + uint64(len(s.pending))
}
