package packet

import "encoding/binary"

// PPP protocol numbers that lead on (IANA PPP numbers registry).
const (
	pppIPv4 = 0x0021
	pppIPv6 = 0x0057
	pppMPLS = 0x0281
)

// ppp reads a PPP header: address and control may be left out (RFC 1661, 6.6),
// and the first half of a protocol number too, which is even where it is there
// (RFC 1661, 2 and 6.5).
func (c *cursor) ppp() Reason {
	if len(c.data) < 2 {
		return c.lacks(2, BadLinkHeader)
	}
	if c.data[0] == 0xff && c.data[1] == 0x03 {
		c.consume(2)
	}
	if len(c.data) < 1 {
		return c.lacks(1, BadLinkHeader)
	}
	proto, header := uint16(c.data[0]), 1
	if proto&1 == 0 {
		header = 2
		if len(c.data) < header {
			return c.lacks(header, BadLinkHeader)
		}
		proto = binary.BigEndian.Uint16(c.data)
	}
	c.consume(header)
	switch proto {
	case pppIPv4:
		c.next = ipv4
	case pppIPv6:
		c.next = ipv6
	case pppMPLS:
		c.next = mpls
	default: // negotiation, compressed or encrypted
		return NotIP
	}
	return OK
}

const hdlcHeader = 4

// hdlc reads PPP in HDLC-like framing (RFC 1662, 3.1) or Cisco's HDLC, which
// the first octet tells apart: unicast or multicast instead of all stations.
func (c *cursor) hdlc() Reason {
	if len(c.data) < 1 {
		return c.lacks(1, BadLinkHeader)
	}
	if a := c.data[0]; a == 0x0f || a == 0x8f {
		return c.ciscoHDLC()
	}
	return c.ppp()
}

// ciscoHDLC reads Cisco's header: address, control, EtherType.
func (c *cursor) ciscoHDLC() Reason {
	if len(c.data) < hdlcHeader {
		return c.lacks(hdlcHeader, BadLinkHeader)
	}
	r := c.etherType(binary.BigEndian.Uint16(c.data[2:]))
	c.consume(hdlcHeader)
	return r
}
