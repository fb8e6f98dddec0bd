package packet

import "encoding/binary"

const pppoeHeader = 6

// pppoe reads the header of a session's packet (RFC 2516, 4), PPP behind it.
func (c *cursor) pppoe(s *Segment) Reason {
	if len(c.data) < pppoeHeader {
		return c.lacks(pppoeHeader, BadTunnel)
	}
	if c.data[0] != 0x11 || c.data[1] != 0 { // version 1, type 1, session data
		return BadTunnel
	}
	session, length := binary.BigEndian.Uint16(c.data[2:]), int(binary.BigEndian.Uint16(c.data[4:]))
	s.through(TunnelPPPoE, uint32(session))
	c.consume(pppoeHeader)
	if length < c.wire {
		c.trim(length)
	}
	c.next = ppp
	return OK
}
