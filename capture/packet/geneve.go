package packet

import "encoding/binary"

const geneveHeader = 8

// geneve reads a Geneve header and passes over its options (RFC 8926, 3.4).
func (c *cursor) geneve(s *Segment) Reason {
	if len(c.data) < geneveHeader {
		return c.lacks(geneveHeader, BadTunnel)
	}
	b := c.data
	header := geneveHeader + int(b[0]&0x3f)*4
	if b[0]>>6 != 0 {
		return BadTunnel
	}
	if len(b) < header {
		return c.lacks(header, BadTunnel)
	}
	s.through(TunnelGeneve, binary.BigEndian.Uint32(b[4:])>>8)
	c.consume(header)
	return c.etherType(binary.BigEndian.Uint16(b[2:]))
}
