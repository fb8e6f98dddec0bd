package packet

import "encoding/binary"

const vxlanHeader = 8

// Flags of the first octet.
const (
	vxlanNetwork = 0x08 // the network number is there (RFC 7348, 5)
	vxlanNext    = 0x04 // the payload's protocol too (draft-ietf-nvo3-vxlan-gpe-13, 3.1)
)

// vxlan reads a VXLAN header (RFC 7348, 5), an Ethernet frame behind it.
func (c *cursor) vxlan(s *Segment, k TunnelKind) Reason {
	if len(c.data) < vxlanHeader {
		return c.lacks(vxlanHeader, BadTunnel)
	}
	if c.data[0]&vxlanNetwork == 0 {
		return BadTunnel
	}
	s.through(k, binary.BigEndian.Uint32(c.data[4:])>>8)
	c.consume(vxlanHeader)
	c.next = linkEthernet
	return OK
}

// vxlanGPE reads the header that names its payload; without the flag it is
// VXLAN's.
func (c *cursor) vxlanGPE(s *Segment) Reason {
	if len(c.data) < vxlanHeader {
		return c.lacks(vxlanHeader, BadTunnel)
	}
	flags, proto := c.data[0], c.data[3]
	if r := c.vxlan(s, TunnelVXLANGPE); r != OK || flags&vxlanNext == 0 {
		return r
	}
	switch proto {
	case 1:
		c.next = ipv4
	case 2:
		c.next = ipv6
	case 3:
		c.next = linkEthernet
	case 5:
		c.next = mpls
	default: // a network service header, an operator's own
		return NotIP
	}
	return OK
}
