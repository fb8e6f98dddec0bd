// Package capture brings packets in: from capture files, standard input and
// live interfaces, there through rings of Linux's AF_PACKET or through libpcap.
// It owns the sources, the filter that the kernel runs, how an interface's
// packets are shared among shards, the drop counts, and a writer of pcapng; it knows no TCP stream
// and no SMTP. cmd/mailtap pulls packets from a source with Next or NextBatch
// and hands them to capture/packet.
package capture

// LinkType is the pcap registry's number of a link-layer header
// (https://www.tcpdump.org/linktypes.html). 16 bits: gopacket's own type has
// 8 and reads LinkSLL2 (276) as 20.
type LinkType uint16

// The link layers that capture/packet can read.
const (
	LinkNull     LinkType = 0   // BSD loopback: 4-byte family in the host's order
	LinkEthernet LinkType = 1   // also carries 802.1Q and QinQ
	LinkPPP      LinkType = 9   // with or without address and control
	LinkRawBSD   LinkType = 12  // DLT_RAW as some systems number it
	LinkPPPHDLC  LinkType = 50  // PPP in HDLC-like framing, or Cisco's
	LinkPPPEther LinkType = 51  // a PPPoE session's header
	LinkRaw      LinkType = 101 // bare IPv4 or IPv6
	LinkCHDLC    LinkType = 104 // Cisco's HDLC
	LinkLoop     LinkType = 108 // OpenBSD loopback: family in network order
	LinkLinuxSLL LinkType = 113
	LinkIPv4     LinkType = 228
	LinkIPv6     LinkType = 229
	LinkNFLOG    LinkType = 239 // Linux's netfilter log
	LinkSLL2     LinkType = 276
)

// Packet is one frame as a source saw it. It is reused: what it holds is
// borrowed until the source's next Next or NextBatch.
type Packet struct {
	Time   int64    // nanoseconds since the Unix epoch, as the capture says
	Data   []byte   // captured octets, from the link header on
	Length int      // octets on the wire; above len(Data) where the snap length cut
	Link   LinkType // how Data begins
}
