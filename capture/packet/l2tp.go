package packet

import "encoding/binary"

// Flags of L2TP version 2 (RFC 2661, 3.1).
const (
	l2tpControl  = 0x8000
	l2tpLength   = 0x4000
	l2tpSequence = 0x0800
	l2tpOffset   = 0x0200
)

// l2tp reads a data message, PPP behind it.
func (c *cursor) l2tp(s *Segment) Reason {
	if len(c.data) < 2 {
		return c.lacks(2, BadTunnel)
	}
	flags := binary.BigEndian.Uint16(c.data)
	switch {
	case flags&0x000f != 2:
		return BadTunnel
	case flags&l2tpControl != 0:
		return NotIP
	}
	at := 2 // of the tunnel's number, the session's behind it
	if flags&l2tpLength != 0 {
		at += 2
	}
	header := at + 4
	if flags&l2tpSequence != 0 {
		header += 4
	}
	if flags&l2tpOffset != 0 {
		header += 2
	}
	if len(c.data) < header {
		return c.lacks(header, BadTunnel)
	}
	if flags&l2tpOffset != 0 {
		header += int(binary.BigEndian.Uint16(c.data[header-2:]))
		if len(c.data) < header {
			return c.lacks(header, BadTunnel)
		}
	}
	if flags&l2tpLength != 0 {
		length := int(binary.BigEndian.Uint16(c.data[2:]))
		if length < header {
			return BadTunnel
		}
		if length < c.wire {
			c.trim(length)
		}
	}
	s.through(TunnelL2TP, uint32(binary.BigEndian.Uint16(c.data[at+2:])))
	c.consume(header)
	c.next = ppp
	return OK
}
