package metrics

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// maxSeeded is how many series of one family exist from the start at most.
// Where the label sets multiply to more, a child comes with its first event: zeros
// that nobody asked for cost each scrape.
const maxSeeded = 500

// shape is the closed label sets of a family, in the order of its labels.
type shape []*set

// size is how many children there can be.
func (s shape) size() int {
	n := 1
	for _, set := range s {
		n *= len(set.names)
	}
	return n
}

// maxLabels is how many labels a family has at most.
const maxLabels = 5

// strides say how far apart the children of neighbouring values are, by label.
type strides [maxLabels]int

func (s shape) strides() (out strides) {
	n := 1
	for i, set := range slices.Backward(s) {
		out[i] = n
		n *= len(set.names)
	}
	return out
}

// index is the place of a child among all that there can be.
func (s *strides) index(indexes ...int) int {
	n := 0
	for i, index := range indexes {
		n += s[i] * index
	}
	return n
}

// values are the label values of the child at a place.
func (s shape) values(n int) []string {
	values := make([]string, len(s))
	for i, set := range slices.Backward(s) {
		values[i] = set.names[n%len(set.names)]
		n /= len(set.names)
	}
	return values
}

func (s shape) labels() []string {
	labels := make([]string, len(s))
	for i, set := range s {
		labels[i] = set.label
	}
	return labels
}

// family is one metric with closed label sets. A child is made on its first
// use, or at the start where there are few. Events do not come here: a Shard
// counts them and hands over sums.
type family[M any] struct {
	shape
	places   strides
	child    func(values ...string) M
	mu       sync.Mutex
	children map[int]M
}

func newFamily[M any](sets []*set, child func(...string) M) *family[M] {
	return &family[M]{shape: sets, places: shape(sets).strides(), child: child, children: map[int]M{}}
}

// at finds the child at the indexes of its label values.
func (f *family[M]) at(indexes ...int) M { return f.get(f.places.index(indexes...)) }

// get finds the child at a place.
func (f *family[M]) get(n int) M {
	f.mu.Lock()
	defer f.mu.Unlock()
	m, ok := f.children[n]
	if !ok {
		m = f.child(f.values(n)...)
		f.children[n] = m
	}
	return m
}

// seed makes the children of the seeded values where they are few enough;
// each counts as weight series.
func (f *family[M]) seed(weight int) {
	n := weight
	for _, s := range f.shape {
		n *= s.seeded
	}
	if n == 0 || n > maxSeeded {
		return
	}
	indexes := make([]int, len(f.shape))
	for {
		f.at(indexes...)
		if !f.next(indexes) {
			return
		}
	}
}

// next counts the indexes up like an odometer.
func (f *family[M]) next(indexes []int) bool {
	for i, s := range slices.Backward(f.shape) {
		if indexes[i]++; indexes[i] < s.seeded {
			return true
		}
		indexes[i] = 0
	}
	return false
}

// Family describes one metric.
type Family struct {
	Name   string // with the prefix
	Type   string // counter, gauge, histogram
	Labels []string
	Help   string
}

const prefix = "mailtap_"

// definer registers families and remembers what they are.
type definer struct {
	reg      prometheus.Registerer
	families []Family
}

func (d *definer) note(kind, name, help string, labels []string) {
	d.families = append(d.families, Family{Name: prefix + name, Type: kind, Labels: labels, Help: help})
}

func (d *definer) counter(name, help string, sets ...*set) *counters {
	f := d.lazyCounter(name, help, sets...)
	f.seed(1)
	return f
}

// lazyCounter is a counter of which no child exists before its first event.
func (d *definer) lazyCounter(name, help string, sets ...*set) *counters {
	labels := shape(sets).labels()
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
	d.reg.MustRegister(vec)
	d.note("counter", name, help, labels)
	return newFamily(sets, vec.WithLabelValues)
}

// gauge children are not seeded: zero is a claim. The caller seeds where it is true.
func (d *definer) gauge(name, help string, sets ...*set) *gauges {
	labels := shape(sets).labels()
	vec := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + name, Help: help}, labels)
	d.reg.MustRegister(vec)
	d.note("gauge", name, help, labels)
	return newFamily(sets, vec.WithLabelValues)
}

func (d *definer) histogram(name, help string, bounds []float64, sets ...*set) *histograms {
	f := newHistograms(prefix+name, help, bounds, sets)
	d.reg.MustRegister(f)
	d.note("histogram", name, help, f.labels())
	f.seed(len(bounds) + 3) // le="+Inf", sum and count
	return f
}

// totals are counters and gauges whose value is set as a whole by whoever
// counts elsewhere; a scrape reads them.
func (d *definer) totals(kind, name, help string, sets ...*set) *published {
	labels := shape(sets).labels()
	d.note(kind, name, help, labels)
	f := newFamily(sets, func(values ...string) *atomic.Uint64 {
		v := new(atomic.Uint64)
		read := func() float64 { return float64(v.Load()) }
		with := prometheus.Labels{}
		for i, label := range labels {
			with[label] = values[i]
		}
		if kind == "counter" {
			d.reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: prefix + name, Help: help, ConstLabels: with}, read))
		} else {
			d.reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: prefix + name, Help: help, ConstLabels: with}, read))
		}
		return v
	})
	f.seed(1)
	return f
}
