package packet

import "encoding/binary"

const (
	gtpHeader   = 8
	gtpOptional = 4    // sequence number, N-PDU number, type of the first extension
	gtpUserData = 0xff // G-PDU
)

// gtp reads a header of GTP-U version 1 with its extensions, IP of a mobile
// device behind it (3GPP TS 29.281, 5.1, 5.2). Echoes and other signals carry
// none.
func (c *cursor) gtp(s *Segment) Reason {
	if len(c.data) < gtpHeader {
		return c.lacks(gtpHeader, BadTunnel)
	}
	flags, kind := c.data[0], c.data[1]
	if flags>>4 != 0b0011 { // version 1, GTP rather than GTP'
		return BadTunnel
	}
	if kind != gtpUserData {
		return NotIP
	}
	length := int(binary.BigEndian.Uint16(c.data[2:]))
	endpoint := binary.BigEndian.Uint32(c.data[4:])
	c.consume(gtpHeader)
	if length < c.wire {
		c.trim(length)
	}
	if flags&0x07 != 0 { // any of the three: all fields are there
		if r := c.gtpOptional(flags&0x04 != 0); r != OK {
			return r
		}
	}
	s.through(TunnelGTP, endpoint)
	c.next = rawIP
	return OK
}

// gtpOptional passes over the optional fields, and over extensions: each has
// its length in units of 4 octets first and the next one's type last.
func (c *cursor) gtpOptional(extended bool) Reason {
	if len(c.data) < gtpOptional {
		return c.lacks(gtpOptional, BadTunnel)
	}
	next := c.data[gtpOptional-1]
	c.consume(gtpOptional)
	for extended && next != 0 {
		if len(c.data) < 1 {
			return c.lacks(1, BadTunnel)
		}
		length := int(c.data[0]) * 4
		if length == 0 {
			return BadTunnel
		}
		if len(c.data) < length {
			return c.lacks(length, BadTunnel)
		}
		next = c.data[length-1]
		c.consume(length)
	}
	return OK
}
