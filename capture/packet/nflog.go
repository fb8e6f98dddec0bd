package packet

import "encoding/binary"

const (
	nflogHeader  = 4 // family, version, resource
	nflogField   = 4 // length, type
	nflogPayload = 9
	nflogType    = 0x3fff // the rest says nested, and network order (linux/netlink.h, NLA_TYPE_MASK)
)

// nflog finds the packet among the fields that Linux's netfilter logs with it
// (https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html). They are in the
// order of the machine that captured: a type is small, so the order shows.
func (c *cursor) nflog() Reason {
	if len(c.data) < nflogHeader {
		return c.lacks(nflogHeader, BadLinkHeader)
	}
	if c.data[1] != 0 {
		return BadLinkHeader
	}
	c.consume(nflogHeader)
	for {
		if len(c.data) < nflogField {
			return c.lacks(nflogField, BadLinkHeader)
		}
		length, kind := int(binary.LittleEndian.Uint16(c.data)), binary.LittleEndian.Uint16(c.data[2:])&nflogType
		if kind > 0xff {
			length, kind = int(binary.BigEndian.Uint16(c.data)), binary.BigEndian.Uint16(c.data[2:])&nflogType
		}
		if length < nflogField {
			return BadLinkHeader
		}
		if kind == nflogPayload {
			c.trim(min(length, c.wire))
			c.consume(nflogField)
			c.next = rawIP
			return OK
		}
		length = (length + 3) &^ 3
		if len(c.data) < length {
			return c.lacks(length, BadLinkHeader)
		}
		c.consume(length)
	}
}
