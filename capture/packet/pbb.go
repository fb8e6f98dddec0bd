package packet

import "encoding/binary"

const pbbTag = 4

// pbb reads a service instance tag of a provider's backbone bridge (IEEE
// 802.1ah, 9.7); the customer's frame follows from its addresses on.
func (c *cursor) pbb(s *Segment) Reason {
	if len(c.data) < pbbTag {
		return c.lacks(pbbTag, BadTunnel)
	}
	s.through(TunnelPBB, binary.BigEndian.Uint32(c.data)&0xffffff)
	c.consume(pbbTag)
	c.next = linkEthernet
	return OK
}
