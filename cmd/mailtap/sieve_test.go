package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// TestSieveInShards has two sources, each with an intake of its own, as live: of
// two mirror sessions, or with a direction each.
func TestSieveInShards(t *testing.T) {
	cfg := Default()
	cfg.Sensor, cfg.Capture.AllPorts = "test", true
	mail := dialogOf(t, "plain.txt", dialog.Options{})
	other := dialogOf(t, "plain.txt", dialog.Options{Server: netip.MustParseAddrPort("192.0.2.26:2526")})
	all := slices.Concat(mail, other)
	slices.SortStableFunc(all, func(a, b packet.Segment) int { return int(a.Time - b.Time) })
	frames := newCapture()
	var packets []capture.Packet
	for i := range all {
		b := ether(frames.ipv4(&all[i]))
		packets = append(packets, capture.Packet{Time: all[i].Time, Data: b, Length: len(b), Link: capture.LinkEthernet})
	}
	run := func(shards int, sources func(i int) []int) (string, []uint64) {
		var records bytes.Buffer
		w := wiring{cfg: &cfg, log: newLogger(cfg.Log, io.Discard), records: &records, lines: io.Discard, offline: true}
		out, err := w.outputs()
		if err != nil {
			t.Fatal(err)
		}
		p := newPipeline(&cfg, out, nil, shards)
		intakes := []intake{newIntake(&cfg), newIntake(&cfg)}
		l := newLoad(shards, out.encoders())
		for i := range packets {
			for _, source := range sources(i) {
				l.reset()
				intakes[source].fill(l, packets[i:i+1])
				p.ticket(l)
				p.carry(l)
			}
		}
		counts := p.left()
		p.close()
		if err := out.close(); err != nil {
			t.Fatal(err)
		}
		return records.String(), counts
	}
	want, _ := run(1, func(int) []int { return []int{0} })
	if strings.Count(want, `"event":"mail"`) != 2 || strings.Count(want, `"role":"other"`) != 2 || strings.Contains(want, "partial") {
		t.Fatalf("one source:\n%s", want)
	}
	for _, shards := range []int{1, 3} {
		if got, _ := run(shards, func(i int) []int { return []int{int(all[i].Src.Lo & 1)} }); got != want {
			t.Errorf("a direction each, %d shards\ngot\n%s\nwant\n%s", shards, got, want)
		}
		got, counts := run(shards, func(int) []int { return []int{0, 1} })
		if got != want {
			t.Errorf("every packet from both, %d shards\ngot\n%s\nwant\n%s", shards, got, want)
		}
		if n := counts[packet.Duplicate-1]; n < uint64(len(mail)) {
			t.Errorf("%d copies are counted of %d packets", n, len(packets))
		}
	}
}

// TestSiftHoweverCut sifts segments in one list and in pieces: what goes on and what
// is remembered are the same, though packets of mail and of other ports push each
// other out of the table of copies.
func TestSiftHoweverCut(t *testing.T) {
	cfg := Default()
	cfg.Capture.AllPorts = true
	random := rand.New(rand.NewPCG(1, 2))
	var all []packet.Segment
	for n := range 200 {
		other := dialogOf(t, "plain.txt", dialog.Options{
			Client: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(1000+n)), Server: netip.MustParseAddrPort("192.0.2.26:2526"),
		})
		for _, s := range other {
			s.Other = true
			all = append(all, s)
			for range 4 {
				s = packet.Segment{Src: packet.Address{Lo: 1}, Dst: packet.Address{Lo: 2}, SrcPort: 40000, DstPort: 25, Seq: random.Uint32(), ID: 1, Time: s.Time}
				all = append(all, s)
			}
		}
	}
	sift := func(pieces func() int) (*sieve, []packet.Segment) {
		v := newSieve(&cfg)
		v.copies.Seed = 7
		var out []packet.Segment
		for rest := all; len(rest) > 0; {
			n := min(pieces(), len(rest))
			out = append(out, v.sift(slices.Clone(rest[:n]), 0)...)
			rest = rest[n:]
		}
		return v, out
	}
	want, wanted := sift(func() int { return len(all) })
	if n := len(wanted); n <= len(all)*4/5 || want.strangers == uint64(len(all)/5) {
		t.Fatalf("%d of %d go on, %d strangers: no dialog was found", n, len(all), want.strangers)
	}
	for round := range 4 {
		got, out := sift(func() int { return 1 + random.IntN(60) })
		if !reflect.DeepEqual(out, wanted) || got.copies != want.copies || got.strangers != want.strangers {
			t.Errorf("round %d: %d go on and %d do not, in one list %d and %d", round, len(out), got.strangers, len(wanted), want.strangers)
		}
	}
}
