package packet

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture"
)

const ether = capture.LinkEthernet

func TestDecode(t *testing.T) {
	atomic := "\x06\x00\x00\x00\x00\x00\x00\x09"
	nops := strings.Repeat("\x01", 12)
	giant := strings.Repeat("G", 70_000)
	cases := []struct {
		name    string
		link    capture.LinkType
		data    string
		v6      bool
		vlans   string
		payload string
	}{
		{"ethernet ipv4", ether, eth(0x0800, ip4(6, 0, "", mail("QUIT"))), false, "[]", "QUIT"},
		{"ethernet ipv6", ether, eth(0x86dd, ip6(6, mail("QUIT"))), true, "[]", "QUIT"},
		{"padding is no payload", ether, eth(0x0800, ip4(6, 0, "", mail("a"))+"PADDING"), false, "[]", "a"},
		{"padding is no payload, ipv6", ether, eth(0x86dd, ip6(6, mail(""))+"FCSX"), true, "[]", ""},
		{"do not fragment", ether, eth(0x0800, ip4(6, 0x4000, "", mail("a"))), false, "[]", "a"},
		{"ipv4 options", ether, eth(0x0800, ip4(6, 0, nops, mail("a"))), false, "[]", "a"},
		{"tcp options", ether, eth(0x0800, ip4(6, 0, "", tcpSegment(40000, 25, nops, "a"))), false, "[]", "a"},
		{"one tag", ether, eth(0x8100, tag(0xf064, 0x0800, ip4(6, 0, "", mail("a")))), false, "[100]", "a"},
		{"priority tag", ether, eth(0x8100, tag(0xe000, 0x0800, ip4(6, 0, "", mail("a")))), false, "[]", "a"},
		{"two tags", ether, eth(0x88a8, tag(300, 0x8100, tag(100, 0x86dd, ip6(6, mail("a"))))), true, "[300 100]", "a"},
		{"an older one", ether, eth(0x9200, tag(300, 0x9300, tag(100, 0x0800, ip4(6, 0, "", mail("a"))))), false, "[300 100]", "a"},
		{"old service tag", ether, eth(0x9100, tag(300, 0x8100, tag(100, 0x0800, ip4(6, 0, "", mail("a"))))), false, "[300 100]", "a"},
		{"more tags than are kept", ether, eth(0x8100, tag(1, 0x8100, tag(2, 0x8100, tag(3, 0x8100, tag(4, 0x8100, tag(5, 0x0800, ip4(6, 0, "", mail("a")))))))), false, "[1 2 3 4]", "a"},
		{"cooked", capture.LinkLinuxSLL, sll(0x0800, ip4(6, 0, "", mail("a"))), false, "[]", "a"},
		{"cooked, tag", capture.LinkLinuxSLL, sll(0x8100, tag(9, 0x86dd, ip6(6, mail("a")))), true, "[9]", "a"},
		{"cooked v2", capture.LinkSLL2, sll2(0x0800, ip4(6, 0, "", mail("a"))), false, "[]", "a"},
		{"cooked v2, tag", capture.LinkSLL2, sll2(0x8100, tag(9, 0x0800, ip4(6, 0, "", mail("a")))), false, "[9]", "a"},
		{"loopback little", capture.LinkNull, "\x02\x00\x00\x00" + ip4(6, 0, "", mail("a")), false, "[]", "a"},
		{"loopback big", capture.LinkNull, "\x00\x00\x00\x02" + ip4(6, 0, "", mail("a")), false, "[]", "a"},
		{"loopback macOS ipv6", capture.LinkNull, "\x1e\x00\x00\x00" + ip6(6, mail("a")), true, "[]", "a"},
		{"loopback OpenBSD", capture.LinkLoop, "\x00\x00\x00\x18" + ip6(6, mail("a")), true, "[]", "a"},
		{"raw ipv4", capture.LinkRaw, ip4(6, 0, "", mail("a")), false, "[]", "a"},
		{"raw ipv6", capture.LinkRawBSD, ip6(6, mail("a")), true, "[]", "a"},
		{"ipv4", capture.LinkIPv4, ip4(6, 0, "", mail("a")), false, "[]", "a"},
		{"ipv6", capture.LinkIPv6, ip6(6, mail("a")), true, "[]", "a"},
		{"ipv6 hop-by-hop, routing, destination", ether, eth(0x86dd, ip6(0, "\x2b\x00234567"+"\x3c\x0123456789abcdef"+"\x06\x00234567"+mail("a"))), true, "[]", "a"},
		{"ipv6 authentication", ether, eth(0x86dd, ip6(51, "\x06\x01234567891b"+mail("a"))), true, "[]", "a"},
		{"ipv6 atomic fragment", ether, eth(0x86dd, ip6(44, atomic+mail("a"))), true, "[]", "a"},
		{"ipv4 length 0, offloaded", ether, eth(0x0800, ip4Length(0, 6, 0, "", mail(giant))), false, "[]", giant},
		{"ipv6 length 0, offloaded", ether, eth(0x86dd, ip6Length(0, 6, mail(giant))), true, "[]", giant},
		{"ipv4 longer than its frame", ether, eth(0x0800, ip4Length(42, 6, 0, "", mail("a"))), false, "[]", "a?"},
		{"ipv6 longer than its frame", ether, eth(0x86dd, ip6Length(22, 6, mail("a"))), true, "[]", "a?"},
		{"ipv6 jumbogram", ether, eth(0x86dd, ip6Length(0, 0, "\x06\x00\xc2\x04\x00\x01\x11\x70"+mail(giant))), true, "[]", giant},
	}
	d := Decoder{Ports: mailPorts()}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := Segment{VLANs: [MaxVLANs]uint16{9, 9, 9, 9}, VLANCount: 4, Payload: []byte("old")}
			if r := d.Decode(frame(c.link, c.data), &s); r != OK {
				t.Fatal(r)
			}
			src, dst := client4, server4
			if c.v6 {
				src, dst = client6, server6
			}
			if s.From() != src || s.To() != dst || s.Time != 7 || s.Seq != 1000 || s.Ack != 2000 || s.Flags != ACK|PSH || s.TTL != 64 || s.Window != 256 {
				t.Errorf("got %+v", s)
			}
			captured := strings.TrimSuffix(c.payload, "?") // what the mirror cut
			if string(s.Payload) != captured || s.Length != len(c.payload) {
				t.Errorf("payload of %d, %d captured, want %d", s.Length, len(s.Payload), len(c.payload))
			}
			if got := fmt.Sprint(s.VLANs[:s.VLANCount]); got != c.vlans {
				t.Errorf("vlans %s, want %s", got, c.vlans)
			}
		})
	}
}

func TestReasons(t *testing.T) {
	good := eth(0x0800, ip4(6, 0, "", mail("a")))
	deep := ip4(6, 0, "", mail("a"))
	etherType := 0x0800
	for range 40 {
		deep, etherType = tag(1, etherType, deep), 0x8100
	}
	udp := strings.Repeat("u", 20)
	cases := []struct {
		name string
		link capture.LinkType
		data string
		want Reason
	}{
		{"unknown link", 147, good, UnknownLink},
		{"ARP", ether, eth(0x0806, strings.Repeat("x", 28)), NotIP},
		{"802.3", ether, eth(100, strings.Repeat("x", 100)), NotIP},
		{"802.3 behind a tag", ether, eth(0x8100, tag(1, 100, "x")), NotIP},
		{"loopback of another family", capture.LinkNull, "\x07\x00\x00\x00" + ip4(6, 0, "", mail("")), NotIP},
		{"raw of another version", capture.LinkRaw, "\x50", NotIP},
		{"UDP", ether, eth(0x0800, ip4(17, 0, "", udp)), NotTCP},
		{"ICMP fragment", ether, eth(0x0800, ip4(1, 9, "", udp)), NotTCP},
		{"UDP fragment", ether, eth(0x0800, ip4(17, 0x2000, "", udp)), NotTCP},
		{"UDP over IPv6", ether, eth(0x86dd, ip6(17, udp)), NotTCP},
		{"ESP", ether, eth(0x86dd, ip6(50, udp)), NotTCP},
		{"UDP behind a fragment header", ether, eth(0x86dd, ip6(44, "\x11\x00\x00\x01\x00\x00\x00\x09"+udp+"uuuu")), NotTCP},
		{"ICMP behind a fragment header", ether, eth(0x86dd, ip6(44, "\x3a\x00\x00\x01\x00\x00\x00\x09"+udp+"uuuu")), NotTCP},
		{"other port", ether, eth(0x0800, ip4(6, 0, "", tcpSegment(40000, 80, "", "a"))), OtherPort},
		{"first fragment", ether, eth(0x0800, ip4(6, 0x2000, "", mail("a"))), Held},
		{"later fragment", ether, eth(0x0800, ip4(6, 9, "", mail("a"))), Held},
		{"first IPv6 fragment", ether, eth(0x86dd, ip6(44, "\x06\x00\x00\x01\x00\x00\x00\x09"+mail("quit"))), Held},
		{"later IPv6 fragment", ether, eth(0x86dd, ip6(44, "\x06\x00\x00\x48\x00\x00\x00\x09"+mail("a"))), Held},
		{"empty frame", ether, "", BadLinkHeader},
		{"short frame", ether, good[:13], BadLinkHeader},
		{"frame ends in a tag", ether, eth(0x8100, "\x00"), BadLinkHeader},
		{"no IP header", ether, eth(0x0800, ""), BadIPHeader},
		{"no IPv6 header", ether, eth(0x86dd, strings.Repeat("\x60", 39)), BadIPHeader},
		{"version 6 where 4 stands", ether, eth(0x0800, ip6(6, mail("a"))), BadIPHeader},
		{"version 4 where 6 stands", ether, eth(0x86dd, ip4(6, 0, "", mail(strings.Repeat("a", 40)))), BadIPHeader},
		{"IPv4 header length 4", ether, eth(0x0800, "\x41"+good[15:]), BadIPHeader},
		{"IPv4 total below its header", ether, eth(0x0800, ip4Length(19, 6, 0, "", mail("a"))), BadIPHeader},
		{"IPv4 total 0 where padding may be", ether, eth(0x0800, ip4Length(0, 6, 0, "", mail("padded"))), BadIPHeader},
		{"IPv6 length 0 where padding may be", ether, eth(0x86dd, ip6Length(0, 6, "padded")), BadTCPHeader},
		{"IPv6 extension above its packet", ether, eth(0x86dd, ip6(0, "\x06\xff234567"+mail("a"))), BadIPHeader},
		{"IPv6 authentication above its packet", ether, eth(0x86dd, ip6(51, "\x06\xff234567"+mail("a"))), BadIPHeader},
		{"IPv6 fragment header above its packet", ether, eth(0x86dd, ip6(44, "\x06\x00")), BadIPHeader},
		{"TCP header above its packet", ether, eth(0x0800, ip4(6, 0, "", mail("")[:19])) + "padding", BadTCPHeader},
		{"TCP data offset 4", ether, eth(0x0800, ip4(6, 0, "", mail("")[:12]+"\x40"+mail("")[13:])), BadTCPHeader},
		{"TCP data offset above its packet", ether, eth(0x0800, ip4(6, 0, "", mail("")[:12]+"\x60"+mail("")[13:])) + "padding", BadTCPHeader},
		{"too many tags", ether, eth(etherType, deep), TooManyHeaders},
		{"too many extension headers", ether, eth(0x86dd, ip6(0, strings.Repeat("\x00\x00234567", 40)+mail("a"))), TooManyHeaders},
	}
	d := Decoder{Ports: mailPorts()}
	var s Segment
	for _, c := range cases {
		if got := d.Decode(frame(c.link, c.data), &s); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	d.MaxHeaders = 50
	if got := d.Decode(frame(ether, eth(etherType, deep)), &s); got != OK {
		t.Errorf("with MaxHeaders 50: %v", got)
	}
}

// A frame that claims to be larger than any offloading makes it is forged.
func TestGiantLimit(t *testing.T) {
	var d Decoder
	var s Segment
	for _, data := range []string{eth(0x0800, ip4Length(0, 6, 0, "", mail("a"))), eth(0x86dd, ip6Length(0, 6, mail("a")))} {
		p := frame(ether, data)
		p.Length = 4 << 20
		if r := d.Decode(p, &s); r == OK {
			t.Errorf("decoded with length %d", s.Length)
		}
	}
}

// Cut by the snap length, a segment keeps its length on the wire as long as
// its headers are there.
func TestSnapped(t *testing.T) {
	nops := strings.Repeat("\x01", 12)
	for name, headers := range map[string]struct {
		data string
		need int // octets up to the TCP options
	}{
		"ipv4": {eth(0x0800, ip4(6, 0, nops, tcpSegment(40000, 25, nops, "payload"))), 14 + 32 + 20},
		"ipv6": {eth(0x8100, tag(1, 0x86dd, ip6(0, "\x06\x00234567"+tcpSegment(40000, 25, nops, "payload")))), 18 + 48 + 20},
	} {
		var d Decoder
		for n := range len(headers.data) {
			var s Segment
			p := frame(ether, headers.data)
			p.Data = p.Data[:n]
			r := d.Decode(p, &s)
			if n < headers.need {
				if r != Truncated {
					t.Errorf("%s cut to %d: %v, want truncated", name, n, r)
				}
				continue
			}
			want := "payload"[:max(0, n-headers.need-len(nops))]
			if r != OK || s.Length != 7 || string(s.Payload) != want {
				t.Errorf("%s cut to %d: %v, %q of %d, want %q of 7", name, n, r, s.Payload, s.Length, want)
			}
		}
	}
}

func TestMappedAddressStaysIPv6(t *testing.T) {
	data := []byte(ip6(6, mail("a")))
	copy(data[8:], strings.Repeat("\x00", 10)+"\xff\xff\x0a\x00\x00\x01")
	var d Decoder
	var s Segment
	if r := d.Decode(frame(capture.LinkIPv6, string(data)), &s); r != OK || s.From().Addr().String() != "::ffff:10.0.0.1" {
		t.Errorf("%v: %v", r, s.From())
	}
}

func TestPortSet(t *testing.T) {
	s := new(PortSet)
	s.Add(0, 63, 64, 65535)
	for p := range 1 << 16 {
		want := p == 0 || p == 63 || p == 64 || p == 65535
		if s.Has(uint16(p)) != want {
			t.Errorf("port %d: %v", p, !want)
		}
	}
	var all *PortSet
	if !all.Has(25) {
		t.Error("a nil set lacks a port")
	}
}

func TestReasonNames(t *testing.T) {
	docs, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{"": true, "ok": true, "held": true, "unknown": true}
	for i, name := range Reasons() {
		if seen[name] || Reason(i+1).String() != name {
			t.Errorf("reason %d is named %q", i+1, name)
		}
		if !strings.Contains(string(docs), "\n| `"+name+"` | ") {
			t.Errorf("docs/metrics.md does not explain the reason %s", name)
		}
		seen[name] = true
	}
	if OK.String() != "ok" || Held.String() != "held" || (Held+1).String() != "unknown" {
		t.Error("ok, held or unknown is misnamed")
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	d := Decoder{Ports: mailPorts()}
	var s Segment
	for _, p := range []*capture.Packet{
		frame(ether, eth(0x8100, tag(1, 0x0800, ip4(6, 0, "", mail("a"))))),
		frame(ether, eth(0x86dd, ip6(0, "\x06\x00234567"+mail("a")))),
		frame(capture.LinkSLL2, "x"),
		frame(ether, eth(0x0800, overGRE("\x00\x00\x65\x58"+eth(0x0800, overUDP(4789, vxlanOf(42, eth(0x0800, ip4(6, 0, "", mail("a"))))))))),
	} {
		if n := testing.AllocsPerRun(100, func() { d.Decode(p, &s) }); n != 0 {
			t.Errorf("%v allocations a packet", n)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	d := Decoder{Ports: mailPorts()}
	for _, c := range []struct{ name, data string }{
		{"ipv4", eth(0x0800, ip4(6, 0, "", mail("MAIL FROM:<a@b>\r\n")))},
		{"vlan_ipv4", eth(0x8100, tag(1, 0x0800, ip4(6, 0, "", mail("MAIL FROM:<a@b>\r\n"))))},
		{"ipv6", eth(0x86dd, ip6(6, mail("MAIL FROM:<a@b>\r\n")))},
		{"vxlan_ipv4", eth(0x0800, overUDP(4789, vxlanOf(42, eth(0x0800, ip4(6, 0, "", mail("MAIL FROM:<a@b>\r\n"))))))},
		{"other_udp", eth(0x0800, overUDP(443, "QUIC"))},
		{"other_port", eth(0x0800, ip4(6, 0, "", tcpSegment(1, 2, "", "x")))},
	} {
		p := frame(ether, c.data)
		b.Run(c.name, func(b *testing.B) {
			var s Segment
			b.SetBytes(int64(len(p.Data)))
			b.ReportAllocs()
			for b.Loop() {
				d.Decode(p, &s)
			}
		})
	}
}
