package sessions_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
)

// corpus finds the folder of real captures, which stands beside the checkout.
func corpus(t *testing.T) string {
	dir := filepath.Join("..", "..", "shared", "corpus")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the corpus of real captures is not here: it belongs into ../shared/corpus beside the checkout")
	}
	return dir
}

// load decodes the mail segments of a capture.
func load(t *testing.T, file string) []packet.Segment {
	t.Helper()
	f, err := capture.Open(file, capture.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ports := &packet.PortSet{}
	ports.Add(25, 465, 587)
	d := packet.Decoder{Ports: ports}
	var p capture.Packet
	var all []packet.Segment
	for f.Next(&p) == nil {
		var s packet.Segment
		if d.Decode(&p, &s) == packet.OK {
			s.Payload = bytes.Clone(s.Payload)
			all = append(all, s)
		}
	}
	return all
}

// The limits of what waits count packets too, so that single octets reach them.
var volatile = regexp.MustCompile(`"(hold_limit|out_of_order_limit)",|,"(hold_limit|out_of_order_limit)"|"(packets|bytes|retransmitted|lost)":\{[^}]*\},?|,?"(duration|hop_delay)":[0-9.]+`)

// TestCorpusCut cuts the segments of real captures in other ways, and sends
// every packet twice: the facts stay.
func TestCorpusCut(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(corpus(t), "*", "capture.pcap"))
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		whole := load(t, file)
		octets := 0
		for _, s := range whole {
			octets += len(s.Payload)
		}
		if octets > 40_000 || len(whole) == 0 {
			continue // the same code reads them; single octets of megabytes take minutes
		}
		// Sessions that run side by side may end in another order: each is
		// compared with itself.
		facts := func(segments []packet.Segment) string {
			lines := strings.Split(volatile.ReplaceAllString(play(t, segments), ""), "\n")
			slices.Sort(lines)
			return strings.Join(lines, "\n")
		}
		want := facts(whole)
		for what, size := range map[string]func() int{
			"single octets": func() int { return 1 },
			"random sizes":  func() int { return 1 + rnd.IntN(200) },
		} {
			if got := facts(recut(whole, size, false)); got != want {
				t.Errorf("%s in %s\ngot\n%s\nwant\n%s", name, what, firstDifference(got, want), firstDifference(want, got))
			}
		}
		if got := facts(recut(whole, func() int { return 100 }, true)); got != want {
			t.Errorf("%s with every packet twice\ngot\n%s\nwant\n%s", name, firstDifference(got, want), firstDifference(want, got))
		}
	}
}

func firstDifference(a, b string) string {
	la, lb := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range la {
		if i >= len(lb) || la[i] != lb[i] {
			return la[i]
		}
	}
	return "(nothing more)"
}

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

// TestCorpusEachPacketLost drops every packet of real captures in turn: no
// sender, recipient or login appears that was not there.
func TestCorpusEachPacketLost(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(corpus(t), "*", "capture.pcap"))
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		whole := load(t, file)
		if len(whole) == 0 || len(whole) > 160 || strings.HasPrefix(name, "29") || strings.HasPrefix(name, "38") {
			continue // 29 is damaged itself; 38 has forged packets, one of which may be all that is left
		}
		known := deliveries(t, play(t, whole))
		for i := range whole {
			got := play(t, slices.Concat(whole[:i], whole[i+1:]))
			for d := range deliveries(t, got) {
				if !known[d] {
					t.Errorf("%s without packet %d: made up %s", name, i, d)
				}
			}
		}
	}
}
