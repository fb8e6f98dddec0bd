package metrics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// pair is the same histogram twice: ours, fed by shards, and client_golang's own.
type pair struct {
	ours, theirs *prometheus.Registry
	family       *histograms
	parts        []observations
	own          prometheus.Histogram
	published    int
}

func newPair(bounds []float64, shards int) *pair {
	p := &pair{ours: prometheus.NewRegistry(), theirs: prometheus.NewRegistry()}
	d := definer{reg: p.ours}
	p.family = d.histogram("seconds", "Help.", bounds, newSet("role", "relay"))
	p.parts = make([]observations, shards)
	for i := range p.parts {
		p.parts[i].of(p.family)
	}
	p.own = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: prefix + "seconds", Help: "Help.", Buckets: bounds, ConstLabels: prometheus.Labels{"role": "relay"},
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 160,
	})
	p.theirs.MustRegister(p.own)
	return p
}

func (p *pair) observe(shard int, v float64) {
	p.parts[shard].observe(v, 0)
	p.own.Observe(v)
}

func (p *pair) publish() {
	p.published++
	for i := range p.parts {
		p.parts[i].publish()
	}
}

// shown is the histogram of a registry, without its time of creation.
func shown(t *testing.T, reg *prometheus.Registry) *dto.Histogram {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	h := families[0].Metric[0].Histogram
	if h.CreatedTimestamp == nil {
		t.Error("no time of creation")
	}
	h.CreatedTimestamp = nil
	return h
}

// compare wants all alike; a sum may differ in its last bits where parts
// of it were added up first.
func (p *pair) compare(t *testing.T) {
	t.Helper()
	got, want := shown(t, p.ours), shown(t, p.theirs)
	if g, w := got.GetSampleSum(), want.GetSampleSum(); math.Abs(g-w) > 1e-11*math.Abs(w) || len(p.parts) == 1 && p.published <= 1 && g != w {
		t.Errorf("sum %v, want %v", g, w)
	}
	got.SampleSum = want.SampleSum
	if got.String() != want.String() {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestHistogramIsClientGolangs(t *testing.T) {
	for name, draw := range map[string]func(r *rand.Rand) float64{
		"delays":         func(r *rand.Rand) float64 { return math.Exp(r.NormFloat64()*2 - 4) },
		"nanoseconds":    func(r *rand.Rand) float64 { return float64(r.Int64N(1<<r.IntN(62)+1)) / 1e9 },
		"sizes":          func(r *rand.Rand) float64 { return float64(r.Int64N(1 << (10 + r.IntN(53)))) },
		"recipients":     func(r *rand.Rand) float64 { return float64(r.IntN(200)) },
		"small integers": func(r *rand.Rand) float64 { return float64(r.IntN(3)) },
		"both signs":     func(r *rand.Rand) float64 { return r.NormFloat64() * 100 },
		"any finite": func(r *rand.Rand) float64 {
			v := math.Float64frombits(r.Uint64())
			if math.IsNaN(v) || math.IsInf(v, 0) || math.Abs(v) > 1e300 {
				return 0x1p-128
			}
			return v
		},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(20) {
				r := rand.New(rand.NewPCG(seed, 1))
				p := newPair([][]float64{delayBuckets, durationBuckets, sizeBuckets, recipientBuckets}[seed%4], 1+int(seed%3))
				p.compare(t) // empty
				for range 1 + r.IntN(3000) {
					p.observe(r.IntN(len(p.parts)), draw(r))
					if r.IntN(500) == 0 {
						p.publish()
						p.compare(t)
					}
				}
				// client_golang halves the resolution once an observation,
				// ours until it fits: let it come to the same.
				for range 12 {
					p.observe(0, 1)
				}
				p.publish()
				p.compare(t)
			}
		})
	}
}

// Each bound and its neighbours fall where client_golang puts them.
func TestBoundsOfNativeBuckets(t *testing.T) {
	for exponent := -40; exponent < 66; exponent += 7 {
		p := newPair(delayBuckets, 1)
		for _, bound := range octave {
			v := math.Ldexp(bound, exponent)
			for _, v := range []float64{v, math.Nextafter(v, 0), math.Nextafter(v, math.Inf(1)), v * 1.01} {
				p.observe(0, v)
			}
		}
		p.publish()
		p.compare(t)
	}
	p := newPair(delayBuckets, 1)
	for _, v := range []float64{0, math.Copysign(0, -1), zeroThreshold, math.Nextafter(zeroThreshold, 1), -zeroThreshold, math.SmallestNonzeroFloat64, math.MaxFloat64} {
		p.observe(0, v)
	}
	for _, bound := range delayBuckets {
		p.observe(0, bound)
		p.observe(0, math.Nextafter(bound, 0))
		p.observe(0, math.Nextafter(bound, 1e9))
	}
	p.publish()
	p.compare(t)
}

// The memory of a child is bounded whatever is observed.
func TestNativeBucketsAreBounded(t *testing.T) {
	p := newPair(delayBuckets, 1)
	for exponent := -120; exponent < 1000; exponent++ {
		p.observe(0, math.Ldexp(1, exponent))
	}
	p.publish()
	h := p.family.at(0)
	if n := h.total.positive.populated(); n > maxNative || n < maxNative/4 {
		t.Errorf("%d native buckets of schema %d, want at most %d", n, h.schema, maxNative)
	}
}

func TestSetsFindEveryName(t *testing.T) {
	m, _ := newTest()
	long := newSet("server")
	for i := range 300 {
		long = newSet("server", append(long.names[:len(long.names)-1:len(long.names)-1], fmt.Sprintf("mx%03d.corp.test", i))...)
	}
	for _, s := range []*set{m.role, m.server, m.direction, m.verb, m.replyVerb, m.code.set, m.mechanism, m.end, m.mailResult, m.tlsCipher, m.anomaly, long} {
		for i, name := range s.names {
			if got := s.of(name); got != i {
				t.Errorf("%s %q is at %d, found at %d", s.label, name, i, got)
			}
			for _, odd := range []string{"", name + "x", name[1:], "x" + name} {
				if _, known := s.index[odd]; known {
					continue
				}
				if got := s.of(odd); got != len(s.names)-1 {
					t.Errorf("%s %q was found at %d", s.label, odd, got)
				}
			}
		}
	}
}

// What a shard counted is shown once, and only after it was published.
func TestShardsAreAddedUp(t *testing.T) {
	m, reg := newTest()
	a, b := m.Shard(), m.Shard()
	events := dialog(conn("relay", "mx1"))
	a.play(events)
	b.play(events)
	before := scrape(t, reg)
	a.Publish()
	b.Publish()
	b.Publish()
	got := scrape(t, reg)
	twice, other := newTest()
	play(twice, events)
	play(twice, events)
	if want := scrape(t, other); got != want {
		t.Errorf("two shards differ from one: %s", firstDifference(want, got))
	}
	_, fresh := newTest()
	if want := scrape(t, fresh); before != want {
		t.Errorf("shown before it was published: %s", firstDifference(want, before))
	}
}
