package packet

// Reason says why a packet was left out; OK says that it was not.
type Reason uint8

// The reasons, as the metric capture_ignored_total names them.
const (
	OK              Reason = iota
	UnknownLink            // a link layer that is not read
	NotIP                  // ARP, LLC, an EtherType that is not read
	NotTCP                 // another protocol, ESP among them; a UDP port that is no tunnel's
	OtherPort              // neither port is watched
	Fragment               // a piece of an IP packet whose other pieces did not come in time
	Truncated              // the snap length cut into the headers
	BadLinkHeader          // a link header longer than the frame was on the wire
	BadIPHeader            // an IP header at odds with itself or the frame
	BadTCPHeader           // a TCP header at odds with itself or the IP packet
	TooManyHeaders         // more tags, tunnels and extension headers than Decoder.MaxHeaders
	BadTunnel              // a tunnel's header at odds with itself or its packet, or none on a tunnel's port
	BadFragment            // a piece of a size or at a place where none can be
	FragmentOverlap        // a piece at odds with others; of IPv6, all of that packet
	FragmentLimit          // a piece given up to stay within FragmentOptions
	Duplicate              // a copy of a packet or of a piece that was taken; Decode does not return it
	reasonCount
)

// Held says that the packet is a piece of one that is still to be whole: with
// its last piece the segment comes, or Advance tells why not. It is no reason
// to leave a packet out.
const Held = reasonCount

var reasonNames = [reasonCount]string{
	OK:             "ok",
	UnknownLink:    "unknown_link",
	NotIP:          "not_ip",
	NotTCP:         "not_tcp",
	OtherPort:      "other_port",
	Fragment:       "fragment",
	Truncated:      "truncated",
	BadLinkHeader:  "bad_link_header",
	BadIPHeader:    "bad_ip_header",
	BadTCPHeader:   "bad_tcp_header",
	TooManyHeaders: "too_many_headers",

	BadTunnel:       "bad_tunnel",
	BadFragment:     "bad_fragment",
	FragmentOverlap: "fragment_overlap",
	FragmentLimit:   "fragment_limit",
	Duplicate:       "duplicate",
}

// String is the name used in metrics.
func (r Reason) String() string {
	switch {
	case r < reasonCount:
		return reasonNames[r]
	case r == Held:
		return "held"
	}
	return "unknown"
}

// Reasons lists every reason to leave a packet out; the n-th is Reason(n+1).
func Reasons() []string {
	return append([]string(nil), reasonNames[1:]...)
}
