package smtp

import (
	"math/rand/v2"
	"testing"
)

// TestNextDot finds each dot behind a control character, and none that stands
// behind another octet.
func TestNextDot(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const octets = "......\n\r\x00\x1f ab/-\x7f\xae\x8e\x2d\x0e"
	for range 3000 {
		b := make([]byte, r.IntN(400))
		dense := 1 + r.IntN(60)
		for i := range b {
			if b[i] = 'x'; r.IntN(dense) == 0 {
				b[i] = octets[r.IntN(len(octets))]
			}
		}
		for from := range b {
			want := from
			for want < len(b) && (b[want] != '.' || want > 0 && b[want-1] >= ' ') {
				want++
			}
			if want == len(b) {
				want = -1
			}
			if got := nextDot(b, from); got != want {
				t.Fatalf("%q from %d: %d, want %d", b, from, got, want)
			}
		}
	}
}
