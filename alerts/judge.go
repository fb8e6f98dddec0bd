package alerts

// judgeOf is how each way to fire holds the event at hand against a trigger.
func judgeOf(how string) func(*Engine, *runningTrigger) {
	switch how {
	case fireCount, fireDistinct:
		return (*Engine).judgeCount
	case fireRatio:
		return (*Engine).judgeRatio
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
	f := e.firingOf(t, group)
	if len(m.list) == 0 && f == nil {
		groups.forget(group)
	}
	e.mark(t, m, t.fire.most(f != nil && f.storm == nil))
	if f != nil {
		f.note(e.session())
	} else {
		groups.note(group, e.session())
	}
	switch n := len(m.list); {
	case n >= t.fire.threshold:
		e.raise(t, group, verdict{value: float64(n), threshold: float64(t.fire.threshold)})
	case f != nil:
		e.uphold(t, f, group) // the window is not clean yet
	default:
		e.wait(t, group)
	}
}

// most is how many marks are kept: no more than tell that the threshold is
// reached, unless an alert tells how many there are.
func (f *fire) most(told bool) int {
	if told {
		return max(f.threshold, minMarks)
	}
	return f.threshold
}

// mark remembers the event at hand under the tag that tells it from others,
// or that forgiveness will name.
func (e *Engine) mark(t *runningTrigger, m *marks, most int) {
	if t.fire.how == fireDistinct {
		m.addDistinct(mark{e.now, e.tag(t, t.field)}, most)
		return
	}
	x := mark{at: e.now}
	if t.forgive != nil {
		x.tag = e.tag(t, t.forgiveBy)
	}
	m.add(x, most)
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
		e.mark(t, m, t.fire.most(true))
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
		m.clear()
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
