package baseline

import (
	"math"
	"slices"
)

const (
	week         = 7 * 24    // hours
	seasonOld    = 2 * week  // hours until a season is believed: each hour was there twice
	seasonRate   = 3         // a week counts for a third
	seasonOctave = 1024      // steps of a code for a factor of two
	seasonFall   = 1024 / 4  // an hour's figures fall by a quarter of an octave a week at most: people have holidays
	workdays     = 5         // Monday to Friday
	firstHour    = 3 * 24    // 1970-01-01 was a Thursday
	maxCode      = 65535 - 1 // of seasonOctave
)

// season is what each hour of the week is like: the mean and the highest of
// its windows. Numbers stand as logarithms, in 16 bits each; 0 is an hour never
// seen. Hours are those of UTC: a day of an hour more or less is covered by the
// neighbours.
type season struct {
	mean, peak [week]uint16
	since      int64  // hour, when it began
	owner      uint32 // slot of the group
}

func slotOf(hour int64) int { return int(((hour+firstHour)%week + week) % week) }

func encode(x float64) uint16 {
	return uint16(min(math.Log2(1+max(x, 0))*seasonOctave+0.5, maxCode)) + 1
}

func decode(code uint16) float64 { return math.Exp2(float64(code-1)/seasonOctave) - 1 }

func (s *season) learn(hour int64, mean, peak float64) {
	i := slotOf(hour)
	approach(&s.mean[i], encode(mean))
	approach(&s.peak[i], encode(peak))
}

func approach(code *uint16, to uint16) {
	if *code == 0 {
		*code = to
		return
	}
	d := (int(to) - int(*code)) / seasonRate
	*code = uint16(int(*code) + max(d, -seasonFall))
}

// expect gives what windows of an hour have, on the average and at most; not ok
// where nothing is known. The hours before and behind count as well (summer
// time, a shift that begins early), and what most working days have at that
// hour (the Monday of last week was a holiday).
func (s *season) expect(hour int64) (mean, peak float64, ok bool) {
	var m, p uint16
	for h := hour - 1; h <= hour+1; h++ {
		i := slotOf(h)
		m = max(m, s.mean[i], usual(&s.mean, i))
		p = max(p, s.peak[i], usual(&s.peak, i))
	}
	if m == 0 || p == 0 {
		return 0, 0, false
	}
	return decode(m), decode(max(m, p)), true
}

// usual is the median over the working days at the hour of a slot; 0 at a
// weekend, and while fewer than three are known.
func usual(codes *[week]uint16, slot int) uint16 {
	if slot >= workdays*24 {
		return 0
	}
	var days [workdays]uint16
	for d := range days {
		days[d] = codes[d*24+slot%24]
	}
	slices.Sort(days[:])
	return days[workdays/2]
}
