package packet

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

// TCP flags as they stand in octet 13 of the header (RFC 9293, 3.1).
const (
	FIN = 1 << iota
	SYN
	RST
	PSH
	ACK
)

// MaxVLANs is how many tags of a frame are kept; deeper ones are read and
// left out.
const MaxVLANs = 4

// Address is an IP address as a number: words are hashed and compared in a few
// instructions. An IPv4 address is the low half of Lo.
type Address struct{ Hi, Lo uint64 }

// Segment is one TCP segment with the addresses it travelled between. Payload is
// borrowed from the packet that it was decoded from; the Decoder says where not.
type Segment struct {
	Time   int64  // nanoseconds since the Unix epoch
	Clock  int64  // the same by a clock that never goes back, where the caller keeps one; else 0
	Number uint64 // of the packet in its capture, where the caller counts them

	Src, Dst         Address
	SrcPort, DstPort uint16
	V6               bool // Src and Dst are IPv6 addresses
	Other            bool // neither port is one of the Decoder's
	Copy             bool // the same packet came before, where the caller asks Copies; else false

	Seq, Ack uint32
	Flags    uint8
	TTL      uint8 // IPv4 TTL or IPv6 hop limit
	Window   uint16
	Sum      uint16 // the checksum as it stands in the header
	ID       uint16 // IPv4 identification; 0 for IPv6
	Payload  []byte // octets captured
	Length   int    // octets of payload on the wire; above len(Payload) where the snap length cut

	whole []byte // header and payload, where all of them were captured

	VLANs       [MaxVLANs]uint16 // outermost first, those inside tunnels too
	VLANCount   uint8
	TunnelCount uint8
	Tunnels     [MaxTunnels]Tunnel // outermost first
}

// From is where the segment comes from.
func (s *Segment) From() netip.AddrPort { return netip.AddrPortFrom(s.Src.netip(s.V6), s.SrcPort) }

// To is where the segment goes to.
func (s *Segment) To() netip.AddrPort { return netip.AddrPortFrom(s.Dst.netip(s.V6), s.DstPort) }

// SetEnds sets both ends, of one family.
func (s *Segment) SetEnds(from, to netip.AddrPort) {
	s.V6 = !from.Addr().Is4()
	s.Src, s.SrcPort = addressOf(from.Addr()), from.Port()
	s.Dst, s.DstPort = addressOf(to.Addr()), to.Port()
}

// Keep makes a copy of what the segment has borrowed.
func (s *Segment) Keep() {
	if n := len(s.whole); n > 0 {
		s.whole = slices.Clone(s.whole)
		s.Payload = s.whole[n-len(s.Payload):]
		return
	}
	s.Payload = slices.Clone(s.Payload)
}

// Strip leaves a segment without octets, header and payload: its checksum
// tells nothing then.
func (s *Segment) Strip() { s.Payload, s.Length, s.Sum, s.whole = nil, 0, 0, nil }

// Turn exchanges both ends.
func (s *Segment) Turn() {
	s.Src, s.Dst = s.Dst, s.Src
	s.SrcPort, s.DstPort = s.DstPort, s.SrcPort
}

func (a Address) netip(v6 bool) netip.Addr {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], a.Hi)
	binary.BigEndian.PutUint64(b[8:], a.Lo)
	if v6 {
		return netip.AddrFrom16(b)
	}
	return netip.AddrFrom4([4]byte(b[12:]))
}

func addressOf(a netip.Addr) Address {
	if a.Is4() {
		b := a.As4()
		return Address{Lo: uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return Address{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}
