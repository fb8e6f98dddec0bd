package metrics

import (
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// maxNative is how many native buckets one child has at most: with more, the
// resolution is halved until they fit. It bounds the memory.
const maxNative = 160

// histograms are one metric of distributions, classic and native at once: a
// scraper takes what it knows. A scrape shows what client_golang's own histogram
// would show of the same observations; that one costs several atomic operations
// and a lookup an observation, on memory that all goroutines share.
type histograms struct {
	*family[*histogram]
	desc   *prometheus.Desc
	bounds []float64
}

func newHistograms(name, help string, bounds []float64, sets []*set) *histograms {
	labels := shape(sets).labels()
	h := &histograms{desc: prometheus.NewDesc(name, help, labels, nil), bounds: bounds}
	h.family = newFamily(sets, func(values ...string) *histogram {
		return newHistogram(h.desc, bounds, emptyHistogram(name, help, bounds, labels, values))
	})
	return h
}

// emptyHistogram is what client_golang's own histogram shows before its first
// observation. Its time of creation is when the child came into being.
func emptyHistogram(name, help string, bounds []float64, labels, values []string) *dto.Metric {
	own := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: bounds,
		NativeHistogramBucketFactor:    bucketFactor,
		NativeHistogramMaxBucketNumber: maxNative,
	}, labels).WithLabelValues(values...)
	var m dto.Metric
	if err := own.(prometheus.Metric).Write(&m); err != nil {
		panic(err) // it has no way to fail
	}
	return &m
}

// Describe implements prometheus.Collector.
func (h *histograms) Describe(ch chan<- *prometheus.Desc) { ch <- h.desc }

// Collect implements prometheus.Collector.
func (h *histograms) Collect(ch chan<- prometheus.Metric) {
	for _, child := range h.all() {
		ch <- child
	}
}

// all copies, because a reader of Collect's channel may be slow.
func (h *histograms) all() []*histogram {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]*histogram, 0, len(h.children))
	for _, child := range h.children {
		out = append(out, child)
	}
	return out
}

// histogram is one child: the sum of what shards handed over.
type histogram struct {
	desc   *prometheus.Desc
	empty  *dto.Metric // shared with what scrapes read: never changed
	bounds []float64

	mu     sync.Mutex
	schema int // of total
	total  distribution
}

func newHistogram(desc *prometheus.Desc, bounds []float64, empty *dto.Metric) *histogram {
	return &histogram{desc: desc, bounds: bounds, empty: empty, schema: nativeSchema}
}

// take adds a part, which is then empty.
func (h *histogram) take(part *distribution) {
	h.mu.Lock()
	defer h.mu.Unlock()
	part.move(&h.total, nativeSchema-h.schema)
	for h.schema > minimalSchema && h.total.positive.populated()+h.total.negative.populated() > maxNative {
		var half distribution
		h.total.move(&half, 1)
		h.total = half
		h.schema--
	}
}

// Desc implements prometheus.Metric.
func (h *histogram) Desc() *prometheus.Desc { return h.desc }

// Write implements prometheus.Metric.
func (h *histogram) Write(out *dto.Metric) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	schema, d, empty := int32(h.schema), &h.total, h.empty.Histogram
	count, sum, zero := d.count, d.sum, d.zero
	out.Label = h.empty.Label
	out.Histogram = &dto.Histogram{
		SampleCount: &count, SampleSum: &sum, CreatedTimestamp: empty.CreatedTimestamp,
		Bucket: make([]*dto.Bucket, len(h.bounds)),
		Schema: &schema, ZeroThreshold: empty.ZeroThreshold, ZeroCount: &zero,
	}
	below := make([]uint64, len(h.bounds))
	sumBelow := uint64(0)
	for i := range below {
		sumBelow += d.classic[i]
		below[i] = sumBelow
		out.Histogram.Bucket[i] = &dto.Bucket{CumulativeCount: &below[i], UpperBound: empty.Bucket[i].UpperBound}
	}
	out.Histogram.PositiveSpan, out.Histogram.PositiveDelta = d.positive.spans()
	out.Histogram.NegativeSpan, out.Histogram.NegativeDelta = d.negative.spans()
	return nil
}

// maxGap is how many empty buckets are shown as such before a new span is
// cheaper, in client_golang's judgement.
const maxGap = 2

// spans shows the counts as a native histogram has them: runs of buckets, and
// the difference of each bucket to the one before it.
func (w *window) spans() (spans []*dto.BucketSpan, deltas []int64) {
	next, before := 0, int64(0)
	add := func(n int64) {
		*spans[len(spans)-1].Length++
		deltas = append(deltas, n-before)
		before = n
	}
	for i, n := range w.n {
		if n == 0 {
			continue
		}
		gap := w.low + i - next
		if len(spans) == 0 || gap > maxGap {
			offset := int32(gap)
			spans = append(spans, &dto.BucketSpan{Offset: &offset, Length: new(uint32)})
		} else {
			for range gap {
				add(0)
			}
		}
		add(int64(n))
		next = w.low + i + 1
	}
	return slices.Clip(spans), slices.Clip(deltas)
}
