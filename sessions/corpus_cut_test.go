package sessions_test

import (
	"math/rand/v2"
	"regexp"
	"testing"

	"github.com/mailtap/mailtap/capture/packet"
)

// How often packets and octets came is what these tests change; all else must
// stay, to the octet.
var (
	packetCounts = regexp.MustCompile(`"(packets|retransmitted)":\{[^}]*\},?`)
	octetCounts  = regexp.MustCompile(`"(packets|bytes|retransmitted|lost)":\{[^}]*\},?`)
)

// TestCorpusEveryCut plays each connection of the real captures again and
// again, with one segment cut in two: at every octet in turn. The records are
// the same octet by octet.
func TestCorpusEveryCut(t *testing.T) {
	positions, of := 0, connections(t)
	for _, r := range of {
		step := 1
		switch {
		case everything():
			step += r.octets / 200_000 * 30 // each place of half a megabyte of attachments would take hours
		default:
			step = 11 + 161*r.octets*len(r.segments)/1_000_000 + len(r.segments)/2
		}
		o := r.options(t)
		records := func(segments []packet.Segment) string {
			return packetCounts.ReplaceAllString(playWith(t, o, segments), "")
		}
		want := records(r.segments)
		at, next := 0, 1
		for i := range r.segments {
			end := at + len(r.segments[i].Payload)
			for ; next < end; next += step {
				if next <= at {
					continue
				}
				cut := cutSegment(r.segments, i, next-at)
				positions++
				if got := records(cut); got != want {
					t.Fatalf("%s, packet %d cut at %d\ngot\n%s\nwant\n%s", r.name, i, next-at, firstDifference(got, want), firstDifference(want, got))
				}
			}
			at = end
		}
	}
	t.Logf("%d connections, cut at %d places", len(of), positions)
}

// cutSegment cuts one segment of many in two.
func cutSegment(all []packet.Segment, i, at int) []packet.Segment {
	sizes := []int{at, len(all[i].Payload) - at}
	parts := recut(all[i:i+1], func() int { n := sizes[0]; sizes = sizes[1:]; return n }, false)
	return append(append(append(make([]packet.Segment, 0, len(all)+1), all[:i]...), parts...), all[i+1:]...)
}

// TestCorpusRecut cuts all segments of each connection: into single octets and
// at random sizes, with every packet twice, with neighbours of a direction
// swapped, and with each part overlapping the next one.
func TestCorpusRecut(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	some := func() int { return 1 + rnd.IntN(200) }
	for _, r := range connections(t) {
		if r.octets > 15_000 && !everything() {
			continue // the same code reads them; single octets of megabytes take minutes
		}
		o := r.options(t)
		facts := func(segments []packet.Segment) string {
			return octetCounts.ReplaceAllString(playWith(t, o, segments), "")
		}
		want := facts(r.segments)
		for what, segments := range map[string][]packet.Segment{
			"single octets":      recut(r.segments, func() int { return 1 }, false),
			"random sizes":       recut(r.segments, some, false),
			"every packet twice": recut(r.segments, func() int { return 100 }, true),
			"overlaps":           overlap(recut(r.segments, some, false)),
			"parts swapped":      swap(recut(r.segments, some, false)),
		} {
			if got := facts(segments); got != want {
				t.Errorf("%s, %s\ngot\n%s\nwant\n%s", r.name, what, firstDifference(got, want), firstDifference(want, got))
			}
		}
	}
}

// overlap lets each part of a segment begin with octets of the part before it,
// as a sender does that cuts anew what it retransmits.
func overlap(parts []packet.Segment) []packet.Segment {
	all := append([]packet.Segment(nil), parts...)
	for i := 1; i < len(all); i++ {
		p, s := &parts[i-1], &all[i]
		if p.From() != s.From() || p.Seq+uint32(p.Length) != s.Seq || len(p.Payload) != p.Length || p.Flags&(packet.SYN|packet.FIN|packet.RST) != 0 || p.Length == 0 || s.Length == 0 {
			continue
		}
		n := min(7, len(p.Payload))
		s.Payload = append(append([]byte(nil), p.Payload[len(p.Payload)-n:]...), s.Payload...)
		s.Seq -= uint32(n)
		s.Length += n
	}
	return all
}

// swap lets the parts of a segment travel in the wrong order, two by two.
func swap(parts []packet.Segment) []packet.Segment {
	all := append([]packet.Segment(nil), parts...)
	for i := 1; i < len(all); i += 2 {
		if i == 1 && all[0].Flags&packet.SYN == 0 {
			continue // a connection met midway is named after its first segment
		}
		a, b := &all[i-1], &all[i]
		if a.From() == b.From() && a.Time == b.Time && a.Seq+uint32(a.Length) == b.Seq && a.Ack == b.Ack && (a.Flags|b.Flags)&(packet.SYN|packet.FIN|packet.RST) == 0 {
			*a, *b = *b, *a
		}
	}
	return all
}

// firstDifference is the place in a where it is no longer as b.
func firstDifference(a, b string) string {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return "…" + a[max(0, i-100):min(len(a), i+200)] + "…"
}

// recut cuts the payload of all segments.
func recut(whole []packet.Segment, size func() int, twice bool) []packet.Segment {
	var all []packet.Segment
	for _, s := range whole {
		rest := s.Payload
		for part := s; ; {
			n := min(size(), len(rest))
			last := n == len(rest)
			part.Payload, part.Length = rest[:n], n
			part.Flags = s.Flags
			if !last {
				part.Flags &^= packet.FIN | packet.RST
			} else {
				part.Length += s.Length - len(s.Payload)
			}
			all = append(all, part)
			if twice {
				all = append(all, part)
			}
			if last {
				break
			}
			rest = rest[n:]
			part.Seq += uint32(n)
			if part.Flags&packet.SYN != 0 {
				part.Flags &^= packet.SYN
				part.Seq++
				s.Flags &^= packet.SYN
			}
		}
	}
	return all
}
