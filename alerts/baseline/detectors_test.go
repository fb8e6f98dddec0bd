package baseline

import (
	"math"
	"time"
)

// detector is a way to tell floods: it sees each minute of each group once, in
// order, and says whether it is one.
type detector interface {
	hear(minute int64) // something was counted in this minute
	over(group int, minute int64, count float64) bool
}

// mailRate is the built-in rule's setting.
var mailRate = Options{Window: time.Minute, Floor: 30, Limit: 200, Factor: 3, Deviations: 6, Learn: 10}

// learned is the package's Table, used as the engine uses it: windows of a
// group are told when it sends again.
type learned struct {
	table   *Table
	pending map[int]Windows
}

func newLearned(o Options) *learned { return &learned{New(o), map[int]Windows{}} }

func keyOf(group int) Key {
	return Key{uint64(group) * 0x9e3779b97f4a7c15, uint64(group)}
}

func (l *learned) hear(minute int64) { l.table.Hear(minute) }

func (l *learned) over(group int, minute int64, count float64) bool {
	if count == 0 {
		return false
	}
	early := minute == friday.Unix()/60
	if w, ok := l.pending[group]; ok {
		w.Now, early = minute, w.Early
		l.table.Learn(keyOf(group), 0, w)
	}
	l.pending[group] = Windows{Window: minute, Count: count, Peak: count, Early: early}
	b := l.table.Bound(keyOf(group), 0, early, minute)
	return b.Threshold > 0 && count > b.Threshold
}

// fixed is the same threshold for all.
type fixed float64

func (fixed) hear(int64)                                {}
func (f fixed) over(_ int, _ int64, count float64) bool { return count > float64(f) }

// moments is what the package is held against: mean and variance, exponentially
// weighted, of the last hour or so (West 1979; Finch 2009), windows clipped at
// the threshold, at most four hours of silence learned.
type moments struct {
	o   Options
	of  map[int]*ewma
	all ewma
}

type ewma struct {
	mean, variance float64
	n              int
	last           int64
	early          bool
}

func (e *ewma) learn(x float64) {
	e.n = min(e.n+1, 60)
	w := 1 / float64(e.n)
	d := x - e.mean
	e.mean += w * d
	e.variance = (1 - w) * (e.variance + w*d*d)
}

func (e *ewma) bound(o *Options) float64 {
	return max(e.mean+o.Deviations*math.Sqrt(e.variance), o.Factor*e.mean)
}

func (*moments) hear(int64) {}

func (m *moments) over(group int, minute int64, count float64) bool {
	if count == 0 {
		return false
	}
	e := m.of[group]
	if e == nil {
		e = &ewma{last: minute - 1, early: minute == friday.Unix()/60}
		m.of[group] = e
	}
	for range min(minute-e.last-1, 240) {
		e.learn(0)
	}
	threshold := 0.0
	switch {
	case e.n >= m.o.Learn:
		threshold = max(m.o.Floor, e.bound(&m.o))
	case e.early:
	case m.all.n >= m.o.Learn:
		threshold = max(m.o.Limit, m.all.bound(&m.o))
	default:
		threshold = m.o.Limit
	}
	over, x := threshold > 0 && count > threshold, count
	if threshold > 0 {
		x = min(x, threshold)
	}
	m.all.learn(x)
	e.learn(x)
	e.last = minute
	return over
}
