package packet

import "encoding/binary"

// Flags and versions of GRE (RFC 2784, 2.1; RFC 2890, 2; RFC 1701; RFC 2637, 4.1).
const (
	greChecksum = 0x8000
	greRouting  = 0x4000 // a list behind all other fields (RFC 1701)
	greKey      = 0x2000
	greSequence = 0x1000
	greAck      = 0x0080 // version 1
	greVersion  = 0x0007
)

const (
	greHeader  = 4
	greSource  = 4 // head of an entry of a routing list
	pptpHeader = 8
)

// gre reads a GRE header. What a router that mirrors puts behind it is one of
// the ERSPAN headers; NVGRE is GRE with its key cut in two (RFC 7637, 3.2).
func (c *cursor) gre(s *Segment) Reason {
	if len(c.data) < greHeader {
		return c.lacks(greHeader, BadTunnel)
	}
	flags, proto := binary.BigEndian.Uint16(c.data), binary.BigEndian.Uint16(c.data[2:])
	switch {
	case flags&greVersion > 1:
		return BadTunnel
	case flags&greVersion == 1:
		return c.pptp(s, flags, proto)
	}
	header, keyAt := greHeader, greHeader
	if flags&(greChecksum|greRouting) != 0 { // each has its field where one is there
		header, keyAt = header+4, header+4
	}
	if flags&greKey != 0 {
		header += 4
	}
	if flags&greSequence != 0 {
		header += 4
	}
	if len(c.data) < header {
		return c.lacks(header, BadTunnel)
	}
	if flags&greRouting != 0 {
		n, r := c.greRoutes(header)
		if r != OK {
			return r
		}
		header = n
	}
	switch proto {
	case etherERSPAN:
		c.next = erspan1
		if flags&greSequence != 0 { // all that tells type II from type I
			c.next = erspan2
		}
	case etherERSPAN3:
		c.next = erspan3
	default:
		if r := c.etherType(proto); r != OK {
			return r
		}
		if flags&greKey != 0 {
			s.keyed(flags, proto, binary.BigEndian.Uint32(c.data[keyAt:]))
		} else {
			s.pass(Tunnel{Kind: TunnelGRE})
		}
	}
	c.consume(header)
	return OK
}

// greRoutes passes over a routing list, which ends with an entry of no octets
// (RFC 1701). It returns where that ends.
func (c *cursor) greRoutes(at int) (end int, r Reason) {
	for {
		if len(c.data) < at+greSource {
			return 0, c.lacks(at+greSource, BadTunnel)
		}
		family, length := binary.BigEndian.Uint16(c.data[at:]), int(c.data[at+3])
		at += greSource + length
		switch {
		case family == 0 && length == 0:
			return at, OK
		case length == 0:
			return 0, BadTunnel
		}
	}
}

// keyed names a tunnel with a key. NVGRE has neither checksum nor sequence
// number; subnet 0 is none, so that a small key is that of a plain bridge.
func (s *Segment) keyed(flags, proto uint16, key uint32) {
	if proto == etherBridged && flags&(greChecksum|greSequence) == 0 && key>>8 != 0 {
		s.through(TunnelNVGRE, key>>8)
		return
	}
	s.through(TunnelGRE, key)
}

// pptp reads GRE version 1, which carries PPP (RFC 2637, 4.1). One without a
// sequence number is an acknowledgement alone.
func (c *cursor) pptp(s *Segment, flags, proto uint16) Reason {
	if proto != 0x880b || flags&greKey == 0 || flags&(greChecksum|greRouting) != 0 {
		return BadTunnel
	}
	if flags&greSequence == 0 {
		return NotIP
	}
	header := pptpHeader + 4
	if flags&greAck != 0 {
		header += 4
	}
	if len(c.data) < header {
		return c.lacks(header, BadTunnel)
	}
	length, call := int(binary.BigEndian.Uint16(c.data[4:])), binary.BigEndian.Uint16(c.data[6:])
	s.through(TunnelPPTP, uint32(call))
	c.consume(header)
	if length < c.wire {
		c.trim(length)
	}
	c.next = ppp
	return OK
}
