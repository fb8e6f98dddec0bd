package packet

import "encoding/binary"

// Linux's cooked headers stand before packets of the device "any". A VLAN tag
// follows as behind Ethernet.
const (
	sllHeader  = 16 // LINKTYPE_LINUX_SLL: type, ARPHRD, address length, address, protocol
	sll2Header = 20 // LINKTYPE_LINUX_SLL2: protocol first
)

func (c *cursor) linuxSLL() Reason {
	if len(c.data) < sllHeader {
		return c.lacks(sllHeader, BadLinkHeader)
	}
	r := c.etherType(binary.BigEndian.Uint16(c.data[14:]))
	c.consume(sllHeader)
	return r
}

func (c *cursor) linuxSLL2() Reason {
	if len(c.data) < sll2Header {
		return c.lacks(sll2Header, BadLinkHeader)
	}
	r := c.etherType(binary.BigEndian.Uint16(c.data))
	c.consume(sll2Header)
	return r
}
