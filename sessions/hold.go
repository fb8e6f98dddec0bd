package sessions

import (
	"slices"

	"github.com/mailtap/mailtap/capture/stream"
)

// This file keeps the causal rule: an octet is handed on only when the octets
// that its sender had acknowledged were. Segments that come too early for it
// are held; what is acknowledged and does not come was lost by the tap.

// owed is a hole that the receiver has acknowledged: the octets exist and are
// late, or were never captured.
type owed struct {
	seq   uint32
	since int64 // when it was noticed, by the tracker's clock; 0: nothing is owed
}

// graceTime is how long an acknowledged octet may be late before it counts as
// lost: taps merge directions some milliseconds out of order.
const graceTime = 200e6

// disorderGrace is how long segments that wait for each other are given to be
// merely out of order.
const disorderGrace = 5e6

// maxOwed bounds what an acknowledgement can owe, in octets: a forged one must
// not turn the rest of a connection into a gap.
const maxOwed = 64 << 20

// maxUnsent bounds how far an acknowledgement may go beyond what a side was
// seen to send: so much may have been lost at once.
const maxUnsent = 1 << 20

func (f *flow) holding() bool { return len(f.queue[client])+len(f.queue[server]) > 0 }

// mustWait says whether a segment acknowledges octets that were not seen yet.
func (f *flow) mustWait(in *stream.Input, from side) bool {
	f.unsay(in, from)
	if !in.HasAck || !f.acksUnseen(from.other(), in.Ack) {
		return false
	}
	o := &f.own().owed[from.other()]
	if o.since == 0 {
		*o = owed{seq: in.Ack, since: f.t.now}
		f.odd = true
		f.wait()
	} else if stream.Before(o.seq, in.Ack) {
		o.seq = in.Ack
	}
	return in.Length > 0 || in.FIN
}

// unsay takes back what a side had acknowledged where it now acknowledges less:
// receivers do not, so the other segment was forged, or was sent later.
func (f *flow) unsay(in *stream.Input, from side) {
	o := &f.owed[from.other()]
	if o.since == 0 || !in.HasAck || !stream.Before(in.Ack, o.seq) || len(f.queue[from]) > 0 {
		return
	}
	o.seq = in.Ack
	if !stream.Before(f.half[from.other()].NextSeq(), o.seq) {
		*o = owed{}
	}
}

func (f *flow) acksUnseen(s side, ack uint32) bool {
	peer := &f.half[s]
	missing := int32(ack - peer.NextSeq())
	switch {
	case missing <= 0 || missing > maxOwed || peer.Ended(&f.t.pool):
		return false
	case f.sentKnown[s] && int32(ack-f.sent[s]) > maxUnsent:
		return false // of octets that nobody sent: forged
	case missing == 1 && f.state == closing:
		return false // it may be the sequence number of a FIN that was not captured
	}
	return true
}

func (f *flow) wait() {
	if f.t.waiting == nil {
		f.t.waiting = map[*flow]struct{}{}
	}
	f.t.waiting[f] = struct{}{}
}

// hold keeps a copy of a segment until the other direction has caught up.
func (f *flow) hold(in stream.Input, from side) {
	in.Data = slices.Clone(in.Data)
	f.t.held += len(in.Data)
	f.own().queue[from] = inOrder(f.queue[from], in)
	f.odd = true
	if len(f.queue[client])+len(f.queue[server]) > f.t.opts.Limits.HeldSegments {
		f.giveUpHolds(in.Time)
	}
}

// giveUpHolds waits for the other direction no longer.
func (f *flow) giveUpHolds(at int64) {
	f.t.stats.EvictedMemory++
	f.talk().anomaly(HoldLimit, at, "")
	f.release()
	f.flushHolds()
}

// inOrder files a segment before those that its sender sent later: a tap may
// swap them, and a later one acknowledges more than an earlier one needs.
func inOrder(queue []stream.Input, in stream.Input) []stream.Input {
	at := len(queue)
	for at > 0 && stream.Before(in.Seq, queue[at-1].Seq) {
		at--
	}
	return slices.Insert(queue, at, in)
}

// settle hands on what can be handed on, and gives up what is owed for too
// long.
func (f *flow) settle(now int64) {
	f.release()
	for s := range f.owed {
		if o := &f.owed[s]; o.since != 0 && !stream.Before(f.half[s].NextSeq(), o.seq) {
			*o = owed{}
		}
	}
	if c, v := f.owed[client].since, f.owed[server].since; c != 0 && v != 0 && now-min(c, v) > disorderGrace {
		// Each direction waits for the other: the octets of the hole were sent
		// before what is held, so they are not late but lost.
		f.giveUp(f.root())
	}
	f.patience(now)
}

// patience ends when an owed octet is late for longer than the grace.
func (f *flow) patience(now int64) {
	for s := range f.owed {
		if f.late(side(s), now) {
			f.giveUp(side(s))
		}
	}
	if !f.owes() && len(f.t.waiting) > 0 {
		delete(f.t.waiting, f)
	}
}

// outOfPatience lists the connections that wait for octets that are late for too
// long, by their start. Those that wait for nothing any more are forgotten. Where
// packets are dropped thousands wait, most of them for a segment to come at all.
func (t *Tracker) outOfPatience() []*flow {
	var all []*flow
	for f := range t.waiting {
		switch {
		case f.late(client, t.now), f.late(server, t.now):
			all = append(all, f)
		case !f.owes():
			delete(t.waiting, f)
		}
	}
	slices.SortFunc(all, func(a, b *flow) int { return byStart(a.entry, b.entry) })
	return all
}

// late says whether a side owes octets for longer than the grace: some that it was
// seen to send.
func (f *flow) late(s side, now int64) bool {
	o := &f.owed[s]
	return o.since != 0 && now-o.since > graceTime && (!f.sentKnown[s] || !stream.Before(f.sent[s], o.seq))
}

func (f *flow) owes() bool { return f.owed[client].since != 0 || f.owed[server].since != 0 }

// root is the side whose hole keeps the held segments waiting: nothing that is
// held fills it.
func (f *flow) root() side {
	for s := range f.queue {
		peer := side(s).other()
		if len(f.queue[s]) > 0 && !f.holds(peer, f.half[peer].NextSeq()) {
			return peer
		}
	}
	if f.owed[client].since != 0 {
		return client
	}
	return server
}

// holds says whether a held segment of a side brings the octet at seq.
func (f *flow) holds(s side, seq uint32) bool {
	for i := range f.queue[s] {
		in := &f.queue[s][i]
		if !stream.Before(seq, in.Seq) && stream.Before(seq, in.Seq+uint32(in.Length)) {
			return true
		}
	}
	return false
}

// giveUp declares what is owed by a side as lost. Step by step: each held
// segment follows the octets that its sender had seen.
func (f *flow) giveUp(s side) {
	o := f.owed[s]
	f.owed[s] = owed{}
	for h := &f.half[s]; o.since != 0 && stream.Before(h.NextSeq(), o.seq); {
		was, upTo := h.NextSeq(), o.seq
		if f.holds(s, was) { // it is here, and waits for octets of the other direction
			peer := s.other()
			before := f.half[peer].NextSeq()
			f.declare(peer, f.queue[s][0].Ack)
			if h.NextSeq() == was && f.half[peer].NextSeq() == before {
				return
			}
			continue
		}
		if q := f.queue[s.other()]; len(q) > 0 && stream.Before(h.NextSeq(), q[0].Ack) && stream.Before(q[0].Ack, upTo) {
			upTo = q[0].Ack
		}
		f.declare(s, upTo)
		if h.NextSeq() == was {
			return
		}
	}
}

// declare turns a hole into a gap, as far as a held segment of the side, and
// hands on what that sets free.
func (f *flow) declare(s side, upTo uint32) {
	next := f.half[s].NextSeq()
	for i := range f.queue[s] {
		if seq := f.queue[s][i].Seq; stream.Before(next, seq) && stream.Before(seq, upTo) {
			upTo = seq
		}
	}
	f.half[s].Lost(upTo, &f.t.pool)
	f.deliver(s)
	f.release()
}

// release hands on the held segments whose acknowledgements are satisfied, in
// the order in which each side sent them.
func (f *flow) release() {
	for moved := true; moved && !f.done; {
		moved = false
		for s := range f.queue {
			for len(f.queue[s]) > 0 && !f.mustWaitStill(side(s)) {
				in := f.queue[s][0]
				f.queue[s] = f.queue[s][1:]
				f.t.held -= len(in.Data)
				f.add(in, side(s))
				moved = true
			}
		}
	}
}

func (f *flow) mustWaitStill(s side) bool {
	peer := &f.half[s.other()]
	return stream.Before(peer.NextSeq(), f.queue[s][0].Ack) && !peer.Ended(&f.t.pool)
}

// flushHolds hands on all that is held: what it waits for will not come.
func (f *flow) flushHolds() {
	for f.holding() && !f.done {
		s := f.root()
		q := f.queue[s.other()]
		if len(q) == 0 {
			s = s.other()
			q = f.queue[s.other()]
		}
		n := len(f.queue[client]) + len(f.queue[server])
		was := f.half[s].NextSeq()
		f.declare(s, q[0].Ack)
		if len(f.queue[client])+len(f.queue[server]) == n && f.half[s].NextSeq() == was {
			f.t.held -= len(q[0].Data)
			f.queue[s.other()] = q[1:]
		}
	}
}

// freeHolds gives up what is held.
func (f *flow) freeHolds() {
	for s := range f.queue {
		for i := range f.queue[s] {
			f.t.held -= len(f.queue[s][i].Data)
		}
		f.queue[s] = nil
	}
}
