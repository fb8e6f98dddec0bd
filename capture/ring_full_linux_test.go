package capture

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestRingTellsHowFullItIs has blocks waiting behind the one that is taken.
func TestRingTellsHowFullItIs(t *testing.T) {
	const size = 4096
	for _, c := range []struct{ blocks, waiting, least, most int }{
		{64, 0, 0, 0},
		{64, 1, 0, 7},
		{64, 16, 19, 32},
		{64, 32, 44, 57},
		{64, 63, 100, 100},
		{1024, 512, 44, 57},
		{16, 15, 0, 0}, // too coarse to tell
		{2, 1, 0, 0},
	} {
		for _, current := range []int{0, 1, c.blocks - 1} {
			r := &ring{memory: make([]byte, c.blocks*size), size: size, current: current}
			for i := range c.waiting + 1 {
				*r.statusOf((current + i) % c.blocks) = unix.TP_STATUS_USER
			}
			if !r.take() {
				t.Fatal("there is no block")
			}
			if n := r.waiting(); n < c.least || n > c.most {
				t.Errorf("%d of %d blocks wait behind block %d: %d %%, want %d to %d", c.waiting, c.blocks, current, n, c.least, c.most)
			}
		}
	}
}
