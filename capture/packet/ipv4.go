package packet

import "encoding/binary"

const ipv4Header = 20

// ipv4 reads an IPv4 header (RFC 791, 3.1). The checksum is not judged here:
// captures on the host itself have none. A packet longer than its frame was cut
// by what mirrored it: its payload is what is there.
func (c *cursor) ipv4(s *Segment) Reason {
	if len(c.data) < ipv4Header {
		return c.lacks(ipv4Header, BadIPHeader)
	}
	b := c.data
	header := int(b[0]&0x0f) * 4
	total := int(binary.BigEndian.Uint16(b[2:]))
	if total == 0 && giant(c.wire, 0) {
		total = c.wire
	}
	if b[0]>>4 != 4 || header < ipv4Header || total < header {
		return BadIPHeader
	}
	if len(b) < header {
		return Truncated
	}
	s.TTL = b[8]
	c.ip, c.v6 = b, false
	c.trim(total)
	c.consume(header)
	if r := c.protocol(b[9]); r != OK {
		return r
	}
	if binary.BigEndian.Uint16(b[6:])&0x3fff != 0 { // more fragments, or an offset
		c.next = ipv4Fragment
	}
	return OK
}
