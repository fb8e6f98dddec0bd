package sessions

import (
	"net/netip"

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

// flow is one TCP connection: two halves, and the rule that an octet is handed
// on only when the octets it acknowledges were. So commands and replies reach
// the session in the order in which their senders knew of each other, whatever
// the tap did to it.
type flow struct {
	t     *Tracker
	key   flowKey
	aIs   side // which side key.a is
	state flowState
	done  bool // the session was written; the flow is kept to swallow what comes late

	start, last int64
	half        [2]stream.Half
	isn         [2]uint32
	isnKnown    [2]bool
	packets     [2]uint64
	octets      [2]uint64
	newISN      *seenSYN

	queue    []heldSegment // segments that acknowledge what was not seen yet
	owed     [2]owed       // octets of a side that the other has acknowledged and that were not seen
	conn     *Conn
	session  *session
	attempt  bool // its outcome was told
	midway   bool // the start was missed
	told     bool // opened was told
	conflict [2]uint64

	next, prev *flow // on the wheel
	slot       int32
	filed      bool
}

type seenSYN struct {
	seq  uint32
	time int64
}

// heldSegment is a copy of a segment that waits for the other direction.
type heldSegment struct {
	in   stream.Input
	from side
}

// owed is a hole that the receiver has acknowledged: the octets exist and are
// late, or were never captured.
type owed struct {
	seq     uint32
	since   int64 // packet time when it was noticed; 0: nothing is owed
	packets int
}

// graceTime is how long an acknowledged octet may be late before it counts as
// lost: taps merge directions some milliseconds out of order.
const graceTime = 200e6

// newFlow begins a connection with its first segment.
func newFlow(t *Tracker, key flowKey, s *packet.Segment, fromA bool) *flow {
	f := &flow{t: t, key: key, start: s.Time, last: s.Time}
	from := t.guessSide(s)
	f.aIs = from
	if !fromA {
		f.aIs = from.other()
	}
	c, v := s.Src, s.Dst
	if from == server {
		c, v = v, c
	}
	f.conn = t.ident.conn(c, v, s.Time, s.Seq)
	if s.VLANCount > 0 {
		f.conn.VLANs = append([]uint16(nil), s.VLANs[:s.VLANCount]...)
	}
	f.t.stats.Opening++
	if s.Flags&packet.SYN == 0 {
		f.midway = true
		f.setState(established)
	}
	return f
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
	src, dst := t.ident.isServer(s.Src.Port()), t.ident.isServer(s.Dst.Port())
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

func (f *flow) sideOf(fromA bool) side {
	if fromA {
		return f.aIs
	}
	return f.aIs.other()
}

func (f *flow) addr(s side) netip.AddrPort {
	if s == client {
		return f.conn.Client
	}
	return f.conn.Server
}

func (f *flow) setState(s flowState) {
	if s == f.state {
		return
	}
	f.count(-1)
	f.state = s
	f.count(1)
}

func (f *flow) count(n int) {
	switch f.state {
	case opening:
		f.t.stats.Opening += n
	case established:
		f.t.stats.Established += n
	case closing:
		f.t.stats.Closing += n
	}
}

// due is when the flow is forgotten unless something arrives.
func (f *flow) due() int64 {
	l := &f.t.opts.Limits
	switch {
	case f.done:
		return f.last + int64(l.LingerTimeout)
	case f.state == opening:
		return f.last + int64(l.SynTimeout)
	}
	return f.last + int64(l.IdleTimeout)
}

// segment takes one segment of a side.
func (f *flow) segment(s *packet.Segment, from side) {
	f.packets[from]++
	f.octets[from] += uint64(s.Length)
	if f.done {
		return
	}
	if f.quick(s, from) {
		return
	}
	if s.Flags&packet.RST != 0 {
		f.reset(s, from)
		return
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
	f.settle(s.Time)
}

// quick handles the segments that nearly all are: of an open connection, in
// place, acknowledging what was seen. It says the same as the long way.
func (f *flow) quick(s *packet.Segment, from side) bool {
	if s.Flags&(packet.FIN|packet.SYN|packet.RST|packet.ACK) != packet.ACK || f.state != established || f.session == nil ||
		len(f.queue) > 0 || f.owed[client].since != 0 || f.owed[server].since != 0 || len(s.Payload) != s.Length {
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
	f.session.octets(from, c, peer.OffsetOf(s.Ack))
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
	if s.Flags&packet.FIN != 0 {
		f.setState(closing)
	}
}

func (f *flow) opened() {
	if f.state == opening {
		f.setState(established)
	}
	if !f.attempt && !f.midway {
		f.attempt = true
		f.t.emit(&Attempt{In: f.in(f.t.now), Result: "established"})
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

// mustWait says whether a segment acknowledges octets that were not seen yet.
func (f *flow) mustWait(in *stream.Input, from side) bool {
	if !in.HasAck {
		return false
	}
	peer := &f.half[from.other()]
	if !stream.Before(peer.NextSeq(), in.Ack) {
		return false
	}
	if peer.Ended() || f.finOnly(peer, in.Ack) {
		return false
	}
	o := &f.owed[from.other()]
	if o.since == 0 {
		*o = owed{seq: in.Ack, since: in.Time}
		f.wait()
	} else if stream.Before(o.seq, in.Ack) {
		o.seq = in.Ack
	}
	return in.Length > 0 || in.FIN
}

// finOnly says whether all that is missing may be the sequence number of a FIN
// that was not captured.
func (f *flow) finOnly(peer *stream.Half, ack uint32) bool {
	return ack == peer.NextSeq()+1 && f.state == closing
}

func (f *flow) wait() {
	if f.t.waiting == nil {
		f.t.waiting = map[*flow]struct{}{}
	}
	f.t.waiting[f] = struct{}{}
}

// hold keeps a copy of a segment until the other direction has caught up.
func (f *flow) hold(in stream.Input, from side) {
	in.Data = append([]byte(nil), in.Data...)
	f.t.held += len(in.Data)
	f.queue = append(f.queue, heldSegment{in, from})
}

// settle hands on what can be handed on, and gives up what is owed for too
// long.
func (f *flow) settle(now int64) {
	for f.release() {
	}
	if f.owed[client].since == 0 && f.owed[server].since == 0 {
		return
	}
	for s := range f.owed {
		o := &f.owed[s]
		if o.since == 0 {
			continue
		}
		if !stream.Before(f.half[s].NextSeq(), o.seq) {
			*o = owed{}
			continue
		}
		if o.packets++; o.packets > f.t.opts.Limits.HeldSegments {
			f.giveUp(side(s))
		}
	}
	if f.owed[client].since != 0 && f.owed[server].since != 0 {
		// Each direction waits for the other: the octets of the hole were sent
		// before what is held, so they are not late but lost.
		f.giveUp(f.root())
	}
	f.patience(now)
}

// root is the side whose hole keeps the held segments waiting: nothing that is
// held fills it.
func (f *flow) root() side {
	for i := range f.queue {
		s := f.queue[i].from.other()
		if !f.holds(s, f.half[s].NextSeq()) {
			return s
		}
	}
	if f.owed[client].since != 0 {
		return client
	}
	return server
}

// holds says whether a held segment of a side brings the octet at seq.
func (f *flow) holds(s side, seq uint32) bool {
	for i := range f.queue {
		h := &f.queue[i]
		if h.from == s && !stream.Before(seq, h.in.Seq) && stream.Before(seq, h.in.Seq+uint32(h.in.Length)) {
			return true
		}
	}
	return false
}

// patience ends when an owed octet is late for longer than the grace.
func (f *flow) patience(now int64) {
	for s := range f.owed {
		if o := &f.owed[s]; o.since != 0 && now-o.since > graceTime {
			f.giveUp(side(s))
		}
	}
	if f.owed[client].since == 0 && f.owed[server].since == 0 {
		delete(f.t.waiting, f)
	}
}

// giveUp declares what is owed by a side as lost. Step by step: each held
// segment follows the octets that its sender had seen.
func (f *flow) giveUp(s side) {
	o := f.owed[s]
	if o.since == 0 {
		return
	}
	f.owed[s] = owed{}
	for h := &f.half[s]; stream.Before(h.NextSeq(), o.seq); {
		was := h.NextSeq()
		h.Lost(f.beforeHeld(s, f.wanted(s, o.seq)))
		f.deliver(s)
		for f.release() {
		}
		if h.NextSeq() == was {
			return
		}
	}
}

// wanted is the lowest acknowledgement of a side's octets that a held segment
// waits for, or limit where that comes before.
func (f *flow) wanted(s side, limit uint32) uint32 {
	if want, ok := f.firstWanted(s); ok && stream.Before(want, limit) {
		return want
	}
	return limit
}

func (f *flow) firstWanted(s side) (want uint32, ok bool) {
	next := f.half[s].NextSeq()
	for i := range f.queue {
		h := &f.queue[i]
		if h.from != s && stream.Before(next, h.in.Ack) && (!ok || stream.Before(h.in.Ack, want)) {
			want, ok = h.in.Ack, true
		}
	}
	return want, ok
}

// beforeHeld ends a hole where a held segment of the side begins.
func (f *flow) beforeHeld(s side, seq uint32) uint32 {
	next := f.half[s].NextSeq()
	for i := range f.queue {
		h := &f.queue[i]
		if h.from == s && stream.Before(next, h.in.Seq) && stream.Before(h.in.Seq, seq) {
			seq = h.in.Seq
		}
	}
	return seq
}

// release hands on one held segment whose acknowledgement is satisfied.
func (f *flow) release() bool {
	for i := range f.queue {
		h := f.queue[i]
		if f.mustWaitAgain(&h) {
			continue
		}
		f.queue = append(f.queue[:i], f.queue[i+1:]...)
		f.t.held -= len(h.in.Data)
		f.add(h.in, h.from)
		return true
	}
	return false
}

func (f *flow) mustWaitAgain(h *heldSegment) bool {
	peer := &f.half[h.from.other()]
	return stream.Before(peer.NextSeq(), h.in.Ack) && !peer.Ended()
}

// add gives a segment to its half and hands on what is in order.
func (f *flow) add(in stream.Input, from side) {
	h := &f.half[from]
	was := h.Held()
	h.Add(in, &f.t.pool)
	f.t.held += h.Held() - was
	f.deliver(from)
	if h.Held() > f.t.opts.Limits.OutOfOrder || h.Held() > 0 && f.t.held > f.t.opts.Limits.HeldTotal {
		f.overflow(from)
	}
	if h.Ended() {
		f.ended(from)
	}
}

// overflow gives up the hole before the early octets: they take too much room.
func (f *flow) overflow(from side) {
	h := &f.half[from]
	for limit := f.t.opts.Limits.OutOfOrder / 2; h.Held() > limit || h.Held() > 0 && f.t.held > f.t.opts.Limits.HeldTotal; {
		seq, ok := h.FirstHeld()
		if !ok {
			return
		}
		f.t.stats.EvictedMemory++
		f.talk().anomaly(OutOfOrderLimit, f.last, "")
		next := h.NextSeq()
		h.Lost(seq)
		f.deliver(from)
		if h.NextSeq() == next { // what is left stands behind a FIN
			f.t.held -= h.Held()
			h.Free(&f.t.pool)
		}
	}
}

// deliver pulls what a half has and pushes it through the session.
func (f *flow) deliver(from side) {
	h := &f.half[from]
	c := &f.t.chunk
	for {
		was := h.Held()
		ok := h.Next(c, &f.t.pool)
		f.t.held += h.Held() - was
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
	if n := h.Counts.Conflicts; n > f.conflict[from] {
		f.conflict[from] = n
		f.talk().anomaly(OverlapConflict, f.last, "")
	}
}

// talk returns the session; it begins with the first octet.
func (f *flow) talk() *session {
	if f.session == nil {
		f.session = newSession(f)
		f.tellOpened()
	}
	return f.session
}

func (f *flow) tellOpened() {
	if !f.told {
		f.told = true
		f.t.emit(&Opened{In: f.in(f.last)})
	}
}

func (f *flow) in(ns int64) In { return In{Conn: f.conn, Time: timeOf(ns)} }
