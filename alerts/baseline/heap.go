package baseline

// lightest finds the group of the lowest weight. Weights only rise, so that what
// stands in the heap may be old, but never too high: it is renewed when it
// comes to the top, and an event costs the heap nothing.
type lightest []rank

type rank struct {
	weight float64
	slot   uint32
}

func (a rank) less(b rank) bool {
	return a.weight < b.weight || a.weight == b.weight && a.slot < b.slot
}

func newLightest(groups []group) lightest {
	h := make(lightest, len(groups))
	for i := range h {
		h[i] = rank{groups[i].weight, uint32(i)}
	}
	for i := len(h)/2 - 1; i >= 0; i-- {
		h.down(i)
	}
	return h
}

// slot is that of the lightest group, which is then on top.
func (h lightest) slot(groups []group) uint32 {
	for groups[h[0].slot].weight > h[0].weight {
		h.renew(groups)
	}
	return h[0].slot
}

// renew reads the weight of the one on top anew.
func (h lightest) renew(groups []group) {
	h[0].weight = groups[h[0].slot].weight
	h.down(0)
}

func (h lightest) down(i int) {
	for {
		c := 2*i + 1
		if c >= len(h) {
			return
		}
		if c+1 < len(h) && h[c+1].less(h[c]) {
			c++
		}
		if !h[c].less(h[i]) {
			return
		}
		h[i], h[c] = h[c], h[i]
		i = c
	}
}
