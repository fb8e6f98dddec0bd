package baseline

import "math"

const (
	crestDays   = 3  // a size is ordinary when it was reached on so many days ...
	crestHalf   = 14 // ... of late: days in which a crest loses half its height
	crestClip   = 4  // thresholds that a day's highest window counts for at most
	crestMargin = 2  // what a window may have of the crest
)

// crest is how high the highest windows of ordinary days are: what a newsletter
// or Monday's nine o'clock reaches, though the level of the hour before knows
// nothing of it. It is the third highest of the days' highest windows: two days
// of attacks do not move it at all.
type crest struct {
	top  [crestDays]float32 // highest first, of different days
	peak float32            // of the day that is being counted
	days uint8              // that are in top, at most crestDays
}

func (c *crest) note(peak float64) { c.peak = max(c.peak, float32(peak)) }

// hour ends an hour of the first day. Until that is over, the highest hour
// stands for the day; what was over the threshold counts as the threshold.
func (c *crest) hour(high float32) {
	if c.days == 0 {
		c.top[0] = max(c.top[0], high)
	}
}

// close ends the day that is counted; the next one with a window is so many
// days later. An absence is not held against a group for ever: it costs half.
func (c *crest) close(later int64) {
	if c.days == 0 {
		c.top[0] = 0
	}
	for i, p := 0, c.peak; i < crestDays; i++ {
		if p > c.top[i] {
			p, c.top[i] = c.top[i], p
		}
	}
	if c.peak > 0 {
		c.days = min(c.days+1, crestDays)
	}
	c.peak = 0
	fade := float32(math.Exp2(-float64(min(later, crestHalf)) / crestHalf))
	for i := range c.top {
		c.top[i] *= fade
	}
}

// size is the crest; 0 where nothing is known. While there are fewer days than
// an outlier takes, the highest counts: better quiet than wrong.
func (c *crest) size() float64 {
	if c.days < crestDays {
		return float64(c.top[0])
	}
	return float64(c.top[crestDays-1])
}

// proven is the crest, 0 until there are enough days.
func (c *crest) proven() float64 { return float64(c.top[crestDays-1]) }
