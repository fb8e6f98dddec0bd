package packet

// Reason says why a packet was left out; OK says that it was not.
type Reason uint8

// The reasons, as the metric capture_ignored_total names them.
const (
	OK             Reason = iota
	UnknownLink           // a link layer that is not read
	NotIP                 // ARP, LLC, an EtherType that is not read
	NotTCP                // another protocol, ESP among them
	OtherPort             // neither port is watched
	Fragment              // a piece of an IP packet
	Truncated             // the snap length cut into the headers
	BadLinkHeader         // a link header longer than the frame was on the wire
	BadIPHeader           // an IP header at odds with itself or the frame
	BadTCPHeader          // a TCP header at odds with itself or the IP packet
	TooManyHeaders        // more tags and extension headers than Decoder.MaxHeaders
	reasonCount
)

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
}

// String is the name used in metrics.
func (r Reason) String() string {
	if r < reasonCount {
		return reasonNames[r]
	}
	return "unknown"
}

// Reasons lists every reason to leave a packet out; the n-th is Reason(n+1).
func Reasons() []string {
	return append([]string(nil), reasonNames[1:]...)
}
