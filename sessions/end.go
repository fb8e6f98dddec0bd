package sessions

import (
	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/capture/stream"
)

// reset judges a RST. It counts only where the receiver would take it: at the
// next octet, or where the other side has acknowledged to (RFC 5961, 3.2).
func (f *flow) reset(s *packet.Segment, from side) {
	peer := &f.half[from.other()]
	if f.state == opening && from == server {
		if s.Flags&packet.ACK == 0 || peer.Started() && s.Ack != peer.NextSeq() {
			return // forged, or answers another SYN (RFC 9293, 3.10.7.3)
		}
		f.refused()
		return
	}
	h := &f.half[from]
	if h.Started() && s.Seq != h.NextSeq() && !f.owedTo(from, s.Seq) && !f.behindHeld(from, s.Seq) && !h.Ended(&f.t.pool) {
		f.talk().anomaly(ResetOutOfPlace, s.Time, "")
		return
	}
	if f.rst == nil {
		f.own().rst, f.odd = &rst{by: from, end: EndReset}, true
		if f.state == closing {
			f.rst.end = EndClosed // a side had closed in order; the RST only clears up
		}
		f.t.wheel.remove(f.entry)
		f.t.wheel.add(f.entry, f.due())
	}
}

// rst is a RST in place. Octets of the other side may still be under way, and a
// forged one is followed by the dialog as if it were not there: what comes in the
// time that an ended connection is remembered tells.
type rst struct {
	by  side
	end string
}

// resumed takes a RST back whose sender goes on.
func (f *flow) resumed(s *packet.Segment, from side) {
	if f.rst != nil && from == f.rst.by && s.Length > 0 && s.Flags&packet.RST == 0 && !stream.Before(s.Seq, f.half[from].NextSeq()) {
		f.rst = nil
		f.talk().anomaly(ResetOutOfPlace, s.Time, "")
	}
}

// wasReset says how a connection ended that a RST has ended.
func (f *flow) wasReset() string {
	if f.rst.by == server && f.talks && f.dialog.dismissed() {
		return EndClosed // closed with octets of the client unread: TCP makes a RST of it (RFC 1122, 4.2.2.13)
	}
	return f.rst.end
}

// owedTo says whether a side's octets up to seq were acknowledged, though not
// seen.
func (f *flow) owedTo(s side, seq uint32) bool {
	o := &f.owed[s]
	return o.since != 0 && !stream.Before(o.seq, seq) && !stream.Before(seq, f.half[s].NextSeq())
}

// behindHeld says whether seq follows a held segment of a side.
func (f *flow) behindHeld(s side, seq uint32) bool {
	for i := range f.queue[s] {
		if in := &f.queue[s][i]; in.Seq+uint32(in.Length) == seq {
			return true
		}
	}
	return false
}

func (f *flow) refused() {
	if !f.attempt {
		f.attempt = true
		tell(f.t, &f.t.events.attempt, Attempt{In: f.in(f.last), Result: "refused"})
	}
	f.finish(EndRefused)
}

func (f *flow) unanswered() {
	if !f.attempt {
		f.attempt = true
		tell(f.t, &f.t.events.attempt, Attempt{In: f.in(f.last), Result: "unanswered"})
	}
	f.finish(EndUnanswered)
}

// ended closes the session when both directions are complete.
func (f *flow) ended(from side) {
	f.setState(closing)
	if f.done || !f.half[client].Ended(&f.t.pool) || !f.half[server].Ended(&f.t.pool) {
		return
	}
	f.finish(f.endNow(EndClosed))
}

// flush hands on all that waits: nothing more will come.
func (f *flow) flush() {
	f.believeAll()
	f.flushHolds()
	for s := range f.owed {
		f.giveUp(side(s))
	}
	for s := range f.half {
		f.flushHeld(side(s))
	}
}

// maxFinalGap bounds a hole that nobody acknowledged: early octets behind a
// larger one are a forgery rather than a loss.
const maxFinalGap = 1 << 20

func (f *flow) flushHeld(s side) {
	h := &f.half[s]
	for {
		seq, ok := h.FirstHeld(&f.t.pool)
		if !ok || int32(seq-h.NextSeq()) > maxFinalGap {
			break
		}
		next := h.NextSeq()
		h.Lost(seq, &f.t.pool)
		f.deliver(s)
		if h.NextSeq() == next {
			break // what is left stands behind a FIN
		}
	}
}

// over ends a connection that nothing on the wire has ended: it was idle for
// too long, or the input ended.
func (f *flow) over(end string) {
	switch {
	case f.done:
		return
	case f.state == opening:
		f.unanswered()
		return
	}
	f.flush()
	switch {
	case f.rst != nil:
		end = f.wasReset()
	case f.state == closing:
		end = EndClosed
	}
	f.finish(f.endNow(end))
}

// endNow names the end: QUIT comes before what TCP did after it.
func (f *flow) endNow(end string) string {
	if f.talks && f.dialog.quitted() {
		return EndQuit
	}
	return end
}

// finish writes the session. The entry stays for a while so that late segments
// do not begin a new one.
func (f *flow) finish(end string) {
	if f.done {
		return
	}
	if end != EndRefused && end != EndUnanswered {
		f.tellOpened()
	}
	f.done = true
	if !f.talks {
		f.begin()
	}
	rec := f.dialog.finish(end)
	f.t.mails -= len(rec.Mails)
	rec.Bytes = Sides{f.octets[client], f.octets[server]}
	f.t.stats.Bytes += rec.Bytes.Client + rec.Bytes.Server
	rec.Packets = Sides{uint64(f.packets[client]), uint64(f.packets[server])}
	c, v := f.half[client].Counts(&f.t.pool), f.half[server].Counts(&f.t.pool)
	rec.Lost = Sides{c.Lost, v.Lost}
	rec.Retransmitted = Sides{c.Retransmitted, v.Retransmitted}
	f.tally(&c)
	f.tally(&v)
	in := f.in(f.last)
	in.Origin = rec.Origin
	tell(f.t, &f.t.events.closed, Closed{In: in, Session: rec})
	f.free()
	f.t.count(f.entry, -1)
	f.t.wheel.remove(f.entry)
	f.t.wheel.add(f.entry, f.due())
}

func (f *flow) tally(c *stream.Counts) {
	st := &f.t.stats
	st.Gaps += c.Gaps
	st.LostBytes += c.Lost
	st.RetransmittedBytes += c.Retransmitted
	st.Overlaps += c.Overlaps
}

// free gives back what the flow holds.
func (f *flow) free() {
	for s := range f.half {
		f.t.held -= f.half[s].Held(&f.t.pool)
		f.half[s].Free(&f.t.pool)
	}
	f.freeHolds()
	f.freeSuspects()
	if f.talks {
		f.dialog.dropContent()
		f.dialog.forget()
		f.talks = false
	}
	if f.t.keeps(f, 0); f.held.octets > 0 {
		f.t.holders.move(f, 0)
	}
	delete(f.t.waiting, f)
}
