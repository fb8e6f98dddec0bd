package baseline

import (
	"math"
	"math/rand"
	"time"
)

// The series are mails a minute of groups that behave as groups of a mail
// server do, over weeks, with the label of each minute in which a flood was
// added. Their beginning is a Friday afternoon: the first thing after a
// newcomer's few hours is a weekend, then a Monday.
var friday = time.Date(2026, 1, 9, 14, 0, 0, 0, time.UTC)

const minutesOfWeek = 7 * 24 * 60

// habit is what one group does of its own, by the minute.
type habit struct {
	name string
	rate func(r *rand.Rand, at time.Time, minute int) float64 // expected, before the noise
	rand func(r *rand.Rand, rate float64) float64             // the noise
}

// hours is how busy an hour is: a working day rises from 7 to 9, has a dent at
// noon and falls from 17 on.
func working(at time.Time, weekend, night float64) float64 {
	h := float64(at.Hour()) + float64(at.Minute())/60
	x := night + (1-night)/(1+math.Exp(-(h-8.2)*3))/(1+math.Exp((h-17.5)*2))
	x -= 0.25 * math.Exp(-(h-12.5)*(h-12.5)*2)
	if d := at.Weekday(); d == time.Saturday || d == time.Sunday {
		x *= weekend
	}
	return max(x, 0)
}

func poisson(r *rand.Rand, rate float64) float64 {
	if rate <= 0 {
		return 0
	}
	if rate > 40 {
		return max(0, math.Round(rate+math.Sqrt(rate)*r.NormFloat64()))
	}
	n, p, stop := 0.0, 1.0, math.Exp(-rate)
	for p *= r.Float64(); p > stop; p *= r.Float64() {
		n++
	}
	return n
}

// clumped is Poisson noise whose rate is random itself: mails come in clumps.
func clumped(r *rand.Rand, rate float64) float64 {
	return poisson(r, rate*r.ExpFloat64())
}

// heavy has now and then a minute that is far larger, with a tail of power 2.5.
func heavy(r *rand.Rand, rate float64) float64 {
	if r.Intn(200) == 0 {
		rate *= min(2*math.Pow(1-r.Float64(), -1/2.5), 100)
	}
	return poisson(r, rate)
}

// habits are made anew for each group: size differs, so do hours.
func habits(r *rand.Rand, size float64) []habit {
	shift := time.Duration(r.Intn(5)-2) * time.Hour
	office := func(at time.Time) float64 { return size * working(at.Add(shift), 0.03, 0.02) }
	newsletterAt := 8*60 + r.Intn(240)
	jitter, length := map[int]int{}, 2+r.Intn(5)
	return []habit{
		{"office", func(r *rand.Rand, at time.Time, _ int) float64 { return office(at) }, poisson},
		{"office, silent at night", func(r *rand.Rand, at time.Time, _ int) float64 {
			return size * max(0, working(at.Add(shift), 0, 0)-0.05)
		}, poisson},
		{"office that grows", func(r *rand.Rand, at time.Time, m int) float64 {
			if m > 3*minutesOfWeek { // summer time begins
				at = at.Add(time.Hour)
			}
			return office(at) * math.Pow(1.08, float64(m)/minutesOfWeek)
		}, poisson},
		{"steady relay", func(r *rand.Rand, at time.Time, _ int) float64 {
			return size * (0.7 + 0.3*working(at, 0.8, 0.2))
		}, poisson},
		{"clumped", func(r *rand.Rand, at time.Time, _ int) float64 { return size * (0.3 + 0.7*working(at, 0.3, 0.2)) }, clumped},
		{"heavy tail", func(r *rand.Rand, at time.Time, _ int) float64 { return size * (0.2 + 0.8*working(at, 0.2, 0.1)) }, heavy},
		{"daily newsletter", func(r *rand.Rand, at time.Time, m int) float64 {
			day := at.YearDay()
			if _, ok := jitter[day]; !ok {
				jitter[day] = r.Intn(31) - 15
			}
			base := 0.1 * office(at)
			since := at.Hour()*60 + at.Minute() - newsletterAt - jitter[day]
			if weekday := at.Weekday(); since >= 0 && since < length && weekday != time.Saturday && weekday != time.Sunday {
				return base + 8*size
			}
			return base
		}, poisson},
		{"few mails", func(r *rand.Rand, at time.Time, _ int) float64 { return 0.5 * working(at, 0.1, 0.05) }, poisson},
	}
}

// flood is something added that does not belong there.
type flood struct {
	from, until int // minutes
	size        float64
	times       int // of the group's busiest, rounded: how the table sorts them
}

// series is one group's.
type series struct {
	habit  string
	counts []float64
	floods []flood
}

// hole is time in which the capture was away: nothing is counted of anybody.
func hole(minute int) bool {
	m := minute - 2*minutesOfWeek - 3000
	return m >= 0 && m < 7*60
}

// holiday is a Monday like a Sunday.
func holiday(at time.Time) bool { return at.Month() == time.February && at.Day() == 2 }

// makeSeries makes groups of every habit and of several sizes.
func makeSeries(seed int64, weeks int, flooded bool) []series {
	var out []series
	for i, size := range []float64{15, 40, 120, 400} {
		for k := range habits(rand.New(rand.NewSource(1)), size) {
			r := rand.New(rand.NewSource(seed + int64(100*i+k)))
			out = append(out, oneSeries(r, habits(r, size)[k], weeks, size, flooded))
		}
	}
	return out
}

func oneSeries(r *rand.Rand, h habit, weeks int, size float64, flooded bool) series {
	s := series{habit: h.name, counts: make([]float64, weeks*minutesOfWeek)}
	for m := range s.counts {
		at := friday.Add(time.Duration(m) * time.Minute)
		if holiday(at) {
			at = at.AddDate(0, 0, -1)
		}
		s.counts[m] = h.rand(r, h.rate(r, at, m))
	}
	if !flooded {
		return s
	}
	if h.name == "few mails" {
		size = 10
	}
	for start := minutesOfWeek + r.Intn(15000); start < len(s.counts)-300; start += 5000 + r.Intn(20000) {
		times, length := []int{2, 5, 20}[r.Intn(3)], []int{3, 15, 60}[r.Intn(3)]
		f := flood{start, start + length, max(60, size*float64(times)), times}
		if hole(f.from) || hole(f.until) {
			continue
		}
		for m := f.from; m < f.until; m++ {
			s.counts[m] += poisson(r, f.size)
		}
		s.floods = append(s.floods, f)
	}
	return s
}
