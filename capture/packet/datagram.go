package packet

import (
	"bytes"
	"slices"
)

// piece is a part of an IP packet's payload.
type piece struct {
	at, end int // in the payload, on the wire
	last    bool
	dull    bool  // it shows that the packet leads nowhere
	next    uint8 // what the packet carries, if this is its beginning
	ttl     uint8
	data    []byte // captured octets from at on; borrowed
}

// span is a range of a payload.
type span struct{ from, to int }

// part is a range of the payload that was captured.
type part struct{ at, stored, length int }

// datagram is an IP packet of which pieces have come. It knows its holes (RFC
// 815), so that the first copy of an octet stays and completeness is an empty
// list.
type datagram struct {
	key    fragmentKey
	since  int64  // the first piece
	why    Reason // it was given up, and pieces to come share its fate; else OK
	next   uint8  // of the piece at 0
	ttl    uint8
	pieces uint64 // that came and wait
	copies bool   // of pieces of a packet that became whole lately
	end    int    // octets of payload; 0 until the last piece came
	top    int    // the furthest octet that came
	cut    int    // the first octet that the snap length cut
	holes  []span // ascending
	parts  []part // in order of arrival
	data   []byte // their octets

	older, newer *datagram
}

// cost is the memory that it takes, in octets.
func (g *datagram) cost() int {
	return datagramCost + cap(g.data) + cap(g.parts)*partCost + cap(g.holes)*holeCost
}

// add takes a piece and tells whether the payload is whole now. A piece of IPv4
// at odds with what came fills what holes it can, which is what "first copy"
// means; one of IPv6 ends the datagram (RFC 5722, 4), unless it came twice.
func (g *datagram) add(p piece, o *FragmentOptions) (whole bool, r Reason) {
	fits := g.fits(p)
	switch {
	case g.why != OK:
		return false, g.why
	case p.dull && g.headless():
		return false, g.giveUp(NotTCP)
	case p.end > o.maxDatagram():
		return false, g.giveUp(FragmentLimit)
	case g.key.v6 && (!fits || g.overlaps(p) && !g.has(p)):
		return false, g.giveUp(FragmentOverlap)
	case !fits:
		return false, FragmentOverlap
	}
	r = Held
	if g.differs(p) {
		r = FragmentOverlap
	}
	g.fill(p)
	if len(g.parts) > o.maxPieces() {
		return false, g.giveUp(FragmentLimit)
	}
	return g.end > 0 && len(g.holes) == 0, r
}

// giveUp forgets the octets. The datagram stays, to tell what pieces to come
// belong to.
func (g *datagram) giveUp(why Reason) Reason {
	g.why, g.data, g.parts, g.holes = why, nil, nil, nil
	return why
}

// headless says whether the first octet is still to come.
func (g *datagram) headless() bool { return len(g.holes) > 0 && g.holes[0].from == 0 }

// fits says whether the piece ends where it can.
func (g *datagram) fits(p piece) bool {
	if p.last {
		return p.end >= g.top && (g.end == 0 || g.end == p.end)
	}
	return g.end == 0 || p.end <= g.end
}

// overlaps says whether some of the piece came before.
func (g *datagram) overlaps(p piece) bool {
	fresh := 0
	for _, h := range g.holes {
		fresh += max(0, min(h.to, p.end)-max(h.from, p.at))
	}
	return fresh < p.end-p.at
}

// has says whether the same piece came before.
func (g *datagram) has(p piece) bool {
	for _, q := range g.parts {
		if q.at == p.at && bytes.Equal(g.octets(q), p.data) {
			return true
		}
	}
	return false
}

// differs says whether the piece has other octets than what came before.
func (g *datagram) differs(p piece) bool {
	for _, q := range g.parts {
		from, to := max(q.at, p.at), min(q.at+q.length, p.at+len(p.data))
		if from < to && !bytes.Equal(g.octets(q)[from-q.at:to-q.at], p.data[from-p.at:to-p.at]) {
			return true
		}
	}
	return false
}

func (g *datagram) octets(q part) []byte { return g.data[q.stored : q.stored+q.length] }

// fill puts the piece into the holes.
func (g *datagram) fill(p piece) {
	if p.at == 0 && g.headless() {
		g.next, g.ttl = p.next, p.ttl
	}
	g.top = max(g.top, p.end)
	for i := 0; i < len(g.holes); i++ {
		h := g.holes[i]
		from, to := max(h.from, p.at), min(h.to, p.end)
		if from >= to {
			continue
		}
		g.keep(p, from, to)
		switch {
		case h.from < from && to < h.to:
			g.holes[i].to = from
			i++
			g.holes = slices.Insert(g.holes, i, span{to, h.to})
		case h.from < from:
			g.holes[i].to = from
		case to < h.to:
			g.holes[i].from = to
		default:
			g.holes = slices.Delete(g.holes, i, i+1)
			i--
		}
	}
	if p.last && g.end == 0 {
		g.end = p.end // what is a hole behind it is the last one, or a part of it
		if n := len(g.holes) - 1; n >= 0 && g.holes[n].from >= g.end {
			g.holes = g.holes[:n]
		}
	}
}

// keep copies a range of the piece, as far as it was captured.
func (g *datagram) keep(p piece, from, to int) {
	captured := min(to, p.at+len(p.data))
	if captured < to {
		g.cut = min(g.cut, max(from, captured))
	}
	if from < captured {
		g.parts = append(g.parts, part{at: from, stored: len(g.data), length: captured - from})
		g.data = append(g.data, p.data[from-p.at:captured-p.at]...)
	}
}

// join puts the octets in order, up to the first that was not captured.
func (g *datagram) join() []byte {
	out := make([]byte, min(g.end, g.cut))
	for _, q := range g.parts {
		if q.at < len(out) {
			copy(out[q.at:], g.octets(q))
		}
	}
	return out
}
