package packet

import (
	"encoding/binary"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture"
)

var fuzzLinks = []capture.LinkType{capture.LinkNull, capture.LinkEthernet, capture.LinkRawBSD, capture.LinkRaw, capture.LinkLoop,
	capture.LinkLinuxSLL, capture.LinkIPv4, capture.LinkIPv6, capture.LinkSLL2, 147, capture.LinkPPP, capture.LinkPPPHDLC,
	capture.LinkPPPEther, capture.LinkCHDLC, capture.LinkNFLOG}

// An input of the fuzzer is a row of packets, each behind a header: link
// layer, seconds since the packet before, octets cut off, octets captured.
const fuzzHeader = 5

func fuzzPacket(link capture.LinkType, data string) string {
	for i, l := range fuzzLinks {
		if l == link {
			return bytesOf(byte(i), 1, 0) + u16(len(data)) + data
		}
	}
	panic("a link layer that is not fuzzed")
}

func nextFuzzed(in []byte, now int64) (p capture.Packet, rest []byte) {
	n := min(int(binary.BigEndian.Uint16(in[3:])), len(in)-fuzzHeader)
	p = capture.Packet{Link: fuzzLinks[int(in[0])%len(fuzzLinks)], Time: now + int64(int8(in[1]))*1e9, Data: in[fuzzHeader : fuzzHeader+n : fuzzHeader+n]}
	p.Length = n + int(in[2])*300
	return p, in[fuzzHeader+n:]
}

func FuzzDecode(f *testing.F) {
	payload := tcpSegment(40000, 25, "", mailText)
	f.Add([]byte(fuzzPacket(capture.LinkNull, "\x02\x00\x00\x00"+ip4(6, 0, "", mail("a")))))
	f.Add([]byte(fuzzPacket(ether, eth(0x88a8, tag(300, 0x8100, tag(100, 0x86dd, ip6(6, mail("a"))))))))
	f.Add([]byte(fuzzPacket(capture.LinkRaw, ip6(0, "\x2b\x00234567\x33\x00234567\x2c\x01234567\x06\x00\x00\x00\x00\x00\x00\x01"+mail("a")))))
	f.Add([]byte(fuzzPacket(capture.LinkSLL2, sll2(0x0800, ip4Length(0, 6, 0, "", mail(strings.Repeat("a", 50)))))))
	for _, c := range tunnels() {
		f.Add([]byte(fuzzPacket(c.link, c.data)))
	}
	for _, specs := range []string{"0-24 24-48 48-64.", "48-64. 24-48 0-24", "0-40 x24-64.", "0-24 0-24 8-64. 48-64.", "24-40 x8-56 0-8"} {
		var four, six, tunnel string
		for _, spec := range strings.Fields(specs) {
			four += fuzzPacket(capture.LinkIPv4, piece4(6, 1, payload, spec))
			six += fuzzPacket(capture.LinkIPv6, piece6(6, 1, payload, spec))
			tunnel += fuzzPacket(ether, eth(0x0800, overGRE("\x00\x00\x08\x00"+piece4(6, 1, payload, spec))))
		}
		f.Add([]byte(four))
		f.Add([]byte(six))
		f.Add([]byte(tunnel + four))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		const limit = 6000
		d := Decoder{Fragments: FragmentOptions{MaxOctets: limit, MaxPieces: 8}}
		var s Segment
		var p capture.Packet
		came := 0
		for len(in) >= fuzzHeader {
			p, in = nextFuzzed(in, p.Time)
			r := d.Decode(&p, &s)
			came++
			if r > Held {
				t.Fatalf("reason %d", r)
			}
			if r == OK {
				checkSegment(t, &p, &s)
			}
			if d.pieces.held > limit || d.pieces.held != costOf(&d.pieces) {
				t.Fatalf("%d octets held, %d counted", costOf(&d.pieces), d.pieces.held)
			}
			checkCut(t, p)
			checkPlain(t, p)
		}
		ignored := make([]uint64, len(Reasons()))
		d.Advance(math.MaxInt64, ignored)
		lost := 0
		for _, n := range ignored {
			lost += int(n)
		}
		if lost > came || d.pieces.held != 0 || len(d.pieces.byKey) != 0 || d.pieces.oldest != nil || d.pieces.newest != nil {
			t.Fatalf("%d pieces lost of %d packets, %d octets stay", lost, came, d.pieces.held)
		}
	})
}

// checkSegment holds a segment against its packet.
func checkSegment(t *testing.T, p *capture.Packet, s *Segment) {
	t.Helper()
	if s.Length < len(s.Payload) || s.Length > max(p.Length, maxPayload) || len(s.Payload) > max(len(p.Data), maxPayload) || s.Time != p.Time {
		t.Fatalf("segment at odds with its packet: %+v", s)
	}
	if !s.From().IsValid() || s.From().Addr().Is4() != s.To().Addr().Is4() {
		t.Fatalf("from %v to %v", s.From(), s.To())
	}
	if s.VLANCount > MaxVLANs || s.TunnelCount > MaxTunnels {
		t.Fatalf("%d tags, %d tunnels", s.VLANCount, s.TunnelCount)
	}
	for i, tunnel := range s.Tunnels {
		if (tunnel.Kind == NoTunnel) != (i >= int(s.TunnelCount)) || tunnel.Kind >= tunnelKinds {
			t.Fatalf("tunnels %v, %d of them", s.Tunnels, s.TunnelCount)
		}
	}
	if s.Length > len(s.Payload) && s.Checksum() != ChecksumUnknown {
		t.Fatal("the checksum of a cut segment is judged")
	}
}

// checkPlain holds the short way against the long one.
func checkPlain(t *testing.T, p capture.Packet) {
	t.Helper()
	var short, long Segment
	ports := new(PortSet)
	ports.Add(25, 587)
	d := Decoder{Ports: ports}
	if !d.plain(&p, &short) {
		return
	}
	if r := d.long(&p, &long); r != OK || !reflect.DeepEqual(short, long) {
		t.Fatalf("the short way says\n%+v, the long way %v\n%+v", short, r, long)
	}
}

// checkCut captures less of the packet: either that is told, or what was said
// of the packet stays, with less payload.
func checkCut(t *testing.T, p capture.Packet) {
	t.Helper()
	var whole, cut Segment
	want := new(Decoder).Decode(&p, &whole)
	for n := len(p.Data) - 1; n >= 0; n -= 1 + n/16 {
		less := p
		less.Data, less.Length = p.Data[:n], max(p.Length, len(p.Data))
		got := new(Decoder).Decode(&less, &cut)
		if got == Truncated || got == Held && want == NotTCP { // the ports of a first piece were cut
			continue
		}
		if got != want {
			t.Fatalf("%v cut to %d of %d, %v in whole", got, n, len(p.Data), want)
		}
		if got == OK && (cut.From() != whole.From() || cut.To() != whole.To() || cut.Seq != whole.Seq || cut.Flags != whole.Flags || cut.Length != whole.Length ||
			cut.Tunnels != whole.Tunnels || cut.VLANs != whole.VLANs || !strings.HasPrefix(string(whole.Payload), string(cut.Payload))) {
			t.Fatalf("cut to %d of %d: %+v, in whole %+v", n, len(p.Data), cut, whole)
		}
	}
}
