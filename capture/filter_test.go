package capture_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
)

var mailPorts = []uint16{25, 465, 587}

func machine(t testing.TB, code []bpf.Instruction) *bpf.VM {
	t.Helper()
	vm, err := bpf.NewVM(code)
	if err != nil {
		t.Fatal(err)
	}
	return vm
}

// passed is how many octets of a frame a program keeps.
func passed(t testing.TB, vm *bpf.VM, frame string) int {
	t.Helper()
	n, err := vm.Run([]byte(frame))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFilterPasses(t *testing.T) {
	some := machine(t, capture.FilterProgram(ether, capture.LiveOptions{Ports: mailPorts}))
	all := machine(t, capture.FilterProgram(ether, capture.LiveOptions{}))
	for _, port := range mailPorts {
		for name, frame := range watched(port) {
			if passed(t, some, frame) == 0 || passed(t, all, frame) == 0 {
				t.Errorf("%s, port %d: stopped", name, port)
			}
		}
	}
	for name, frame := range watched(80) {
		if passed(t, some, frame) != 0 {
			t.Errorf("%s, port 80: passed", name)
		}
		if passed(t, all, frame) == 0 {
			t.Errorf("%s: stopped without ports", name)
		}
	}
	short := machine(t, capture.FilterProgram(ether, capture.LiveOptions{Ports: mailPorts, Snaplen: 96}))
	if n := passed(t, short, eth(0x0800, ip4(6, 0, "", mail(strings.Repeat("a", 500))))); n != 96 {
		t.Errorf("%d octets kept, the snap length is 96", n)
	}
}

// What no mail can be in is stopped: it would cost as much as mail.
func TestFilterStops(t *testing.T) {
	vm := machine(t, capture.FilterProgram(ether, capture.LiveOptions{Ports: mailPorts}))
	other := tcpSegment(40000, 80, "", "a")
	udp := udpTo(53, "question")
	for name, frame := range map[string]string{
		"ARP":                       eth(0x0806, strings.Repeat("x", 28)),
		"802.3":                     eth(38, strings.Repeat("x", 38)),
		"ARP behind a tag":          eth(0x8100, tag(5, 0x0806, strings.Repeat("x", 28))),
		"other port":                eth(0x0800, ip4(6, 0, "", other)),
		"other port, IPv6":          eth(0x86dd, ip6(6, other)),
		"other port behind tags":    eth(0x88a8, tag(9, 0x8100, tag(8, 0x8100, tag(7, 0x0800, ip4(6, 0, "", other))))),
		"other port, first piece":   eth(0x0800, ip4(6, 0x2000, "", other)),
		"other port behind options": eth(0x0800, ip4(6, 0, "\x01\x01\x01\x01", other)),
		"port in the options":       eth(0x0800, ip4(6, 0, "\x00\x19\x00\x19", other)),
		"DNS":                       eth(0x0800, ip4(17, 0, "", udp)),
		"DNS over IPv6":             eth(0x86dd, ip6(17, udp)),
		"UDP from a mail port":      eth(0x0800, ip4(17, 0, "", u16(25)+u16(25)+"\x00\x08\x00\x00")),
		"ICMP":                      eth(0x0800, ip4(1, 0, "", "\x08\x00\x00\x19\x00\x19\x00\x19")),
		"a later piece of ICMP":     eth(0x0800, ip4(1, 9, "", "xxxxxxxx")),
		"ESP":                       eth(0x86dd, ip6(50, udp)),
		"no IP header":              eth(0x0800, ""),
		"no TCP header":             eth(0x0800, ip4(6, 0, "", "")),
		"no frame":                  "",
	} {
		if passed(t, vm, frame) != 0 {
			t.Errorf("%s: passed", name)
		}
	}
}

// Every encapsulation passes whole, behind tags too; without tunnels none does.
func TestFilterTunnels(t *testing.T) {
	o := capture.LiveOptions{Ports: mailPorts}
	without := o
	without.NoTunnels = true
	d := packet.Decoder{Ports: portSet()}
	ran := 0
	for _, c := range encapsulations() {
		code := capture.FilterProgram(c.link, o)
		if code == nil {
			continue
		}
		ran++
		if passed(t, machine(t, code), c.data) == 0 {
			t.Errorf("%s: stopped", c.name)
		}
		var s packet.Segment
		if r := d.Decode(&capture.Packet{Data: []byte(c.data), Length: len(c.data), Link: c.link}, &s); r != packet.OK {
			t.Errorf("%s: the decoder says %v: the frame is not what it should be", c.name, r)
		}
		if c.name == "6in6 behind destination options" { // what stands behind them is not looked at
			continue
		}
		if s.TunnelCount > 0 && passed(t, machine(t, capture.FilterProgram(c.link, without)), c.data) != 0 {
			t.Errorf("%s: passed without tunnels", c.name)
		}
		if c.link == ether {
			behind := c.data[:12] + u16(0x8100) + u16(7) + c.data[12:]
			if passed(t, machine(t, code), behind) == 0 {
				t.Errorf("%s behind a tag: stopped", c.name)
			}
			etherType := uint32(binary.BigEndian.Uint16([]byte(c.data[12:])))
			if passed(t, machine(t, capture.CookedProgram(etherType, o)), c.data[14:]) == 0 {
				t.Errorf("%s without its link header: stopped", c.name)
			}
		}
	}
	if ran < 50 {
		t.Errorf("only %d encapsulations ran", ran)
	}
}

func portSet() *packet.PortSet {
	s := &packet.PortSet{}
	s.Add(mailPorts...)
	return s
}

// filterLinks are the link layers that have a generated filter.
var filterLinks = []capture.LinkType{capture.LinkEthernet, capture.LinkRaw, capture.LinkLinuxSLL, capture.LinkSLL2, capture.LinkIPv4, capture.LinkIPv6, capture.LinkRawBSD}

// passesAll holds the filters against the decoder: what that takes must pass.
type passesAll struct {
	filters map[capture.LinkType]*bpf.VM
	decoder packet.Decoder
}

func newPassesAll(t testing.TB) *passesAll {
	p := &passesAll{filters: map[capture.LinkType]*bpf.VM{}, decoder: packet.Decoder{Ports: portSet()}}
	for _, link := range filterLinks {
		p.filters[link] = machine(t, capture.FilterProgram(link, capture.LiveOptions{Ports: mailPorts}))
	}
	return p
}

// check tells whether the decoder took the packet and the filter must be asked.
func (p *passesAll) check(t testing.TB, in *capture.Packet) bool {
	t.Helper()
	vm := p.filters[in.Link]
	if vm == nil {
		return false
	}
	var s packet.Segment
	r := p.decoder.Decode(in, &s)
	if r != packet.OK && r != packet.Held {
		return false
	}
	if passed(t, vm, string(in.Data)) == 0 && !(r == packet.Held && otherFirstPiece(in)) {
		t.Errorf("the decoder says %v, the filter stops link %d: %x", r, in.Link, in.Data)
	}
	return true
}

// otherFirstPiece recognises the first piece of an IPv4 packet of TCP whose
// ports nobody wants, and one that was cut before its ports: the decoder keeps
// it until it is whole, the filter need not pass it.
func otherFirstPiece(p *capture.Packet) bool {
	b := p.Data
	at, etherType := 0, 0x0800
	switch p.Link {
	case capture.LinkEthernet:
		at, etherType = 14, int(binary.BigEndian.Uint16(b[12:]))
	case capture.LinkLinuxSLL:
		at, etherType = 16, int(binary.BigEndian.Uint16(b[14:]))
	case capture.LinkSLL2:
		at, etherType = 20, int(binary.BigEndian.Uint16(b))
	}
	for etherType == 0x8100 || etherType == 0x88a8 || etherType == 0x9100 || etherType == 0x9200 || etherType == 0x9300 {
		etherType, at = int(binary.BigEndian.Uint16(b[at+2:])), at+4
	}
	b = b[at:]
	header := int(b[0]&15) * 4
	if etherType != 0x0800 || b[0]>>4 != 4 || b[9] != 6 && b[9] != 17 || binary.BigEndian.Uint16(b[6:])&0x3fff != 0x2000 {
		return false
	}
	if len(b) < header+4 { // cut before its ports
		return true
	}
	return b[9] == 6 && !slices.Contains(mailPorts, binary.BigEndian.Uint16(b[header:])) && !slices.Contains(mailPorts, binary.BigEndian.Uint16(b[header+2:]))
}

func FuzzFilter(f *testing.F) {
	for _, c := range encapsulations() {
		f.Add(slices.Index(filterLinks, c.link), []byte(c.data))
	}
	for _, frame := range watched(25) {
		f.Add(0, []byte(frame))
	}
	f.Add(0, []byte(eth(0x0800, ip4(6, 0x2000, "", mail("piece")))))
	f.Add(0, []byte(eth(0x0800, ip4(17, 0x0009, "", "piece"))))
	f.Add(1, []byte(ip6(44, "\x06\x00\x00\x01\x00\x00\x00\x09"+mail("piece..."))))
	f.Add(3, []byte(sll2(0x8100, tag(9, 0x8100, tag(8, 0x8100, tag(7, 0x8100, tag(6, 0x8100, tag(5, 0x0800, ip4(6, 0, "", mail("a"))))))))))
	f.Fuzz(func(t *testing.T, link int, data []byte) {
		if link < 0 || link >= len(filterLinks) {
			return
		}
		newPassesAll(t).check(t, &capture.Packet{Data: data, Length: len(data), Link: filterLinks[link]})
	})
}

// Every frame of the captures that the decoder takes passes.
func TestFilterPassesCorpus(t *testing.T) {
	files, _ := filepath.Glob("../../shared/corpus/*/*.pcap*")
	more, _ := filepath.Glob("packet/testdata/*.pcap")
	if len(files) == 0 {
		t.Log("no corpus beside the checkout")
	} else if testing.Short() {
		files = files[:len(files)/10+1]
	}
	took := 0
	for _, name := range append(files, more...) {
		took += passCapture(t, name)
	}
	if took == 0 {
		t.Error("no packet was of interest")
	}
	t.Logf("%d packets of %d captures", took, len(files)+len(more))
}

func passCapture(t *testing.T, name string) (took int) {
	t.Helper()
	if info, err := os.Stat(name); err != nil || info.Size() > 16<<20 {
		return 0
	}
	f, err := capture.Open(name, capture.FileOptions{})
	if err != nil {
		return 0
	}
	defer f.Close()
	p := newPassesAll(t)
	var in capture.Packet
	for err = f.Next(&in); err == nil; err = f.Next(&in) {
		if p.check(t, &in) {
			took++
		}
		if t.Failed() {
			t.Fatal(name)
		}
	}
	if err != io.EOF {
		t.Logf("%s: %v", name, err)
	}
	return took
}

// However many ports there are, the kernel takes the program and every port
// passes.
func TestFilterManyPorts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 199, 200, 201, 1000, 30000, 65535} {
		ports := make([]uint16, n)
		for i := range ports {
			ports[i] = uint16(random.IntN(65535) + 1)
		}
		code := capture.FilterProgram(ether, capture.LiveOptions{Ports: ports})
		raw, err := bpf.Assemble(code)
		if err != nil || len(raw) > 2000 {
			t.Errorf("%d ports: %d instructions, %v", n, len(raw), err)
		}
		vm := machine(t, code)
		for _, port := range ports[:min(n, 2000)] {
			for _, s := range []string{reset(port, 1), reset(1, port)} {
				if passed(t, vm, macs+over4(s)) == 0 {
					t.Fatalf("%d ports: %d is stopped", n, port)
				}
			}
		}
	}
	vm := machine(t, capture.FilterProgram(ether, capture.LiveOptions{Ports: []uint16{24, 25, 26, 465, 587, 2525, 2526}}))
	for port := range 65536 {
		want := port >= 24 && port <= 26 || port == 465 || port == 587 || port == 2525 || port == 2526
		if got := passed(t, vm, macs+over4(reset(uint16(port), 1))) != 0; got != want {
			t.Errorf("port %d passes: %v", port, got)
		}
	}
}

func TestFilterExpression(t *testing.T) {
	for want, ports := range map[string][]uint16{
		"tcp":                 nil,
		"tcp portrange 25-25": {25, 25},
		"tcp portrange 24-26 or tcp portrange 65534-65535": {26, 24, 25, 65535, 65534},
	} {
		if got := capture.FilterExpression(ports); got != want {
			t.Errorf("%v: %s, want %s", ports, got, want)
		}
	}
}

// The kernel's program and ShardOf say the same, for both directions.
func TestFanoutProgram(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for shards := 1; shards <= 9; shards++ {
		program4, program6 := machine(t, capture.FanoutProgram(0x0800, shards)), machine(t, capture.FanoutProgram(0x86dd, shards))
		seen := make([]int, shards)
		for range 500 {
			client, server := random.Uint32(), uint32(0x0a000001)
			c6 := [4]uint64{0x20010db8_00000000 | random.Uint64()>>40, random.Uint64(), 0x20010db8_00000000, 25}
			port := uint16(random.IntN(1 << 16))
			want4 := capture.ShardOf(0, uint64(client), 0, uint64(server), 0, 0, shards)
			want6 := capture.ShardOf(c6[0], c6[1], c6[2], c6[3], 0, 0, shards)
			if mapped := uint64(0xffff) << 32; capture.ShardOf(0, mapped|uint64(server), 0, mapped|uint64(client), 0, 0, shards) != want4 {
				t.Fatal("as IPv6 addresses the shard is another")
			}
			there, back := tcpSegment(int(port), 25, "", ""), tcpSegment(25, int(port), "", "")
			piece4, piece6 := []byte(addressed4(server, client, "", back)), []byte(addressed6(c6[2:], c6[:2], back))
			piece4[7], piece6[6] = 9, 44
			for _, frame := range []string{addressed4(client, server, "", there), addressed4(server, client, "", back), addressed4(server, client, "\x01\x01\x01\x01", back), string(piece4)} {
				if got := passed(t, program4, frame); got != want4 {
					t.Fatalf("shard %d, ShardOf says %d", got, want4)
				}
			}
			for _, frame := range []string{addressed6(c6[:2], c6[2:], there), addressed6(c6[2:], c6[:2], back), string(piece6)} {
				if got := passed(t, program6, frame); got != want6 {
					t.Fatalf("IPv6: shard %d, ShardOf says %d", got, want6)
				}
			}
			seen[want4]++
		}
		if low := slices.Min(seen); low < 500/shards/2 {
			t.Errorf("%d shards: connections are uneven: %v", shards, seen)
		}
		for name, frame := range map[string]string{
			"UDP": overUDP(4789, "x"), "GRE": overGRE("x"), "cut": "\x45",
		} {
			if got := passed(t, program4, frame); got != 0 {
				t.Errorf("%s goes to shard %d", name, got)
			}
		}
		want := capture.ShardOf(0, 0x0a000001, 0, 0x0a000002, 0, 0, shards)
		for _, tags := range []string{u16(5) + u16(0x0800), u16(6) + u16(0x88a8) + u16(7) + u16(0x9100) + u16(8) + u16(0x0800), u16(6) + u16(0x9200) + u16(7) + u16(0x9300) + u16(8) + u16(0x0800)} {
			if got := passed(t, machine(t, capture.FanoutProgram(0x8100, shards)), tags+ip4(6, 0, "", mail("a"))); got != want {
				t.Errorf("behind %d octets of tags: shard %d, want %d", len(tags), got, want)
			}
		}
		if got := passed(t, machine(t, capture.FanoutProgram(0x8847, shards)), ip4(6, 0, "", mail("a"))); got != 0 {
			t.Errorf("another EtherType goes to shard %d", got)
		}
	}
}

func addressed4(src, dst uint32, options, rest string) string {
	b := []byte(ip4(6, 0, options, rest))
	binary.BigEndian.PutUint32(b[12:], src)
	binary.BigEndian.PutUint32(b[16:], dst)
	return string(b)
}

func addressed6(src, dst []uint64, rest string) string {
	b := []byte(ip6(6, rest))
	for i, v := range []uint64{src[0], src[1], dst[0], dst[1]} {
		binary.BigEndian.PutUint64(b[8+8*i:], v)
	}
	return string(b)
}

func BenchmarkShardOf(b *testing.B) {
	sum := 0
	for i := range b.N {
		sum += capture.ShardOf(0, uint64(i), 0, 7, uint16(i), 25, 6)
	}
	_ = fmt.Sprint(sum)
}
