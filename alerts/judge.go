package alerts

// judgeOf is how each way to fire holds the event at hand against a trigger.
func judgeOf(how string) func(*Engine, *runningTrigger) {
	switch how {
	case fireCount, fireDistinct:
		return (*Engine).judgeCount
	case fireSpike:
		return (*Engine).judgeSpike
	case fireAfter:
		return (*Engine).judgeAfter
	case fireUnlike:
		return (*Engine).judgeUnlike
	case fireLasting:
		return (*Engine).judgeLasting
	}
	return (*Engine).judgeEach
}

func (e *Engine) judgeEach(t *runningTrigger) {
	if e.holds(t, t.when) {
		e.raise(t, e.group(t), verdict{value: 1, threshold: 1})
	}
}

func (e *Engine) judgeCount(t *runningTrigger) {
	if e.holds(t, t.when) {
		e.count(t)
	}
	if e.holds(t, t.forgive) {
		if slot, ok := t.rule.groups.keys.get(e.groupKey(t)); ok {
			t.marks.at(slot).forgive(e.tag(t, t.forgiveBy))
		}
	}
}

func (e *Engine) count(t *runningTrigger) {
	group, groups := e.group(t), &t.rule.groups
	m := t.marks.at(group)
	m.expire(e.now, int64(t.fire.window))
	f := groups.firing[group]
	if len(m.list) == 0 && f == nil {
		groups.forget(group)
	}
	e.mark(t, m)
	groups.note(group, e.session())
	if n := len(m.list); n >= t.fire.threshold {
		e.raise(t, group, verdict{value: float64(n), threshold: float64(t.fire.threshold)})
	} else if f != nil {
		f.extend(t, e.now) // the window is not clean yet
		if t.fire.how == fireCount {
			f.tally(e.event)
		}
	}
}

// mark remembers the event at hand under the tag that tells it from others,
// or that forgiveness will name.
func (e *Engine) mark(t *runningTrigger, m *marks) {
	if t.fire.how == fireDistinct {
		m.addDistinct(mark{e.now, e.tag(t, t.field)}, t.fire.threshold)
		return
	}
	x := mark{at: e.now}
	if t.forgive != nil {
		x.tag = e.tag(t, t.forgiveBy)
	}
	m.add(x, t.fire.threshold)
}

func (e *Engine) judgeAfter(t *runningTrigger) {
	if e.holds(t, t.when) {
		if m := t.before.get(e.keyOf(t, t.by)); m != nil {
			m.expire(e.now, int64(t.fire.window))
			if n := len(m.list); n >= t.fire.threshold {
				e.raise(t, e.group(t), verdict{value: float64(n), threshold: float64(t.fire.threshold)})
			}
		}
	}
	if e.holds(t, t.also) {
		m := e.remember(t)
		m.expire(e.now, int64(t.fire.window))
		e.mark(t, m)
	}
	if e.holds(t, t.forgive) {
		if m := t.before.get(e.keyOf(t, t.by)); m != nil {
			m.forgive(e.tag(t, t.forgiveBy))
		}
	}
}

func (e *Engine) remember(t *runningTrigger) *marks {
	k := e.keyOf(t, t.by)
	if m := t.before.get(k); m != nil {
		return m
	}
	m, taken := t.before.add(k)
	if taken {
		t.rule.stats.Evicted++
		m.list = m.list[:0]
	}
	return m
}

func (e *Engine) judgeUnlike(t *runningTrigger) {
	hit, had := e.holds(t, t.when), e.holds(t, t.also)
	if !hit && !had {
		return
	}
	other := e.tag(t, t.other)
	k := e.keyOf(t, t.by)
	c := t.others.get(k)
	if c == nil {
		var taken bool
		if c, taken = t.others.add(k); taken {
			t.rule.stats.Evicted++
			*c = contrast{}
		}
	}
	if hit && c.unlike(other, &t.fire, e.now) {
		e.raise(t, e.group(t), verdict{value: 1, threshold: 1})
	}
	c.note(other, had, e.now)
}
