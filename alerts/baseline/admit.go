package baseline

import "math"

const (
	weightHalf = 28 * 24 // hours in which an event loses half its weight
	maxUnit    = 900     // logarithm of the most that an event can weigh: 48 years
)

// tick makes an event of this hour weigh twice as much as one four weeks before
// it: so the old ones fade though nothing is ever walked through (Cormode et
// al., "Forward Decay", 2009).
func (t *Table) tick(hour int64) {
	if t.base == 0 {
		t.base = hour
	}
	t.now = hour
	t.unit = math.Exp2(min(float64(hour-t.base)/weightHalf, maxUnit))
}

func (t *Table) weigh(w *Windows) float64 { return t.unit * max(w.Count, 1) }

// admit gives a newcomer a place. In a full table it may take the lightest
// group's, by a throw of dice: once in as many times as that one has events more
// than it (Ben Basat et al., "Randomized Admission Policy", 2017). So a million
// newcomers with one event each push out none that has some, and who comes
// again and again gets in.
func (t *Table) admit(k Key, w *Windows, hour int64) (slot uint32, ok bool) {
	g := group{key: k, since: w.Window, last: w.Window, hour: hour, early: w.Early}
	if n := len(t.groups); n < t.o.Groups {
		slot = uint32(n)
		t.groups = append(t.groups, g)
		t.slots[k] = slot
		return slot, true
	}
	if t.light == nil {
		t.light = newLightest(t.groups)
	}
	slot = t.light.slot(t.groups)
	old := &t.groups[slot]
	t.tries++
	if mine := t.weigh(w); dice(k.A^t.tries)*(old.weight+mine) > mine {
		return 0, false
	}
	g.weight = old.weight
	if old.season > 0 {
		t.seasons[old.season-1] = season{since: hour + 1, owner: slot}
		g.season = old.season
	}
	delete(t.slots, old.key)
	*old = g
	t.slots[k] = slot
	return slot, true
}

// dice is a number in [0, 1) that hangs on x alone (splitmix64).
func dice(x uint64) float64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return float64((x^x>>31)>>11) / (1 << 53)
}
