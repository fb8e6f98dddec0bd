// Package packet reads a frame's headers, one file a header, down to the TCP
// segment. It owns the reasons why a packet is left out. cmd/mailtap calls it
// between a capture source and capture/stream. It keeps nothing of a packet,
// allocates nothing, looks at no payload and joins no fragments; every length
// is checked against what was captured and what was on the wire, because both
// are in an attacker's hands.
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
	rawIP // IPv4 or IPv6, as the version says
	vlanTag
	ipv4
	ipv6
	ipv6Options // hop-by-hop, routing, destination: of one shape
	ipv6Auth
	ipv6Fragment
	tcp
)

// Decoder turns packets into segments. Its zero value works. It may be shared
// by goroutines once its fields are set.
type Decoder struct {
	Ports      *PortSet // keep what has its source or destination here; nil keeps all
	MaxHeaders int      // of a packet, from the link header over tags and extension headers to TCP; default 16
}

const defaultMaxHeaders = 16

// cursor is what is left of a packet, and what was learned on the way.
type cursor struct {
	data []byte // captured octets from the next header on
	wire int    // octets on the wire from there on; never below len(data)
	next kind
	v6   bool
	ip   []byte // the innermost IP header, for its addresses
}

// Decode fills s from p. Only where it returns OK is s worth reading.
// s.Payload is borrowed from p.
func (d *Decoder) Decode(p *capture.Packet, s *Segment) Reason {
	c := cursor{data: p.Data, wire: max(p.Length, len(p.Data)), next: firstHeader(p.Link)}
	if c.next == nothing {
		return UnknownLink
	}
	s.VLANs, s.VLANCount = [MaxVLANs]uint16{}, 0
	for range d.maxHeaders() {
		if c.next == tcp {
			s.Time = p.Time
			return d.tcp(&c, s)
		}
		if r := c.step(s); r != OK {
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
	}
	return nothing
}

// step consumes one header.
func (c *cursor) step(s *Segment) Reason {
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
	case rawIP:
		return c.raw()
	case ipv6Options:
		return c.ipv6Options()
	case ipv6Auth:
		return c.ipv6Auth()
	case ipv6Fragment:
		return c.ipv6Fragment()
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
