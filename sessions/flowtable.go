package sessions

import (
	"math/bits"
	"math/rand/v2"

	"github.com/mailtap/mailtap/capture/packet"
)

// flowTable holds and finds connections: entries lie in slabs and are known by
// number; the index is open addressing with linear probing and deletion by
// shifting back. The hash is seeded, so that nobody can choose addresses that
// collide. Nothing in it is a pointer to an entry, and growing copies the index
// alone.
type flowTable struct {
	slots []uint64 // half of the hash, then the entry's number; 0: empty. A power of two
	slabs []*slabOf
	free  uint32 // head of the list of free entries, linked by next
	seed  [2]uint64
	count int
}

const (
	slabBits = 9 // entries of a slab, what one allocation brings: whole pages
	slabMask = 1<<slabBits - 1
)

type slabOf [1 << slabBits]entry

func newFlowTable(seed uint64) flowTable {
	return flowTable{slots: make([]uint64, 64), seed: [2]uint64{seed | 1, seed*0x9e3779b97f4a7c15 | 1}}
}

func randomSeed() uint64 { return rand.Uint64() }

// hash is the same for both directions: each end is hashed, and which comes
// first does not matter.
func (t *flowTable) hash(k *flowKey) uint64 {
	return mix(t.end(k.a, uint16(k.ports>>16), k.v6)+t.end(k.b, uint16(k.ports), k.v6), t.seed[1])
}

// hashOf is the hash of a segment's connection.
func (t *flowTable) hashOf(s *packet.Segment) uint64 {
	return mix(t.end(s.Src, s.SrcPort, s.V6)+t.end(s.Dst, s.DstPort, s.V6), t.seed[1])
}

func (t *flowTable) end(a packet.Address, port uint16, v6 bool) uint64 {
	h := mix(a.Lo^t.seed[0], uint64(port)<<16^t.seed[1])
	if v6 {
		h = mix(h^a.Hi, t.seed[0]^0x9e3779b97f4a7c15)
	}
	return h
}

// mix folds a 128-bit product, as wyhash does.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b|1)
	return hi ^ lo
}

// tag is the part of the hash that a slot keeps. The place in the index comes
// from it too, so that no entry is looked at to move a slot.
func tag(hash uint64) uint64 { return hash &^ 0xffffffff }

func (t *flowTable) home(slot uint64) uint64 { return slot >> 32 & uint64(len(t.slots)-1) }

// at returns the entry of a number.
func (t *flowTable) at(id uint32) *entry { return &t.slabs[id>>slabBits][id&slabMask] }

// likely returns the entry that a key of this hash most likely has, nil for
// none: without a look at the entry itself.
func (t *flowTable) likely(hash uint64) *entry {
	mask := uint64(len(t.slots) - 1)
	for i := t.home(hash); ; i = (i + 1) & mask {
		s := t.slots[i]
		if s == 0 {
			return nil
		}
		if tag(s) == tag(hash) {
			return t.at(uint32(s))
		}
	}
}

// find returns the connection of a segment, nil where it has none, and whether
// the segment comes from the key's first end.
func (t *flowTable) find(s *packet.Segment, hash uint64) (e *entry, fromA bool) {
	mask := uint64(len(t.slots) - 1)
	for i := t.home(hash); ; i = (i + 1) & mask {
		slot := t.slots[i]
		if slot == 0 {
			return nil, false
		}
		if tag(slot) == tag(hash) {
			e = t.at(uint32(slot))
			if fromA, ok := e.key.holds(s); ok {
				return e, fromA
			}
		}
	}
}

// put makes an empty entry for a key that has none.
func (t *flowTable) put(k *flowKey, hash uint64) *entry {
	if t.count*2 >= len(t.slots) {
		t.grow()
	}
	if t.free == 0 {
		t.addSlab()
	}
	id := t.free
	e := t.at(id)
	t.free = e.next
	*e = entry{key: *k, id: id}
	t.insert(tag(hash) | uint64(id))
	t.count++
	return e
}

func (t *flowTable) addSlab() {
	base := uint32(len(t.slabs)) << slabBits
	slab := new(slabOf)
	t.slabs = append(t.slabs, slab)
	for i := len(slab) - 1; i >= 0; i-- {
		if id := base + uint32(i); id != 0 { // 0 stands for none
			slab[i].next = t.free
			t.free = id
		}
	}
}

func (t *flowTable) insert(slot uint64) {
	mask := uint64(len(t.slots) - 1)
	i := t.home(slot)
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = slot
}

func (t *flowTable) grow() {
	old := t.slots
	t.slots = make([]uint64, 2*len(old))
	for _, s := range old {
		if s != 0 {
			t.insert(s)
		}
	}
}

// remove takes a connection out and shifts back what it had pushed on.
func (t *flowTable) remove(e *entry) {
	mask := uint64(len(t.slots) - 1)
	i := t.home(t.hash(&e.key))
	for uint32(t.slots[i]) != e.id {
		if t.slots[i] == 0 {
			return
		}
		i = (i + 1) & mask
	}
	for j := i; ; {
		j = (j + 1) & mask
		s := t.slots[j]
		if s == 0 {
			break
		}
		if home := t.home(s); (j-home)&mask >= (j-i)&mask {
			t.slots[i] = s
			i = j
		}
	}
	t.slots[i] = 0
	t.count--
	e.key, e.next, e.talker = noKey, t.free, 0
	t.free = e.id
}

// all lists the connections in no order.
func (t *flowTable) all(yield func(*entry) bool) {
	for _, s := range t.slots {
		if s != 0 && !yield(t.at(uint32(s))) {
			return
		}
	}
}
