package alerts

import (
	"time"

	"github.com/mailtap/mailtap/alerts/baseline"
)

// rateBuckets divide a window: a burst is seen wherever in the window it lies.
const rateBuckets = 12

// settle is how long after its first event the engine takes a group for one
// that was here before: whoever sends fast enough to be a spike shows within
// seconds.
const settle = 10 * time.Second

// rate counts the events of one group in a window that slides, and in one that
// stands still, from which its baseline learns. One is kept for each group: no
// pointers, few words.
type rate struct {
	buckets   [rateBuckets]uint32
	sum       uint32         // of the buckets
	count     uint32         // in the window that stands still
	head      int64          // number of the newest bucket since the epoch
	window    int64          // number of the window that stands still
	high      uint32         // highest sum since that began
	place     baseline.Place // of its baseline
	of        uint8          // the trigger's number in its rule
	early     bool           // was here when the engine began: its history is not known
	known     bool           // false: nothing was counted yet
	asked     bool           // threshold is that of this window
	threshold float64        // 0: the group must be learned first
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

// set moves to a time; true where another bucket has begun.
func (t *ticks) set(now int64, f *fire) bool {
	if now >= t.from && now < t.until {
		return false
	}
	width, window := max(int64(f.window)/rateBuckets, 1), int64(f.window)
	t.bucket, t.window = now/width, now/window
	t.from = max(t.bucket*width, t.window*window)
	t.until = min(t.from+width, (t.bucket+1)*width, (t.window+1)*window)
	return true
}

func (e *Engine) judgeSpike(t *runningTrigger) {
	if !e.holds(t, t.when) {
		return
	}
	group := e.group(t)
	r, s := t.rates.at(group), t.spikes
	if s.ticks.set(e.now, &t.fire) {
		s.table.Hear(s.ticks.window)
	}
	if !r.known {
		s.begin(r, e.now-e.start < int64(settle))
	}
	s.advance(r, group)
	v := s.add(r, group)
	if !v.over {
		return
	}
	if f := t.rule.groups.firing[group]; f != nil && f.alert.Threshold == v.threshold {
		v.learned = f.alert.Learned
	} else {
		v.learned = s.explain(r, group)
	}
	e.raise(t, group, v)
}

// spikes is what a spike trigger knows: the baselines of its groups, and with
// the counts of its rule's groups all that a verdict hangs on.
type spikes struct {
	fire     *fire
	table    *baseline.Table
	ticks    ticks
	groups   *groups
	rates    *slab[rate]
	of       uint8
	restored bool // the past is known: nobody was here when the engine began
}

// newSpikes takes a trigger that has its column of the rule's groups.
func newSpikes(t *runningTrigger, of, maxGroups int) *spikes {
	f := &t.fire
	return &spikes{fire: f, groups: &t.rule.groups, rates: t.rates, of: uint8(of), table: baseline.New(baseline.Options{
		Window: f.window, Floor: f.floor, Limit: f.limit, Factor: f.factor, Deviations: f.deviations, Learn: f.learn,
		Groups: min(maxGroups, baseline.DefaultGroups),
	})}
}

// begin starts counting a group.
func (s *spikes) begin(r *rate, early bool) {
	*r = rate{head: s.ticks.bucket, window: s.ticks.window, of: s.of, early: early && !s.restored, known: true}
}

// add counts an event.
func (s *spikes) add(r *rate, group uint32) (v verdict) {
	r.buckets[uint64(r.head)%rateBuckets]++
	r.sum++
	r.count++
	r.high = max(r.high, r.sum)
	v.value = float64(r.sum)
	if v.value <= s.fire.floor { // no threshold is lower
		return v
	}
	if !r.asked {
		r.asked, r.threshold = true, s.bound(r, group).Threshold
	}
	v.threshold = r.threshold
	v.over = v.threshold > 0 && v.value > v.threshold
	return v
}

func (s *spikes) bound(r *rate, group uint32) baseline.Bound {
	return s.table.Bound(s.keyOf(group), r.place, r.early, r.window)
}

func (s *spikes) keyOf(group uint32) baseline.Key {
	k := s.groups.keys.entries[group].key
	return baseline.Key{A: k.a, B: k.b}
}

// advance moves the windows to now and learns from the one that ended.
func (s *spikes) advance(r *rate, group uint32) {
	if s.ticks.bucket == r.head && s.ticks.window <= r.window {
		return
	}
	switch t := &s.ticks; {
	case t.bucket < r.head-rateBuckets: // the clock stepped back
		r.buckets, r.sum, r.head = [rateBuckets]uint32{}, 0, t.bucket
		r.window, r.count, r.high, r.asked = t.window, 0, 0, false
	case t.bucket-rateBuckets >= r.head:
		r.buckets, r.sum, r.head = [rateBuckets]uint32{}, 0, t.bucket
	default:
		for r.head < t.bucket {
			r.head++
			i := uint64(r.head) % rateBuckets
			r.sum -= r.buckets[i]
			r.buckets[i] = 0
		}
	}
	if w := s.ticks.window; w > r.window {
		r.place = s.table.Learn(s.keyOf(group), r.place, baseline.Windows{Window: r.window, Now: w,
			Count: float64(r.count), Peak: float64(max(r.high, r.count)), Early: r.early})
		r.window, r.count, r.high, r.asked = w, 0, r.sum, false
	}
}
