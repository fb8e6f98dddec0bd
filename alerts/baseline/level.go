package baseline

import "math"

const (
	levelMemory = 60   // a new window weighs at least 1/levelMemory
	levelYoung  = 8    // windows until there is a spread to clip by
	levelClip   = 3    // spreads that a window may lie above the mean and count in full (Huber 1964)
	overWeight  = 0.25 // of a window that was over the threshold
)

// level is the middle and the spread of the windows of late: averages at
// first, then exponentially weighted ones. A window far above counts as one
// that is a little above, so that a burst does not drag the level along. One
// far below counts in full: silence is no attack, and lowers the bound.
type level struct {
	mean float32
	dev  float32 // mean absolute deviation
	n    uint8   // windows learned, at most levelMemory
}

// learn takes a window; weight is 1 but for one that was over the threshold.
func (l *level) learn(x, weight float64) {
	if l.n == 0 {
		*l = level{mean: float32(x), n: 1}
		return
	}
	l.n = min(l.n+1, levelMemory)
	w, mean, dev := weight/float64(l.n), float64(l.mean), float64(l.dev)
	d := x - mean
	if d > 0 && l.n > levelYoung {
		d = min(d, levelClip*l.spread())
	}
	l.mean, l.dev = float32(mean+w*d), float32(dev+w*(math.Abs(d)-dev))
}

// silence is learn(0, 1), k times, at once: the mean falls as a^k, and the
// deviations from it sum up to k times the same power.
func (l *level) silence(k int64) {
	for ; k > 0 && l.n < levelMemory; k-- {
		l.learn(0, 1)
	}
	if k <= 0 {
		return
	}
	const w = 1.0 / levelMemory
	mean, dev, p := float64(l.mean), float64(l.dev), power(1-w, k-1)
	l.dev = float32(p * ((1-w)*dev + w*float64(k)*mean))
	l.mean = float32(p * (1 - w) * mean)
}

// power is x to the n, for an x below 1.
func power(x float64, n int64) float64 {
	if n > 1<<20 {
		return 0
	}
	p := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			p *= x
		}
		x *= x
	}
	return p
}

// spread is the standard deviation that the deviations amount to (of normal
// noise, sqrt(pi/2) times their mean), but not below that of independent
// events: a group that was regular by chance is not held to it.
func (l *level) spread() float64 {
	return max(1.2533*float64(l.dev), math.Sqrt(float64(l.mean)), 1)
}

// bound is what a window stays below.
func (l *level) bound(o *Options) float64 {
	mean := float64(l.mean)
	return max(o.Factor*mean, mean+o.Deviations*l.spread())
}
