package packet

import "encoding/binary"

const tcpHeader = 20

// tcp reads a TCP header (RFC 9293, 3.1), the end of the way. Options are
// passed over; where the snap length cut them the segment is still worth its
// sequence numbers, with no payload captured.
func (d *Decoder) tcp(c *cursor, s *Segment) Reason {
	b := c.data
	if len(b) < tcpHeader {
		return c.lacks(tcpHeader, BadTCPHeader)
	}
	header := int(b[12]>>4) * 4
	if header < tcpHeader || header > c.wire {
		return BadTCPHeader
	}
	verdict := OK
	src, dst := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	if !d.Ports.Has(src) && !d.Ports.Has(dst) {
		if !d.OtherPorts {
			return OtherPort
		}
		verdict = OtherPort
	}
	s.V6, s.SrcPort, s.DstPort, s.Other = c.v6, src, dst, verdict == OtherPort
	s.setAddresses(c.ip)
	s.setTCP(b, header, c.wire)
	return verdict
}

// setTCP takes what stands in a TCP header of header octets. b is of the
// segment what was captured, wire is how long it was.
func (s *Segment) setTCP(b []byte, header, wire int) {
	s.Seq = binary.BigEndian.Uint32(b[4:])
	s.Ack = binary.BigEndian.Uint32(b[8:])
	s.Flags = b[13]
	s.Window = binary.BigEndian.Uint16(b[14:])
	s.Sum = binary.BigEndian.Uint16(b[16:])
	s.Copy = false
	s.Payload = b[min(header, len(b)):]
	s.Length = wire - header
	s.whole = nil
	if len(b) == wire {
		s.whole = b
	}
}

// setAddresses takes both addresses of the IP header that ip begins with, of the
// segment's family. An IPv4-mapped IPv6 address stays IPv6: it is what stood on
// the wire.
func (s *Segment) setAddresses(ip []byte) {
	if s.V6 {
		ip = ip[:ipv6Header]
		s.ID = 0
		s.Src = Address{binary.BigEndian.Uint64(ip[8:]), binary.BigEndian.Uint64(ip[16:])}
		s.Dst = Address{binary.BigEndian.Uint64(ip[24:]), binary.BigEndian.Uint64(ip[32:])}
		return
	}
	ip = ip[:ipv4Header]
	s.ID = binary.BigEndian.Uint16(ip[4:])
	s.Src = Address{Lo: uint64(binary.BigEndian.Uint32(ip[12:]))}
	s.Dst = Address{Lo: uint64(binary.BigEndian.Uint32(ip[16:]))}
}
