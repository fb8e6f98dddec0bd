package evidence

import (
	"encoding/binary"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
)

const (
	ipv4Header = 20
	ipv6Header = 40
	tcpHeader  = 20
	tcp        = 6
)

// frameOf makes a bare IP packet of a segment, in room where that is enough:
// what stood outside the innermost IP header, and options of TCP, are not in it.
// A checksum that was right is right; one that told nothing tells nothing. false:
// no IP packet is so long.
func frameOf(room []byte, s *packet.Segment) (p capture.Packet, ok bool) {
	ip := ipv4Header
	if s.V6 {
		ip = ipv6Header
	}
	wire := ip + tcpHeader + max(s.Length, len(s.Payload))
	b := room[:0]
	if wire-ip > 0xffff-ipv4Header {
		return capture.Packet{Data: b}, false
	}
	b = append(b, make([]byte, ip+tcpHeader)...)
	b = append(b, s.Payload...)
	pseudo := ipHeader(b[:ip], s, wire)
	h := b[ip:]
	binary.BigEndian.PutUint16(h, s.SrcPort)
	binary.BigEndian.PutUint16(h[2:], s.DstPort)
	binary.BigEndian.PutUint32(h[4:], s.Seq)
	if s.Flags&packet.ACK != 0 {
		binary.BigEndian.PutUint32(h[8:], s.Ack)
	}
	h[12], h[13] = tcpHeader/4<<4, s.Flags
	binary.BigEndian.PutUint16(h[14:], s.Window)
	switch s.Checksum() {
	case packet.ChecksumGood:
		binary.BigEndian.PutUint16(h[16:], ^fold(pseudo+tcp+uint32(len(h))+sum(h)))
	case packet.ChecksumBad:
		binary.BigEndian.PutUint16(h[16:], fold(pseudo+tcp+uint32(len(h))+sum(h))|1)
	}
	return capture.Packet{Time: s.Time, Data: b, Length: wire, Link: capture.LinkRaw}, true
}

// ipHeader fills in the header and gives the sum of its addresses.
func ipHeader(b []byte, s *packet.Segment, wire int) uint32 {
	from, to := s.From().Addr(), s.To().Addr()
	if s.V6 {
		b[0] = 6 << 4
		binary.BigEndian.PutUint16(b[4:], uint16(wire-ipv6Header))
		b[6], b[7] = tcp, s.TTL
		src, dst := from.As16(), to.As16()
		copy(b[8:], src[:])
		copy(b[24:], dst[:])
		return sum(b[8:40])
	}
	b[0] = 4<<4 | ipv4Header/4
	binary.BigEndian.PutUint16(b[2:], uint16(wire))
	binary.BigEndian.PutUint16(b[4:], s.ID)
	b[8], b[9] = s.TTL, tcp
	src, dst := from.As4(), to.As4()
	copy(b[12:], src[:])
	copy(b[16:], dst[:])
	binary.BigEndian.PutUint16(b[10:], ^fold(sum(b)))
	return sum(b[12:20])
}

// sum adds words as RFC 1071 has it. No packet is long enough to overflow it.
func sum(b []byte) (total uint32) {
	for ; len(b) > 1; b = b[2:] {
		total += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		total += uint32(b[0]) << 8
	}
	return total
}

func fold(total uint32) uint16 {
	for total > 0xffff {
		total = total>>16 + total&0xffff
	}
	return uint16(total)
}
