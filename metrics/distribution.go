package metrics

import "math"

// Resolution of native histograms: 2^3 buckets an octave, so that a bound is at
// most 1.1 times the one before it and the error of a quantile 5 %.
const (
	bucketFactor  = 1.1
	nativeSchema  = 3
	minimalSchema = -4 // the coarsest that there is: an octave of octaves a bucket
	maxBounds     = 12 // of classic buckets
	zeroThreshold = 0x1p-128
)

// octave are the bounds of the native buckets within one octave, as
// client_golang has them.
var octave = [1 << nativeSchema]float64{
	0.5, 0.5452538663326288, 0.5946035575013605, 0.6484197773255048,
	0.7071067811865475, 0.7711054127039704, 0.8408964152537144, 0.9170040432046711,
}

// A float is mantissaBits of fraction below its exponent; all octaves have the
// same fractions.
const (
	mantissaBits = 52
	mantissaMask = 1<<mantissaBits - 1
	startBits    = 4 // leading bits of the fraction that leave one bound to compare with
)

// fractions are the bounds of an octave as fractions; nothing is beyond the last.
var fractions = func() (f [len(octave) + 1]uint64) {
	for i, bound := range octave {
		f[i] = math.Float64bits(bound) & mantissaMask
	}
	f[len(octave)] = math.MaxUint64
	return f
}()

// starts tells by the leading bits of a fraction the first bound that is not
// below all fractions with these bits.
var starts = func() (s [1 << startBits]uint8) {
	for i := range s {
		for fractions[s[i]] < uint64(i)<<(mantissaBits-startBits) {
			s[i]++
		}
	}
	return s
}()

// nativeKey finds the native bucket of a positive, normal and finite value: the
// one with the least upper bound that is not below it. Key 0 ends at 1.
func nativeKey(v float64) int {
	bits := math.Float64bits(v)
	fraction := bits & mantissaMask
	i := int(starts[fraction>>(mantissaBits-startBits)])
	if fraction > fractions[i] {
		i++
	}
	return (int(bits>>mantissaBits)-1023)<<nativeSchema + i
}

// coarser is the key of the bucket that holds bucket key in a schema that is
// steps less: half of it, rounded up, at each step.
func coarser(key, steps int) int { return (key + 1<<steps - 1) >> steps }

// window counts by key. It covers the keys that occurred and grows by
// windowStep of them; the values of one metric lie close together.
type window struct {
	low int // key of the first
	n   []uint64
}

const windowStep = 64

func (w *window) add(key int, n uint64) {
	i := key - w.low
	if uint(i) >= uint(len(w.n)) {
		i = w.grow(key)
	}
	w.n[i] += n
}

func (w *window) grow(key int) int {
	low := key &^ (windowStep - 1)
	high := low + windowStep
	if len(w.n) == 0 {
		w.low, w.n = low, make([]uint64, windowStep)
		return key - low
	}
	low, high = min(low, w.low), max(high, w.low+len(w.n))
	n := make([]uint64, high-low)
	copy(n[w.low-low:], w.n)
	w.low, w.n = low, n
	return key - low
}

// populated is how many keys occurred.
func (w *window) populated() int {
	n := 0
	for _, c := range w.n {
		if c != 0 {
			n++
		}
	}
	return n
}

// move adds all counts to another window of steps schemas less, and leaves zeros.
func (w *window) move(to *window, steps int) {
	for i, c := range w.n {
		if c != 0 {
			to.add(coarser(w.low+i, steps), c)
			w.n[i] = 0
		}
	}
}

// distribution is what a histogram knows of its observations.
type distribution struct {
	count, zero        uint64
	sum                float64
	classic            [maxBounds]uint64 // not cumulated; what is above all bounds is in count only
	positive, negative window            // native buckets
}

// observe adds a finite value.
func (d *distribution) observe(v float64, bounds []float64) {
	for i, bound := range bounds {
		if v <= bound {
			d.classic[i]++
			break
		}
	}
	d.count++
	d.sum += v
	switch {
	case v > zeroThreshold:
		d.positive.add(nativeKey(v), 1)
	case v < -zeroThreshold:
		d.negative.add(nativeKey(-v), 1)
	default:
		d.zero++
	}
}

// move adds everything to another distribution of steps schemas less, and
// leaves this one empty.
func (d *distribution) move(to *distribution, steps int) {
	to.count += d.count
	to.zero += d.zero
	to.sum += d.sum
	for i, n := range d.classic {
		to.classic[i] += n
	}
	d.positive.move(&to.positive, steps)
	d.negative.move(&to.negative, steps)
	d.count, d.zero, d.sum, d.classic = 0, 0, 0, [maxBounds]uint64{}
}
