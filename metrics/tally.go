package metrics

// tally is a shard's part of a family of counters: what was counted since it
// was last published.
type tally struct {
	to      *counters
	strides strides
	counts  []uint64
	changed []int32 // the places that are not zero
}

func (t *tally) of(f *counters) *tally {
	t.to, t.strides = f, f.strides()
	return t
}

// allot gives the tallies of a shard their counts out of one array: no cache
// line of them has another owner.
func allot(tallies []*tally) {
	n := 0
	for _, t := range tallies {
		n += t.to.size()
	}
	counts := make([]uint64, n)
	for _, t := range tallies {
		size := t.to.size()
		t.counts, counts = counts[:size:size], counts[size:]
	}
}

// inc counts one at the indexes of the label values.
func (t *tally) inc(indexes ...int) {
	i := t.strides.index(indexes...)
	if t.counts[i] == 0 {
		t.changed = append(t.changed, int32(i))
	}
	t.counts[i]++
}

func (t *tally) publish() {
	for _, i := range t.changed {
		t.to.get(int(i)).Add(float64(t.counts[i]))
		t.counts[i] = 0
	}
	t.changed = t.changed[:0]
}

// observations are a shard's part of a family of histograms.
type observations struct {
	to      *histograms
	strides strides
	bounds  []float64
	parts   []distribution
	changed []int32
}

func (o *observations) of(f *histograms) *observations {
	o.to, o.strides, o.bounds = f, f.strides(), f.bounds
	o.parts = make([]distribution, f.size())
	return o
}

// observe adds a finite value at the indexes of the label values.
func (o *observations) observe(v float64, indexes ...int) {
	i := o.strides.index(indexes...)
	d := &o.parts[i]
	if d.count == 0 {
		o.changed = append(o.changed, int32(i))
	}
	d.observe(v, o.bounds)
}

func (o *observations) publish() {
	for _, i := range o.changed {
		o.to.get(int(i)).take(&o.parts[i])
	}
	o.changed = o.changed[:0]
}
