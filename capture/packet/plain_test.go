package packet

import (
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture"
)

// TestPlain tells which packets go the short way, and that those that must not
// do not.
func TestPlain(t *testing.T) {
	text := mail("EHLO a.example\r\n" + strings.Repeat("a", 40))
	v4, v6 := ip4(6, 0, "", text), ip6(6, text)
	for _, c := range []struct {
		name string
		link capture.LinkType
		data string
		want bool
	}{
		{"IPv4", ether, eth(0x0800, v4), true},
		{"IPv6", ether, eth(0x86dd, v6), true},
		{"no octets", ether, eth(0x0800, ip4(6, 0, "", mail(""))), true},
		{"TCP options", ether, eth(0x0800, ip4(6, 0, "", tcpSegment(40000, 25, "\x01\x01\x01\x00", "QUIT\r\n"))), true},
		{"padding", ether, eth(0x0800, v4) + "pad", true},
		{"a tag", ether, eth(0x8100, tag(5, 0x0800, v4)), true},
		{"a tag of none", ether, eth(0x8100, tag(0x2000, 0x86dd, v6)), true},
		{"a service tag", ether, eth(0x88a8, tag(5, 0x0800, v4)), false},
		{"two tags", ether, eth(0x8100, tag(5, 0x8100, tag(6, 0x0800, v4))), false},
		{"IPv4 options", ether, eth(0x0800, ip4(6, 0, "\x01\x01\x01\x00", text)), false},
		{"a fragment", ether, eth(0x0800, ip4(6, 0x2000, "", text)), false},
		{"UDP", ether, eth(0x0800, ip4(17, 0, "", text)), false},
		{"another port", ether, eth(0x0800, ip4(6, 0, "", tcpSegment(40000, 80, "", "GET /"))), false},
		{"hop-by-hop", ether, eth(0x86dd, ip6(0, "\x06\x00\x01\x04\x00\x00\x00\x00"+text)), false},
		{"IPv6 as IPv4", ether, eth(0x0800, v6), false},
		{"IPv4 as IPv6", ether, eth(0x86dd, v4), false},
		{"no Ethernet", capture.LinkRaw, v4, false},
		{"cut in TCP", ether, eth(0x0800, v4)[:14+20+19], false},
		{"nothing", ether, "", false},
	} {
		ports := new(PortSet)
		ports.Add(25)
		d := Decoder{Ports: ports}
		p := capture.Packet{Link: c.link, Time: 7, Data: []byte(c.data), Length: len(c.data)}
		var s Segment
		if got := d.plain(&p, &s); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		checkPlain(t, p)
		d.MaxHeaders = 3
		if d.plain(&p, &s) {
			t.Errorf("%s: four headers, where three are allowed", c.name)
		}
	}
}
