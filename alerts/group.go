package alerts

import "slices"

// groups is what a rule remembers about the values of its group_by: one slot a
// group, a column for each thing remembered.
type groups struct {
	keys     slots
	marks    []*slab[marks]
	rates    []*slab[rate]
	sessions slab[ids] // that an alert will name
	firing   map[uint32]*firing
}

func newGroups(max int) groups {
	return groups{keys: newSlots(max), sessions: slab[ids]{fresh: freshIDs}, firing: map[uint32]*firing{}}
}

func (g *groups) marksColumn(i int) *slab[marks] {
	if i == len(g.marks) {
		g.marks = append(g.marks, &slab[marks]{fresh: freshMarks})
	}
	return g.marks[i]
}

func (g *groups) ratesColumn(i int) *slab[rate] {
	if i == len(g.rates) {
		g.rates = append(g.rates, &slab[rate]{})
	}
	return g.rates[i]
}

// ids of sessions. Most groups have one: it stands beside the list itself.
type ids struct {
	list []string
	room [1]string
}

func freshIDs(page *[slabPage]ids) {
	for i := range page {
		page[i].list = page[i].room[:0]
	}
}

// clear makes a slot ready for another group. What has grown is used again.
func (g *groups) clear(slot uint32) {
	for _, column := range g.marks {
		if m := column.peek(slot); m != nil {
			m.list = m.list[:0]
		}
	}
	for _, column := range g.rates {
		if r := column.peek(slot); r != nil {
			*r = rate{}
		}
	}
	g.forget(slot)
}

// note keeps the id of a session that counted.
func (g *groups) note(slot uint32, id string) {
	s := g.sessions.at(slot)
	if id != "" && len(s.list) < MaxSessions && !slices.Contains(s.list, id) {
		s.list = append(s.list, id)
	}
}

// forget lets go of the sessions of a group.
func (g *groups) forget(slot uint32) {
	if s := g.sessions.peek(slot); s != nil {
		clear(s.list)
		s.list = s.list[:0]
	}
}

// group finds or makes the group of the event at hand.
func (e *Engine) group(t *runningTrigger) (slot uint32) {
	r := t.rule
	k := e.groupKey(t)
	if slot, ok := r.groups.keys.get(k); ok {
		return slot
	}
	slot, taken := r.groups.keys.add(k)
	if taken {
		r.stats.Evicted++
		if f := r.groups.firing[slot]; f != nil {
			e.timers.remove(f)
			e.resolve(f, e.now)
		}
		r.groups.clear(slot)
	}
	return slot
}
