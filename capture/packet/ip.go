package packet

// IP protocol numbers that lead on (IANA protocol numbers registry).
const (
	protoHopByHop    = 0
	protoTCP         = 6
	protoRouting     = 43
	protoFragment    = 44
	protoAuth        = 51
	protoDestination = 60
)

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
