package baseline

// Key tells groups apart: 128 bits of a hash whose key is no peer's to know.
type Key struct{ A, B uint64 }

// Place is where a table has a group, for a shorter way to it; 0 is none. It may
// be out of date: the key is what counts.
type Place uint32

// group is what is learned about one group. It has no pointer.
type group struct {
	key     Key
	weight  float64 // of its events, see weigh
	since   int64   // its first window
	last    int64   // window up to which all is learned, with it
	hour    int64   // that is being counted, since 1970
	windows uint32  // learned
	season  uint32  // page and one; 0: none
	sum     float32 // of the hour
	high    float32 // highest window of the hour
	level   level
	crest   crest
	early   bool // was here when counting began: its past is not known
	whole   bool // the hour was counted from its beginning
	settled bool // its season is believed: the crest is that of exceptions
}

// expected says how the bound of a group came about.
type expected struct {
	low, high    float64
	usual, bound float64 // without and with the crest
	seasonal     bool
}

// expect is what the group's windows have at an hour.
func (g *group) expect(o *Options, page *season, hour int64) expected {
	if g.settled && page != nil {
		if mean, peak, ok := page.expect(hour); ok {
			l := level{mean: float32(mean), dev: float32((peak - mean) / (1.2533 * levelClip))}
			x := expected{max(0, 2*mean-peak), peak, l.bound(o), crestMargin * g.crest.proven(), true}
			if x.bound > x.usual {
				x.high = max(x.high, g.crest.proven())
			}
			x.bound = max(x.bound, x.usual)
			return x
		}
	}
	mean, spread, size := float64(g.level.mean), g.level.spread(), g.crest.size()
	usual := g.level.bound(o)
	return expected{max(0, mean-2*spread), max(mean+2*spread, size), usual, max(usual, crestMargin*size), false}
}

// turn ends the hour and the day that are being counted where another has
// begun. heard tells of an hour whether there was anything to hear.
func (g *group) turn(hour int64, page *season, perHour float64, heard func(int64) bool) (newDay bool) {
	if hour == g.hour {
		return false
	}
	if hour < g.hour { // the clock stepped back
		g.hour, g.whole, g.sum, g.high = hour, false, 0, 0
		return false
	}
	if page != nil {
		if g.whole {
			page.learn(g.hour, float64(g.sum)/perHour, float64(g.high))
		}
		for h := max(g.hour+1, hour-week); h < hour; h++ {
			if heard(h) {
				page.learn(h, 0, 0)
			}
		}
	}
	g.crest.hour(g.high)
	if later := day(hour) - day(g.hour); later > 0 {
		g.crest.close(later)
		newDay = true
	}
	g.whole = hour == g.hour+1 || heard(hour-1)
	g.hour, g.sum, g.high = hour, 0, 0
	return newDay
}

func day(hour int64) int64 { return hour / 24 }
