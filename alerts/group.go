package alerts

import "slices"

// groups is what a rule remembers about the values of its group_by: one slot a
// group, a column for each thing remembered.
type groups struct {
	keys     slots
	marks    []*slab[marks]
	rates    []*slab[rate]
	shares   []*slab[share]
	pending  []*slab[pending]
	sessions slab[ids]          // that an alert will name
	firing   map[uint32]*firing // by slot
	orphans  map[key]*firing    // fire, though the slot was given to another group
}

func newGroups(max int) groups {
	return groups{keys: newSlots(max), sessions: slab[ids]{fresh: freshIDs}, firing: map[uint32]*firing{}, orphans: map[key]*firing{}}
}

// column is the i-th of a list of columns, made where it is new.
func column[T any](list *[]*slab[T], i int, fresh func(*[slabPage]T)) *slab[T] {
	if i == len(*list) {
		*list = append(*list, &slab[T]{fresh: fresh})
	}
	return (*list)[i]
}

// ids of sessions. Most groups have one: it stands beside the list itself.
type ids struct {
	list   []string
	room   [1]string
	member folded // the group's part in a storm: looked at together
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
			m.clear()
		}
	}
	zero(g.rates, slot)
	zero(g.shares, slot)
	zero(g.pending, slot)
	if s := g.sessions.peek(slot); s != nil {
		s.member = folded{}
	}
	g.forget(slot)
}

func zero[T any](columns []*slab[T], slot uint32) {
	for _, column := range columns {
		if x := column.peek(slot); x != nil {
			*x = *new(T)
		}
	}
}

// note keeps the id of a session that counted.
func (g *groups) note(slot uint32, id string) {
	s := g.sessions.at(slot)
	s.list = noteID(s.list, id)
}

func noteID(list []string, id string) []string {
	if n := len(list); id == "" || n >= MaxSessions || n > 0 && list[n-1] == id || slices.Contains(list, id) {
		return list
	}
	return append(list, id)
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
	g := &t.rule.groups
	k := e.groupKey(t)
	if slot, ok := g.keys.getNear(k, &t.groupBy.slot); ok {
		return slot
	}
	slot, taken := g.keys.add(k)
	t.groupBy.slot = slot
	if taken {
		t.rule.stats.Evicted++
		if f := g.firing[slot]; f != nil { // it ends when its window is clean, not when others come
			delete(g.firing, slot)
			f.group = none
			g.orphans[f.key] = f
		}
		g.clear(slot)
	}
	if f := g.orphans[k]; f != nil {
		delete(g.orphans, k)
		f.group = slot
		g.firing[slot] = f
	}
	return slot
}

// firingOf is the alert that tells of a group: its own, the storm that it is a
// member of, or one that the receivers still know from before; nil: none.
func (e *Engine) firingOf(t *runningTrigger, group uint32) *firing {
	r := t.rule
	if f := r.groups.firing[group]; f != nil {
		return f
	}
	if r.storm != nil && r.groups.sessions.at(group).member.upheld(r.storm, e.now) {
		return r.storm
	}
	if len(r.adopted) > 0 {
		return e.recognise(t, group)
	}
	return nil
}
