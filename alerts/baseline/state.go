package baseline

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

const (
	stateVersion = 1
	headSize     = 1 + 4*8 + levelSize + 8*week
	levelSize    = 4 + 4 + 1
	groupSize    = 16 + 4*8 + 4*4 + levelSize + 4*crestDays + 4 + 1 + 1
	seasonSize   = 4*week + 8
)

// Bits of a group's flags.
const (
	flagEarly = 1 << iota
	flagWhole
	flagSettled
	flagSeason
)

// Errors of Restore.
var (
	ErrVersion = errors.New("baselines are of another version or window")
	ErrDamaged = errors.New("baselines are damaged")
)

// AppendTo appends all that the table has learned. It is at most about 100
// octets for each of Options.Groups and 700 for each of Options.Seasons.
func (t *Table) AppendTo(b []byte) []byte {
	b = slices.Grow(b, headSize+len(t.groups)*groupSize+len(t.seasons)*seasonSize)
	b = append(b, stateVersion)
	b = appendInt(b, int64(t.o.Window))
	b = appendInt(appendInt(appendInt(b, int64(t.tries)), t.base), t.now)
	b = t.all.appendTo(b)
	for _, h := range t.heard {
		b = appendInt(b, h)
	}
	for i := range t.groups {
		b = t.groups[i].appendTo(b, t.page(&t.groups[i]))
	}
	return b
}

func (g *group) appendTo(b []byte, page *season) []byte {
	b = appendInt(appendInt(b, int64(g.key.A)), int64(g.key.B))
	b = appendInt(b, int64(math.Float64bits(g.weight)))
	b = appendInt(appendInt(appendInt(b, g.since), g.last), g.hour)
	b = binary.LittleEndian.AppendUint32(b, g.windows)
	b = appendFloats(b, g.sum, g.high, g.crest.peak)
	b = g.level.appendTo(b)
	b = appendFloats(b, g.crest.top[:]...)
	b = append(b, g.crest.days)
	flags := bit(g.early, flagEarly) | bit(g.whole, flagWhole) | bit(g.settled, flagSettled) | bit(page != nil, flagSeason)
	b = append(b, flags)
	if page == nil {
		return b
	}
	b = appendInt(b, page.since)
	for i := range week {
		b = binary.LittleEndian.AppendUint16(b, page.mean[i])
		b = binary.LittleEndian.AppendUint16(b, page.peak[i])
	}
	return b
}

func bit(is bool, flag byte) byte {
	if is {
		return flag
	}
	return 0
}

func (l *level) appendTo(b []byte) []byte { return append(appendFloats(b, l.mean, l.dev), l.n) }

func appendInt(b []byte, x int64) []byte { return binary.LittleEndian.AppendUint64(b, uint64(x)) }

func appendFloats(b []byte, all ...float32) []byte {
	for _, x := range all {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// Restore takes back what AppendTo gave, in place of what the table has. Where
// the table is smaller than the one saved, the heaviest groups are kept. After
// an error the table is what it was: the octets may be of another version, of a
// rule whose window was changed, or not ours at all.
func (t *Table) Restore(b []byte) error {
	r := &cursor{rest: b}
	if version := r.octet(); r.bad || version != stateVersion {
		return ErrVersion
	}
	if window := r.int(); r.bad || window != int64(t.o.Window) {
		return ErrVersion
	}
	n := New(t.o)
	n.tries = uint64(r.int())
	n.base = r.hour()
	n.tick(r.hour())
	n.all = r.level()
	for i := range n.heard {
		n.heard[i] = r.hour()
	}
	var pages []*season
	for len(r.rest) > 0 && !r.bad {
		g, page := r.group()
		n.groups, pages = append(n.groups, g), append(pages, page)
	}
	if r.bad || !n.adopt(pages) {
		return ErrDamaged
	}
	*t = *n
	return nil
}

// adopt gives the groups their slots and pages.
func (t *Table) adopt(pages []*season) bool {
	order := make([]int, len(t.groups))
	for i := range order {
		order[i] = i
	}
	if len(order) > t.o.Groups {
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(t.groups[b].weight, t.groups[a].weight) })
		order = order[:t.o.Groups]
	}
	all := t.groups
	t.groups = make([]group, 0, len(order))
	for slot, i := range order {
		g := all[i]
		if _, twice := t.slots[g.key]; twice {
			return false
		}
		t.slots[g.key] = uint32(slot)
		if page := pages[i]; page != nil && len(t.seasons) < t.o.Seasons {
			page.owner = uint32(slot)
			t.seasons = append(t.seasons, *page)
			g.season = uint32(len(t.seasons))
		} else {
			g.settled = false
		}
		t.groups = append(t.groups, g)
	}
	return true
}

// cursor reads octets that anybody may have written. Once something is wrong it
// is bad for good and gives zeros.
type cursor struct {
	rest []byte
	bad  bool
}

func (r *cursor) take(n int) []byte {
	if len(r.rest) < n {
		r.bad, r.rest = true, nil
		return make([]byte, n)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *cursor) octet() byte { return r.take(1)[0] }

func (r *cursor) int() int64 { return int64(binary.LittleEndian.Uint64(r.take(8))) }

// time is a number that no packet time exceeds or is before.
func (r *cursor) time() int64 {
	x := r.int()
	r.bad = r.bad || x < 0
	return x
}

func (r *cursor) hour() int64 {
	x := r.time()
	r.bad = r.bad || x > math.MaxInt32
	return x
}

// size is a count or the like, never below 0.
func (r *cursor) size() float32 {
	x := math.Float32frombits(binary.LittleEndian.Uint32(r.take(4)))
	if !(x >= 0 && x <= math.MaxFloat32) {
		r.bad = true
		return 0
	}
	return x
}

func (r *cursor) level() level {
	l := level{mean: r.size(), dev: r.size(), n: r.octet()}
	r.bad = r.bad || l.n > levelMemory
	return l
}

func (r *cursor) group() (g group, page *season) {
	g.key = Key{uint64(r.int()), uint64(r.int())}
	g.weight = math.Float64frombits(uint64(r.int()))
	r.bad = r.bad || !(g.weight >= 0 && g.weight < math.MaxFloat64)
	g.since, g.last, g.hour = r.time(), r.time(), r.hour()
	g.windows = binary.LittleEndian.Uint32(r.take(4))
	g.sum, g.high, g.crest.peak = r.size(), r.size(), r.size()
	g.level = r.level()
	for i := range g.crest.top {
		g.crest.top[i] = r.size()
		r.bad = r.bad || i > 0 && g.crest.top[i] > g.crest.top[i-1]
	}
	g.crest.days = r.octet()
	flags := r.octet()
	g.early, g.whole, g.settled = flags&flagEarly != 0, flags&flagWhole != 0, flags&flagSettled != 0
	r.bad = r.bad || g.crest.days > crestDays || flags >= flagSeason<<1 || g.settled && flags&flagSeason == 0
	if flags&flagSeason == 0 || r.bad {
		return g, nil
	}
	page = &season{since: r.hour()}
	for i := range week {
		page.mean[i] = binary.LittleEndian.Uint16(r.take(2))
		page.peak[i] = binary.LittleEndian.Uint16(r.take(2))
	}
	return g, page
}
