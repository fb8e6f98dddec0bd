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
	limit  uint32 // holes before this sequence number are given up
	giveUp bool   // limit is valid
}

// of returns what a half has; nil for nothing.
func (p *Pool) of(h *Half) *waiting {
	if h.waits == 0 {
		return nil
	}
	return &p.waits[h.waits]
}

// give returns a place for what a half has.
func (p *Pool) give(h *Half) *waiting {
	if h.waits != 0 {
		return &p.waits[h.waits]
	}
	if n := len(p.spare); n > 0 {
		h.waits = p.spare[n-1]
		p.spare = p.spare[:n-1]
		return &p.waits[h.waits]
	}
	if len(p.waits) == 0 {
		p.waits = append(p.waits, waiting{})
	}
	h.waits = uint32(len(p.waits))
	p.waits = append(p.waits, waiting{})
	return &p.waits[h.waits]
}

// takeBack frees a half's place.
func (p *Pool) takeBack(h *Half) {
	if h.waits != 0 {
		p.waits[h.waits] = waiting{}
		p.spare = append(p.spare, h.waits)
		h.waits = 0
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
