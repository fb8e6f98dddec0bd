package alerts

import (
	"math/rand"
	"slices"
	"testing"
)

// TestSlots holds the slots against a list in the order of use.
func TestSlots(t *testing.T) {
	for _, max := range []int{1, 2, 7, 100, 1000} {
		rnd := rand.New(rand.NewSource(int64(max)))
		s := newSlots(max)
		var list []key           // used last at the end
		held := map[key]uint32{} // slots
		for range 20_000 {
			// Few low halves: many keys fall into the same cells.
			k := key{uint64(rnd.Intn(max + 5)), uint64(rnd.Intn(2))}
			slot, ok := s.get(k)
			i := slices.Index(list, k)
			if ok != (i >= 0) || ok && held[k] != slot {
				t.Fatalf("max %d: get %v, %v", max, slot, ok)
			}
			if ok {
				list = append(slices.Delete(list, i, i+1), k)
				continue
			}
			if rnd.Intn(3) == 0 {
				continue
			}
			slot, taken := s.add(k)
			if taken != (len(list) == max) {
				t.Fatalf("max %d: a slot was taken at %d keys", max, len(list))
			}
			if taken {
				if held[list[0]] != slot {
					t.Fatalf("max %d: not the key used longest ago had to go", max)
				}
				delete(held, list[0])
				list = list[1:]
			}
			list, held[k] = append(list, k), slot
		}
		if len(s.entries) != max {
			t.Errorf("max %d: %d entries", max, len(s.entries))
		}
	}
}
