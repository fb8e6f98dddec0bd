package capture

// largeBlock holds the largest frame that there is, 64 KiB of IP and what is before it.
const largeBlock = 128 << 10

// LeastRing is how many octets of the buffer a ring needs: two blocks, which may be
// smaller than was asked for where many share the buffer, but not so small that large
// frames find no room.
func (o LiveOptions) LeastRing() int {
	return 2 * min(o.withDefaults().BlockBytes, largeBlock)
}

// rings is for how many of the shards the buffer has room, one at least.
func (o LiveOptions) rings(shards int) int {
	return max(1, min(shards, o.withDefaults().BufferBytes/o.LeastRing()))
}
