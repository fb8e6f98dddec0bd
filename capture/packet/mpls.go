package packet

import "encoding/binary"

const (
	mplsLabel   = 4
	mplsControl = 4 // control word of a pseudowire (RFC 4385, 3)
)

// maxLabels bounds a stack; networks use up to a dozen.
const maxLabels = 16

// mplsEntropy announces a label that spreads load and names nothing (RFC 6790, 4).
const mplsEntropy = 7

// mpls reads a stack of labels (RFC 3032, 2.1). The label at the bottom is
// the one that tells customers apart.
func (c *cursor) mpls(s *Segment) Reason {
	var label, above, below uint32
	for range maxLabels {
		if len(c.data) < mplsLabel {
			return c.lacks(mplsLabel, BadTunnel)
		}
		entry := binary.BigEndian.Uint32(c.data)
		c.consume(mplsLabel)
		below, above, label = above, label, entry>>12
		if entry&0x100 == 0 { // not the bottom
			continue
		}
		if above == mplsEntropy {
			label = below
		}
		s.through(TunnelMPLS, label)
		return c.mplsPayload()
	}
	return TooManyHeaders
}

// mplsPayload guesses what no header tells (RFC 8469 is about that): IP by its version
// and what else a header of IP has, else an Ethernet frame, behind a control word
// where only that makes a type that leads on. An address may begin with any octet.
func (c *cursor) mplsPayload() Reason {
	if len(c.data) < ethernetHeader {
		return c.lacks(ethernetHeader, BadTunnel)
	}
	b := c.data
	frame := leadsOn(b[12:])
	c.next = linkEthernet
	switch version := b[0] >> 4; {
	case version == 4 && (headerSums(b) || !frame && b[0]&0x0f >= 5 && int(binary.BigEndian.Uint16(b[2:])) <= c.wire):
		c.next = ipv4
	case version == 6 && (!frame || b[6] == protoTCP && ipv6Header+int(binary.BigEndian.Uint16(b[4:])) <= c.wire):
		c.next = ipv6
	case frame:
	case version == 0:
		if len(b) < mplsControl+ethernetHeader {
			return c.lacks(mplsControl+ethernetHeader, BadTunnel)
		}
		if leadsOn(b[mplsControl+12:]) {
			c.consume(mplsControl)
		}
	case b[0] == 0x10 && b[1] == 0: // an associated channel (RFC 5586, 2.1)
		return NotIP
	}
	return OK
}

// leadsOn says whether octets are an EtherType behind which something is read.
func leadsOn(b []byte) bool {
	var probe cursor
	return probe.etherType(binary.BigEndian.Uint16(b)) == OK
}

// headerSums says whether octets begin with a header of IPv4, by its checksum.
func headerSums(b []byte) bool {
	n := int(b[0]&0x0f) * 4
	return n >= ipv4Header && len(b) >= n && fold(sum(b[:n])) == 0xffff
}
