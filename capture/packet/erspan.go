package packet

import "encoding/binary"

// ERSPAN carries what a switch mirrors (draft-foschiano-erspan-03, 4). The
// VLAN in its header repeats the frame's own or stands for the port's.
const (
	erspan2Header    = 8
	erspan3Header    = 12
	erspan3Subheader = 8
)

// erspan1 is type I: the frame without any header.
func (c *cursor) erspan1(s *Segment) Reason {
	s.pass(Tunnel{Kind: TunnelERSPAN1})
	c.next = linkEthernet
	return OK
}

func (c *cursor) erspan2(s *Segment) Reason {
	if len(c.data) < erspan2Header {
		return c.lacks(erspan2Header, BadTunnel)
	}
	if c.data[0]>>4 != 1 {
		return BadTunnel
	}
	s.through(TunnelERSPAN2, erspanSession(c.data))
	c.consume(erspan2Header)
	c.next = linkEthernet
	return OK
}

func (c *cursor) erspan3(s *Segment) Reason {
	if len(c.data) < erspan3Header {
		return c.lacks(erspan3Header, BadTunnel)
	}
	if c.data[0]>>4 != 2 {
		return BadTunnel
	}
	header := erspan3Header
	if c.data[11]&1 != 0 { // a platform's own subheader follows
		header += erspan3Subheader
	}
	if len(c.data) < header {
		return c.lacks(header, BadTunnel)
	}
	switch c.data[10] >> 2 & 0x1f { // frame type
	case 0:
		c.next = linkEthernet
	case 2:
		c.next = rawIP
	default:
		return NotIP
	}
	s.through(TunnelERSPAN3, erspanSession(c.data))
	c.consume(header)
	return OK
}

func erspanSession(header []byte) uint32 {
	return uint32(binary.BigEndian.Uint16(header[2:]) & 0x03ff)
}
