package baseline

import (
	"math"
	"math/rand"
	"testing"
)

// TestOutliersDoNotDrag plays the same noise with and without one window in
// ten that is fifty times as large. Mean and variance would move tenfold.
func TestOutliersDoNotDrag(t *testing.T) {
	o := mailRate
	for _, rate := range []float64{2, 20, 100, 1000} {
		var clean, dirty level
		r := rand.New(rand.NewSource(1))
		worst := 0.0
		for i := range 3000 {
			x := poisson(r, rate)
			clean.learn(x, 1)
			if i%10 == 9 {
				x *= 50
			}
			dirty.learn(x, 1)
			if i > 200 {
				worst = max(worst, max(o.Floor, dirty.bound(&o))/max(o.Floor, clean.bound(&o)))
			}
		}
		// The mean moves by 0.1 × 3 spreads, the spread by less than a half.
		if worst > 1.5 || dirty.mean > 1.5*clean.mean+2 {
			t.Errorf("rate %v: the bound moved %.2f times, the mean from %.1f to %.1f", rate, worst, clean.mean, dirty.mean)
		}
	}
}

// TestSilenceIsManyWindowsAtOnce holds the closed form against the windows.
func TestSilenceIsManyWindowsAtOnce(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for range 500 {
		var a level
		for range r.Intn(150) {
			a.learn(poisson(r, 50), 1)
		}
		b, k := a, r.Intn(400)
		a.silence(int64(k))
		for range k {
			b.learn(0, 1)
		}
		if a.n != b.n || math.Abs(float64(a.mean-b.mean)) > 1e-3 || math.Abs(float64(a.dev-b.dev)) > 1e-3 {
			t.Fatalf("%d windows: %+v, one by one %+v", k, a, b)
		}
	}
}

func TestEndlessSilence(t *testing.T) {
	l := level{mean: 1e9, dev: 1e9, n: levelMemory}
	l.silence(math.MaxInt64)
	if l.mean != 0 || l.dev != 0 || l.spread() != 1 {
		t.Errorf("%+v", l)
	}
}

// TestCrestNeedsThreeDays: two days of floods leave the crest where it was,
// the third is a habit.
func TestCrestNeedsThreeDays(t *testing.T) {
	var c crest
	for range 10 {
		c.note(100)
		c.close(1)
	}
	before := c.size()
	for i, want := range []bool{true, true, false} {
		c.note(5000)
		c.close(1)
		if held := c.size() <= before; held != want {
			t.Errorf("after %d days of floods the crest is %.0f, before it was %.0f", i+1, c.size(), before)
		}
	}
	for range 10 {
		c.close(30)
	}
	if c.size() > 10 {
		t.Errorf("after most of a year it is still %.0f", c.size())
	}
}

func TestSeasonKnowsTheHour(t *testing.T) {
	var s season
	const monday = 4 * 24 // 1970-01-05
	busy := func(hour int64) bool { return slotOf(hour)%24 >= 9 && slotOf(hour)%24 < 17 && slotOf(hour) < 5*24 }
	for hour := int64(monday); hour < monday+4*week; hour++ {
		if holiday := hour-monday < 3*week && hour-monday >= 2*week && slotOf(hour) < 24; busy(hour) && !holiday {
			s.learn(hour, 100, 130)
		} else {
			s.learn(hour, 1, 4)
		}
	}
	for hour, want := range map[int64]float64{9: 100, 12: 100, 8: 100, 3: 1, 20: 1, 24 + 9: 100, 6*24 + 12: 1} {
		mean, peak, ok := s.expect(monday + 4*week + hour)
		if !ok || math.Abs(mean-want) > 0.1*want || peak < mean {
			t.Errorf("hour %d: %.1f, at most %.1f, want %.0f", hour, mean, peak, want)
		}
	}
	if _, _, ok := new(season).expect(5); ok {
		t.Error("an empty season knows something")
	}
}

func TestCodes(t *testing.T) {
	for _, x := range []float64{0, 0.01, 1, 10, 1e3, 4e9} {
		if got := decode(encode(x)); math.Abs(got-x) > 0.001*(x+1) {
			t.Errorf("%v comes back as %v", x, got)
		}
	}
	if encode(0) == 0 || encode(-1) != encode(0) || encode(math.Inf(1)) == 0 {
		t.Error("a figure looks like none")
	}
}
