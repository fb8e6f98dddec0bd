package top

import (
	"cmp"
	"slices"
	"strings"
)

// sketch finds the names that occur most in a stream, with a bounded number of
// counters (Space-Saving: Metwally, Agrawal, El Abbadi 2005). A name that has no
// counter takes the smallest one, and its count as what it may have had before. So a
// name that makes up more than one in so many as there are counters is always
// found, and count less above is at least how often it came.
type sketch struct {
	max      int
	counters []counter
	heap     []int          // places of counters, the smallest count first
	places   map[string]int // of counters
}

type counter struct {
	name  string
	count uint64
	above uint64 // of count, what may have been another's
	at    int    // in the heap
}

func newSketch(max int) *sketch { return &sketch{max: max, places: map[string]int{}} }

func (s *sketch) add(name string) {
	if i, ok := s.places[name]; ok {
		s.counters[i].count++
		s.down(s.counters[i].at)
		return
	}
	name = strings.Clone(name) // it may be a part of something large
	if i := len(s.counters); i < s.max {
		s.counters = append(s.counters, counter{name: name, count: 1, at: i})
		s.heap = append(s.heap, i)
		s.places[name] = i
		s.up(i)
		return
	}
	i := s.heap[0]
	least := &s.counters[i]
	delete(s.places, least.name)
	*least = counter{name: name, count: least.count + 1, above: least.count}
	s.places[name] = i
	s.down(0)
}

func (s *sketch) less(a, b int) bool {
	return s.counters[s.heap[a]].count < s.counters[s.heap[b]].count
}

func (s *sketch) up(at int) {
	for at > 0 && s.less(at, (at-1)/2) {
		s.swap(at, (at-1)/2)
		at = (at - 1) / 2
	}
}

func (s *sketch) down(at int) {
	for {
		least := at
		for child := 2*at + 1; child <= 2*at+2 && child < len(s.heap); child++ {
			if s.less(child, least) {
				least = child
			}
		}
		if least == at {
			return
		}
		s.swap(at, least)
		at = least
	}
}

func (s *sketch) swap(a, b int) {
	s.heap[a], s.heap[b] = s.heap[b], s.heap[a]
	s.counters[s.heap[a]].at, s.counters[s.heap[b]].at = a, b
}

// most are the n names that occurred most, surely, with how often they did at
// least; fewer where fewer are sure.
func (s *sketch) most(n int) []counter {
	sure := slices.DeleteFunc(slices.Clone(s.counters), func(c counter) bool { return c.count == c.above })
	slices.SortFunc(sure, func(a, b counter) int {
		return cmp.Or(cmp.Compare(b.count-b.above, a.count-a.above), cmp.Compare(a.name, b.name))
	})
	return sure[:min(n, len(sure))]
}

func (s *sketch) reset() {
	clear(s.counters) // of their names
	s.counters, s.heap = s.counters[:0], s.heap[:0]
	clear(s.places)
}
