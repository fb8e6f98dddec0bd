package deferrals

import "math"

// key stands for a pair, under a seed that no peer knows: nobody can choose
// addresses that fall together, and chance does not make them.
type key struct{ a, b uint64 }

// pair is one that waits. Times are of the queue's clock, in nanoseconds.
type pair struct {
	key      key
	first    int64 // deferral
	last     int64 // attempt
	byFirst  links
	byLast   links
	server   uint16 // that deferred it last
	ageClass uint8
}

// links are the neighbours in a list; none at its ends.
type links struct{ before, after uint32 }

const none = math.MaxUint32

// order is a list of pairs by a time; new ones are the latest.
type order struct {
	oldest, latest uint32
	of             func(*pair) *links
}

func newOrder(of func(*pair) *links) order { return order{oldest: none, latest: none, of: of} }

func (o *order) push(pairs []pair, i uint32) {
	*o.of(&pairs[i]) = links{before: o.latest, after: none}
	if o.latest == none {
		o.oldest = i
	} else {
		o.of(&pairs[o.latest]).after = i
	}
	o.latest = i
}

func (o *order) unlink(pairs []pair, i uint32) {
	l := *o.of(&pairs[i])
	if l.before == none {
		o.oldest = l.after
	} else {
		o.of(&pairs[l.before]).after = l.after
	}
	if l.after == none {
		o.latest = l.before
	} else {
		o.of(&pairs[l.after]).before = l.before
	}
}

// ages of AgeNames, in nanoseconds: up to each of them, and more.
var ages = [...]int64{5 * 60e9, 30 * 60e9, 2 * 3600e9, 8 * 3600e9, 24 * 3600e9}

// AgeNames are the classes of ages, youngest first: up to each, and more.
var AgeNames = [...]string{"5m", "30m", "2h", "8h", "1d", "more"}

// Ages counts pairs by the class of their age.
type Ages [len(AgeNames)]int

// table holds the pairs that wait, counts them by server and age, and keeps them in
// the order of their first deferral and of their last attempt. It holds no pointer
// for each pair: the collector does not walk it.
type table struct {
	pairs           []pair
	free            []uint32
	index           map[key]uint32
	byFirst, byLast order
	next            [len(ages)]uint32 // by class: the oldest pair of byFirst that is in it or younger
	counts          []Ages            // by server
}

func newTable(servers int) table {
	t := table{
		index:   map[key]uint32{},
		byFirst: newOrder(func(p *pair) *links { return &p.byFirst }),
		byLast:  newOrder(func(p *pair) *links { return &p.byLast }),
		counts:  make([]Ages, servers),
	}
	for class := range t.next {
		t.next[class] = none
	}
	return t
}

// add makes a pair wait since now.
func (t *table) add(k key, server uint16, now int64) {
	t.put(pair{key: k, first: now, last: now, server: server})
}

// put adds a pair that was deferred after all others, and tried after them.
func (t *table) put(p pair) uint32 {
	i := uint32(len(t.pairs))
	if n := len(t.free); n > 0 {
		i, t.free = t.free[n-1], t.free[:n-1]
	} else {
		t.pairs = append(t.pairs, pair{})
	}
	t.pairs[i] = p
	t.index[p.key] = i
	t.byFirst.push(t.pairs, i)
	t.byLast.push(t.pairs, i)
	for class := range t.next {
		if t.next[class] == none && int(p.ageClass) <= class {
			t.next[class] = i
		}
	}
	t.counts[p.server][p.ageClass]++
	return i
}

// again notes that a pair was deferred once more.
func (t *table) again(i uint32, server uint16, now int64) {
	p := &t.pairs[i]
	t.counts[p.server][p.ageClass]--
	p.server = server
	t.counts[p.server][p.ageClass]++
	p.last = now
	t.byLast.unlink(t.pairs, i)
	t.byLast.push(t.pairs, i)
}

// remove takes a pair out.
func (t *table) remove(i uint32) {
	p := &t.pairs[i]
	for class := range t.next {
		if t.next[class] == i {
			t.next[class] = p.byFirst.after
		}
	}
	t.counts[p.server][p.ageClass]--
	t.byFirst.unlink(t.pairs, i)
	t.byLast.unlink(t.pairs, i)
	delete(t.index, p.key)
	t.free = append(t.free, i)
}

// grow moves pairs that have come to an age into its class. Each pair passes each
// class once.
func (t *table) grow(now int64) {
	for class, age := range ages {
		for i := t.next[class]; i != none && t.pairs[i].first+age < now; i = t.next[class] {
			p := &t.pairs[i]
			t.counts[p.server][p.ageClass]--
			p.ageClass = uint8(class + 1)
			t.counts[p.server][p.ageClass]++
			t.next[class] = p.byFirst.after
		}
	}
}
