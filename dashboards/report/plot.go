package report

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// The plots are numbers that page.html draws as SVG: they have a place in
// whole units of a view box, and no text but what is escaped there.

// box is a rectangle.
type box struct {
	X, Y, W, H float64
	Class      string
}

// mark is a text on an axis, with its line.
type mark struct {
	At   float64
	Text string
}

// plotTimeline are stacked bars of mails over time.
type plotTimeline struct {
	W, H, Left, Base float64
	Bars             []timeBar
	Ticks, Times     []mark
}

// timeBar is a slot; Tells is what a pointer that rests on it shows.
type timeBar struct {
	Whole box
	Parts []box
	Tells string
}

// Timeline draws the slots.
func (p *Page) Timeline() *plotTimeline {
	const width, height, left, top, base = 1000.0, 210.0, 44.0, 10.0, 180.0
	most := 0
	for i := range p.Slots {
		most = max(most, p.Slots[i].Mails())
	}
	if len(p.Slots) < 4 || most == 0 {
		return nil
	}
	t := &plotTimeline{W: width, H: height, Left: left, Base: base}
	scale := niceTop(most)
	for _, v := range [...]int{0, scale / 2, scale} {
		if v == scale/2 && scale%2 == 1 {
			continue
		}
		t.Ticks = append(t.Ticks, mark{base - (base-top)*float64(v)/float64(scale), amount(v)})
	}
	step := (width - left) / float64(len(p.Slots))
	for i := range p.Slots {
		s := &p.Slots[i]
		x, y := left+float64(i)*step, base
		from := p.Start.Add(time.Duration(i) * p.Width)
		bar := timeBar{Whole: box{X: x, Y: top, W: step, H: base - top}, Tells: from.Format(time.DateTime) + ", " + p.tell(s)}
		for _, part := range s.parts() {
			if part.n == 0 {
				continue
			}
			h := (base - top) * float64(part.n) / float64(scale)
			y -= h
			bar.Parts = append(bar.Parts, box{X: round(x + step*0.08), Y: round(y), W: round(step * 0.84), H: round(h), Class: part.class})
		}
		t.Bars = append(t.Bars, bar)
	}
	t.Times = p.timeMarks(left, step)
	return t
}

type part struct {
	n           int
	name, class string
}

func (s *Slot) parts() [4]part {
	return [4]part{{s.Accepted, "accepted", "good"}, {s.Deferred, "deferred", "wait"}, {s.Rejected, "rejected", "bad"}, {s.Unfinished, "unfinished", "dim"}}
}

func (p *Page) tell(s *Slot) string {
	var words []string
	for _, part := range s.parts() {
		if part.n > 0 {
			words = append(words, amount(part.n)+" "+part.name)
		}
	}
	if len(words) == 0 {
		words = append(words, "no mail")
	}
	if s.FailedLogins > 0 {
		words = append(words, amount(s.FailedLogins)+" failed logins")
	}
	return strings.Join(words, ", ")
}

// timeMarks names about five times.
func (p *Page) timeMarks(left, step float64) (list []mark) {
	format := time.TimeOnly
	if p.Width*slots > 24*time.Hour {
		format = "01-02 15:04"
	}
	every := max(1, (len(p.Slots)+4)/5)
	for i := 0; i < len(p.Slots); i += every {
		list = append(list, mark{round(left + (float64(i)+0.5)*step), p.Start.Add(time.Duration(i) * p.Width).Format(format)})
	}
	return list
}

// niceTop is the round number at or above n.
func niceTop(n int) int {
	unit := 1
	for {
		for _, f := range [...]int{1, 2, 3, 4, 5, 6, 8, 10} {
			if f*unit >= n {
				return f * unit
			}
		}
		unit *= 10
	}
}

func round(v float64) float64 { return math.Round(v*10) / 10 }

// delayRow is a server's delays on an axis that all rows share: steps of ten.
type delayRow struct {
	*Server
	Median, Slow, Worst float64
}

// plotDelays are the servers.
type plotDelays struct {
	W     float64
	Ticks []mark
	Rows  []delayRow
}

// Delays draws the servers.
func (p *Page) Delays() *plotDelays {
	const width, edge = 300.0, 24.0
	if len(p.Servers) == 0 {
		return nil
	}
	low, high := math.Inf(1), math.Inf(-1)
	for i := range p.Servers {
		low, high = min(low, tenth(p.Servers[i].Median)), max(high, tenth(p.Servers[i].Worst))
	}
	low, high = math.Floor(low), max(math.Ceil(high), math.Floor(low)+1)
	place := func(d time.Duration) float64 { return round(edge + (width-2*edge)*(tenth(d)-low)/(high-low)) }
	t := &plotDelays{W: width}
	for e := low; e <= high; e++ {
		d := time.Duration(math.Round(math.Pow(10, e))) * time.Microsecond
		t.Ticks = append(t.Ticks, mark{place(d), power(d)})
	}
	for i := range p.Servers {
		s := &p.Servers[i]
		t.Rows = append(t.Rows, delayRow{s, place(s.Median), place(s.Slow), place(s.Worst)})
	}
	return t
}

// tenth is the logarithm of a delay in microseconds.
func tenth(d time.Duration) float64 { return math.Log10(max(1, float64(d.Microseconds()))) }

// power writes a power of ten of microseconds.
func power(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%d s", int(d.Seconds()))
}
