package packet

import "encoding/binary"

const vlanHeader = 4

// vlan reads the two octets of tag behind a tag's EtherType, and the next
// EtherType. Number 0 is a priority without a VLAN (IEEE 802.1Q, 9.6).
func (c *cursor) vlan(s *Segment) Reason {
	if len(c.data) < vlanHeader {
		return c.lacks(vlanHeader, BadLinkHeader)
	}
	if id := binary.BigEndian.Uint16(c.data) & 0x0fff; id != 0 && s.VLANCount < MaxVLANs {
		s.VLANs[s.VLANCount] = id
		s.VLANCount++
	}
	r := c.etherType(binary.BigEndian.Uint16(c.data[2:]))
	c.consume(vlanHeader)
	return r
}
