package packet

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// model is a payload as a table of octets: the first copy of each stays.
type model struct {
	octets [128]byte
	known  [128]bool
	end    int
	top    int
}

func (m *model) add(p piece) {
	if p.last && (p.end < m.top || m.end != 0 && m.end != p.end) || !p.last && m.end != 0 && p.end > m.end {
		return
	}
	m.top = max(m.top, p.end)
	if p.last {
		m.end = p.end
	}
	for i, b := range p.data {
		if !m.known[p.at+i] {
			m.octets[p.at+i], m.known[p.at+i] = b, true
		}
	}
}

func (m *model) whole() bool {
	for i := range m.end {
		if !m.known[i] {
			return false
		}
	}
	return m.end > 0
}

// Random pieces, many at odds with each other, give what the table gives.
func TestDatagramModel(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	wholes := 0
	for range 20_000 {
		var f fragments
		var m model
		o := FragmentOptions{MaxPieces: 1000}
		for range 12 {
			p := piece{at: rnd.IntN(12) * 8, last: rnd.IntN(4) == 0}
			n := (1 + rnd.IntN(4)) * 8
			if p.last {
				n = 1 + rnd.IntN(20)
			}
			p.end, p.data = p.at+n, make([]byte, n)
			for i := range p.data {
				p.data[i] = byte(p.at + i + rnd.IntN(20)/19) // seldom a lie
			}
			m.add(p)
			g, r := f.add(fragmentKey{}, p, 0, &o)
			if (r == OK) != m.whole() {
				t.Fatalf("%v, though the table is whole: %v", r, m.whole())
			}
			if cost := costOf(&f); cost != f.held {
				t.Fatalf("%d octets held, %d counted", cost, f.held)
			}
			if r == OK {
				wholes++
				if !bytes.Equal(g.join(), m.octets[:m.end]) {
					t.Fatalf("got  %x\nwant %x", g.join(), m.octets[:m.end])
				}
				break
			}
		}
	}
	if wholes < 2000 {
		t.Errorf("only %d became whole", wholes)
	}
}

func costOf(f *fragments) (n int) {
	for g := f.oldest; g != nil; g = g.newer {
		n += g.cost()
	}
	return n
}

// Several packets in random pieces, in any order and some of them twice, give
// each packet once in whole.
func TestFragmentsShuffled(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 10))
	for range 2000 {
		var frames []string
		want := map[string]int{}
		for id := range 4 {
			text := strings.Repeat(string(rune('a'+id)), 1+rnd.IntN(300))
			payload := mail(text)
			want[text]++
			for at := 0; at < len(payload); {
				n := (1 + rnd.IntN(12)) * 8
				if at == 0 { // else it is whole in itself
					n = min(n, 16)
				}
				spec := fmt.Sprintf("%d-%d", at, at+n)
				if at+n >= len(payload) {
					spec = fmt.Sprintf("%d-%d.", at, len(payload))
				}
				at += n
				if id%2 == 0 {
					frames = append(frames, eth(0x0800, piece4(6, id, payload, spec)))
				} else {
					frames = append(frames, eth(0x86dd, piece6(6, uint32(id), payload, spec)))
				}
			}
		}
		rnd.Shuffle(len(frames), func(i, j int) { frames[i], frames[j] = frames[j], frames[i] })
		var d Decoder
		var s Segment
		for _, f := range append(frames[:1:1], frames...) { // the first comes twice
			if d.Decode(frame(ether, f), &s) == OK {
				want[string(s.Payload)]--
			}
		}
		for text, n := range want {
			if n != 0 {
				t.Fatalf("%d octets of %.1s: %d too few", len(text), text, n)
			}
		}
	}
}
