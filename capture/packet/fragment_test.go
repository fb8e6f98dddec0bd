package packet

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/capture"
)

// Pieces are written "from-to" in octets of the IP payload; a dot marks the
// last, an x a forged copy with other octets. The payload is a TCP header of
// 20 octets and 44 of mail.

const mailText = "MAIL FROM:<alice@example.org> SIZE=00001234\r"

func cutPiece(payload, spec string) (at int, data string, last bool) {
	var to int
	if _, err := fmt.Sscanf(strings.Trim(spec, "x."), "%d-%d", &at, &to); err != nil {
		panic(err)
	}
	payload += strings.Repeat("#", max(0, to-len(payload)))
	data = payload[at:to]
	if strings.HasPrefix(spec, "x") {
		data = strings.Repeat("x", len(data))
	}
	return at, data, strings.HasSuffix(spec, ".")
}

func piece4(proto, id int, payload, spec string) string {
	at, data, last := cutPiece(payload, spec)
	place := at / 8
	if !last {
		place |= 0x2000
	}
	p := ip4(proto, place, "", data)
	if at > 0 { // by another way
		p = p[:8] + "\x3f" + p[9:]
	}
	return p[:4] + u16(id) + p[6:]
}

func piece6(next int, id uint32, payload, spec string) string {
	at, data, last := cutPiece(payload, spec)
	if !last {
		at |= 1
	}
	return ip6(protoFragment, bytesOf(byte(next), 0)+u16(at)+u32(id)+data)
}

func TestFragments(t *testing.T) {
	cases := []struct {
		name, pieces, v4, v6 string
		payload              string // of IPv4, where it is not mailText
	}{
		{"in order", "0-24 24-48 48-64.", "held held ok", "held held ok", ""},
		{"last first", "48-64. 24-48 0-24", "held held ok", "held held ok", ""},
		{"middle first", "24-48 0-24 48-64.", "held held ok", "held held ok", ""},
		{"tiny", "0-8 8-16 16-24 24-32 32-40 40-48 48-56 56-64.", "held held held held held held held ok", "held held held held held held held ok", ""},
		{"each twice", "0-24 0-24 24-48 24-48 48-64.", "held held held held ok", "held held held held ok", ""},
		{"last twice", "48-64. 0-24 48-64. 24-48", "held held held ok", "held held held ok", ""},
		{"overlap of the same octets", "0-32 24-64.", "held ok", "held fragment_overlap", ""},
		{"inside of another", "0-48 8-16 48-64.", "held held ok", "held fragment_overlap fragment_overlap", ""},
		{"around another", "24-32 8-64. 0-8", "held held ok", "held fragment_overlap fragment_overlap", ""},
		{"a copy that lies", "0-40 x24-48 40-64.", "held fragment_overlap ok", "held fragment_overlap fragment_overlap", mailText[:20] + "xxxxxxxx" + mailText[28:]},
		{"a copy that lies and ends it", "0-40 x24-64.", "held ok", "held fragment_overlap", mailText[:20] + strings.Repeat("x", 24)},
		{"a copy that lies in the middle", "24-40 x8-56 0-8", "held fragment_overlap held", "held fragment_overlap fragment_overlap", ""},
		{"two ends", "48-64. 48-60. 0-48", "held fragment_overlap ok", "held fragment_overlap fragment_overlap", ""},
		{"beyond the end", "48-64. 48-72 0-48", "held fragment_overlap ok", "held fragment_overlap fragment_overlap", ""},
		{"an end before what came", "0-32 8-24. 32-64.", "held fragment_overlap ok", "held fragment_overlap fragment_overlap", ""},
		{"empty", "0-24 24-24 24-64.", "held bad_fragment ok", "held bad_fragment ok", ""},
		{"not of 8 octets", "0-28 24-64.", "held ok", "bad_fragment held", ""},
		{"beyond 65,535", "65528-65540. 0-24 24-64.", "bad_fragment held ok", "bad_fragment held ok", ""},
	}
	payload := tcpSegment(40000, 25, "", mailText)
	for _, c := range cases {
		for _, v6 := range []bool{false, true} {
			d := Decoder{Ports: mailPorts()}
			var s Segment
			var got []string
			want, text := c.v4, c.payload
			if v6 {
				want, text = c.v6, ""
			}
			if text == "" {
				text = mailText
			}
			for _, spec := range strings.Fields(c.pieces) {
				data := eth(0x0800, piece4(6, 7, payload, spec))
				if v6 {
					data = eth(0x86dd, piece6(6, 7, payload, spec))
				}
				r := d.Decode(frame(ether, data), &s)
				got = append(got, r.String())
				if r == OK && (string(s.Payload) != text || s.Length != len(text) || s.From().Port() != 40000 || s.Time != 7 || s.TTL != 64) {
					t.Errorf("%s, v6 %v: %q of %d, want %q", c.name, v6, s.Payload, s.Length, text)
				}
			}
			if got := strings.Join(got, " "); got != want {
				t.Errorf("%s, v6 %v: %s, want %s", c.name, v6, got, want)
			}
		}
	}
}

// pour decodes frames one after the other and lists what became of them.
func pour(d *Decoder, s *Segment, frames ...string) string {
	var got []string
	for _, f := range frames {
		got = append(got, d.Decode(frame(ether, f), s).String())
	}
	return strings.Join(got, " ")
}

func givenUp(d *Decoder, now int64) string {
	ignored := make([]uint64, len(Reasons()))
	d.Advance(now, ignored)
	var got []string
	for i, n := range ignored {
		if n > 0 {
			got = append(got, fmt.Sprint(Reasons()[i], ":", n))
		}
	}
	return strings.Join(got, " ")
}

func TestFragmentsApart(t *testing.T) {
	payload := tcpSegment(40000, 25, "", mailText)
	other := tcpSegment(40001, 25, "", strings.ToLower(mailText))
	web := tcpSegment(40001, 80, "", mailText)
	turned := func(frame string) string { // addresses the other way
		return frame[:26] + frame[30:34] + frame[26:30] + frame[34:]
	}
	four := func(proto, id int, payload, spec string) string { return eth(0x0800, piece4(proto, id, payload, spec)) }
	for _, c := range []struct{ name, got, want string }{
		{"numbers", pour(new(Decoder), new(Segment), four(6, 1, payload, "0-24"), four(6, 2, other, "0-24"), four(6, 1, payload, "24-64."), four(6, 2, other, "24-64.")), "held held ok ok"},
		{"protocols", pour(new(Decoder), new(Segment), four(6, 1, payload, "0-24"), four(protoGRE, 1, other, "24-64."), four(6, 1, payload, "24-64.")), "held held ok"},
		{"directions", pour(new(Decoder), new(Segment), four(6, 1, payload, "0-24"), turned(four(6, 1, other, "24-64.")), four(6, 1, payload, "24-64.")), "held held ok"},
		{"versions", pour(new(Decoder), new(Segment), four(6, 1, payload, "0-24"), eth(0x86dd, piece6(6, 1, payload, "24-64.")), four(6, 1, payload, "24-64.")), "held held ok"},
		{"ports are judged in the whole", pour(&Decoder{Ports: mailPorts()}, new(Segment), four(6, 1, web, "0-24"), four(6, 1, web, "24-64.")), "held other_port"},
		{"protocol of the first IPv6 piece counts", pour(new(Decoder), new(Segment), eth(0x86dd, piece6(6, 1, payload, "0-24")), eth(0x86dd, piece6(58, 1, payload, "24-64."))), "held ok"},
		{"what leads nowhere", pour(new(Decoder), new(Segment), eth(0x86dd, piece6(58, 1, payload, "0-24")), eth(0x86dd, piece6(6, 1, payload, "24-64."))), "not_tcp not_tcp"},
		{"its number again", pour(new(Decoder), new(Segment), four(17, 1, udpTo(53, mailText), "0-24"),
			four(17, 1, overUDPPayload(), "0-24"), four(17, 1, overUDPPayload(), fmt.Sprintf("24-%d.", len(overUDPPayload())))), "not_tcp held ok"},
		{"a forged first piece that leads nowhere", pour(new(Decoder), new(Segment), four(17, 1, overUDPPayload(), "0-24"),
			four(17, 1, udpTo(53, mailText), "0-24"), four(17, 1, overUDPPayload(), fmt.Sprintf("24-%d.", len(overUDPPayload())))), "held fragment_overlap ok"},
		{"a number again after the whole", pour(new(Decoder), new(Segment), four(6, 1, payload, "0-24"), four(6, 1, payload, "24-64."), four(6, 1, other, "0-24"), four(6, 1, other, "24-64.")), "held ok held ok"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
}

func overUDPPayload() string {
	return udpTo(4789, vxlanOf(42, eth(0x0800, ip4(6, 0, "", mail("QUIT")))))
}

// Fragments stand in tunnels and tunnels in fragments; pieces of one packet
// may come by different ways.
func TestFragmentsAndTunnels(t *testing.T) {
	payload := tcpSegment(40000, 25, "", mailText)
	a, b, c := piece4(6, 9, payload, "0-24"), piece4(6, 9, payload, "24-40"), piece4(6, 9, payload, "40-64.")
	gre := func(inner string) string { return eth(0x0800, overGRE("\x00\x00\x08\x00"+inner)) }
	inVXLAN := udpTo(4789, vxlanOf(42, eth(0x8100, tag(5, 0x0800, ip4(6, 0, "", payload)))))
	fragmentIn := func(id int, inner string) (first, second string) { // an outer packet in two
		outer := udpTo(4789, vxlanOf(42, eth(0x0800, inner)))
		return eth(0x0800, piece4(17, id, outer, "0-40")), eth(0x0800, piece4(17, id, outer, fmt.Sprintf("40-%d.", len(outer))))
	}
	a1, a2 := fragmentIn(1, a)
	b1, b2 := fragmentIn(2, b)
	c1, c2 := fragmentIn(3, c)
	for _, c := range []struct {
		name, want, tags string
		frames           []string
	}{
		{"in a tunnel", "held held ok", "[] [gre]", []string{gre(a), gre(b), gre(c)}},
		{"by different ways", "held held ok", "[3] []", []string{gre(a), eth(0x0800, b), eth(0x8100, tag(3, 0x0800, c))}},
		{"tunnel in fragments", "held held ok", "[5] [vxlan:42]", []string{eth(0x0800, piece4(17, 9, inVXLAN, "0-8")), eth(0x0800, piece4(17, 9, inVXLAN, fmt.Sprintf("64-%d.", len(inVXLAN)))), eth(0x0800, piece4(17, 9, inVXLAN, "8-64"))}},
		{"tunnel in IPv6 fragments", "held ok", "[5] [vxlan:42]", []string{eth(0x86dd, piece6(17, 9, inVXLAN, "0-40")), eth(0x86dd, piece6(17, 9, inVXLAN, fmt.Sprintf("40-%d.", len(inVXLAN))))}},
		{"fragments in fragments", "held held held held held ok", "[] [vxlan:42]", []string{a1, a2, b2, b1, c1, c2}},
	} {
		d := Decoder{Ports: mailPorts()}
		var s Segment
		if got := pour(&d, &s, c.frames...); got != c.want || string(s.Payload) != mailText || s.From() != client4 || tagsOf(&s) != c.tags {
			t.Errorf("%s: %s %s %q from %v", c.name, got, tagsOf(&s), s.Payload, s.From())
		}
		if d.pieces.held != 0 || len(d.pieces.byKey) != 0 || d.pieces.oldest != nil || d.pieces.newest != nil {
			t.Errorf("%s: %d octets stay", c.name, d.pieces.held)
		}
	}
}

// The snap length cuts pieces: what is in front of the first cut is payload.
func TestFragmentsSnapped(t *testing.T) {
	payload := tcpSegment(40000, 25, "", mailText)
	for n := range 25 {
		for _, order := range [][]string{{"0-24", "24-48", "48-64."}, {"48-64.", "24-48", "0-24"}} {
			var d Decoder
			var s Segment
			var r Reason
			for _, spec := range order {
				data := eth(0x0800, piece4(6, 9, payload, spec))
				p := capture.Packet{Data: []byte(data), Length: len(data), Link: ether}
				if spec == "24-48" {
					p.Data = p.Data[:34+n]
				}
				r = d.Decode(&p, &s)
			}
			want := mailText[:4+n]
			if n == 24 {
				want = mailText
			}
			if r != OK || string(s.Payload) != want || s.Length != len(mailText) {
				t.Errorf("%v cut to %d: %v %q of %d", order, n, r, s.Payload, s.Length)
			}
			if unknown := s.Checksum() == ChecksumUnknown; unknown != (n < 24) {
				t.Errorf("cut to %d: checksum unknown is %v", n, unknown)
			}
		}
	}
}

func TestFragmentTimeout(t *testing.T) {
	payload := tcpSegment(40000, 25, "", mailText)
	second := int64(time.Second)
	at := func(seconds int64, spec string) *capture.Packet {
		p := frame(ether, eth(0x0800, piece4(6, 9, payload, spec)))
		p.Time = seconds * second
		return p
	}
	var d Decoder
	var s Segment
	for _, step := range []struct {
		p    *capture.Packet
		want Reason
	}{
		{at(100, "0-24"), Held}, {at(129, "24-48"), Held}, {at(130, "48-64."), Held}, // 30 s after the first: another packet
		{at(131, "0-24"), Held}, {at(131, "24-48"), OK},
		{at(131, "0-24"), Held}, {at(90, "24-64."), OK}, // time may step back
		{at(140, "0-24"), Held},
	} {
		if got := d.Decode(step.p, &s); got != step.want {
			t.Errorf("at %d s: %v, want %v", step.p.Time/second, got, step.want)
		}
	}
	if got := givenUp(&d, 169*second); got != "fragment:2" {
		t.Errorf("at 169 s: given up %s", got)
	}
	if got := givenUp(&d, 170*second); got != "fragment:1" || d.pieces.held != 0 {
		t.Errorf("at 170 s: given up %s, %d octets held", got, d.pieces.held)
	}
	d.Decode(at(171, "0-24"), &s)
	if got := givenUp(&d, math.MaxInt64); got != "fragment:1" {
		t.Errorf("at the end: given up %s", got)
	}
}

// Two mirror sessions may show all pieces of a packet before the first comes again, or
// each twice: what is left then are copies.
func TestCopiesOfFragments(t *testing.T) {
	payload := tcpSegment(40000, 25, "", mailText)
	for _, pieces := range []string{"0-24 0-24 24-64. 24-64.", "0-24 24-64. 24-64. 0-24 24-64."} {
		var d Decoder
		var s Segment
		for i, spec := range strings.Fields(pieces) {
			p := frame(ether, eth(0x0800, piece4(6, 9, payload, spec)))
			p.Time = int64(time.Second) + int64(i)
			d.Decode(p, &s)
		}
		if got := givenUp(&d, math.MaxInt64); got != "duplicate:1" {
			t.Errorf("%s: given up %s", pieces, got)
		}
	}
}

func TestFragmentLimits(t *testing.T) {
	payload := tcpSegment(40000, 25, "", mailText)
	tiny := []string{"0-8", "8-16", "16-24", "24-32", "32-40", "40-48", "48-56", "56-64."}
	for _, c := range []struct {
		name, want, lost string
		options          FragmentOptions
	}{
		{"none reached", "held held held held held held held ok", "", FragmentOptions{MaxPieces: 8, MaxDatagram: 64}},
		{"pieces", "held held held fragment_limit fragment_limit fragment_limit fragment_limit fragment_limit", "fragment_limit:3", FragmentOptions{MaxPieces: 3}},
		{"octets of a packet", "held held held held held fragment_limit fragment_limit fragment_limit", "fragment_limit:5", FragmentOptions{MaxDatagram: 40}},
		{"octets of all", "held held held held held held held held", "fragment_limit:8", FragmentOptions{MaxOctets: 500}},
	} {
		d := Decoder{Fragments: c.options}
		var frames []string
		for _, spec := range tiny {
			frames = append(frames, eth(0x0800, piece4(6, 9, payload, spec)))
		}
		got := pour(&d, new(Segment), frames...)
		if lost := givenUp(&d, 0); got != c.want || lost != c.lost {
			t.Errorf("%s: %s, given up %s, want %s and %s", c.name, got, lost, c.want, c.lost)
		}
	}
}

// A flood of first pieces pushes out the oldest; what comes together still
// becomes whole, and the memory stays within its bound.
func TestFragmentFlood(t *testing.T) {
	payload := tcpSegment(40000, 25, "", mailText)
	const limit = 1 << 20
	for name, data := range map[string]string{
		"small": eth(0x0800, piece4(6, 0, payload, "0-24")),
		"large": eth(0x0800, piece4(6, 0, payload, "0-1480")),
		"last":  eth(0x0800, piece4(6, 0, payload, "48-64.")),
	} {
		d := Decoder{Fragments: FragmentOptions{MaxOctets: limit}}
		var s Segment
		p := frame(ether, data)
		whole, lost := 0, uint64(0)
		ignored := make([]uint64, len(Reasons()))
		for n := range 200_000 {
			copy(p.Data[26:], u32(uint32(n))) // the source
			if d.Decode(p, &s) != Held {
				t.Fatal("not held")
			}
			if d.pieces.held > limit || len(d.pieces.byKey) > limit/datagramCost {
				t.Fatalf("%s: %d octets in %d packets held", name, d.pieces.held, len(d.pieces.byKey))
			}
			if n%1000 == 0 && pour(&d, &s, eth(0x0800, piece4(6, 9, payload, "0-24")), eth(0x0800, piece4(6, 9, payload, "24-64."))) == "held ok" {
				whole++
			}
		}
		waiting := len(d.pieces.byKey)
		d.Advance(math.MinInt64/2, ignored)
		for _, n := range ignored {
			lost += n
		}
		if whole != 200 || int(lost)+waiting != 200_000 {
			t.Errorf("%s: %d whole; %d lost and %d waiting of 200,000", name, whole, lost, waiting)
		}
	}
}

func BenchmarkFragments(b *testing.B) {
	payload := tcpSegment(40000, 25, "", strings.Repeat("m", 2900))
	var d Decoder
	var s Segment
	first, last := frame(ether, eth(0x0800, piece4(6, 9, payload, "0-1480"))), frame(ether, eth(0x0800, piece4(6, 9, payload, "1480-2920.")))
	b.ReportAllocs()
	for b.Loop() {
		d.Decode(first, &s)
		if d.Decode(last, &s) != OK {
			b.Fatal("not whole")
		}
	}
}
