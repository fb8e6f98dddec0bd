package evidence

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
)

func flowOf(n int) Flow {
	return Flow{
		Client: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(n >> 8), byte(n)}), 40000),
		Server: netip.MustParseAddrPort("192.0.2.25:25"),
	}
}

var all = limits{math.MinInt64, math.MaxInt64, math.MaxInt, math.MaxInt}

// What the ring gives back is what was put in last, as far as it has room for it:
// held against a list.
func TestRingKeepsTheLatest(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	r := newRing(leastRoom, 7)
	type entry struct {
		flow int
		time int64
		data []byte
	}
	var model []entry
	for n := range 20_000 {
		e := entry{rnd.IntN(50), int64(n), bytes.Repeat([]byte{byte(n)}, rnd.IntN(1500))}
		model = append(model, e)
		f := flowOf(e.flow)
		var s packet.Segment
		if s.SetEnds(f.Client, f.Server); n%2 == 0 {
			s.Turn()
		}
		r.Add(&capture.Packet{Time: e.time, Data: e.data, Length: len(e.data) + 1, Link: capture.LinkEthernet}, &s)
		if n%97 != 0 {
			continue
		}
		kept, octets := 0, 0
		for flow := range 50 {
			f := flowOf(flow)
			at := len(model)
			r.find(&f, all, func(p capture.Packet, made bool) {
				for at--; model[at].flow != flow; at-- {
				}
				want := &model[at]
				if p.Time != want.time || !bytes.Equal(p.Data, want.data) || p.Length != len(want.data)+1 || p.Link != capture.LinkEthernet || made {
					t.Fatalf("packet %d: of time %d, %d octets", want.time, p.Time, len(p.Data))
				}
				kept++
				octets += record + (len(p.Data)+7)&^7
			})
		}
		if n > 1000 && (octets > leastRoom || octets < leastRoom*9/10) || n > 0 && n < 50 && kept != n+1 {
			t.Fatalf("after %d packets it has %d with %d octets", n, kept, octets)
		}
		for _, e := range model[len(model)-min(kept, len(model)):] { // the oldest go first
			f, found := flowOf(e.flow), false
			r.find(&f, limits{e.time, e.time, 1, math.MaxInt}, func(capture.Packet, bool) { found = true })
			if !found {
				t.Fatalf("of %d packets that are kept, %d is not one", kept, e.time)
			}
		}
	}
}

func TestRingLimits(t *testing.T) {
	r := newRing(leastRoom, 7)
	f := flowOf(1)
	var s packet.Segment
	s.SetEnds(f.Client, f.Server)
	for n := range 10 {
		r.Add(&capture.Packet{Time: int64(n), Data: make([]byte, 100)}, &s)
	}
	r.Add(&capture.Packet{Time: 10, Data: make([]byte, leastRoom)}, &s)
	if r.left != 1 {
		t.Errorf("%d packets are too large, want 1", r.left)
	}
	for _, c := range []struct {
		l    limits
		want string
		more bool
	}{
		{all, "[9 8 7 6 5 4 3 2 1 0]", false},
		{limits{3, 5, 100, 1000}, "[5 4 3]", false},
		{limits{0, 9, 2, 1000}, "[9 8]", true},
		{limits{0, 9, 100, 250}, "[9 8]", true},
	} {
		got := []int64{}
		more := r.find(&f, c.l, func(p capture.Packet, _ bool) { got = append(got, p.Time) })
		if fmt.Sprint(got) != c.want || more != c.more {
			t.Errorf("%v: %v, more %v", c.l, got, more)
		}
	}
}

// A segment without its packet gets one that says the same.
func TestMadeFrames(t *testing.T) {
	for _, ends := range [][2]string{{"10.0.0.1:40000", "192.0.2.25:25"}, {"[2001:db8::1]:40000", "[2001:db8::25]:25"}} {
		for _, payload := range []string{"", "odd", "even"} {
			var s packet.Segment
			s.SetEnds(netip.MustParseAddrPort(ends[0]), netip.MustParseAddrPort(ends[1]))
			s.Time, s.Seq, s.Ack, s.Flags, s.TTL, s.Window, s.Payload, s.Length = 5, 1<<31+7, 9, packet.ACK|packet.PSH, 61, 512, []byte(payload), len(payload)
			p, ok := frameOf(nil, &s)
			var got packet.Segment
			d := packet.Decoder{}
			if why := d.Decode(&p, &got); !ok || why != packet.OK {
				t.Fatalf("%v", why)
			}
			if got.From() != s.From() || got.To() != s.To() || got.Seq != s.Seq || got.Ack != s.Ack || got.Flags != s.Flags ||
				got.TTL != s.TTL || got.Window != s.Window || string(got.Payload) != payload || got.Time != 5 {
				t.Errorf("%+v", got)
			}
			got.Sum = 0
			if got.Checksum() != packet.ChecksumOffloaded { // of s nothing was known
				t.Errorf("checksum %v", got.Checksum())
			}
			// One whose checksum was right has a right one.
			good := got
			fixed, _ := frameOf(nil, withSum(t, &good, p))
			var again packet.Segment
			if d.Decode(&fixed, &again) != packet.OK || again.Checksum() != packet.ChecksumGood {
				t.Errorf("%s %q: made with checksum %v", ends[0], payload, again.Checksum())
			}
		}
	}
	long := packet.Segment{Payload: make([]byte, 1<<16)}
	if _, ok := frameOf(nil, &long); ok {
		t.Error("a packet of 64 kB was made")
	}
}

// withSum decodes a frame whose checksum was put right.
func withSum(t *testing.T, s *packet.Segment, p capture.Packet) *packet.Segment {
	t.Helper()
	ip := len(p.Data) - tcpHeader - len(s.Payload)
	from, to := s.From().Addr().AsSlice(), s.To().Addr().AsSlice()
	h := p.Data[ip:]
	total := sum(from) + sum(to) + tcp + uint32(len(h)) + sum(h)
	h[16], h[17] = byte(^fold(total)>>8), byte(^fold(total))
	d := packet.Decoder{}
	var out packet.Segment
	if d.Decode(&p, &out) != packet.OK || out.Checksum() != packet.ChecksumGood {
		t.Fatal("the test's own checksum is wrong")
	}
	return &out
}

func BenchmarkRing(b *testing.B) {
	for _, size := range []int{66, 256, 1514} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			r := newRing(64<<20, 7)
			list := make([]packet.Segment, 1024)
			for i := range list {
				f := flowOf(i)
				list[i].SetEnds(f.Client, f.Server)
			}
			p := capture.Packet{Data: make([]byte, size), Length: size, Link: capture.LinkEthernet}
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				r.Add(&p, &list[n%len(list)])
			}
		})
	}
}
