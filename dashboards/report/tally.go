package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// maxNames bounds what a hostile capture can make one tally hold.
const maxNames = 1000

// maxName is how many octets of a name are kept.
const maxName = 160

// tally counts by name. Where names grow too many, the rarer half is counted
// together: what is frequent stays, and the sum is always right.
type tally struct {
	counts map[string]int
	rest   int // of names that were given up
}

func (t *tally) add(name string, n int) {
	if _, known := t.counts[name]; known { // then it is clipped already
		t.counts[name] += n
		return
	}
	name = clip(name)
	if _, known := t.counts[name]; !known {
		if t.counts == nil {
			t.counts = make(map[string]int)
		}
		if len(t.counts) >= maxNames {
			t.prune()
		}
		name = strings.Clone(name) // it may lie in something large
	}
	t.counts[name] += n
}

func (t *tally) prune() {
	for _, name := range t.ranked()[maxNames/2:] {
		t.rest += t.counts[name]
		delete(t.counts, name)
	}
}

// ranked lists names, most frequent first.
func (t *tally) ranked() []string {
	return slices.SortedFunc(maps.Keys(t.counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(t.counts[b], t.counts[a]), cmp.Compare(a, b))
	})
}

// top gives the counts of the most frequent names, at most n of them.
func (t *tally) top(n int) Counts {
	c := Counts{Total: t.rest, Other: t.rest}
	for i, name := range t.ranked() {
		c.Total += t.counts[name]
		if i < n {
			c.Rows = append(c.Rows, Row{name, t.counts[name]})
		} else {
			c.More++
			c.Other += t.counts[name]
		}
	}
	return c
}

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxName)], "?") }

// Counts are the most frequent names of something.
type Counts struct {
	Total int
	Rows  []Row // most frequent first
	More  int   // names that are not among Rows, as far as they are known
	Other int   // how often those were seen
}

// Row is a name and how often it was seen.
type Row struct {
	Name string
	N    int
}

// Of is how often a name was seen.
func (c Counts) Of(name string) int {
	for _, r := range c.Rows {
		if r.Name == name {
			return r.N
		}
	}
	return 0
}
