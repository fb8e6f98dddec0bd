package packet

// IP protocol numbers that lead on (IANA protocol numbers registry).
const (
	protoHopByHop    = 0
	protoIPv4        = 4
	protoTCP         = 6
	protoUDP         = 17
	protoIPv6        = 41
	protoRouting     = 43
	protoFragment    = 44
	protoGRE         = 47
	protoAuth        = 51
	protoDestination = 60
)

// protocol says what an IP protocol number leads to, of those that stand
// behind either IP.
func (c *cursor) protocol(n uint8) Reason {
	switch n {
	case protoTCP:
		c.next = tcp
	case protoUDP:
		c.next = udp
	case protoGRE:
		c.next = gre
	case protoIPv4:
		c.next = innerIPv4
	case protoIPv6:
		c.next = innerIPv6
	default:
		return NotTCP
	}
	return OK
}

// inner notes that an IP packet stands in another (RFC 2003, RFC 4213, RFC
// 2473), whose header was the last.
func (c *cursor) inner(s *Segment, v6 bool) {
	k := TunnelIPIP
	switch {
	case c.v6 && v6:
		k = TunnelSixInSix
	case c.v6:
		k = TunnelFourInSix
	case v6:
		k = TunnelSixInFour
	}
	s.pass(Tunnel{Kind: k})
}

// maxGiant bounds a packet that does not know its own length: Linux's BIG TCP
// stays below 512 KiB, a frame that claims more on the wire is forged.
const maxGiant = 1 << 20

// giant tells whether the frame's length n may stand for an IP length of 0,
// as offloading leaves it in packets captured on their own host. at is where
// in the Ethernet payload these n octets begin: where the whole fits into a
// minimal frame its end may be padding, which must never become payload.
func giant(n, at int) bool {
	return n+at > minPayload && n <= maxGiant
}
