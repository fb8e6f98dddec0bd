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

// silence learns k windows in which nothing happened: learn(0), k times.
func (b *baseline) silence(k int64) {
	mean, variance, n := b.mean, b.variance, b.n
	for range k {
		n = min(n+1, rateMemory)
		w := 1 / float64(n)
		d := 0 - mean
		mean += w * d
		variance = (1 - w) * (variance + w*d*d)
	}
	b.mean, b.variance, b.n = mean, variance, n
}

// bound is what a window stays below unless something is out of the ordinary.
func (b *baseline) bound(f *fire) float64 {
	return max(b.mean+f.deviations*math.Sqrt(b.variance), f.factor*b.mean)
}

// rate counts the events of one group in a sliding window and learns from
// windows that are over. One is kept for each group: no pointers, few words.
type rate struct {
	buckets [rateBuckets]uint32
	head    int64 // number of the newest bucket since the epoch
	window  int64 // number of the window that is being counted for learning
	count   float64
	own     baseline
	early   bool // was here when the engine began: its history is not known
	known   bool // false: nothing was counted yet
}

// verdict on one event.
type verdict struct {
	value, threshold float64
	over             bool
	learned          string
}

// ticks are the bucket and the window that packet time lies in, the same for
// all groups of a trigger: divided once a bucket, not once an event.
type ticks struct {
	bucket, window int64
	from, until    int64 // they hold for these times
}

func (t *ticks) set(now int64, f *fire) {
	if now >= t.from && now < t.until {
		return
	}
	width, window := max(int64(f.window)/rateBuckets, 1), int64(f.window)
	t.bucket, t.window = now/width, now/window
	t.from = max(t.bucket*width, t.window*window)
	t.until = min(t.from+width, (t.bucket+1)*width, (t.window+1)*window)
}

// begin starts counting a group.
func (r *rate) begin(t *ticks, early bool) {
	*r = rate{head: t.bucket, window: t.window, early: early, known: true}
}

// add counts an event. all is the baseline of all groups together: what a
// group that was never met before is held against.
func (r *rate) add(t *ticks, f *fire, all *baseline) (v verdict) {
	r.advance(t, f, all)
	r.buckets[uint64(r.head)%rateBuckets]++
	r.count++
	var sum uint32
	for _, n := range r.buckets {
		sum += n
	}
	v.value = float64(sum)
	if v.value <= f.floor { // no threshold is lower
		return v
	}
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
		return fmt.Sprintf("not met before; the absolute limit of %s in %s", Number(f.limit), short(f.window))
	}
	return fmt.Sprintf("%s, %.1f ± %.1f in %s, learned over %d windows", who, b.mean, math.Sqrt(b.variance), short(f.window), b.n)
}

// advance moves the window to now and learns from the windows that ended.
func (r *rate) advance(t *ticks, f *fire, all *baseline) {
	switch {
	case t.bucket < r.head-rateBuckets: // the clock stepped back
		r.buckets, r.head, r.window, r.count = [rateBuckets]uint32{}, t.bucket, t.window, 0
	case t.bucket-rateBuckets >= r.head:
		r.buckets, r.head = [rateBuckets]uint32{}, t.bucket
	default:
		for r.head < t.bucket {
			r.head++
			r.buckets[uint64(r.head)%rateBuckets] = 0
		}
	}
	if t.window > r.window {
		r.close(t.window, f, all)
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
	r.own.silence(min(w-r.window-1, 4*rateMemory))
	r.window, r.count = w, 0
}

// settle is how long after its first event the engine takes a group for one
// that was here before: whoever sends fast enough to be a spike shows within
// seconds.
const settle = 10 * time.Second
