package packet

import "encoding/binary"

const fragmentHeader = 8

// ipv4Fragment takes a piece of an IPv4 packet (RFC 791, 3.2). What does not
// lead on was left out before. A piece that is not the last ends on a multiple
// of 8 octets; of another one receivers drop the rest.
func (d *Decoder) ipv4Fragment(c *cursor, s *Segment) Reason {
	place := binary.BigEndian.Uint16(c.ip[6:])
	key := fragmentKey{proto: c.ip[9], id: uint32(binary.BigEndian.Uint16(c.ip[4:]))}
	copy(key.src[:], c.ip[12:16])
	copy(key.dst[:], c.ip[16:20])
	p := piece{at: int(place&0x1fff) * 8, last: place&0x2000 == 0, next: c.ip[9], ttl: s.TTL}
	if !p.last {
		c.trim(c.wire &^ 7)
	}
	return d.join(c, s, key, p)
}

// ipv6Fragment reads a fragment header (RFC 8200, 4.5). One that is first and
// last at once is no fragment (RFC 6946).
func (d *Decoder) ipv6Fragment(c *cursor, s *Segment) Reason {
	if len(c.data) < fragmentHeader {
		return c.lacks(fragmentHeader, BadIPHeader)
	}
	next, place := c.data[0], binary.BigEndian.Uint16(c.data[2:])
	key := fragmentKey{v6: true, id: binary.BigEndian.Uint32(c.data[4:])}
	c.consume(fragmentHeader)
	if place&^6 == 0 { // two bits are reserved
		return c.nextHeader(next)
	}
	copy(key.src[:], c.ip[8:24])
	copy(key.dst[:], c.ip[24:40])
	p := piece{at: int(place &^ 7), last: place&1 == 0, next: next, ttl: s.TTL}
	if !p.last && c.wire%8 != 0 {
		return BadFragment
	}
	return d.join(c, s, key, p)
}

// join adds the piece under the cursor to its packet. Where that makes it
// whole the cursor goes on in the whole.
func (d *Decoder) join(c *cursor, s *Segment, key fragmentKey, p piece) Reason {
	p.data, p.end = c.data, p.at+c.wire
	if c.wire == 0 || p.end > maxPayload {
		return BadFragment
	}
	p.dull = p.at == 0 && d.dull(c, p.next)
	g, r := d.pieces.add(key, p, s.Time, &d.Fragments)
	if r != OK {
		return r
	}
	s.TTL = g.ttl
	c.data, c.wire = g.join(), g.end
	if key.v6 {
		return c.nextHeader(g.next)
	}
	return c.protocol(g.next)
}

// dull says whether a first piece shows that the packet leads nowhere: most
// fragments of a network are of UDP that is no tunnel, and need no room.
func (d *Decoder) dull(c *cursor, next uint8) bool {
	probe := *c
	if probe.nextHeader(next) != OK {
		return true
	}
	return next == protoUDP && len(c.data) >= 4 && d.tunnelIn(c.data) == nothing
}
