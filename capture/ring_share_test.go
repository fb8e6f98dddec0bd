package capture

import "testing"

func TestRingsOfABuffer(t *testing.T) {
	for _, c := range []struct{ buffer, block, shards, want int }{
		{0, 0, 0, 1},
		{0, 0, 64, 64},
		{2 << 20, 0, 64, 8},
		{2 << 20, 0, 8, 8},
		{2 << 20, 0, 9, 8},
		{128 << 10, 64 << 10, 64, 1},
		{16 << 20, 16 << 20, 64, 64},
		{1, 0, 3, 1},
		{1 << 20, 1, 3, 3}, // the ring refuses such blocks
	} {
		o := LiveOptions{BufferBytes: c.buffer, BlockBytes: c.block}
		if got := o.rings(c.shards); got != c.want {
			t.Errorf("%d octets in blocks of %d for %d shards: %d rings, want %d", c.buffer, c.block, c.shards, got, c.want)
		}
	}
}
