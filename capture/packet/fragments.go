package packet

import "time"

// maxPayload is the most that an IP packet's length field can tell; a piece
// that ends beyond it is an old attack (RFC 8200, 4.5).
const maxPayload = 1<<16 - 1

// FragmentOptions bounds what waits for its other pieces. What goes beyond is
// given up, the oldest first, and counted.
type FragmentOptions struct {
	MaxOctets   int           // of all pieces with their bookkeeping; default 4 MiB
	MaxDatagram int           // octets of payload of one packet; default 65,535, which none exceeds
	MaxPieces   int           // of one packet; default 64
	Timeout     time.Duration // of packet time, from the first piece on; default 30 s
}

func (o *FragmentOptions) maxOctets() int   { return orElse(o.MaxOctets, 4<<20) }
func (o *FragmentOptions) maxDatagram() int { return orElse(o.MaxDatagram, maxPayload) }
func (o *FragmentOptions) maxPieces() int   { return orElse(o.MaxPieces, 64) }
func (o *FragmentOptions) timeout() int64 {
	return int64(orElse(o.Timeout, 30*time.Second))
}

func orElse[T int | time.Duration](v, byDefault T) T {
	if v <= 0 {
		return byDefault
	}
	return v
}

// fragmentKey tells fragmented packets apart (RFC 791, 2.3; RFC 8200, 4.5: the
// protocol counts for IPv4 alone). Tags and tunnels do not: pieces may come by
// different ways.
type fragmentKey struct {
	src, dst [16]byte
	id       uint32
	proto    uint8
	v6       bool
}

// fragments are the packets that are not whole, in the order in which they
// began. Its zero value is empty.
type fragments struct {
	byKey          map[fragmentKey]*datagram
	oldest, newest *datagram
	held           int // octets, with bookkeeping
	lost           [reasonCount]uint64
	whole          [16]wholeDatagram // the latest; a ring
	next           int
}

// wholeDatagram is one that became whole, of which copies of pieces may come yet. They
// are not left out at once: they may as well be what the receiver takes, and those
// before forged.
type wholeDatagram struct {
	key fragmentKey
	at  int64
}

// lately says whether pieces are copies of those of a packet that is whole.
func (f *fragments) lately(key *fragmentKey, now int64) bool {
	for i := range f.whole {
		if w := &f.whole[i]; w.at != 0 && w.key == *key && max(now-w.at, w.at-now) <= int64(DefaultCopyWindow) {
			return true
		}
	}
	return false
}

// What bookkeeping costs, in octets: a datagram's includes its place in the map.
const (
	datagramCost = 512
	partCost     = 24
	holeCost     = 16
)

// add takes a piece. It returns the datagram where that is whole now, else
// Held or why the piece is of no use.
func (f *fragments) add(key fragmentKey, p piece, now int64, o *FragmentOptions) (*datagram, Reason) {
	g := f.byKey[key]
	if g != nil && (now-g.since >= o.timeout() || g.why == NotTCP && p.at == 0) { // the number is used again
		f.forget(g, Fragment)
		g = nil
	}
	if g == nil {
		g = f.begin(key, now, o)
	}
	was := g.cost()
	whole, r := g.add(p, o)
	f.held += g.cost() - was
	if whole {
		if r != Held {
			f.lost[r]++
		}
		f.drop(g)
		f.whole[f.next%len(f.whole)] = wholeDatagram{key, now}
		f.next++
		return g, OK
	}
	if g.why != OK {
		f.lost[g.why] += g.pieces
		g.pieces = 0
	}
	if r == Held {
		g.pieces++
	}
	f.shrink(o)
	return nil, r
}

// shrink gives up the oldest until what is left is within bounds.
func (f *fragments) shrink(o *FragmentOptions) {
	for f.held > o.maxOctets() {
		f.forget(f.oldest, FragmentLimit)
	}
}

func (f *fragments) begin(key fragmentKey, now int64, o *FragmentOptions) *datagram {
	g := &datagram{key: key, since: now, copies: f.lately(&key, now), cut: maxPayload, holes: []span{{0, o.maxDatagram()}}}
	if f.byKey == nil {
		f.byKey = make(map[fragmentKey]*datagram)
	}
	f.byKey[key] = g
	if g.older = f.newest; g.older != nil {
		g.older.newer = g
	} else {
		f.oldest = g
	}
	f.newest = g
	f.held += g.cost()
	return g
}

// forget gives a datagram up and counts its pieces.
func (f *fragments) forget(g *datagram, why Reason) {
	if g.copies && why == Fragment {
		why = Duplicate
	}
	f.lost[why] += g.pieces
	f.drop(g)
}

func (f *fragments) drop(g *datagram) {
	delete(f.byKey, g.key)
	f.held -= g.cost()
	if g.older != nil {
		g.older.newer = g.newer
	} else {
		f.oldest = g.newer
	}
	if g.newer != nil {
		g.newer.older = g.older
	} else {
		f.newest = g.older
	}
	g.older, g.newer = nil, nil
}

// Advance tells the Decoder that packet time, in nanoseconds since the Unix
// epoch, has come to now: fragmented packets that wait too long are given up.
// It adds all pieces that were given up since its last call to ignored, which
// is indexed as Reasons is. At the end of input math.MaxInt64 gives up all.
func (d *Decoder) Advance(now int64, ignored []uint64) {
	f, timeout := &d.pieces, d.Fragments.timeout()
	for f.oldest != nil && f.oldest.since <= now-timeout {
		f.forget(f.oldest, Fragment)
	}
	for i, n := range f.lost[1:] {
		ignored[i] += n
	}
	f.lost = [reasonCount]uint64{}
}
