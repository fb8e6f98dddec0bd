package evidence

import (
	"encoding/binary"
	"math/bits"
	"sync"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
)

// Ring keeps copies of the latest packets of a shard's connections, in memory of
// a fixed size; the oldest go first. A packet is one record: a header and the
// octets as they were captured. The records of connections of one hash are a
// chain, from the latest back, so that a connection is found without a look at
// all others. The shard adds, the goroutine of the alerts looks for some: the
// one who does holds the lock, the shard for many packets at once.
type Ring struct {
	mu   sync.Mutex
	room []byte
	ends []uint64 // by hash: the place behind which the latest record of a chain begins
	head uint64   // octets that were ever written: where the next record begins, less laps
	tail uint64   // where the oldest record begins, likewise
	seed uint64   // so that nobody can make connections of one hash
	made []byte   // a frame that is being made anew
	left uint64   // packets that are too large for it
}

// Fields of a record.
const (
	atChain  = 0  // the end of the record before in the chain, as in ends; 0: none; skipped: none follows before the end of the room
	atHash   = 8  // of both ends
	atTime   = 16 // nanoseconds since the Unix epoch
	atSize   = 24 // octets captured
	atLength = 28 // octets on the wire
	atLink   = 32
	atMade   = 34 // 1: a frame made anew
	record   = 40 // octets before the packet's
	skipped  = ^uint64(0)
	place    = 1 // ends are places plus one: 0 is no place
)

const (
	leastRoom = 64 << 10
	perChain  = 1024    // octets of the ring for each chain, at least
	largest   = 4       // part of the ring that one packet may take
	maxSteps  = 1 << 15 // records of one chain that are looked at
)

func newRing(octets int, seed uint64) *Ring {
	octets = max(octets, leastRoom) &^ 7
	chains := 1 << (bits.Len(uint(octets/perChain)) - 1)
	return &Ring{room: make([]byte, octets), ends: make([]uint64, chains), seed: seed}
}

// Lock must be held where packets are added.
func (r *Ring) Lock() { r.mu.Lock() }

// Unlock gives it back.
func (r *Ring) Unlock() { r.mu.Unlock() }

// Add copies the packet that a segment was decoded from.
func (r *Ring) Add(p *capture.Packet, s *packet.Segment) {
	r.add(r.hash(s), p, false)
}

// AddSegment keeps a segment whose packet is not to be had: one of several
// pieces, or of the begin of a session that was found later. It gets headers made
// anew.
func (r *Ring) AddSegment(s *packet.Segment) {
	p, ok := frameOf(r.made, s)
	if r.made = p.Data; ok {
		r.add(r.hash(s), &p, true)
	}
}

func (r *Ring) add(hash uint64, p *capture.Packet, made bool) {
	size := uint64(len(r.room))
	need := uint64(record + (len(p.Data)+7)&^7)
	if need > size/largest {
		r.left++
		return
	}
	skip := uint64(0)
	if rest := size - r.head%size; rest < need {
		skip = rest
	}
	for r.head+skip+need-r.tail > size {
		r.drop()
	}
	if skip >= 8 {
		binary.LittleEndian.PutUint64(r.room[r.head%size:], skipped)
	}
	r.head += skip
	b := r.room[r.head%size:][:need]
	end := &r.ends[hash&uint64(len(r.ends)-1)]
	binary.LittleEndian.PutUint64(b[atChain:], *end)
	binary.LittleEndian.PutUint64(b[atHash:], hash)
	binary.LittleEndian.PutUint64(b[atTime:], uint64(p.Time))
	binary.LittleEndian.PutUint32(b[atSize:], uint32(len(p.Data)))
	binary.LittleEndian.PutUint32(b[atLength:], uint32(p.Length))
	binary.LittleEndian.PutUint16(b[atLink:], uint16(p.Link))
	b[atMade] = 0
	if made {
		b[atMade] = 1
	}
	copy(b[record:], p.Data)
	*end = r.head + place
	r.head += need
}

// drop gives up the oldest record.
func (r *Ring) drop() {
	size := uint64(len(r.room))
	at := r.tail % size
	if size-at < record || binary.LittleEndian.Uint64(r.room[at:]) == skipped {
		r.tail += size - at
		return
	}
	r.tail += uint64(record + (int(binary.LittleEndian.Uint32(r.room[at+atSize:]))+7)&^7)
}

// limits of what is taken of one connection.
type limits struct {
	from, until     int64 // packet time
	packets, octets int
}

// find gives the latest packets of a connection, the latest first, and says
// whether there are more. What it hands out is borrowed.
func (r *Ring) find(f *Flow, l limits, take func(capture.Packet, bool)) (more bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ends packet.Segment
	ends.SetEnds(f.Client, f.Server)
	hash, size := r.hash(&ends), uint64(len(r.room))
	end := r.ends[hash&uint64(len(r.ends)-1)]
	for range maxSteps {
		if end == 0 || end-place < r.tail {
			return false
		}
		b := r.room[(end-place)%size:]
		end = binary.LittleEndian.Uint64(b[atChain:])
		at := int64(binary.LittleEndian.Uint64(b[atTime:]))
		if binary.LittleEndian.Uint64(b[atHash:]) != hash || at < l.from || at > l.until {
			continue
		}
		n := int(binary.LittleEndian.Uint32(b[atSize:]))
		if l.packets--; l.packets < 0 || n > l.octets {
			return true
		}
		l.octets -= n
		take(capture.Packet{
			Time: at, Data: b[record:][:n:n], Length: int(binary.LittleEndian.Uint32(b[atLength:])),
			Link: capture.LinkType(binary.LittleEndian.Uint16(b[atLink:])),
		}, b[atMade] == 1)
	}
	return true
}

// hash is the same for both directions.
func (r *Ring) hash(s *packet.Segment) uint64 {
	return mix(r.end(s.Src, s.SrcPort) + r.end(s.Dst, s.DstPort))
}

func (r *Ring) end(a packet.Address, port uint16) uint64 {
	return mix(mix(a.Lo^r.seed) ^ a.Hi ^ uint64(port)<<48)
}

// mix is the finalizer of MurmurHash3: each bit of v changes half of the result.
func mix(v uint64) uint64 {
	v = (v ^ v>>33) * 0xff51afd7ed558ccd
	v = (v ^ v>>33) * 0xc4ceb9fe1a85ec53
	return v ^ v>>33
}
