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
	var flows [groupSize]*flow
	for i, e := range entries[:len(all)] {
		if e != nil && all[i].Length > 0 {
			if f := t.talkers.of(e); f != nil {
				flows[i] = f
				touch += f.warm()
			}
		}
	}
	for _, f := range flows[:len(all)] {
		if f != nil {
			touch += f.dialog.warm()
		}
	}
	g.touch = touch
}

// warm loads the lines of a flow that nearly every packet needs, by one field of
// each: what stands before and behind it comes along.
func (f *flow) warm() uint64 {
	s := &f.dialog
	return uint64(f.number) + uint64(s.now) + uint64(s.c.Mode()) + uint64(s.s.Limit) + uint64(s.burst) + uint64(s.commands.few[0]) + uint64(s.greeting.Code) + uint64(len(s.mails))
}

// warm loads what those lines lead to: the command that waits, the message or
// the TLS connection that is being read.
func (s *session) warm() (sum uint64) {
	if len(s.pending) > 0 {
		sum = uint64(s.pending[0].begin)
	}
	switch {
	case s.sealed:
		sum += uint64(s.tls.watch.Mark)
	case s.mail.content != nil:
		sum += uint64(s.mail.content.size)
	}
	return sum
}
