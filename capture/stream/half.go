// Package stream rebuilds one direction of a TCP connection (RFC 9293): it
// puts segments in order, leaves out what was seen before, keeps early octets
// within limits, and says where octets are missing. It owns the octets that
// wait for a hole; octets in order are never copied. sessions feeds a Half
// with Add and pulls chunks with Next. It judges no acknowledgement and keeps
// no time: its caller tells it with Lost when a hole will not be filled.
package stream

// Chunk is a run of octets of one direction, or a hole. Data is borrowed until
// the next call of any method of the half.
type Chunk struct {
	Offset int64  // place of the first octet since the start of the stream
	Data   []byte // octets in order; nil for a gap
	Gap    int64  // octets that were never seen; 0 for data
	Time   int64  // packet time, nanoseconds since the Unix epoch
	Ack    uint32 // acknowledgement number that travelled with the octets
	HasAck bool
}

// Input is what a half needs of a segment.
type Input struct {
	Seq    uint32
	Ack    uint32
	HasAck bool
	SYN    bool
	FIN    bool
	Data   []byte
	Length int // octets on the wire; those beyond Data are lost
	Time   int64
}

// Counts tells what a half left out or gave up, in octets where not said else.
type Counts struct {
	Retransmitted uint64
	Lost          uint64
	Gaps          uint64 // holes
	Overlaps      uint64 // pieces that overlapped waiting ones
	Conflicts     uint64 // overlapping pieces with other content
}

// Half rebuilds one direction. The zero value waits for its first segment. It
// has no pointer: what waits for a hole lies in the pool, which is the same one
// in all calls.
type Half struct {
	offset int64  // place in the stream of the next octet to deliver
	next   uint32 // its sequence number
	word   uint32 // flags, and where the pool keeps what is not merely in order; 0: nothing
}

// Flags of a half. They share a word with its number in the pool: there are two
// halves to each connection, and a million connections.
const (
	started uint32 = 1 << 31
	hasFIN  uint32 = 1 << 30
	holed   uint32 = 1 << 29 // octets wait for a hole, or a hole is given up
	number         = holed - 1
)

func (h *Half) set(flag uint32, on bool) {
	h.word &^= flag
	if on {
		h.word |= flag
	}
}

type piece struct {
	seq    uint32
	data   []byte
	page   []byte // of the pool, where data was copied to
	lost   int    // octets behind data that the capture cut off
	time   int64
	ack    uint32
	hasAck bool
}

// cost is what an early piece takes of memory: a small one takes a whole page.
func (p *piece) cost() int { return cap(p.page) + 128 }

func (p *piece) end() uint32 { return p.seq + uint32(len(p.data)) + uint32(p.lost) }

// Before says whether sequence number a stands before b (RFC 9293, 3.4:
// comparison modulo 2^32).
func Before(a, b uint32) bool { return int32(a-b) < 0 }

// Started says whether the half knows its place.
func (h *Half) Started() bool { return h.word&started != 0 }

// NextSeq is the sequence number of the next octet to deliver.
func (h *Half) NextSeq() uint32 { return h.next }

// Offset is the place in the stream of the next octet to deliver.
func (h *Half) Offset() int64 { return h.offset }

// OffsetOf turns a sequence number near the half's place into a stream offset.
func (h *Half) OffsetOf(seq uint32) int64 { return h.offset + int64(int32(seq-h.next)) }

// Plain says whether nothing but octets in order came.
func (h *Half) Plain() bool { return h.word&^started == 0 }

// Held is the memory that early octets take.
func (h *Half) Held(pool *Pool) int {
	if w := pool.of(h); w != nil {
		return w.held
	}
	return 0
}

// Counts is what was left out and given up so far.
func (h *Half) Counts(pool *Pool) Counts {
	if w := pool.of(h); w != nil {
		return w.counts
	}
	return Counts{}
}

// Ended says whether all octets up to the FIN were delivered or given up.
func (h *Half) Ended(pool *Pool) bool { return h.word&hasFIN != 0 && !Before(h.next, pool.of(h).fin) }

// Start sets the place of a half whose first segment is only known from the
// other direction's acknowledgements.
func (h *Half) Start(seq uint32) {
	if h.word&started == 0 {
		h.next = seq
		h.word |= started
	}
}

// Add takes a segment. Its data may be borrowed: what is in place is handed
// out by Next before the call that follows, the rest is copied.
func (h *Half) Add(in Input, pool *Pool) {
	seq := in.Seq
	if in.SYN {
		seq++ // the SYN stands before the first octet (RFC 9293, 3.4)
	}
	h.Start(seq)
	p := piece{seq: seq, data: in.Data, time: in.Time, ack: in.Ack, hasAck: in.HasAck}
	if in.Length > len(in.Data) {
		p.lost = in.Length - len(in.Data)
	}
	if in.FIN {
		h.end(p.end(), pool)
	}
	if len(p.data)+p.lost == 0 || !h.cutOld(&p, pool) {
		return
	}
	if p.seq == h.next {
		pool.now, pool.owner = p, h
		return
	}
	h.keep(p, pool)
}

// end notes a FIN; of several the first in the stream counts.
func (h *Half) end(fin uint32, pool *Pool) {
	if Before(fin, h.next) {
		return
	}
	if w := pool.give(h); h.word&hasFIN == 0 || Before(fin, w.fin) {
		w.fin = fin
		h.word |= hasFIN
	}
}

// Take is the short way for the common segment: whole, in place, with nothing
// waiting. It returns where the octets stand; the caller uses them as they are.
// false: the segment is for Add.
func (h *Half) Take(seq uint32, n int) (offset int64, ok bool) {
	if seq != h.next || h.word&(started|holed|hasFIN) != started {
		return 0, false
	}
	offset = h.offset
	h.next += uint32(n)
	h.offset += int64(n)
	return offset, true
}

// cutOld takes off what was delivered before; false where nothing is left.
func (h *Half) cutOld(p *piece, pool *Pool) bool {
	old := int32(h.next - p.seq)
	if old <= 0 {
		return true
	}
	whole := int32(p.end() - h.next)
	if whole <= 0 {
		// A keep-alive repeats the last octet with any content (RFC 9293, 3.8.4).
		if n := len(p.data) + p.lost; n > 1 || old != 1 {
			pool.give(h).counts.Retransmitted += uint64(n)
		}
		return false
	}
	pool.give(h).counts.Retransmitted += uint64(old)
	p.skip(int(old))
	return true
}

func (p *piece) skip(n int) {
	p.seq += uint32(n)
	if n <= len(p.data) {
		p.data = p.data[n:]
		return
	}
	p.lost -= n - len(p.data)
	p.data = nil
}

// keep files an early piece among those that wait. Of two copies of an octet
// the first one stays, as most receivers do.
func (h *Half) keep(p piece, pool *Pool) {
	if pageFails() {
		return // as if the tap had lost them
	}
	w := pool.give(h)
	h.word |= holed
	i := len(w.early)
	for i > 0 && Before(p.seq, w.early[i-1].seq) {
		i--
	}
	if i > 0 {
		if over := int32(w.early[i-1].end() - p.seq); over > 0 {
			w.compare(&w.early[i-1], &p)
			if int32(p.end()-w.early[i-1].end()) <= 0 {
				return
			}
			p.skip(int(over))
		}
	}
	for i < len(w.early) && Before(w.early[i].seq, p.end()) {
		next := &w.early[i]
		w.compare(next, &p)
		if head := int(int32(next.seq - p.seq)); head > 0 {
			part := p
			part.data = p.data[:min(head, len(p.data))]
			part.lost = head - len(part.data)
			w.insert(i, part, pool)
			i++
		}
		done := w.early[i].end()
		if int32(p.end()-done) <= 0 {
			return
		}
		p.skip(int(int32(done - p.seq)))
		i++
	}
	w.insert(i, p, pool)
}

// compare counts the overlap of two pieces, and a conflict where octets that
// both hold differ.
func (w *waiting) compare(a, b *piece) {
	w.counts.Overlaps++
	lo, hi := a, b
	if Before(b.seq, a.seq) {
		lo, hi = b, a
	}
	skip := int(int32(hi.seq - lo.seq))
	if skip >= len(lo.data) {
		return
	}
	n := min(len(lo.data)-skip, len(hi.data))
	w.counts.Retransmitted += uint64(n)
	if string(lo.data[skip:skip+n]) != string(hi.data[:n]) {
		w.counts.Conflicts++
	}
}

func (w *waiting) insert(i int, p piece, pool *Pool) {
	p.page = pool.copy(p.data)
	p.data = p.page
	w.held += p.cost()
	w.early = append(w.early, piece{})
	copy(w.early[i+1:], w.early[i:])
	w.early[i] = p
}

// Lost says that octets before seq will not come any more: holes before it
// become gaps.
func (h *Half) Lost(seq uint32, pool *Pool) {
	if h.word&started == 0 || !Before(h.next, seq) {
		return
	}
	if w := pool.give(h); !w.giveUp || Before(w.limit, seq) {
		w.limit, w.giveUp = seq, true
		h.word |= holed
	}
}

// FirstHeld is the sequence number where the early octets begin.
func (h *Half) FirstHeld(pool *Pool) (uint32, bool) {
	if w := pool.of(h); w != nil && len(w.early) > 0 {
		return w.early[0].seq, true
	}
	return 0, false
}

// Next fills c with the next run of octets or the next gap; false where the
// half needs more.
func (h *Half) Next(c *Chunk, pool *Pool) bool {
	if pool.owner == h {
		if p := &pool.now; len(p.data) > 0 || p.lost > 0 {
			h.give(c, p, pool)
			return true
		}
		pool.owner = nil
	}
	if h.word&holed == 0 {
		return false
	}
	w := pool.of(h)
	for len(w.early) > 0 {
		p := &w.early[0]
		if Before(h.next, p.seq) {
			break
		}
		h.dropStale(p, w)
		if len(p.data) > 0 || p.lost > 0 {
			h.give(c, p, pool)
			return true
		}
		w.release(pool)
	}
	ok := h.gap(c, w)
	h.set(holed, len(w.early) > 0 || w.giveUp)
	return ok
}

// dropStale takes off what was delivered while the piece waited.
func (h *Half) dropStale(p *piece, w *waiting) {
	old := int(int32(h.next - p.seq))
	if old <= 0 {
		return
	}
	old = min(old, len(p.data)+p.lost)
	w.counts.Retransmitted += uint64(old)
	p.skip(old)
}

func (w *waiting) release(pool *Pool) {
	w.held -= w.early[0].cost()
	pool.put(w.early[0].page)
	copy(w.early, w.early[1:])
	w.early[len(w.early)-1] = piece{}
	w.early = w.early[:len(w.early)-1]
	if len(w.early) == 0 {
		w.early = nil
	}
}

// give hands out the data of p, then what the capture cut off behind it.
func (h *Half) give(c *Chunk, p *piece, pool *Pool) {
	*c = Chunk{Offset: h.offset, Time: p.time, Ack: p.ack, HasAck: p.hasAck}
	n := len(p.data)
	if n > 0 {
		c.Data = p.data
	} else {
		n = p.lost
		p.lost = 0
		c.Gap = int64(n)
		w := pool.give(h)
		w.counts.Gaps++
		w.counts.Lost += uint64(n)
	}
	p.data = p.data[len(p.data):]
	p.seq += uint32(n)
	h.next += uint32(n)
	h.offset += int64(n)
	if w := pool.of(h); w != nil {
		w.reached(h.next)
	}
}

// reached ends the giving up of holes at its limit.
func (w *waiting) reached(next uint32) {
	if w.giveUp && !Before(next, w.limit) {
		w.giveUp = false
	}
}

// gap hands out the hole that was given up, as far as the early octets.
func (h *Half) gap(c *Chunk, w *waiting) bool {
	if !w.giveUp {
		return false
	}
	to := w.limit
	if len(w.early) > 0 && Before(w.early[0].seq, to) {
		to = w.early[0].seq
	}
	if h.word&hasFIN != 0 && Before(w.fin, to) {
		to = w.fin // the acknowledgement of a FIN counts one more
	}
	n := int32(to - h.next)
	if n <= 0 {
		w.giveUp = false
		return false
	}
	*c = Chunk{Offset: h.offset, Gap: int64(n)}
	if len(w.early) > 0 {
		c.Time = w.early[0].time
	}
	w.counts.Gaps++
	w.counts.Lost += uint64(n)
	h.next += uint32(n)
	h.offset += int64(n)
	w.reached(h.next)
	return true
}

// Drop gives up what waits.
func (h *Half) Drop(pool *Pool) {
	if w := pool.of(h); w != nil {
		for len(w.early) > 0 {
			w.release(pool)
		}
		h.set(holed, w.giveUp)
	}
}

// Free gives all that the pool has of the half back to it. Counts are zero then.
func (h *Half) Free(pool *Pool) {
	if pool.owner == h {
		pool.owner = nil
	}
	h.Drop(pool)
	pool.takeBack(h)
	h.word &= started
}
