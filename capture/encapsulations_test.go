package capture_test

import (
	"encoding/binary"
	"strings"

	"github.com/mailtap/mailtap/capture"
)

// Frames are written as layers of strings, outermost first; capture/packet has
// the same ones with what is in them.

const (
	ether = capture.LinkEthernet

	protoIPv4, protoUDP, protoIPv6, protoGRE, protoDestination = 4, 17, 41, 47, 60
)

func u16(v int) string { return string(binary.BigEndian.AppendUint16(nil, uint16(v))) }
func u32(v uint32) string {
	return string(binary.BigEndian.AppendUint32(nil, v))
}

func eth(etherType int, rest string) string {
	return "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02" + u16(etherType) + rest
}

func tag(tci, etherType int, rest string) string { return u16(tci) + u16(etherType) + rest }

func sll(etherType int, rest string) string {
	return "\x00\x00\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\x00\x00" + u16(etherType) + rest
}

func sll2(etherType int, rest string) string {
	return u16(etherType) + "\x00\x00\x00\x00\x00\x02\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\x00\x00" + rest
}

const addr4 = "\x0a\x00\x00\x01\x0a\x00\x00\x02"

// ip4 writes a header with its own lengths; options are whole words.
func ip4(proto, frag int, options, rest string) string {
	return ip4Length(20+len(options)+len(rest), proto, frag, options, rest)
}

func ip4Length(total, proto, frag int, options, rest string) string {
	return string(rune(0x40|(20+len(options))/4)) + "\x00" + u16(total) + "\x00\x01" + u16(frag) + "\x40" + string(rune(proto)) + "\x00\x00" + addr4 + options + rest
}

var addr6 = "\xfd" + strings.Repeat("\x00", 14) + "\x01" + "\xfd" + strings.Repeat("\x00", 14) + "\x02"

func ip6(next int, rest string) string { return ip6Length(len(rest), next, rest) }

func ip6Length(length, next int, rest string) string {
	return "\x60\x00\x00\x00" + u16(length) + string(rune(next)) + "\x40" + addr6 + rest
}

func tcpSegment(src, dst int, options, payload string) string {
	return u16(src) + u16(dst) + u32(1000) + u32(2000) + string([]byte{byte((20 + len(options)) / 4 << 4), 0x18}) + "\x01\x00\x00\x00\x00\x00" + options + payload
}

func mail(payload string) string { return tcpSegment(40000, 25, "", payload) }

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

func bytesOf(b ...byte) string { return string(b) }

type encapsulated struct {
	name string
	link capture.LinkType
	data string
}

// encapsulations are frames of every tunnel and link layer that capture/packet reads.
func encapsulations() []encapsulated {
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
	return []encapsulated{
		// RFC 3032, 2.1
		{"mpls, ipv4", ether, eth(0x8847, label(100, 1, p4))},
		{"mpls, two labels, ipv6", ether, eth(0x8848, label(16, 0, label(200, 1, p6)))},
		{"mpls, explicit null behind", ether, eth(0x8847, label(2, 1, p6))},
		{"mpls, entropy label", ether, eth(0x8847, label(100, 0, label(7, 0, label(99999, 1, p4))))},
		// RFC 4448, 4
		{"mpls, ethernet", ether, eth(0x8847, label(100, 1, frame4))},
		{"mpls, ethernet of a low address", ether, eth(0x8847, label(100, 1, "\x00"+frame4[1:]))},
		{"mpls, control word, ethernet", ether, eth(0x8847, label(100, 1, "\x00\x00\x00\x07"+frame6))},
		{"mpls, ethernet that looks like ipv4", ether, eth(0x8847, label(100, 1, "\x45\x00\xff\xff"+frame4[4:]))},
		{"mpls, ethernet that looks like ipv6", ether, eth(0x8847, label(100, 1, "\x60\x00\x00\x00\xff\xff"+frame4[6:]))},
		// RFC 2516, 4; RFC 1661, 2
		{"pppoe", ether, eth(0x8864, pppoeOf(17, "\x00\x21"+p4))},
		{"pppoe, ipv6, padding", ether, eth(0x8864, pppoeOf(65535, "\x00\x57"+p6)) + "PADDING"},
		{"pppoe, mpls", ether, eth(0x8864, pppoeOf(1, "\x02\x81"+label(5, 1, p4)))},
		{"pppoe behind a tag", ether, eth(0x8100, tag(7, 0x8864, pppoeOf(1, "\x00\x21"+p4)))},
		// IEEE 802.1ah, 9.7
		{"backbone bridge", ether, eth(0x88a8, tag(9, 0x88e7, "\x60\x01\x02\x03"+eth(0x8100, tag(8, 0x0800, p4))))},
		// RFC 2784, 2; RFC 2890, 2
		{"gre", ether, out(overGRE("\x00\x00\x08\x00" + p4))},
		{"gre, checksum", ether, out(overGRE("\x80\x00\x08\x00\xbe\xef\x00\x00" + p4))},
		{"gre, key", ether, out(overGRE("\x20\x00\x86\xdd\x00\x00\x00\x2a" + p6))},
		{"gre, sequence", ether, out(overGRE("\x10\x00\x08\x00\x00\x00\x00\x2a" + p4))},
		{"gre, all", ether, out(overGRE("\xb0\x00\x08\x00\xbe\xef\x00\x00\x00\x00\x00\x2a\x00\x00\x00\x01" + p4))},
		{"gre, routing", ether, out(overGRE("\x40\x00\x08\x00\x00\x00\x00\x00" + "\x08\x00\x00\x04\x0a\x00\x00\x09" + "\x00\x00\x00\x00" + p4))},
		{"gre, ethernet", ether, out(overGRE("\x00\x00\x65\x58" + frame4))},
		{"gre, ethernet, small key", ether, out(overGRE("\x20\x00\x65\x58\x00\x00\x00\x2a" + frame4))},
		{"gre over ipv6", ether, eth(0x86dd, ip6(protoGRE, "\x00\x00\x08\x00"+p4))},
		{"gre, mpls", ether, out(overGRE("\x00\x00\x88\x47" + label(33, 1, p4)))},
		// RFC 7637, 3.2
		{"nvgre", ether, out(overGRE("\x20\x00\x65\x58\x00\x13\x89\x05" + frame6))},
		{"nvgre, tag inside", ether, out(overGRE("\x20\x00\x65\x58\x00\x13\x89\x05" + eth(0x8100, tag(3, 0x0800, p4))))},
		// RFC 2637, 4.1
		{"pptp", ether, out(overGRE("\x30\x01\x88\x0b" + u16(4+len(p4)) + "\x00\x09\x00\x00\x00\x01\xff\x03\x00\x21" + p4))},
		{"pptp, acknowledgement, compressed", ether, out(overGRE("\x30\x81\x88\x0b" + u16(1+len(p4)) + "\x00\x09\x00\x00\x00\x01\x00\x00\x00\x02\x21" + p4))},
		// draft-foschiano-erspan-03, 4.1 to 4.3
		{"erspan I", ether, out(overGRE("\x00\x00\x88\xbe" + frame4))},
		{"erspan II", ether, out(overGRE("\x10\x00\x88\xbe\x00\x00\x00\x01" + erspan2Of(77, frame4)))},
		{"erspan II, other bits set, tag", ether, out(overGRE("\x10\x00\x88\xbe\x00\x00\x00\x01" + erspan2Of(0xfc00|77, eth(0x8100, tag(100, 0x86dd, p6)))))},
		{"erspan III", ether, out(overGRE("\x10\x00\x22\xeb\x00\x00\x00\x01" + erspan3Of(1023, 0, frame4)))},
		{"erspan III, subheader", ether, out(overGRE("\x10\x00\x22\xeb\x00\x00\x00\x01" + erspan3Of(5, 1, "platform"+frame6)))},
		{"erspan III, ip", ether, out(overGRE("\x10\x00\x22\xeb\x00\x00\x00\x01" + erspan3Of(5, 2<<10, p4)))},
		// RFC 7348, 5
		{"vxlan", ether, out(overUDP(4789, vxlanOf(42, frame4)))},
		{"vxlan, old port, group policy", ether, out(overUDP(8472, "\x88"+vxlanOf(0xffffff, frame6)[1:]))},
		{"vxlan over ipv6", ether, eth(0x86dd, ip6(protoUDP, udpTo(4789, vxlanOf(42, frame4))))},
		{"vxlan, no udp length", ether, out(overUDP(4789, vxlanOf(42, frame4))[:24] + "\x00\x00" + overUDP(4789, vxlanOf(42, frame4))[26:])},
		// draft-ietf-nvo3-vxlan-gpe-13, 3.1
		{"vxlan-gpe, ipv4", ether, out(overUDP(4790, "\x0c\x00\x00\x01\x00\x00\x07\x00"+p4))},
		{"vxlan-gpe, ipv6", ether, out(overUDP(4790, "\x0c\x00\x00\x02\x00\x00\x07\x00"+p6))},
		{"vxlan-gpe, ethernet", ether, out(overUDP(4790, "\x0c\x00\x00\x03\x00\x00\x07\x00"+frame4))},
		{"vxlan-gpe, mpls", ether, out(overUDP(4790, "\x0c\x00\x00\x05\x00\x00\x07\x00"+label(3, 1, p4)))},
		{"vxlan-gpe as vxlan", ether, out(overUDP(4790, vxlanOf(42, frame4)))},
		// RFC 8926, 3.4
		{"geneve", ether, out(overUDP(6081, "\x00\x00\x65\x58\x00\x00\x63\x00"+frame4))},
		{"geneve, options, ipv6", ether, out(overUDP(6081, "\x03\x40\x86\xdd\x00\x00\x63\x00\x01\x02\x80\x02optionss"+p6))},
		// 3GPP TS 29.281, 5.1
		{"gtp", ether, out(overUDP(2152, gtpOf(0, p4)))},
		{"gtp, sequence", ether, out(overUDP(2152, gtpOf(2, "\x00\x01\x00\x00"+p6)))},
		{"gtp, extensions", ether, out(overUDP(2152, gtpOf(4, "\x00\x00\x00\x85\x01\x10\x09\xc0\x02aaaaaa\x00"+p4)))},
		// RFC 2003, RFC 4213, RFC 2473
		{"ipip", ether, out(ip4(protoIPv4, 0, "", p4))},
		{"6in4", ether, out(ip4(protoIPv6, 0, "", p6))},
		{"4in6", ether, eth(0x86dd, ip6(protoIPv4, p4))},
		{"6in6", ether, eth(0x86dd, ip6(protoIPv6, p6))},
		{"6in6 behind destination options", ether, eth(0x86dd, ip6(protoDestination, bytesOf(protoIPv6, 0, 4, 1, 4, 1, 0, 0)+p6))},
		// RFC 4380, 5.1.1
		{"teredo", ether, out(overUDP(3544, p6))},
		{"teredo, authentication", ether, out(overUDP(3544, "\x00\x01\x02\x03idmac12345678\x00"+p6))},
		{"teredo, both, from the server", ether, out(ip4(protoUDP, 0, "", u16(3544)+u16(50000)+u16(8+13+8+len(p6))+"\x00\x00"+"\x00\x01\x00\x0012345678\x00"+"\x00\x00\x12\x34\x7f\x01\x02\x03"+p6))},
		// RFC 2661, 3.1
		{"l2tp", ether, out(overUDP(1701, "\x00\x02\x00\x01\x00\x05\xff\x03\x00\x21"+p4))},
		{"l2tp, all fields", ether, out(overUDP(1701, "\x4a\x02"+u16(16+2+len(p4))+"\x00\x01\x00\x05\x00\x00\x00\x01\x00\x02xx"+"\x00\x21"+p4))},
		// padding behind what a length counts
		{"vxlan, padding", ether, out(ip4(protoUDP, 0, "", udpTo(4789, vxlanOf(42, frame4))+"PAD"))},
		{"gtp, padding", ether, out(overUDP(2152, gtpOf(0, p4)+"PAD"))},
		{"pptp, padding", ether, out(overGRE("\x30\x01\x88\x0b" + u16(2+len(p4)) + "\x00\x09\x00\x00\x00\x01\x00\x21" + p4 + "PAD"))},
		{"l2tp, padding", ether, out(overUDP(1701, "\x40\x02"+u16(10+len(p4))+"\x00\x01\x00\x05\x00\x21"+p4+"PAD"))},
		// link layers
		{"ppp", capture.LinkPPP, "\xff\x03\x00\x21" + p4},
		{"ppp, address and control left out", capture.LinkPPP, "\x00\x57" + p6},
		{"ppp, compressed", capture.LinkPPP, "\x21" + p4},
		{"ppp in hdlc", capture.LinkPPPHDLC, "\xff\x03\x00\x21" + p4},
		{"ppp in hdlc, cisco's", capture.LinkPPPHDLC, "\x0f\x00\x08\x00" + p4},
		{"ppp over ethernet", capture.LinkPPPEther, pppoeOf(3, "\x00\x21"+p4)},
		{"cisco hdlc", capture.LinkCHDLC, "\x8f\x00\x86\xdd" + p6},
		{"cooked, pppoe", capture.LinkLinuxSLL, sll(0x8864, pppoeOf(17, "\x00\x21"+p4))},
		// nested
		{"vxlan in a tag in gre behind tags", ether, eth(0x88a8, tag(1, 0x8100, tag(2, 0x0800, overGRE("\x00\x00\x65\x58"+eth(0x8100, tag(3, 0x0800, overUDP(4789, vxlanOf(42, eth(0x8100, tag(4, 0x86dd, p6))))))))))},
		{"more than are kept", ether, out(ip4(4, 0, "", ip4(4, 0, "", overGRE("\x00\x00\x08\x00"+overUDP(4789, vxlanOf(1, out(overUDP(6081, "\x00\x00\x08\x00\x00\x00\x63\x00"+p4))))))))},
	}
}
