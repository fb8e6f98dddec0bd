package sessions

import (
	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/capture/stream"
)

// side is a direction of a connection.
type side uint8

const (
	client side = iota
	server
)

func (s side) other() side { return 1 - s }

// flowState says how far the TCP connection is.
type flowState uint8

const (
	opening flowState = iota
	established
	closing // a FIN was seen
)

// flow is a TCP connection that talks: its entry, what is not in order, and the
// session. It holds the rule that an octet is handed on only when the octets it
// acknowledges were. So commands and replies reach the session in the order in
// which their senders knew of each other, whatever the tap did to it.
//
// Flows are used again: what is handed out must not lie in one.
type flow struct {
	*entry
	t      *Tracker
	conn   *Conn
	kept   share  // octets beside its fixed size
	number uint32 // in the tracker's list
	talks  bool   // the dialog has begun
	odd    bool   // something irregular may be in use
	*irregular

	dialog session
}

// isOdd says whether anything but octets in order is known of the flow: memory
// that nearly no packet needs is not looked at.
func (f *flow) isOdd() bool {
	if f.odd {
		f.odd = f.rst != nil || f.holding() || len(f.suspects[client])+len(f.suspects[server]) > 0 ||
			f.owed[client].since != 0 || f.owed[server].since != 0
	}
	return f.odd
}

// guessSide says which side sent a connection's first segment. A SYN tells;
// else the port does; else a reply gives a server away.
func (t *Tracker) guessSide(s *packet.Segment) side {
	if s.Flags&packet.SYN != 0 {
		if s.Flags&packet.ACK != 0 {
			return server
		}
		return client
	}
	src, dst := t.ident.isServer(s.SrcPort), t.ident.isServer(s.DstPort)
	switch {
	case dst && !src:
		return client
	case src && !dst:
		return server
	}
	if p := s.Payload; len(p) >= 4 && p[0] >= '2' && p[0] <= '5' && isDigit(p[1]) && isDigit(p[2]) && (p[3] == ' ' || p[3] == '-') {
		return server
	}
	return client
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (f *flow) setState(s flowState) { f.t.setState(f.entry, s) }

// due is when the flow is forgotten unless something arrives.
func (f *flow) due() int64 {
	if f.rst != nil {
		return f.active + int64(f.t.opts.Limits.LingerTimeout)
	}
	return f.entry.due(&f.t.opts.Limits)
}

// segment takes one segment of a side.
func (f *flow) segment(s *packet.Segment, from side) {
	f.seen(s, from)
	if kind := f.doubt(s, from); kind != "" {
		f.talk().anomaly(kind, s.Time, "")
		f.suspect(s, from, kind)
		return
	}
	if f.isOdd() && s.Flags&packet.ACK != 0 {
		f.acquit(s.Ack, from.other())
	}
	f.shows(s, from)
	if f.done {
		return
	}
	if f.odd {
		f.resumed(s, from)
	}
	if f.quick(s, from) {
		return
	}
	if s.Flags&packet.RST != 0 {
		f.reset(s, from)
		return
	}
	if s.Flags&(packet.SYN|packet.ACK) == 0 || s.Flags&packet.SYN != 0 && f.strangeSYN(s, from) {
		return // a receiver drops these (RFC 9293, 3.10.7.4)
	}
	f.handshake(s, from)
	in := stream.Input{
		Seq: s.Seq, Ack: s.Ack, HasAck: s.Flags&packet.ACK != 0,
		SYN: s.Flags&packet.SYN != 0, FIN: s.Flags&packet.FIN != 0,
		Data: s.Payload, Length: s.Length, Time: s.Time,
	}
	f.place(&in, from)
	if f.mustWait(&in, from) {
		f.hold(in, from)
	} else {
		f.add(in, from)
	}
	f.settle(f.t.now)
}

// strangeSYN says whether a SYN does not belong to the opening of this
// connection.
func (f *flow) strangeSYN(s *packet.Segment, from side) bool {
	if f.isnKnown[from] {
		return f.isn[from] != s.Seq || f.state != opening
	}
	return f.half[from].Started() && f.half[from].OffsetOf(s.Seq) != -1
}

// quick handles the segments that nearly all are: of an open connection, in
// place, acknowledging what was seen. It says the same as the long way.
func (f *flow) quick(s *packet.Segment, from side) bool {
	if s.Flags&(packet.FIN|packet.SYN|packet.RST|packet.ACK) != packet.ACK || f.state != established || !f.talks || f.isOdd() || len(s.Payload) != s.Length {
		return false
	}
	peer := &f.half[from.other()]
	if !peer.Started() || stream.Before(peer.NextSeq(), s.Ack) {
		return false
	}
	if s.Length == 0 {
		return f.half[from].Started()
	}
	offset, ok := f.half[from].Take(s.Seq, s.Length)
	if !ok {
		return false
	}
	c := &f.t.chunk
	*c = stream.Chunk{Offset: offset, Data: s.Payload, Time: s.Time}
	f.dialog.octets(from, c, peer.OffsetOf(s.Ack))
	return true
}

// handshake follows the opening (RFC 9293, 3.5).
func (f *flow) handshake(s *packet.Segment, from side) {
	if s.Flags&packet.SYN != 0 {
		if !f.isnKnown[from] {
			f.isn[from], f.isnKnown[from] = s.Seq, true
		}
		if from == server {
			f.opened()
		}
		return
	}
	if f.state == opening && (from == server || s.Length > 0 || f.half[server].Started()) {
		f.opened()
	}
	if s.Flags&packet.FIN != 0 && f.near(s, from) {
		f.setState(closing)
	}
}

// near says whether a segment stands where its sender may be by now.
func (f *flow) near(s *packet.Segment, from side) bool {
	h := &f.half[from]
	ahead := int32(s.Seq + uint32(s.Length) - h.NextSeq())
	return !h.Started() || ahead >= 0 && ahead <= maxUnsent
}

func (f *flow) opened() {
	if f.state == opening {
		f.setState(established)
	}
	if !f.attempt && !f.midway {
		f.attempt = true
		tell(f.t, &f.t.events.attempt, Attempt{In: f.in(f.last), Result: "established"})
	}
}

// place starts the halves: an acknowledgement tells where the other direction
// is although none of its segments was seen.
func (f *flow) place(in *stream.Input, from side) {
	if in.SYN {
		f.half[from].Start(in.Seq + 1)
	} else {
		f.half[from].Start(in.Seq)
	}
	if in.HasAck {
		f.half[from.other()].Start(in.Ack)
	}
}

// add gives a segment to its half and hands on what is in order.
func (f *flow) add(in stream.Input, from side) {
	h := &f.half[from]
	was := h.Held(&f.t.pool)
	h.Add(in, &f.t.pool)
	f.t.held += h.Held(&f.t.pool) - was
	f.deliver(from)
	if h.Held(&f.t.pool) > f.t.opts.Limits.OutOfOrder {
		f.overflow(from)
	}
	if h.Ended(&f.t.pool) {
		f.ended(from)
	}
}

// overflow gives up the hole before the early octets: they take too much room.
func (f *flow) overflow(from side) {
	h := &f.half[from]
	for limit := f.t.opts.Limits.OutOfOrder / 2; h.Held(&f.t.pool) > limit || h.Held(&f.t.pool) > 0 && f.t.held > f.t.opts.Limits.HeldTotal; {
		seq, ok := h.FirstHeld(&f.t.pool)
		if !ok {
			return
		}
		f.t.stats.EvictedMemory++
		f.talk().anomaly(OutOfOrderLimit, f.last, "")
		next := h.NextSeq()
		h.Lost(seq, &f.t.pool)
		f.deliver(from)
		if h.NextSeq() == next { // what is left stands behind a FIN
			f.t.held -= h.Held(&f.t.pool)
			h.Drop(&f.t.pool)
		}
	}
}

// deliver pulls what a half has and pushes it through the session.
func (f *flow) deliver(from side) {
	h := &f.half[from]
	c := &f.t.chunk
	for !f.done { // Closed is a connection's last event
		was := h.Held(&f.t.pool)
		ok := h.Next(c, &f.t.pool)
		f.t.held += h.Held(&f.t.pool) - was
		if !ok {
			break
		}
		if c.Time == 0 {
			c.Time = f.last
		}
		s := f.talk()
		if c.Gap > 0 {
			s.lose(from, c)
			continue
		}
		ack := int64(-1)
		if c.HasAck {
			ack = f.half[from.other()].OffsetOf(c.Ack)
		}
		s.octets(from, c, ack)
	}
	if n := h.Counts(&f.t.pool).Conflicts; n > f.conflict[from] && !f.done {
		f.own().conflict[from] = n
		f.talk().anomaly(OverlapConflict, f.last, "")
	}
}

// talk returns the session; it begins with the first octet.
func (f *flow) talk() *session {
	if !f.talks {
		f.begin()
		f.tellOpened()
	}
	return &f.dialog
}

func (f *flow) tellOpened() {
	if !f.told {
		f.told = true
		tell(f.t, &f.t.events.opened, Opened{In: f.in(f.last)})
	}
}

func (f *flow) in(ns int64) In { return In{Conn: f.conn, Time: timeOf(ns)} }
