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

// family is one metric with closed label sets. A child is made on its first
// use, or at the start where there are few, and is then found by its index alone.
type family[M any] struct {
	sets  []*set
	cells []atomic.Pointer[M]
	child func(values ...string) M
	mu    sync.Mutex // one child is made at a time
}

func newFamily[M any](sets []*set, child func(...string) M) *family[M] {
	n := 1
	for _, s := range sets {
		n *= len(s.names)
	}
	return &family[M]{sets: sets, cells: make([]atomic.Pointer[M], n), child: child}
}

// at finds the child at the indexes of its label values, in the order of the
// labels.
func (f *family[M]) at(indexes ...int) M {
	n := 0
	for i, s := range f.sets {
		n = n*len(s.names) + indexes[i]
	}
	if m := f.cells[n].Load(); m != nil {
		return *m
	}
	return f.resolve(n, indexes)
}

func (f *family[M]) resolve(n int, indexes []int) M {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m := f.cells[n].Load(); m != nil {
		return *m
	}
	values := make([]string, len(f.sets))
	for i, s := range f.sets {
		values[i] = s.names[indexes[i]]
	}
	m := f.child(values...)
	f.cells[n].Store(&m)
	return m
}

// seed makes the children of the seeded values where they are few enough;
// each counts as weight series.
func (f *family[M]) seed(weight int) {
	n := weight
	for _, s := range f.sets {
		n *= s.seeded
	}
	if n == 0 || n > maxSeeded {
		return
	}
	indexes := make([]int, len(f.sets))
	for {
		f.at(indexes...)
		if !f.next(indexes) {
			return
		}
	}
}

// next counts the indexes up like an odometer.
func (f *family[M]) next(indexes []int) bool {
	for i, s := range slices.Backward(f.sets) {
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

func labelsOf(sets []*set) []string {
	labels := make([]string, len(sets))
	for i, s := range sets {
		labels[i] = s.label
	}
	return labels
}

func (d *definer) counter(name, help string, sets ...*set) *family[prometheus.Counter] {
	labels := labelsOf(sets)
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
	d.reg.MustRegister(vec)
	d.note("counter", name, help, labels)
	f := newFamily(sets, vec.WithLabelValues)
	f.seed(1)
	return f
}

// lazyCounter is a counter of which no child exists before its first event.
func (d *definer) lazyCounter(name, help string, sets ...*set) *family[prometheus.Counter] {
	labels := labelsOf(sets)
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, labels)
	d.reg.MustRegister(vec)
	d.note("counter", name, help, labels)
	return newFamily(sets, vec.WithLabelValues)
}

// gauge children are not seeded: zero is a claim. The caller seeds where it is true.
func (d *definer) gauge(name, help string, sets ...*set) *family[prometheus.Gauge] {
	labels := labelsOf(sets)
	vec := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + name, Help: help}, labels)
	d.reg.MustRegister(vec)
	d.note("gauge", name, help, labels)
	return newFamily(sets, vec.WithLabelValues)
}

// histogram is classic and native at once: a scraper takes what it knows. 1.1
// bounds the error of a native quantile to 5 %, 160 buckets the memory.
func (d *definer) histogram(name, help string, buckets []float64, sets ...*set) *family[prometheus.Observer] {
	labels := labelsOf(sets)
	vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: prefix + name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor:    1.1,
		NativeHistogramMaxBucketNumber: 160,
	}, labels)
	d.reg.MustRegister(vec)
	d.note("histogram", name, help, labels)
	f := newFamily(sets, vec.WithLabelValues)
	f.seed(len(buckets) + 3) // le="+Inf", sum and count
	return f
}

// totals are counters and gauges whose value is set as a whole by whoever
// counts elsewhere; a scrape reads them.
func (d *definer) totals(kind, name, help string, sets ...*set) *family[*atomic.Uint64] {
	labels := labelsOf(sets)
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
