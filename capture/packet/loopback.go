package packet

import "encoding/binary"

const loopbackHeader = 4

// loopback reads BSD's address family. LINKTYPE_NULL has it in the order of
// the machine that captured, LINKTYPE_LOOP in network order: a family is
// small, so the order shows.
func (c *cursor) loopback() Reason {
	if len(c.data) < loopbackHeader {
		return c.lacks(loopbackHeader, BadLinkHeader)
	}
	family := binary.BigEndian.Uint32(c.data)
	if family > 0xffff {
		family = binary.LittleEndian.Uint32(c.data)
	}
	c.consume(loopbackHeader)
	switch family {
	case 2:
		c.next = ipv4
	case 10, 23, 24, 28, 30: // AF_INET6 of Linux, Windows, NetBSD and OpenBSD, FreeBSD, macOS
		c.next = ipv6
	default:
		return NotIP
	}
	return OK
}
