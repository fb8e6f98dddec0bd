package stream

// pageSize holds most segments of Ethernet.
const pageSize = 2048

// poolPages bounds what a pool keeps for reuse: 8 MiB.
const poolPages = 4096

// Pool recycles the pages that early octets wait in. It belongs to one
// goroutine.
type Pool struct{ free [][]byte }

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
