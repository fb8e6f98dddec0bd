package alerts

import (
	"math/rand"
	"slices"
	"testing"
)

// twoLists is what slots do, told with two lists: once and again, used last at
// the end.
type twoLists struct {
	max         int
	once, again []key
}

func (l *twoLists) use(k key) {
	if i := slices.Index(l.once, k); i >= 0 {
		l.once = slices.Delete(l.once, i, i+1)
	}
	if i := slices.Index(l.again, k); i >= 0 {
		l.again = slices.Delete(l.again, i, i+1)
	}
	l.again = append(l.again, k)
	if len(l.again) > max(1, l.max/5*4) {
		l.once, l.again = append(l.once, l.again[0]), l.again[1:]
	}
}

func (l *twoLists) add(k key) (gone key, taken bool) {
	if len(l.once)+len(l.again) == l.max {
		taken = true
		if len(l.once) > 0 {
			gone, l.once = l.once[0], l.once[1:]
		} else {
			gone, l.again = l.again[0], l.again[1:]
		}
	}
	l.once = append(l.once, k)
	return gone, taken
}

// TestSlots holds the slots against lists in the order of use.
func TestSlots(t *testing.T) {
	for _, max := range []int{1, 2, 7, 100, 1000} {
		rnd := rand.New(rand.NewSource(int64(max)))
		s, lists := newSlots(max), twoLists{max: max}
		held := map[key]uint32{} // slots
		for range 20_000 {
			// Few low halves: many keys fall into the same cells.
			k := key{uint64(rnd.Intn(max + 5)), uint64(rnd.Intn(2))}
			slot, ok := s.get(k)
			want, known := held[k]
			if ok != known || ok && want != slot {
				t.Fatalf("max %d: get %v, %v", max, slot, ok)
			}
			if ok {
				lists.use(k)
				continue
			}
			if rnd.Intn(3) == 0 {
				continue
			}
			slot, taken := s.add(k)
			gone, full := lists.add(k)
			if taken != full {
				t.Fatalf("max %d: a slot was taken at %d keys", max, len(held))
			}
			if taken {
				if held[gone] != slot {
					t.Fatalf("max %d: another key had to go", max)
				}
				delete(held, gone)
			}
			held[k] = slot
		}
		if len(s.entries) != max {
			t.Errorf("max %d: %d entries", max, len(s.entries))
		}
	}
}

// TestNewcomersPushOutNobodyWhoCameBack holds what the two lists are for.
func TestNewcomersPushOutNobodyWhoCameBack(t *testing.T) {
	s := newSlots(100)
	for i := range uint64(50) {
		s.add(key{i, 1})
		s.get(key{i, 1})
	}
	for i := range uint64(100_000) {
		s.add(key{i, 2})
	}
	for i := range uint64(50) {
		if _, ok := s.find(key{i, 1}); !ok {
			t.Fatalf("key %d was pushed out by keys that came once", i)
		}
	}
}
