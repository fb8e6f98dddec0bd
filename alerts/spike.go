package alerts

import (
	"fmt"
	"math"
	"time"
)

// rateBuckets divide a window: a burst is seen wherever in the window it lies.
const rateBuckets = 12

// memory of a baseline: the weight of a new window is at least 1/rateMemory,
// so that a baseline of minutes forgets within hours.
const rateMemory = 60

// baseline is a mean and variance that learns: plain averages at first, then
// exponentially weighted (West 1979; Finch 2009).
type baseline struct {
	mean, variance float64
	n              int // windows learned, at most rateMemory
}

func (b *baseline) learn(x float64) {
	b.n = min(b.n+1, rateMemory)
	w := 1 / float64(b.n)
	d := x - b.mean
	b.mean += w * d
	b.variance = (1 - w) * (b.variance + w*d*d)
}

// bound is what a window stays below unless something is out of the ordinary.
func (b *baseline) bound(f *fire) float64 {
	return max(b.mean+f.deviations*math.Sqrt(b.variance), f.factor*b.mean)
}

// rate counts the events of one group in a sliding window and learns from
// windows that are over.
type rate struct {
	buckets [rateBuckets]uint32
	head    int64 // number of the newest bucket since the epoch
	window  int64 // number of the window that is being counted for learning
	count   float64
	own     baseline
	early   bool // was here when the engine began: its history is not known
}

// verdict on one event.
type verdict struct {
	value, threshold float64
	over             bool
	learned          string
}

// add counts an event. all is the baseline of all groups together: what a
// group that was never met before is held against.
func (r *rate) add(now int64, f *fire, all *baseline) verdict {
	r.advance(now, f, all)
	r.buckets[r.head%rateBuckets]++
	r.count++
	var sum uint32
	for _, n := range r.buckets {
		sum += n
	}
	v := verdict{value: float64(sum)}
	v.threshold = r.threshold(f, all)
	v.over = v.threshold > 0 && v.value > v.threshold
	if v.over {
		v.learned = r.explain(f, all)
	}
	return v
}

// threshold is 0 where the group must be learned first.
func (r *rate) threshold(f *fire, all *baseline) float64 {
	switch {
	case r.own.n >= f.learn:
		return max(f.floor, r.own.bound(f))
	case r.early:
		return 0
	case all.n >= f.learn:
		return max(f.limit, all.bound(f))
	}
	return f.limit
}

func (r *rate) explain(f *fire, all *baseline) string {
	b := &r.own
	who := "its own rate"
	switch {
	case b.n >= f.learn:
	case all.n >= f.learn:
		b, who = all, "not met before; the rate of the others"
	default:
		return fmt.Sprintf("not met before; the absolute limit of %s in %s", number(f.limit), short(f.window))
	}
	return fmt.Sprintf("%s, %.1f ± %.1f in %s, learned over %d windows", who, b.mean, math.Sqrt(b.variance), short(f.window), b.n)
}

// advance moves the window to now and learns from the windows that ended.
func (r *rate) advance(now int64, f *fire, all *baseline) {
	width := max(int64(f.window)/rateBuckets, 1)
	head := now / width
	if head < r.head-rateBuckets { // the clock stepped back
		r.buckets, r.head, r.window, r.count = [rateBuckets]uint32{}, head, now/int64(f.window), 0
	}
	for i := max(r.head+1, head-rateBuckets+1); i <= head; i++ {
		r.buckets[i%rateBuckets] = 0
	}
	r.head = max(r.head, head)
	if w := now / int64(f.window); w > r.window {
		r.close(w, f, all)
	}
}

// close learns the window that ended and the silent ones behind it. A window
// above the threshold teaches no more than the threshold: a burst must not
// make the next one ordinary, but a lasting change is learned in the end.
func (r *rate) close(w int64, f *fire, all *baseline) {
	x := r.count
	if t := r.threshold(f, all); t > 0 {
		x = min(x, t)
	}
	if r.count > 0 {
		all.learn(x)
	}
	r.own.learn(x)
	for range min(w-r.window-1, 4*rateMemory) {
		r.own.learn(0)
	}
	r.window, r.count = w, 0
}

// newRate starts counting a group.
func newRate(now int64, f *fire, early bool) *rate {
	return &rate{
		head:   now / max(int64(f.window)/rateBuckets, 1),
		window: now / int64(f.window),
		early:  early,
	}
}

// settle is how long after its first event the engine takes a group for one
// that was here before: whoever sends fast enough to be a spike shows within
// seconds.
const settle = 10 * time.Second
