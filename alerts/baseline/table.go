package baseline

import (
	"math"
	"time"
)

// Options say what a Table learns; the zero value of the last two works.
type Options struct {
	Window     time.Duration // length of a window
	Floor      float64       // no bound is lower
	Limit      float64       // the bound of a group never met before
	Factor     float64       // times the expected mean, and ...
	Deviations float64       // ... so many deviations above it are ordinary
	Learn      int           // windows until a group's own figures are believed

	Groups  int // kept at most; default 16,384, about 150 octets each
	Seasons int // of these, groups whose hours of the week are known; default 1,024, 700 octets each
}

// Defaults of Options.
const (
	DefaultGroups  = 16384
	DefaultSeasons = 1024
)

// Windows is what a group did lately: the count of one window that is over,
// and nothing from then until window Now.
type Windows struct {
	Window, Now int64
	Count       float64 // in the window
	Peak        float64 // highest count of any span as long as a window that ended in it; at least Count
	Early       bool    // the group was there when counting began: its past is not known
}

// Bound is what a group is held against, and why.
type Bound struct {
	Threshold float64 // 0: nothing yet, the group is being learned
	Low, High float64 // what is expected; both 0 where the group was not met before
	Windows   int     // learned of the group; 0: not met before
	Since     int64   // window since which
	Seasonal  bool    // the expectation is that of this hour of the week

	usual float64 // the threshold without the group's exceptions
}

// Table keeps the baselines of one rule's groups: of all as long as there is
// room, then of the heaviest. It is used by one goroutine.
type Table struct {
	o       Options
	perHour float64 // windows
	groups  []group
	slots   map[Key]uint32
	seasons []season
	all     level       // of every window in which a group did anything
	heard   [week]int64 // hours in which there was anything, by their place in a week
	light   lightest    // built when the table is full
	tries   uint64      // of newcomers to get in
	base    int64       // hour in which an event weighed 1
	now     int64       // hour heard last
	unit    float64     // what an event weighs now
}

// New makes an empty table.
func New(o Options) *Table {
	if o.Groups <= 0 {
		o.Groups = DefaultGroups
	}
	if o.Seasons <= 0 {
		o.Seasons = DefaultSeasons
	}
	if o.Window <= 0 {
		o.Window = time.Minute
	}
	t := &Table{o: o, slots: map[Key]uint32{}, unit: 1}
	if o.Window <= time.Hour { // longer windows have no hour
		t.perHour = float64(time.Hour) / float64(o.Window)
	}
	return t
}

// Len is how many groups are kept.
func (t *Table) Len() int { return len(t.groups) }

// Hear notes that there was something to count in a window, whoever did it.
// Time in which nothing at all was heard teaches nothing: the capture may have
// been away.
func (t *Table) Hear(window int64) {
	h := t.hour(window)
	if h != t.now {
		t.tick(h)
	}
	t.heard[slotOf(h)] = h
}

func (t *Table) find(k Key, at Place) (slot uint32, ok bool) {
	if i := int(at) - 1; i >= 0 && i < len(t.groups) && t.groups[i].key == k {
		return uint32(i), true
	}
	slot, ok = t.slots[k]
	return slot, ok
}

func (t *Table) wasHeard(hour int64) bool { return t.heard[slotOf(hour)] == hour }

// hour is the one in which a window begins.
func (t *Table) hour(window int64) int64 {
	seconds := float64(window) * t.o.Window.Seconds()
	return int64(min(max(seconds/3600, 0), math.MaxInt32))
}

// Bound is what a window of a group is held against.
func (t *Table) Bound(k Key, at Place, early bool, window int64) Bound {
	slot, met := t.find(k, at)
	if !met {
		return t.stranger(early)
	}
	return t.boundOf(&t.groups[slot], window)
}

// stranger is the bound of a group that is not known.
func (t *Table) stranger(early bool) Bound {
	switch {
	case early:
		return Bound{}
	case int(t.all.n) >= min(t.o.Learn, levelMemory):
		return Bound{Threshold: max(t.o.Limit, t.all.bound(&t.o))}
	}
	return Bound{Threshold: t.o.Limit}
}

func (t *Table) boundOf(g *group, window int64) Bound {
	if int(g.windows) < t.o.Learn {
		return t.stranger(g.early)
	}
	x := g.expect(&t.o, t.page(g), t.hour(window))
	return Bound{Threshold: max(t.o.Floor, x.bound), Low: x.low, High: x.high,
		Windows: int(g.windows), Since: g.since, Seasonal: x.seasonal, usual: max(t.o.Floor, x.usual)}
}

func (t *Table) page(g *group) *season {
	if g.season == 0 {
		return nil
	}
	return &t.seasons[g.season-1]
}

// Learn takes a window that is over, and says where the group has its place.
// Windows of a group come in order; where the clock stepped back they begin
// anew from there.
func (t *Table) Learn(k Key, at Place, w Windows) Place {
	slot, met := t.find(k, at)
	hour := t.hour(w.Window)
	if !met {
		var ok bool
		if slot, ok = t.admit(k, &w, hour); !ok {
			t.all.learn(min(w.Count, t.o.Limit), 1)
			return 0
		}
	}
	g := &t.groups[slot]
	g.weight += t.weigh(&w)
	g.quiet(t.silence(g.last, w.Window)) // since before a restart
	if hour != g.hour {
		g.turnTo(t, slot, hour)
	}
	g.learn(t, &w)
	return Place(slot + 1)
}

// learn brings a window, and the silence behind it, into all estimates. A
// window over the threshold counts as one that just reached it, and for less.
func (g *group) learn(t *Table, w *Windows) {
	x, peak, crest, weight := w.Count, w.Peak, w.Peak, 1.0
	exceptional := false
	if w.Peak > t.o.Floor {
		b := t.boundOf(g, w.Window)
		if b.Threshold > 0 && w.Peak > b.Threshold {
			x, peak, weight = min(x, b.Threshold), b.Threshold, overWeight
			crest = min(crest, crestClip*b.Threshold)
		}
		exceptional = b.Seasonal && w.Peak > b.usual
	}
	if w.Count > 0 {
		t.all.learn(x, weight)
	}
	g.sum += float32(x)
	g.high = max(g.high, float32(peak))
	if !g.settled || exceptional {
		g.crest.note(crest)
	}
	g.level.learn(x, weight)
	g.windows = uint32(min(int64(g.windows)+1, math.MaxUint32))
	g.quiet(t.silence(w.Window, w.Now))
	g.last = max(w.Now-1, 0)
}

// quiet learns windows without an event.
func (g *group) quiet(windows int64) {
	if windows == 0 {
		return
	}
	g.level.silence(windows)
	g.windows = uint32(min(int64(g.windows)+windows, math.MaxUint32))
}

// silence counts the windows between two in which a group was silent and
// others were not.
func (t *Table) silence(from, to int64) int64 {
	gap := to - from - 1
	if gap <= 0 {
		return 0
	}
	if t.perHour == 0 || float64(gap) < t.perHour {
		return gap
	}
	h, until, silent := t.hour(from), t.hour(to), 0.0
	for h = max(h+1, until-week); h < until; h++ {
		if t.wasHeard(h) {
			silent += t.perHour
		}
	}
	return min(int64(silent), gap)
}

// turnTo ends what ended before an hour. A group that is heavy enough to be
// held against more than the floor gets a page for its season.
func (g *group) turnTo(t *Table, slot uint32, hour int64) {
	page := t.page(g)
	newDay := g.turn(hour, page, max(t.perHour, 1), t.wasHeard)
	if newDay && page == nil && t.perHour > 0 && max(t.o.Factor, crestMargin)*g.crest.size() > t.o.Floor {
		t.lend(slot, hour)
	}
	if page != nil && !g.settled && hour-page.since >= seasonOld {
		g.settled = true
	}
}

// lend gives a group a page: a free one, or that of the lightest group that has
// one, if it is not half as heavy.
func (t *Table) lend(slot uint32, hour int64) {
	g := &t.groups[slot]
	n := uint32(len(t.seasons))
	if int(n) < t.o.Seasons {
		t.seasons = append(t.seasons, season{})
	} else {
		n = 0
		for i := range t.seasons {
			if a, b := &t.seasons[i], &t.seasons[n]; t.rank(a).less(t.rank(b)) {
				n = uint32(i)
			}
		}
		from := &t.groups[t.seasons[n].owner]
		if 2*from.weight >= g.weight {
			return
		}
		from.season, from.settled = 0, false
	}
	t.seasons[n] = season{since: hour + 1, owner: slot}
	g.season = n + 1
}

func (t *Table) rank(page *season) rank { return rank{t.groups[page.owner].weight, page.owner} }
