// Package packet reads a frame's headers, one file a header, down to the TCP
// segment, through the tunnels on the way. It owns the reasons why a packet is
// left out, and the pieces of fragmented packets until they are whole, in
// bounded memory. cmd/mailtap calls it between a capture source and
// capture/stream. It keeps nothing else of a packet, allocates for fragments
// only and looks at no payload; every length is checked against what was
// captured and what was on the wire, because both are in an attacker's hands.
//
// To read a further header: a kind in decoder.go, a file with a function that
// consumes the header and names the next kind, a line in step.
package packet

import "github.com/mailtap/mailtap/capture"

// kind is a header that may come next.
type kind uint8

const (
	nothing kind = iota
	linkEthernet
	linkSLL
	linkSLL2
	linkLoopback
	linkHDLC
	linkCiscoHDLC
	linkNFLOG
	rawIP // IPv4 or IPv6, as the version says
	vlanTag
	pbb
	mpls
	pppoe
	ppp
	ipv4
	ipv4Fragment // a piece, behind its IPv4 header
	ipv6
	ipv6Options // hop-by-hop, routing, destination: of one shape
	ipv6Auth
	ipv6Fragment
	innerIPv4 // in another IP packet
	innerIPv6
	gre
	erspan1
	erspan2
	erspan3
	udp
	vxlan
	vxlanGPE
	geneve
	gtp
	teredo
	l2tp
	tcp
)

// Decoder turns packets into segments. Its zero value works. One goroutine
// uses it, and does not copy it after its first packet.
type Decoder struct {
	Ports       *PortSet     // keep what has its source or destination here; nil keeps all
	OtherPorts  bool         // fill in the segment also where Decode returns OtherPort
	MaxHeaders  int          // of a packet, from the link header over tags, tunnels and extension headers to TCP; default 32
	TunnelPorts []TunnelPort // of UDP; nil has the assigned ones, an empty list none
	Fragments   FragmentOptions

	pieces fragments
}

const defaultMaxHeaders = 32

// cursor is what is left of a packet, and what was learned on the way.
type cursor struct {
	data []byte // captured octets from the next header on
	wire int    // octets on the wire from there on; never below len(data)
	next kind
	v6   bool
	ip   []byte // the innermost IP header, for its addresses
}

// Decode fills s from p. Only where it returns OK is s worth reading, or
// OtherPort if the Decoder has OtherPorts. s.Payload is borrowed from p, or has
// memory of its own where the packet was the last piece of a fragmented one: a
// further Decode changes neither. Of a fragmented packet all
// pieces but the last return Held.
func (d *Decoder) Decode(p *capture.Packet, s *Segment) Reason {
	s.VLANs, s.VLANCount = [MaxVLANs]uint16{}, 0
	if s.TunnelCount > 0 {
		s.Tunnels, s.TunnelCount = [MaxTunnels]Tunnel{}, 0
	}
	if d.plain(p, s) {
		return OK
	}
	return d.long(p, s)
}

// long reads one header after the other.
func (d *Decoder) long(p *capture.Packet, s *Segment) Reason {
	c := cursor{data: p.Data, wire: max(p.Length, len(p.Data)), next: firstHeader(p.Link)}
	if c.next == nothing {
		return UnknownLink
	}
	s.Time = p.Time
	for range d.maxHeaders() {
		if c.next == tcp {
			return d.tcp(&c, s)
		}
		if r := d.step(&c, s); r != OK {
			return r
		}
	}
	return TooManyHeaders
}

func (d *Decoder) maxHeaders() int {
	if d.MaxHeaders <= 0 {
		return defaultMaxHeaders
	}
	return d.MaxHeaders
}

func firstHeader(l capture.LinkType) kind {
	switch l {
	case capture.LinkEthernet:
		return linkEthernet
	case capture.LinkLinuxSLL:
		return linkSLL
	case capture.LinkSLL2:
		return linkSLL2
	case capture.LinkNull, capture.LinkLoop:
		return linkLoopback
	case capture.LinkRaw, capture.LinkRawBSD:
		return rawIP
	case capture.LinkIPv4:
		return ipv4
	case capture.LinkIPv6:
		return ipv6
	case capture.LinkPPP:
		return ppp
	case capture.LinkPPPHDLC:
		return linkHDLC
	case capture.LinkPPPEther:
		return pppoe
	case capture.LinkCHDLC:
		return linkCiscoHDLC
	case capture.LinkNFLOG:
		return linkNFLOG
	}
	return nothing
}

// step consumes one header.
func (d *Decoder) step(c *cursor, s *Segment) Reason {
	switch c.next {
	case linkEthernet:
		return c.ethernet()
	case ipv4:
		return c.ipv4(s)
	case ipv6:
		return c.ipv6(s)
	case vlanTag:
		return c.vlan(s)
	case linkSLL:
		return c.linuxSLL()
	case linkSLL2:
		return c.linuxSLL2()
	case linkLoopback:
		return c.loopback()
	case linkHDLC:
		return c.hdlc()
	case linkCiscoHDLC:
		return c.ciscoHDLC()
	case linkNFLOG:
		return c.nflog()
	case rawIP:
		return c.raw()
	case ipv4Fragment:
		return d.ipv4Fragment(c, s)
	case ipv6Options:
		return c.ipv6Options()
	case ipv6Auth:
		return c.ipv6Auth()
	case ipv6Fragment:
		return d.ipv6Fragment(c, s)
	case innerIPv4:
		c.inner(s, false)
		return c.ipv4(s)
	case innerIPv6:
		c.inner(s, true)
		return c.ipv6(s)
	case udp:
		return d.udp(c)
	}
	return c.tunnel(s)
}

// tunnel consumes the header of an encapsulation.
func (c *cursor) tunnel(s *Segment) Reason {
	switch c.next {
	case pbb:
		return c.pbb(s)
	case mpls:
		return c.mpls(s)
	case pppoe:
		return c.pppoe(s)
	case ppp:
		return c.ppp()
	case gre:
		return c.gre(s)
	case erspan1:
		return c.erspan1(s)
	case erspan2:
		return c.erspan2(s)
	case erspan3:
		return c.erspan3(s)
	case vxlan:
		return c.vxlan(s, TunnelVXLAN)
	case vxlanGPE:
		return c.vxlanGPE(s)
	case geneve:
		return c.geneve(s)
	case gtp:
		return c.gtp(s)
	case teredo:
		return c.teredo(s)
	case l2tp:
		return c.l2tp(s)
	}
	return UnknownLink
}

// lacks tells why a header of n octets cannot be read: bad where the wire had
// no more either, else the snap length cut it.
func (c *cursor) lacks(n int, bad Reason) Reason {
	if c.wire < n {
		return bad
	}
	return Truncated
}

// consume passes over n octets that were captured.
func (c *cursor) consume(n int) {
	c.data = c.data[n:]
	c.wire -= n
}

// trim cuts off what stands behind n octets: padding, a frame check sequence.
func (c *cursor) trim(n int) {
	c.wire = n
	c.data = c.data[:min(len(c.data), n)]
}
