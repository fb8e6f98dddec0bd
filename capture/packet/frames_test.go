package packet

import (
	"encoding/binary"
	"net/netip"
	"strings"

	"github.com/mailtap/mailtap/capture"
)

// Frames are written as layers of strings, outermost first.

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
	return u16(src) + u16(dst) + u32(1000) + u32(2000) + string([]byte{byte((20 + len(options)) / 4 << 4), ACK | PSH}) + "\x01\x00\x00\x00\x00\x00" + options + payload
}

func mail(payload string) string { return tcpSegment(40000, 25, "", payload) }

func frame(link capture.LinkType, data string) *capture.Packet {
	return &capture.Packet{Time: 7, Data: []byte(data), Length: len(data), Link: link}
}

func mailPorts() *PortSet {
	s := new(PortSet)
	s.Add(25, 465, 587)
	return s
}

var (
	client4 = netip.MustParseAddrPort("10.0.0.1:40000")
	server4 = netip.MustParseAddrPort("10.0.0.2:25")
	client6 = netip.MustParseAddrPort("[fd00::1]:40000")
	server6 = netip.MustParseAddrPort("[fd00::2]:25")
)
