package packet

import (
	"testing"
	"time"

	"github.com/mailtap/mailtap/capture"
)

// decoded reads a frame.
func decoded(t testing.TB, data string) Segment {
	t.Helper()
	var d Decoder
	var s Segment
	if r := d.Decode(frame(ether, data), &s); r != OK {
		t.Fatalf("%x: %v", data, r)
	}
	return s
}

// with overwrites octets of a frame.
func with(data string, at int, octets string) string {
	return data[:at] + octets + data[at+len(octets):]
}

// TestCopies changes one thing of a packet at a time.
func TestCopies(t *testing.T) {
	const ip, header = 14, 14 + 20
	four := eth(0x0800, ip4(6, 0, "", mail("QUIT\r\n")))
	six := eth(0x86dd, ip6(6, mail("QUIT\r\n")))
	const header6 = 14 + 40
	tests := []struct {
		name         string
		first, again string
		after        time.Duration
		want         bool
	}{
		{"the same", four, four, 0, true},
		{"the same, IPv6", six, six, 0, false}, // sent again, maybe
		{"the same SYN, IPv6", with(six, header6+13, "\x02"), with(six, header6+13, "\x02"), 0, true},
		{"later", four, four, 9 * time.Millisecond, true},
		{"earlier", four, four, -9 * time.Millisecond, true},
		{"too late", four, four, 11 * time.Millisecond, false},
		{"too early", four, four, -11 * time.Millisecond, false},
		{"sent again by a timer", four, four, 200 * time.Millisecond, false},
		{"behind a router", four, with(with(four, ip+8, "\x3f"), ip+10, "\x12\x34"), 0, true},
		{"other MACs", four, with(four, 0, "\x02\x03\x04\x05\x06\x07\x08\x09"), 0, true},
		{"in a VLAN", four, eth(0x8100, tag(7, 0x0800, four[ip:])), 0, true},
		{"in a tunnel", four, eth(0x0800, ip4(4, 0, "", four[ip:])), 0, true},
		{"another identification", four, with(four, ip+4, "\x00\x02"), 0, false},
		{"another source", four, with(four, ip+15, "\x09"), 0, false},
		{"another destination", four, with(four, ip+19, "\x09"), 0, false},
		{"another source, IPv6", six, with(six, ip+8, "\xfe"), 0, false},
		{"another destination, IPv6", six, with(six, ip+39, "\x09"), 0, false},
		{"another port", four, with(four, header+1, "\x09"), 0, false},
		{"another number", four, with(four, header+4, "\x09"), 0, false},
		{"another acknowledgement", four, with(four, header+8, "\x09"), 0, false},
		{"other flags", four, with(four, header+13, "\x11"), 0, false},
		{"another window", four, with(four, header+14, "\x09"), 0, false},
		{"another checksum", four, with(four, header+16, "\x09"), 0, false},
		{"another checksum, IPv6", six, with(six, header6+16, "\x09"), 0, false},
		{"another length", four, eth(0x0800, ip4(6, 0, "", mail("QUIT \r\n"))), 0, false},
	}
	for _, c := range tests {
		var k Copies
		s := decoded(t, c.first)
		s.Time = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano()
		if k.Has(&s) {
			t.Errorf("%s: the first is a copy", c.name)
		}
		again := decoded(t, c.again)
		again.Time = s.Time + int64(c.after)
		if got := k.Has(&again); got != c.want {
			t.Errorf("%s: a copy: %v", c.name, got)
		}
	}
}

// What the snap length cut has no copies.
func TestCopiesOfTruncated(t *testing.T) {
	var d Decoder
	var s Segment
	var k Copies
	data := eth(0x0800, ip4(6, 0, "", mail("QUIT\r\n")))
	p := &capture.Packet{Data: []byte(data[:len(data)-2]), Length: len(data), Link: ether}
	for range 2 {
		if r := d.Decode(p, &s); r != OK || k.Has(&s) {
			t.Errorf("%v, or a copy", r)
		}
	}
}

// TestCopiesSeed: the places are the same for any seed, and so is what is
// known.
func TestCopiesSeed(t *testing.T) {
	know := func(seed uint64) (n int) {
		k := &Copies{Seed: seed}
		for round := range 2 {
			for i := range uint32(8192) {
				if k.Has(&Segment{ID: 1, Seq: i * 1460, Src: Address{Lo: 1}, Dst: Address{Lo: 2}, Time: int64(round)}) {
					n++
				}
			}
		}
		return n
	}
	want := know(0)
	for _, seed := range []uint64{1, 1 << 63, 0x123456789abcdef} {
		if got := know(seed); got != want || want < 4000 {
			t.Errorf("seed %d knows %d copies, 0 knows %d", seed, got, want)
		}
	}
}

// TestCopiesAmongOthers has 500 packets of other connections between each packet and
// its copy.
func TestCopiesAmongOthers(t *testing.T) {
	const flows, packets = 250, 20_000
	k := new(Copies)
	sent := func(i int) *Segment {
		flow := uint32(i % flows)
		return &Segment{Src: Address{Lo: 1}, Dst: Address{Lo: 2}, SrcPort: uint16(flow), DstPort: 25, Seq: uint32(i) * 1460, Sum: uint16(-flow), ID: uint16(i) | 1, Time: int64(i) * 1000}
	}
	known := 0
	for i := range packets {
		if k.Has(sent(i)) {
			t.Fatalf("packet %d is a copy", i)
		}
		if i >= 500 && k.Has(sent(i-500)) {
			known++
		}
	}
	if known < packets-500-5 {
		t.Errorf("%d of %d copies are known", known, packets-500)
	}
}

func BenchmarkCopies(b *testing.B) {
	k := new(Copies)
	s := Segment{Src: Address{Lo: 1}, Dst: Address{Lo: 2}, SrcPort: 40000, DstPort: 25}
	for b.Loop() {
		s.Seq += 1460
		s.Time += 1000
		if k.Has(&s) {
			b.Fatal("a copy")
		}
	}
}

// TestCopiesWithEvidence: without identification a copy is told from what was
// sent again by those around it.
func TestCopiesWithEvidence(t *testing.T) {
	four := decoded(t, eth(0x0800, ip4(6, 0, "", mail("QUIT\r\n"))))
	six := decoded(t, eth(0x86dd, ip6(6, mail("QUIT\r\n"))))
	k := new(Copies)
	see := func(s Segment, at time.Duration) bool {
		s.Time, s.Seq = int64(at), uint32(at/time.Second)
		return k.Has(&s)
	}
	steps := []struct {
		s    Segment
		at   time.Duration
		want bool
	}{
		{six, 1e9, false}, {six, 1e9, false},
		{four, 2e9, false}, {four, 2e9, true},
		{six, 500e9, false}, {six, 500e9, true},
		{six, 1000e9, false}, {six, 1000e9, true},
		{six, 1700e9, false}, {six, 1700e9, false},
	}
	for i, c := range steps {
		if got := see(c.s, c.at); got != c.want {
			t.Errorf("step %d: a copy: %v", i, got)
		}
	}
}
