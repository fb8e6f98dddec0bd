package packet

import "encoding/binary"

// teredo passes over an authentication and an origin indication, each known
// by its first 16 bits where IPv6 has its version (RFC 4380, 5.1.1).
func (c *cursor) teredo(s *Segment) Reason {
	const origin = 8
	if len(c.data) < 4 {
		return c.lacks(4, BadTunnel)
	}
	if binary.BigEndian.Uint16(c.data) == 1 {
		header := 4 + int(c.data[2]) + int(c.data[3]) + 9 // client's name, its proof, nonce, confirmation
		if len(c.data) < header {
			return c.lacks(header, BadTunnel)
		}
		c.consume(header)
	}
	if len(c.data) < 2 {
		return c.lacks(2, BadTunnel)
	}
	if binary.BigEndian.Uint16(c.data) == 0 {
		if len(c.data) < origin {
			return c.lacks(origin, BadTunnel)
		}
		c.consume(origin)
	}
	if len(c.data) < 1 {
		return c.lacks(1, BadTunnel)
	}
	if c.data[0]>>4 != 6 {
		return BadTunnel
	}
	s.pass(Tunnel{Kind: TunnelTeredo})
	c.next = ipv6
	return OK
}
