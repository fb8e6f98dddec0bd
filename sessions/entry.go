package sessions

import (
	"math"
	"net/netip"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/capture/stream"
)

// entry is what the tracker keeps of every connection: who talks to whom, where
// both directions are, and when it is due. It is all that a connection costs
// until an octet is sent, and again when it has ended. There is no pointer in
// it, so that the collector never looks at a million of them, and it is three
// cache lines, of which a pure acknowledgement touches two.
type entry struct {
	key         flowKey
	start, last int64 // packet times of the first and the last segment
	active      int64 // when the last segment came, by the tracker's clock

	half    [2]stream.Half
	octets  [2]uint64
	packets [2]uint32
	isn     [2]uint32
	sent    [2]uint32 // highest sequence number that a side showed

	id         uint32 // its own place in the table
	talker     uint32 // its flow, in the tracker's list; 0: none
	link       uint32 // tags and tunnels, in the tracker's list; 0: none
	next, prev uint32 // on the wheel; 0: none
	slot       uint16 // of the wheel

	isnKnown  [2]bool
	sentKnown [2]bool
	sound     [2]bool     // a right checksum was seen
	ttl       [2][2]uint8 // TTLs that a side's segments have; 0: none yet
	aIs       side        // which side key.a is
	state     flowState
	filed     bool // on the wheel
	done      bool // the session was written; the entry is kept to swallow what comes late
	attempt   bool // its outcome was told
	midway    bool // the start was missed
	told      bool // opened was told
	left      left
}

// flowKey is the same for both directions: the lower address and port first.
// It is words, so that it is hashed and compared in a few instructions.
type flowKey struct {
	a, b  packet.Address
	ports uint32 // of a, then of b
	v6    bool
}

// noKey is of entries that are free: an IPv4 address has no upper half, so that it
// holds no segment.
var noKey = flowKey{a: packet.Address{Hi: math.MaxUint64}}

func (k *flowKey) is(o *flowKey) bool { return *k == *o }

// keyOf also says whether the segment comes from a.
func keyOf(s *packet.Segment) (k flowKey, fromA bool) {
	src, dst := &s.Src, &s.Dst
	if src.Lo < dst.Lo || src.Lo == dst.Lo && (src.Hi < dst.Hi || src.Hi == dst.Hi && s.SrcPort <= s.DstPort) {
		return flowKey{*src, *dst, uint32(s.SrcPort)<<16 | uint32(s.DstPort), s.V6}, true
	}
	return flowKey{*dst, *src, uint32(s.DstPort)<<16 | uint32(s.SrcPort), s.V6}, false
}

// holds says whether a segment is of the connection, and whether it comes from a.
// Of a server's traffic every second packet comes from either side, which no
// processor guesses: so both are compared in full, without a branch.
func (k *flowKey) holds(s *packet.Segment) (fromA, ok bool) {
	src, dst := uint32(s.SrcPort), uint32(s.DstPort)
	forth := k.a.Lo ^ s.Src.Lo | k.b.Lo ^ s.Dst.Lo | k.a.Hi ^ s.Src.Hi | k.b.Hi ^ s.Dst.Hi | uint64(k.ports^(src<<16|dst))
	back := k.a.Lo ^ s.Dst.Lo | k.b.Lo ^ s.Src.Lo | k.a.Hi ^ s.Dst.Hi | k.b.Hi ^ s.Src.Hi | uint64(k.ports^(dst<<16|src))
	return forth == 0, k.v6 == s.V6 && (forth == 0 || back == 0)
}

// ends are the client and the server.
func (e *entry) ends() (c, v netip.AddrPort) {
	s := packet.Segment{Src: e.key.a, Dst: e.key.b, SrcPort: uint16(e.key.ports >> 16), DstPort: uint16(e.key.ports), V6: e.key.v6}
	if e.aIs == server {
		s.Turn()
	}
	return s.From(), s.To()
}

func (e *entry) sideOf(fromA bool) side {
	if fromA {
		return e.aIs
	}
	return e.aIs.other()
}

// due is when the connection is forgotten unless something arrives.
func (e *entry) due(l *Limits) int64 {
	switch {
	case e.left != 0 && e.left != leftAndOver:
		return e.active + int64(l.IdleTimeout)
	case e.done:
		return e.active + int64(l.LingerTimeout)
	case e.state == opening:
		return e.active + int64(l.SynTimeout)
	}
	return e.active + int64(l.IdleTimeout)
}

// seen counts a segment.
func (e *entry) seen(s *packet.Segment, from side) {
	e.packets[from]++
	e.octets[from] += uint64(s.Length)
}

// shows notes how far a side has sent. A parked connection has the place for its
// delay.
func (e *entry) shows(s *packet.Segment, from side) {
	if e.talker&parkedMark != 0 {
		return
	}
	if end := s.Seq + uint32(s.Length); !e.sentKnown[from] || stream.Before(e.sent[from], end) {
		e.sent[from], e.sentKnown[from] = end, true
	}
}
