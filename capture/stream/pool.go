package stream

// pageSize holds most segments of Ethernet.
const pageSize = 2048

// poolPages bounds what a pool keeps for reuse: 8 MiB.
const poolPages = 4096

// Pool holds what halves hold beside their place: most have nothing, so a half
// is a few words without a pointer. It recycles the pages that early octets wait
// in, and belongs to one goroutine.
type Pool struct {
	free  [][]byte
	waits []waiting // by the number that a half has; the first is nobody's
	spare []uint32  // numbers that are free

	now   piece // in place, borrowed until the owner's Next has handed it out
	owner *Half
}

// waiting is what a half has that is not merely in order.
type waiting struct {
	counts Counts
	early  []piece
	held   int
	fin    uint32 // sequence number of the FIN, if the half has one
	limit  uint32 // holes before this sequence number are given up
	giveUp bool   // limit is valid
}

// of returns what a half has; nil for nothing.
func (p *Pool) of(h *Half) *waiting {
	if n := h.word & number; n != 0 {
		return &p.waits[n]
	}
	return nil
}

// give returns a place for what a half has.
func (p *Pool) give(h *Half) *waiting {
	if w := p.of(h); w != nil {
		return w
	}
	if n := len(p.spare); n > 0 {
		h.word |= p.spare[n-1]
		p.spare = p.spare[:n-1]
		return p.of(h)
	}
	if len(p.waits) == 0 {
		p.waits = append(p.waits, waiting{})
	}
	h.word |= uint32(len(p.waits)) & number
	p.waits = append(p.waits, waiting{})
	return p.of(h)
}

// takeBack frees a half's place.
func (p *Pool) takeBack(h *Half) {
	if n := h.word & number; n != 0 {
		p.waits[n] = waiting{}
		p.spare = append(p.spare, n)
		h.word &^= number
	}
}

func (p *Pool) copy(b []byte) []byte {
	if len(b) > pageSize {
		return append([]byte(nil), b...)
	}
	if n := len(p.free); n > 0 {
		page := p.free[n-1]
		p.free = p.free[:n-1]
		return append(page, b...)
	}
	return append(make([]byte, 0, pageSize), b...)
}

func (p *Pool) put(b []byte) {
	if cap(b) == pageSize && len(p.free) < poolPages {
		p.free = append(p.free, b[:0])
	}
}
