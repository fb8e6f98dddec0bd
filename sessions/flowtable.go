package sessions

import (
	"math/bits"
	"math/rand/v2"
)

// flowTable finds connections: open addressing with linear probing, deletion
// by shifting back. The hash is seeded, so that nobody can choose addresses
// that collide. It is faster than a map here because the hash is two
// multiplications over words, and most look-ups touch one line of the index.
type flowTable struct {
	slots []flowSlot // a power of two
	seed  [2]uint64
	count int
}

type flowSlot struct {
	hash uint64
	flow *flow // nil: empty
}

func newFlowTable(seed uint64) flowTable {
	t := flowTable{slots: make([]flowSlot, 64), seed: [2]uint64{seed | 1, seed*0x9e3779b97f4a7c15 | 1}}
	return t
}

func randomSeed() uint64 { return rand.Uint64() }

func (t *flowTable) hash(k *flowKey) uint64 {
	h := mix(k.aLo^t.seed[0], k.bLo^t.seed[1])
	h = mix(h^k.aHi, k.bHi^t.seed[0]^0x9e3779b97f4a7c15)
	return mix(h^uint64(k.ports), t.seed[1]^uint64(k.family)<<32)
}

// mix folds a 128-bit product, as wyhash does.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b|1)
	return hi ^ lo
}

func (t *flowTable) get(k flowKey) *flow {
	h := t.hash(&k)
	mask := uint64(len(t.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.flow == nil {
			return nil
		}
		if s.hash == h && s.flow.key.is(&k) {
			return s.flow
		}
	}
}

func (t *flowTable) put(f *flow) {
	if t.count*2 >= len(t.slots) {
		t.grow()
	}
	t.insert(flowSlot{t.hash(&f.key), f})
	t.count++
}

func (t *flowTable) insert(s flowSlot) {
	mask := uint64(len(t.slots) - 1)
	i := s.hash & mask
	for t.slots[i].flow != nil {
		i = (i + 1) & mask
	}
	t.slots[i] = s
}

func (t *flowTable) grow() {
	old := t.slots
	t.slots = make([]flowSlot, 2*len(old))
	for _, s := range old {
		if s.flow != nil {
			t.insert(s)
		}
	}
}

// remove takes a connection out and shifts back what it had pushed on.
func (t *flowTable) remove(f *flow) {
	mask := uint64(len(t.slots) - 1)
	i := t.hash(&f.key) & mask
	for t.slots[i].flow != f {
		if t.slots[i].flow == nil {
			return
		}
		i = (i + 1) & mask
	}
	t.count--
	for j := i; ; {
		j = (j + 1) & mask
		s := t.slots[j]
		if s.flow == nil {
			break
		}
		if home := s.hash & mask; (j-home)&mask >= (j-i)&mask {
			t.slots[i] = s
			i = j
		}
	}
	t.slots[i] = flowSlot{}
}

// all lists the connections in no order.
func (t *flowTable) all(yield func(*flow) bool) {
	for _, s := range t.slots {
		if s.flow != nil && !yield(s.flow) {
			return
		}
	}
}
