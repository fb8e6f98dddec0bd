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

// mplsPayload guesses what no header tells: IP by its version and a length
// that fits, else an Ethernet frame, behind a control word where only that
// makes a type that leads on.
func (c *cursor) mplsPayload() Reason {
	if len(c.data) < ethernetHeader {
		return c.lacks(ethernetHeader, BadTunnel)
	}
	b := c.data
	c.next = linkEthernet
	switch b[0] >> 4 {
	case 4:
		if b[0]&0x0f >= 5 && int(binary.BigEndian.Uint16(b[2:])) <= c.wire {
			c.next = ipv4
		}
	case 6:
		if ipv6Header+int(binary.BigEndian.Uint16(b[4:])) <= c.wire {
			c.next = ipv6
		}
	case 0:
		if len(b) < mplsControl+ethernetHeader {
			return c.lacks(mplsControl+ethernetHeader, BadTunnel)
		}
		probe := cursor{}
		if probe.etherType(binary.BigEndian.Uint16(b[mplsControl+12:])) == OK {
			c.consume(mplsControl)
		}
	case 1: // an associated channel (RFC 5586, 2.1)
		return NotIP
	}
	return OK
}
