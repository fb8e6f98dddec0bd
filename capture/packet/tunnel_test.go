package packet

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture"
)

// Headers of tunnels as they stand on the wire, in front of what they carry.

func udpTo(port int, rest string) string {
	return u16(49152) + u16(port) + u16(8+len(rest)) + "\x00\x00" + rest
}

func overUDP(port int, rest string) string { return ip4(protoUDP, 0, "", udpTo(port, rest)) }
func overGRE(rest string) string           { return ip4(protoGRE, 0, "", rest) }

func vxlanOf(vni uint32, rest string) string { return "\x08\x00\x00\x00" + u32(vni<<8) + rest }

func pppoeOf(session int, rest string) string {
	return "\x11\x00" + u16(session) + u16(len(rest)) + rest
}

func label(n uint32, bottom int, rest string) string {
	return u32(n<<12|uint32(bottom)<<8|64) + rest
}

func field(kind int, value string) string {
	n := len(value) + 4
	return string([]byte{byte(n), byte(n >> 8), byte(kind), byte(kind >> 8)}) + value + strings.Repeat("\x00", (4-n%4)%4)
}

func bytesOf(b ...byte) string { return string(b) }

type tunnelled struct {
	name    string
	link    capture.LinkType
	data    string
	v6      bool
	tags    string // VLANs and tunnels
	padding int    // octets behind the packet
}

func tunnels() []tunnelled {
	p4, p6 := ip4(6, 0, "", mail("QUIT")), ip6(6, mail("QUIT"))
	frame4, frame6 := eth(0x0800, p4), eth(0x86dd, p6)
	out := func(rest string) string { return eth(0x0800, rest) }
	erspan2Of := func(session int, rest string) string { return "\x10\x64" + u16(session) + u32(9) + rest }
	erspan3Of := func(session, ftGra int, rest string) string {
		return "\x20\x64" + u16(session) + u32(123456) + "\x00\x00" + u16(ftGra) + rest
	}
	gtpOf := func(flags int, rest string) string {
		return bytesOf(byte(0x30|flags), 0xff) + u16(len(rest)) + u32(0xdeadbeef) + rest
	}
	return []tunnelled{
		// RFC 3032, 2.1
		{"mpls, ipv4", ether, eth(0x8847, label(100, 1, p4)), false, "[] [mpls:100]", 0},
		{"mpls, two labels, ipv6", ether, eth(0x8848, label(16, 0, label(200, 1, p6))), true, "[] [mpls:200]", 0},
		{"mpls, explicit null behind", ether, eth(0x8847, label(2, 1, p6)), true, "[] [mpls:2]", 0},
		{"mpls, entropy label", ether, eth(0x8847, label(100, 0, label(7, 0, label(99999, 1, p4)))), false, "[] [mpls:100]", 0},
		// RFC 4448, 4
		{"mpls, ethernet", ether, eth(0x8847, label(100, 1, frame4)), false, "[] [mpls:100]", 0},
		{"mpls, ethernet of a low address", ether, eth(0x8847, label(100, 1, "\x00"+frame4[1:])), false, "[] [mpls:100]", 0},
		{"mpls, ethernet of an address like an associated channel", ether, eth(0x8847, label(100, 1, "\x14"+frame4[1:])), false, "[] [mpls:100]", 0},
		{"mpls, ethernet of an address like ipv4", ether, eth(0x8847, label(100, 1, "\x4a\x00\x00\x00"+frame4[4:])), false, "[] [mpls:100]", 0},
		{"mpls, ethernet of an address like ipv6", ether, eth(0x8847, label(100, 1, "\x62\x00\x00\x00\x00\x00"+frame4[6:])), false, "[] [mpls:100]", 0},
		{"mpls, ethernet of a low address, tagged", ether, eth(0x8847, label(100, 1, "\x00"+eth(0x8100, tag(7, 0x0800, p4))[1:])), false, "[7] [mpls:100]", 0},
		{"mpls, control word, ethernet", ether, eth(0x8847, label(100, 1, "\x00\x00\x00\x07"+frame6)), true, "[] [mpls:100]", 0},
		{"mpls, ethernet that looks like ipv4", ether, eth(0x8847, label(100, 1, "\x45\x00\xff\xff"+frame4[4:])), false, "[] [mpls:100]", 0},
		{"mpls, ethernet that looks like ipv6", ether, eth(0x8847, label(100, 1, "\x60\x00\x00\x00\xff\xff"+frame4[6:])), false, "[] [mpls:100]", 0},
		// RFC 2516, 4; RFC 1661, 2
		{"pppoe", ether, eth(0x8864, pppoeOf(17, "\x00\x21"+p4)), false, "[] [pppoe:17]", 0},
		{"pppoe, ipv6, padding", ether, eth(0x8864, pppoeOf(65535, "\x00\x57"+p6)) + "PADDING", true, "[] [pppoe:65535]", 7},
		{"pppoe, mpls", ether, eth(0x8864, pppoeOf(1, "\x02\x81"+label(5, 1, p4))), false, "[] [pppoe:1 mpls:5]", 0},
		{"pppoe behind a tag", ether, eth(0x8100, tag(7, 0x8864, pppoeOf(1, "\x00\x21"+p4))), false, "[7] [pppoe:1]", 0},
		// IEEE 802.1ah, 9.7
		{"backbone bridge", ether, eth(0x88a8, tag(9, 0x88e7, "\x60\x01\x02\x03"+eth(0x8100, tag(8, 0x0800, p4)))), false, "[9 8] [pbb:66051]", 0},
		// RFC 2784, 2; RFC 2890, 2
		{"gre", ether, out(overGRE("\x00\x00\x08\x00" + p4)), false, "[] [gre]", 0},
		{"gre, checksum", ether, out(overGRE("\x80\x00\x08\x00\xbe\xef\x00\x00" + p4)), false, "[] [gre]", 0},
		{"gre, key", ether, out(overGRE("\x20\x00\x86\xdd\x00\x00\x00\x2a" + p6)), true, "[] [gre:42]", 0},
		{"gre, sequence", ether, out(overGRE("\x10\x00\x08\x00\x00\x00\x00\x2a" + p4)), false, "[] [gre]", 0},
		{"gre, all", ether, out(overGRE("\xb0\x00\x08\x00\xbe\xef\x00\x00\x00\x00\x00\x2a\x00\x00\x00\x01" + p4)), false, "[] [gre:42]", 0},
		// RFC 1701
		{"gre, routing", ether, out(overGRE("\x40\x00\x08\x00\x00\x00\x00\x00" + "\x08\x00\x00\x04\x0a\x00\x00\x09" + "\x00\x00\x00\x00" + p4)), false, "[] [gre]", 0},
		{"gre, all and routing", ether, out(overGRE("\xf0\x00\x86\xdd\xbe\xef\x00\x00\x00\x00\x00\x2a\x00\x00\x00\x01" + "\x08\x00\x00\x08\x0a\x00\x00\x09\x0a\x00\x00\x0a" + "\xff\xfe\x00\x02ab" + "\x00\x00\x00\x00" + p6)), true, "[] [gre:42]", 0},
		{"gre, ethernet", ether, out(overGRE("\x00\x00\x65\x58" + frame4)), false, "[] [gre]", 0},
		{"gre, ethernet, small key", ether, out(overGRE("\x20\x00\x65\x58\x00\x00\x00\x2a" + frame4)), false, "[] [gre:42]", 0},
		{"gre over ipv6", ether, eth(0x86dd, ip6(protoGRE, "\x00\x00\x08\x00"+p4)), false, "[] [gre]", 0},
		{"gre, mpls", ether, out(overGRE("\x00\x00\x88\x47" + label(33, 1, p4))), false, "[] [gre mpls:33]", 0},
		// RFC 7637, 3.2
		{"nvgre", ether, out(overGRE("\x20\x00\x65\x58\x00\x13\x89\x05" + frame6)), true, "[] [nvgre:5001]", 0},
		{"nvgre, tag inside", ether, out(overGRE("\x20\x00\x65\x58\x00\x13\x89\x05" + eth(0x8100, tag(3, 0x0800, p4)))), false, "[3] [nvgre:5001]", 0},
		// RFC 2637, 4.1
		{"pptp", ether, out(overGRE("\x30\x01\x88\x0b" + u16(4+len(p4)) + "\x00\x09\x00\x00\x00\x01\xff\x03\x00\x21" + p4)), false, "[] [pptp:9]", 0},
		{"pptp, acknowledgement, compressed", ether, out(overGRE("\x30\x81\x88\x0b" + u16(1+len(p4)) + "\x00\x09\x00\x00\x00\x01\x00\x00\x00\x02\x21" + p4)), false, "[] [pptp:9]", 0},
		// draft-foschiano-erspan-03, 4.1 to 4.3
		{"erspan I", ether, out(overGRE("\x00\x00\x88\xbe" + frame4)), false, "[] [erspan1]", 0},
		{"erspan II", ether, out(overGRE("\x10\x00\x88\xbe\x00\x00\x00\x01" + erspan2Of(77, frame4))), false, "[] [erspan2:77]", 0},
		{"erspan II, other bits set, tag", ether, out(overGRE("\x10\x00\x88\xbe\x00\x00\x00\x01" + erspan2Of(0xfc00|77, eth(0x8100, tag(100, 0x86dd, p6))))), true, "[100] [erspan2:77]", 0},
		{"erspan III", ether, out(overGRE("\x10\x00\x22\xeb\x00\x00\x00\x01" + erspan3Of(1023, 0, frame4))), false, "[] [erspan3:1023]", 0},
		{"erspan III, subheader", ether, out(overGRE("\x10\x00\x22\xeb\x00\x00\x00\x01" + erspan3Of(5, 1, "platform"+frame6))), true, "[] [erspan3:5]", 0},
		{"erspan III, ip", ether, out(overGRE("\x10\x00\x22\xeb\x00\x00\x00\x01" + erspan3Of(5, 2<<10, p4))), false, "[] [erspan3:5]", 0},
		// RFC 7348, 5
		{"vxlan", ether, out(overUDP(4789, vxlanOf(42, frame4))), false, "[] [vxlan:42]", 0},
		{"vxlan, old port, group policy", ether, out(overUDP(8472, "\x88"+vxlanOf(0xffffff, frame6)[1:])), true, "[] [vxlan:16777215]", 0},
		{"vxlan over ipv6", ether, eth(0x86dd, ip6(protoUDP, udpTo(4789, vxlanOf(42, frame4)))), false, "[] [vxlan:42]", 0},
		{"vxlan, no udp length", ether, out(overUDP(4789, vxlanOf(42, frame4))[:24] + "\x00\x00" + overUDP(4789, vxlanOf(42, frame4))[26:]), false, "[] [vxlan:42]", 0},
		// draft-ietf-nvo3-vxlan-gpe-13, 3.1
		{"vxlan-gpe, ipv4", ether, out(overUDP(4790, "\x0c\x00\x00\x01\x00\x00\x07\x00"+p4)), false, "[] [vxlan-gpe:7]", 0},
		{"vxlan-gpe, ipv6", ether, out(overUDP(4790, "\x0c\x00\x00\x02\x00\x00\x07\x00"+p6)), true, "[] [vxlan-gpe:7]", 0},
		{"vxlan-gpe, ethernet", ether, out(overUDP(4790, "\x0c\x00\x00\x03\x00\x00\x07\x00"+frame4)), false, "[] [vxlan-gpe:7]", 0},
		{"vxlan-gpe, mpls", ether, out(overUDP(4790, "\x0c\x00\x00\x05\x00\x00\x07\x00"+label(3, 1, p4))), false, "[] [vxlan-gpe:7 mpls:3]", 0},
		{"vxlan-gpe as vxlan", ether, out(overUDP(4790, vxlanOf(42, frame4))), false, "[] [vxlan-gpe:42]", 0},
		// RFC 8926, 3.4
		{"geneve", ether, out(overUDP(6081, "\x00\x00\x65\x58\x00\x00\x63\x00"+frame4)), false, "[] [geneve:99]", 0},
		{"geneve, options, ipv6", ether, out(overUDP(6081, "\x03\x40\x86\xdd\x00\x00\x63\x00\x01\x02\x80\x02optionss"+p6)), true, "[] [geneve:99]", 0},
		// 3GPP TS 29.281, 5.1
		{"gtp", ether, out(overUDP(2152, gtpOf(0, p4))), false, "[] [gtp:3735928559]", 0},
		{"gtp, sequence", ether, out(overUDP(2152, gtpOf(2, "\x00\x01\x00\x00"+p6))), true, "[] [gtp:3735928559]", 0},
		{"gtp, extensions", ether, out(overUDP(2152, gtpOf(4, "\x00\x00\x00\x85\x01\x10\x09\xc0\x02aaaaaa\x00"+p4))), false, "[] [gtp:3735928559]", 0},
		// RFC 2003, RFC 4213, RFC 2473
		{"ipip", ether, out(ip4(protoIPv4, 0, "", p4)), false, "[] [ipip]", 0},
		{"6in4", ether, out(ip4(protoIPv6, 0, "", p6)), true, "[] [6in4]", 0},
		{"4in6", ether, eth(0x86dd, ip6(protoIPv4, p4)), false, "[] [4in6]", 0},
		{"6in6", ether, eth(0x86dd, ip6(protoIPv6, p6)), true, "[] [6in6]", 0},
		{"6in6 behind destination options", ether, eth(0x86dd, ip6(protoDestination, bytesOf(protoIPv6, 0, 4, 1, 4, 1, 0, 0)+p6)), true, "[] [6in6]", 0},
		// RFC 4380, 5.1.1
		{"teredo", ether, out(overUDP(3544, p6)), true, "[] [teredo]", 0},
		{"teredo, authentication", ether, out(overUDP(3544, "\x00\x01\x02\x03idmac12345678\x00"+p6)), true, "[] [teredo]", 0},
		{"teredo, both, from the server", ether, out(ip4(protoUDP, 0, "", u16(3544)+u16(50000)+u16(8+13+8+len(p6))+"\x00\x00"+"\x00\x01\x00\x0012345678\x00"+"\x00\x00\x12\x34\x7f\x01\x02\x03"+p6)), true, "[] [teredo]", 0},
		// RFC 2661, 3.1
		{"l2tp", ether, out(overUDP(1701, "\x00\x02\x00\x01\x00\x05\xff\x03\x00\x21"+p4)), false, "[] [l2tp:5]", 0},
		{"l2tp, all fields", ether, out(overUDP(1701, "\x4a\x02"+u16(16+2+len(p4))+"\x00\x01\x00\x05\x00\x00\x00\x01\x00\x02xx"+"\x00\x21"+p4)), false, "[] [l2tp:5]", 0},
		// padding behind what a length counts
		{"vxlan, padding", ether, out(ip4(protoUDP, 0, "", udpTo(4789, vxlanOf(42, frame4))+"PAD")), false, "[] [vxlan:42]", 3},
		{"gtp, padding", ether, out(overUDP(2152, gtpOf(0, p4)+"PAD")), false, "[] [gtp:3735928559]", 3},
		{"pptp, padding", ether, out(overGRE("\x30\x01\x88\x0b" + u16(2+len(p4)) + "\x00\x09\x00\x00\x00\x01\x00\x21" + p4 + "PAD")), false, "[] [pptp:9]", 3},
		{"l2tp, padding", ether, out(overUDP(1701, "\x40\x02"+u16(10+len(p4))+"\x00\x01\x00\x05\x00\x21"+p4+"PAD")), false, "[] [l2tp:5]", 3},
		// link layers
		{"ppp", capture.LinkPPP, "\xff\x03\x00\x21" + p4, false, "[] []", 0},
		{"ppp, address and control left out", capture.LinkPPP, "\x00\x57" + p6, true, "[] []", 0},
		{"ppp, compressed", capture.LinkPPP, "\x21" + p4, false, "[] []", 0},
		{"ppp in hdlc", capture.LinkPPPHDLC, "\xff\x03\x00\x21" + p4, false, "[] []", 0},
		{"ppp in hdlc, cisco's", capture.LinkPPPHDLC, "\x0f\x00\x08\x00" + p4, false, "[] []", 0},
		{"ppp over ethernet", capture.LinkPPPEther, pppoeOf(3, "\x00\x21"+p4), false, "[] [pppoe:3]", 0},
		{"cisco hdlc", capture.LinkCHDLC, "\x8f\x00\x86\xdd" + p6, true, "[] []", 0},
		{"nflog", capture.LinkNFLOG, "\x02\x00\x00\x05" + field(1, "\x08\x00\x01\x00") + field(10, "prefix\x00") + field(9, p4), false, "[] []", 0},
		{"nflog, nested field", capture.LinkNFLOG, "\x02\x00\x00\x05" + field(0x8013, "\x08\x00\x01\x00\x01\x00\x00\x00") + field(9, p4), false, "[] []", 0},
		{"nflog, nested field of a big-endian machine", capture.LinkNFLOG, "\x0a\x00\x00\x05" + "\x00\x08\x80\x13\x08\x00\x01\x00" + u16(4+len(p6)) + "\x00\x09" + p6, true, "[] []", 0},
		{"nflog of a big-endian machine", capture.LinkNFLOG, "\x0a\x00\x00\x05" + "\x00\x08\x00\x01\x08\x00\x01\x00" + u16(4+len(p6)) + "\x00\x09" + p6, true, "[] []", 0},
		{"cooked, pppoe", capture.LinkLinuxSLL, sll(0x8864, pppoeOf(17, "\x00\x21"+p4)), false, "[] [pppoe:17]", 0},
		// nested
		{"vxlan in a tag in gre behind tags", ether, eth(0x88a8, tag(1, 0x8100, tag(2, 0x0800, overGRE("\x00\x00\x65\x58"+eth(0x8100, tag(3, 0x0800, overUDP(4789, vxlanOf(42, eth(0x8100, tag(4, 0x86dd, p6)))))))))), true, "[1 2 3 4] [gre vxlan:42]", 0},
		{"more than are kept", ether, out(ip4(4, 0, "", ip4(4, 0, "", overGRE("\x00\x00\x08\x00"+overUDP(4789, vxlanOf(1, out(overUDP(6081, "\x00\x00\x08\x00\x00\x00\x63\x00"+p4)))))))), false, "[] [ipip ipip gre vxlan:1]", 0},
	}
}

func tagsOf(s *Segment) string {
	return fmt.Sprint(s.VLANs[:s.VLANCount], " ", s.Tunnels[:s.TunnelCount])
}

func TestTunnels(t *testing.T) {
	d := Decoder{Ports: mailPorts()}
	s := Segment{TunnelCount: 4, Tunnels: [MaxTunnels]Tunnel{{Kind: TunnelGRE}, {Kind: TunnelGRE}}}
	for _, c := range tunnels() {
		if r := d.Decode(frame(c.link, c.data), &s); r != OK {
			t.Errorf("%s: %v", c.name, r)
			continue
		}
		src, dst := client4, server4
		if c.v6 {
			src, dst = client6, server6
		}
		if s.From() != src || s.To() != dst || s.TTL != 64 || string(s.Payload) != "QUIT" || s.Length != 4 || tagsOf(&s) != c.tags {
			t.Errorf("%s: %s %+v, want %s", c.name, tagsOf(&s), s, c.tags)
		}
	}
	if r := d.Decode(frame(ether, eth(0x0800, ip4(6, 0, "", mail("QUIT")))), &s); r != OK || tagsOf(&s) != "[] []" || s.Tunnels != [MaxTunnels]Tunnel{} {
		t.Errorf("tags of the packet before stay: %v %+v", r, s)
	}
}

// Cut anywhere, by the snap length or by what mirrored it, a frame gives its
// segment only where all headers are there, with its length on the wire.
func TestTunnelsCut(t *testing.T) {
	const headerless = len("QUIT")
	for _, c := range tunnels() {
		need := len(c.data) - c.padding - headerless // up to the end of the TCP header
		for n := range len(c.data) {
			for _, wire := range []int{len(c.data), n} {
				var d Decoder
				var s Segment
				r := d.Decode(&capture.Packet{Data: []byte(c.data[:n]), Length: wire, Link: c.link}, &s)
				switch {
				case n < need && wire > n && r != Truncated:
					t.Errorf("%s, %d of %d captured: %v", c.name, n, wire, r)
				case n < need && r == OK:
					t.Errorf("%s cut to %d: a segment", c.name, n)
				case n >= need && wire > n && (r != OK || s.Length != 4 || string(s.Payload) != "QUIT"[:min(n-need, 4)]):
					t.Errorf("%s, %d of %d captured: %v, %q of %d", c.name, n, wire, r, s.Payload, s.Length)
				case r == OK && (s.Length != 4 || !strings.HasPrefix("QUIT", string(s.Payload))):
					t.Errorf("%s cut to %d: %q of %d", c.name, n, s.Payload, s.Length)
				}
			}
		}
	}
}

func TestTunnelReasons(t *testing.T) {
	p4, p6 := ip4(6, 0, "", mail("QUIT")), ip6(6, mail("QUIT"))
	frame4 := eth(0x0800, p4)
	arp := eth(0x0806, strings.Repeat("x", 28))
	out := func(rest string) string { return eth(0x0800, rest) }
	labels := p4
	for n := range 17 {
		bottom := 0
		if n == 0 {
			bottom = 1
		}
		labels = label(100, bottom, labels)
	}
	deep := p4
	for range 40 {
		deep = ip4(4, 0, "", deep)
	}
	for _, c := range []struct {
		name string
		link capture.LinkType
		data string
		want Reason
	}{
		{"gre, routing without an end", ether, out(overGRE("\x40\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x04\x0a\x00\x00\x09")), BadTunnel},
		{"gre, route of no length", ether, out(overGRE("\x40\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00" + p4)), BadTunnel},
		{"gre, route beyond the packet", ether, out(overGRE("\x40\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\xff" + p4)), BadTunnel},
		{"pptp with a checksum", ether, out(overGRE("\xb0\x01\x88\x0b\x00\x04\x00\x09\x00\x00\x00\x01" + p4)), BadTunnel},
		{"gre, version 2", ether, out(overGRE("\x00\x02\x08\x00" + p4)), BadTunnel},
		{"gre, ends in its fields", ether, out(overGRE("\xb0\x00\x08\x00\x00\x00")), BadTunnel},
		{"gre, keepalive", ether, out(overGRE("\x00\x00\x00\x00")), NotIP},
		{"pptp without a call", ether, out(overGRE("\x10\x01\x88\x0b\x00\x00\x00\x00")), BadTunnel},
		{"pptp, acknowledgement alone", ether, out(overGRE("\x20\x81\x88\x0b\x00\x00\x00\x09\x00\x00\x00\x01")), NotIP},
		{"pptp, encrypted", ether, out(overGRE("\x30\x01\x88\x0b\x00\x06\x00\x09\x00\x00\x00\x01\x00\xfdsecr")), NotIP},
		{"erspan in ethernet", ether, eth(0x88be, frame4), NotIP},
		{"erspan II of version 2", ether, out(overGRE("\x10\x00\x88\xbe\x00\x00\x00\x01\x20\x00\x00\x00\x00\x00\x00\x00" + frame4)), BadTunnel},
		{"erspan III of version 1", ether, out(overGRE("\x10\x00\x22\xeb\x00\x00\x00\x01\x10" + strings.Repeat("\x00", 11) + frame4)), BadTunnel},
		{"erspan III, another frame", ether, out(overGRE("\x10\x00\x22\xeb\x00\x00\x00\x01\x20" + strings.Repeat("\x00", 9) + "\x10\x00" + frame4)), NotIP},
		{"vxlan without a network", ether, out(overUDP(4789, "\x00"+vxlanOf(42, frame4)[1:])), BadTunnel},
		{"vxlan, ARP", ether, out(overUDP(4789, vxlanOf(42, arp))), NotIP},
		{"vxlan's port as a source", ether, out(ip4(17, 0, "", u16(4789)+u16(53)+u16(12)+"\x00\x00dns?")), NotTCP},
		{"udp length 7", ether, out(ip4(17, 0, "", u16(9)+u16(4789)+u16(7)+"\x00\x00"+vxlanOf(42, frame4))), BadTunnel},
		{"udp header cut on the wire", ether, out(ip4(17, 0, "", u16(9)+u16(4789)+"\x00")), NotTCP},
		{"vxlan-gpe, service header", ether, out(overUDP(4790, "\x0c\x00\x00\x04\x00\x00\x07\x00"+p4)), NotIP},
		{"geneve of version 1", ether, out(overUDP(6081, "\x40\x00\x65\x58\x00\x00\x63\x00"+frame4)), BadTunnel},
		{"geneve, options beyond the packet", ether, out(overUDP(6081, "\x3f\x00\x65\x58\x00\x00\x63\x00"+frame4)), BadTunnel},
		{"gtp of version 2", ether, out(overUDP(2152, "\x48\x20\x00\x00\x00\x00\x00\x00")), BadTunnel},
		{"gtp, echo", ether, out(overUDP(2152, "\x32\x01\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00")), NotIP},
		{"gtp, extension of no length", ether, out(overUDP(2152, "\x34\xff"+u16(8+len(p4))+"\x00\x00\x00\x01\x00\x00\x00\x85\x00\x00\x00\x00"+p4)), BadTunnel},
		{"gtp, extension beyond the packet", ether, out(overUDP(2152, "\x34\xff\x00\x08\x00\x00\x00\x01\x00\x00\x00\x85\x02\x00\x00\x00")), BadTunnel},
		{"teredo with IPv4", ether, out(overUDP(3544, p4)), BadTunnel},
		{"teredo, bubble", ether, out(overUDP(3544, ip6(59, ""))), NotTCP},
		{"l2tp, control", ether, out(overUDP(1701, "\xc8\x02\x00\x0c\x00\x00\x00\x00\x00\x00\x00\x00")), NotIP},
		{"l2tp of version 3", ether, out(overUDP(1701, "\x00\x03\x00\x00\x00\x00\x00\x00")), BadTunnel},
		{"l2tp, length within its header", ether, out(overUDP(1701, "\x40\x02\x00\x07\x00\x01\x00\x05\x00\x21"+p4)), BadTunnel},
		{"l2tp, offset beyond the packet", ether, out(overUDP(1701, "\x02\x02\x00\x01\x00\x05\xff\xff\x00\x21"+p4)), BadTunnel},
		{"pppoe of version 2", ether, eth(0x8864, "\x21\x00\x00\x01\x00\x10\x00\x21"+p4), BadTunnel},
		{"pppoe, discovery", ether, eth(0x8863, "\x11\x09\x00\x00\x00\x00"), NotIP},
		{"pppoe, link control", ether, eth(0x8864, pppoeOf(1, "\xc0\x21\x01\x01\x00\x04")), NotIP},
		{"pppoe, length of nothing", ether, eth(0x8864, "\x11\x00\x00\x01\x00\x00\x00\x21"+p4), BadLinkHeader},
		{"pppoe length within the IP packet", ether, eth(0x8864, "\x11\x00\x00\x01\x00\x10\x00\x21"+p4), BadIPHeader},
		{"mpls, no bottom", ether, eth(0x8847, label(100, 0, label(100, 0, ""))), BadTunnel},
		{"mpls, nothing behind", ether, eth(0x8847, label(100, 1, "\x45\x00")), BadTunnel},
		{"mpls, 17 labels", ether, eth(0x8847, labels), TooManyHeaders},
		{"mpls, associated channel", ether, eth(0x8847, label(100, 1, "\x10\x00\x00\x21"+p4)), NotIP},
		{"nflog without a packet", capture.LinkNFLOG, "\x02\x00\x00\x05" + field(1, "\x08\x00\x01\x00"), BadLinkHeader},
		{"nflog of version 1", capture.LinkNFLOG, "\x02\x01\x00\x05" + field(9, p4), BadLinkHeader},
		{"nflog, field of length 3", capture.LinkNFLOG, "\x02\x00\x00\x05\x03\x00\x01\x00" + field(9, p4), BadLinkHeader},
		{"nflog of a bridge", capture.LinkNFLOG, "\x07\x00\x00\x05" + field(9, "\x00\x11"), NotIP},
		{"ICMP about a packet", ether, out(ip4(1, 0, "", "\x03\x03\x00\x00\x00\x00\x00\x00"+p4)), NotTCP},
		{"too deep", ether, out(deep), TooManyHeaders},
		{"no packet in IP", ether, out(ip4(4, 0, "", p6)), BadIPHeader},
	} {
		var d Decoder
		var s Segment
		if got := d.Decode(frame(c.link, c.data), &s); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestTunnelPorts(t *testing.T) {
	data := eth(0x0800, overUDP(4789, vxlanOf(42, eth(0x0800, ip4(6, 0, "", mail("a"))))))
	moved := eth(0x0800, overUDP(14789, vxlanOf(42, eth(0x0800, ip4(6, 0, "", mail("a"))))))
	var s Segment
	for name, c := range map[string]struct {
		ports     []TunnelPort
		std, high Reason
	}{
		"assigned": {nil, OK, NotTCP},
		"none":     {[]TunnelPort{}, NotTCP, NotTCP},
		"moved":    {[]TunnelPort{{14789, TunnelVXLAN}}, NotTCP, OK},
		"no UDP":   {[]TunnelPort{{4789, TunnelGRE}}, NotTCP, NotTCP},
	} {
		d := Decoder{TunnelPorts: c.ports}
		if a, b := d.Decode(frame(ether, data), &s), d.Decode(frame(ether, moved), &s); a != c.std || b != c.high {
			t.Errorf("%s: %v and %v, want %v and %v", name, a, b, c.std, c.high)
		}
	}
}

func TestTunnelNames(t *testing.T) {
	docs, err := os.ReadFile("../../docs/records.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{"": true, "unknown": true}
	for k := range tunnelKinds {
		if seen[k.String()] {
			t.Errorf("kind %d is named %q", k, k)
		}
		seen[k.String()] = true
		if k != NoTunnel && !strings.Contains(string(docs), "\n| `"+k.String()) {
			t.Errorf("docs/records.md does not explain the tunnel %s", k)
		}
	}
	if tunnelKinds.String() != "unknown" {
		t.Error("unknown is misnamed")
	}
}
