package packet

import (
	"math/bits"
	"time"

	"github.com/mailtap/mailtap/capture/prefetch"
)

// Copies knows the packets that came lately, so that a packet which the capture
// has twice is told from one that was sent twice: two mirror sessions, or a
// bridge and its ports, show every packet again. Its zero value works. It is
// one array without pointers. The latest packet of a place pushes the fourth before it
// out, and a copy of that counts as sent again.
//
// The same packet has the same addresses, ports, numbers, flags, window, length,
// TCP checksum and IPv4 identification. What a router or a switch on the way
// changes is not looked at: TTL, MAC addresses, tags, tunnels, the IP checksum.
// A packet that was sent again differs: its identification is another, with
// timestamps its checksum too (RFC 7323, 3), and a timer sends it again no sooner than
// after 200 ms (Linux; RFC 6298 says 1 s), a keep-alive after 1 s. Linux gives 0
// as identification to what belongs to no socket, SYN and RST among it; IPv6 has
// none. Segments that a network card cut from one or will merge have numbers of
// their own. So without identification (IPv6) only a SYN or FIN is a copy for sure; by
// fast retransmission others come again as they were. They count as copies while the
// capture is seen to have copies: all that is lost then is the count of what was sent
// again.
type Copies struct {
	Window time.Duration // of packet time, in either direction, in which copies come; default DefaultCopyWindow
	Seed   uint64        // of the signatures, so that nobody can make packets that look like copies of others

	window uint64 // in units of 1<<shift ns; 0: not known yet
	shift  int
	latest int64                 // time of the latest copy; 0: none
	seen   [1 << placeBits]place // the latest of each first
}

// DefaultCopyWindow is longer than switches and the ring of a capture delay one
// of two copies, and shorter than any timer of TCP.
const DefaultCopyWindow = 10 * time.Millisecond

// evidence is how long a copy tells that the capture has copies.
const evidence = 10 * time.Minute

const (
	placeBits = 12 // of the number of places: 128 KiB
	timeBits  = 24
	timeMask  = 1<<timeBits - 1
)

// place has of signatures the upper bits, below them the time; 0: none.
type place [4]uint64

// Has says whether the same packet came within the window, and takes note of it.
// A packet of which octets are missing is no copy and has none.
func (c *Copies) Has(s *Segment) bool {
	if len(s.Payload) != s.Length {
		return false
	}
	at, signature := c.signature(s)
	if c.window == 0 {
		c.setWindow()
	}
	now := uint64(s.Time) >> c.shift
	p := &c.seen[at]
	for _, was := range p {
		if (was^signature)>>timeBits == 0 && (now-was+c.window)&timeMask <= 2*c.window {
			return c.believes(s)
		}
	}
	p[3], p[2], p[1], p[0] = p[2], p[1], p[0], signature&^timeMask|now&timeMask
	return false
}

// Expect says that the segments will be asked about soon.
func (c *Copies) Expect(list []Segment) {
	for len(list) > 0 {
		n := min(len(list), prefetch.Size)
		var g prefetch.Group
		for i := range list[:n] {
			prefetch.Add(&g, &c.seen[placeOf(&list[i])])
		}
		g.Ask(1)
		list = list[n:]
	}
}

// believes says whether a packet that looks the same is a copy. Of one without
// identification nothing but the handshake tells: nobody sends that again at once. The
// rest may have been sent again, and is a copy only where the capture has others.
func (c *Copies) believes(s *Segment) bool {
	sure := s.ID != 0 || s.Flags&(SYN|FIN) != 0
	if !sure && (c.latest == 0 || max(s.Time-c.latest, c.latest-s.Time) > int64(evidence)) {
		return false
	}
	c.latest = s.Time
	return true
}

// setWindow chooses a unit of time of which the window has 256 to 511: exact
// enough, and 24 bits of it come round in minutes at least.
func (c *Copies) setWindow() {
	window := uint64(DefaultCopyWindow)
	if c.Window > 0 {
		window = uint64(c.Window)
	}
	c.shift = max(bits.Len64(window)-9, 0)
	c.window = window >> c.shift
}

// Forget empties it.
func (c *Copies) Forget() { *c = Copies{Window: c.Window, Seed: c.Seed} }

// words are what is the same in all copies of a packet, but its addresses.
func words(s *Segment) (from, what, sums uint64) {
	from = uint64(s.SrcPort)<<48 | uint64(s.DstPort)<<32 | uint64(s.Seq)
	what = uint64(s.Ack)<<32 | uint64(s.Window)<<16 | uint64(s.Flags)<<8
	if s.V6 {
		what |= 1
	}
	return from, what, uint64(s.Sum)<<48 | uint64(s.ID)<<32 | uint64(uint32(s.Length))
}

// placeOf is the same for any seed: what is pushed out must not be a matter of
// luck.
func placeOf(s *Segment) uint64 { return placeOfWords(words(s)) }

// placeOfWords mixes the sums in last: where two packets differ in a port alone, so do
// their sums, by as much.
func placeOfWords(from, what, sums uint64) uint64 {
	h := (from^what)*0x9e3779b97f4a7c15 ^ sums
	return (h ^ h>>32) * 0xbf58476d1ce4e5b9 >> (64 - placeBits)
}

// signature also gives the place.
func (c *Copies) signature(s *Segment) (at, signature uint64) {
	from, what, sums := words(s)
	ends := s.Src.Lo<<32 ^ s.Dst.Lo
	seed := c.Seed
	if s.V6 {
		ends = fold128(s.Src.Hi^seed, s.Src.Lo^0xa0761d6478bd642f) ^ fold128(s.Dst.Hi^0xe7037ed1a0b428db, s.Dst.Lo^seed)
	}
	signature = fold128(fold128(ends^seed, from^0x8ebc6af09c88c6e3^seed<<1), fold128(what^seed>>1, sums^0x589965cc75374cc3^seed)) | 1<<63
	return placeOfWords(from, what, sums), signature
}

// fold128 folds a 128-bit product, as wyhash does.
func fold128(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b|1)
	return hi ^ lo
}
