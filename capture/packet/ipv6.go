package packet

import "encoding/binary"

const ipv6Header = 40

// ipv6 reads an IPv6 header (RFC 8200, 3). As with IPv4 a packet may be longer
// than its frame.
func (c *cursor) ipv6(s *Segment) Reason {
	if len(c.data) < ipv6Header {
		return c.lacks(ipv6Header, BadIPHeader)
	}
	b := c.data
	length := int(binary.BigEndian.Uint16(b[4:]))
	rest := c.wire - ipv6Header
	if length == 0 && giant(rest, ipv6Header) { // a jumbogram (RFC 2675, 2) or offloaded
		length = rest
	}
	if b[0]>>4 != 6 {
		return BadIPHeader
	}
	s.TTL = b[7]
	c.ip, c.v6 = b, true
	c.consume(ipv6Header)
	c.trim(length)
	return c.nextHeader(b[6])
}

// nextHeader says what a next-header number leads to (RFC 8200, 4).
func (c *cursor) nextHeader(n uint8) Reason {
	switch n {
	case protoHopByHop, protoRouting, protoDestination:
		c.next = ipv6Options
	case protoAuth:
		c.next = ipv6Auth
	case protoFragment:
		c.next = ipv6Fragment
	default:
		return c.protocol(n)
	}
	return OK
}

// ipv6Options passes over a header whose second octet counts its units of 8
// octets beyond the first (RFC 8200, 4.3, 4.4, 4.6).
func (c *cursor) ipv6Options() Reason {
	return c.extension(8, 8)
}

// ipv6Auth passes over an authentication header, which counts in units of 4
// octets less 2 (RFC 4302, 2.2).
func (c *cursor) ipv6Auth() Reason {
	return c.extension(4, 8)
}

// extension passes over a header of least octets and as many units more as
// its second octet says.
func (c *cursor) extension(unit, least int) Reason {
	if len(c.data) < least {
		return c.lacks(least, BadIPHeader)
	}
	next, length := c.data[0], least+int(c.data[1])*unit
	if len(c.data) < length {
		return c.lacks(length, BadIPHeader)
	}
	c.consume(length)
	return c.nextHeader(next)
}
