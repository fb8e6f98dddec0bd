package packet

import (
	"encoding/binary"

	"github.com/mailtap/mailtap/capture"
)

const plainHeaders = 4

// plain reads in one go what nearly every packet of mail is: Ethernet, at most
// one tag, then IPv4 without options and whole, or IPv6 without extension headers,
// then TCP of a port that is wanted. It says the same as the long way (a fuzz
// target holds it to that), or false where that has to be gone.
func (d *Decoder) plain(p *capture.Packet, s *Segment) bool {
	b := p.Data
	if p.Link != capture.LinkEthernet || d.maxHeaders() < plainHeaders || len(b) < ethernetHeader+ipv4Header+tcpHeader {
		return false
	}
	kind, tag := binary.BigEndian.Uint16(b[12:]), uint16(0)
	b = b[ethernetHeader:]
	if kind == etherVLAN {
		tag, kind = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		if b = b[vlanHeader:]; len(b) < ipv4Header+tcpHeader {
			return false
		}
	}
	header, length, ttl, v6 := ipv4Header, 0, 8, false
	switch kind {
	case etherIPv4:
		// Version and header length, protocol, more fragments or an offset.
		if b[0] != 0x45 || b[9] != protoTCP || binary.BigEndian.Uint16(b[6:])&0x3fff != 0 {
			return false
		}
		length = int(binary.BigEndian.Uint16(b[2:])) - ipv4Header
	case etherIPv6:
		if len(b) < ipv6Header+tcpHeader || b[0]>>4 != 6 || b[6] != protoTCP {
			return false
		}
		header, length, ttl, v6 = ipv6Header, int(binary.BigEndian.Uint16(b[4:])), 7, true
	default:
		return false
	}
	ip, t := b[:header], b[header:]
	t = t[:max(min(len(t), length), 0)]
	if len(t) < tcpHeader {
		return false
	}
	options := int(t[12]>>4) * 4
	src, dst := binary.BigEndian.Uint16(t), binary.BigEndian.Uint16(t[2:])
	if options < tcpHeader || options > length || !d.Ports.Has(src) && !d.Ports.Has(dst) {
		return false
	}
	s.Time = p.Time
	if id := tag & 0x0fff; id != 0 {
		s.VLANs[0], s.VLANCount = id, 1
	}
	s.V6, s.SrcPort, s.DstPort, s.Other = v6, src, dst, false
	s.TTL = ip[ttl]
	s.setAddresses(ip)
	s.setTCP(t, options, length)
	return true
}
