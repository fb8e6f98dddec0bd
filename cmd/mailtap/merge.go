package main

import (
	"cmp"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// merge gives the events of a load to those who listen, in the order in which
// one shard alone would have told them.
func (o *outputs) merge(l *load) {
	if l.change != nil {
		o.adopt(l.change)
	}
	at := make([]int, len(l.told))
	for i := range l.runs {
		r := &l.runs[i]
		o.mergeUntil(l, at, told{number: r.first, phase: seen})
		if r.advance != 0 {
			o.advance(time.Unix(0, r.advance).UTC())
		}
	}
	o.mergeUntil(l, at, told{number: ^uint64(0), phase: seen})
	for _, c := range l.captures {
		o.engine.Capture(c)
	}
	for _, s := range o.states {
		s.save()
	}
}

// mergeUntil gives out the events that stand before a place.
func (o *outputs) mergeUntil(l *load, at []int, end told) {
	lists := l.told
	for {
		first := -1
		for i, list := range lists {
			if at[i] < len(list) && before(&list[at[i]], &end) && (first < 0 || before(&list[at[i]], &lists[first][at[first]])) {
				first = i
			}
		}
		if first < 0 {
			return
		}
		t := &lists[first][at[first]]
		o.take(t.event, l.of(t))
		at[first]++
	}
}

// before says whether an event comes before another. What a time ends comes in
// the order of the connections.
func before(a, b *told) bool {
	if a.number != b.number || a.phase != b.phase {
		return a.number < b.number || a.number == b.number && a.phase < b.phase
	}
	if a.phase == seen || b.event == nil {
		return false
	}
	return compareConn(a.event.Of(), b.event.Of()) < 0
}

func compareConn(a, b *sessions.Conn) int {
	return cmp.Or(a.Start.Compare(b.Start), a.Client.Compare(b.Client), a.Server.Compare(b.Server))
}
