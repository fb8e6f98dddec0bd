package packet

import "net/netip"

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

// Segment is one TCP segment with the addresses it travelled between. One
// struct is reused; Payload is borrowed from the packet it was decoded from, or from the pieces of
// which the Decoder put it together.
type Segment struct {
	Time     int64 // nanoseconds since the Unix epoch
	Src, Dst netip.AddrPort
	Seq, Ack uint32
	Flags    uint8
	TTL      uint8 // IPv4 TTL or IPv6 hop limit
	Window   uint16
	Payload  []byte // octets captured
	Length   int    // octets of payload on the wire; above len(Payload) where the snap length cut

	whole []byte // header and payload, where all of them were captured

	VLANs       [MaxVLANs]uint16 // outermost first, those inside tunnels too
	VLANCount   uint8
	TunnelCount uint8
	Tunnels     [MaxTunnels]Tunnel // outermost first
}
