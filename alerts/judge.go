package alerts

import (
	"hash/maphash"
	"strings"

	"github.com/expr-lang/expr/vm"
)

// holds answers a condition for the event at hand, once.
func (e *Engine) holds(t *runningTrigger, c *condition) bool {
	if c == nil {
		return false
	}
	if c.program == nil {
		return true
	}
	if c.event != e.event {
		v, err := e.vm.Run(c.program, e.facts.envs[t.kind])
		c.event = e.event
		c.answer, _ = v.(bool)
		if err != nil {
			c.answer = false
			t.rule.stats.Errors++
		}
	}
	return c.answer
}

// judge holds the event at hand against a trigger.
func (e *Engine) judge(t *runningTrigger) {
	hit := e.holds(t, t.when)
	switch t.fire.how {
	case fireEach:
		if hit {
			e.raise(t, e.group(t), verdict{value: 1, threshold: 1})
		}
	case fireCount, fireDistinct:
		e.judgeCount(t, hit)
	case fireSpike:
		if hit {
			e.judgeSpike(t)
		}
	case fireAfter:
		e.judgeAfter(t, hit)
	case fireUnlike:
		e.judgeUnlike(t, hit)
	}
}

func (e *Engine) judgeCount(t *runningTrigger, hit bool) {
	if hit {
		g := e.group(t)
		m := g.marksOf(t)
		m.expire(e.now, int64(t.fire.window))
		if len(m.list) == 0 && g.firing == nil {
			g.sessions = g.sessions[:0]
		}
		e.mark(t, m)
		g.note(e.facts.cur.Session)
		if n := len(m.list); n >= t.fire.threshold {
			e.raise(t, g, verdict{value: float64(n), threshold: float64(t.fire.threshold)})
		} else if g.firing != nil {
			g.firing.extend(t, e.now) // the window is not clean yet
			if t.fire.how == fireCount {
				g.firing.tally(e.event)
			}
		}
	}
	if e.holds(t, t.forgive) {
		if x := t.rule.groups.get(e.groupKey(t)); x != nil {
			x.value.marksOf(t).forgive(e.tag(t, t.forgiveBy))
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

func (e *Engine) judgeSpike(t *runningTrigger) {
	g := e.group(t)
	r := g.rateOf(t, e.now, e.now-e.start < int64(settle))
	if v := r.add(e.now, &t.fire, &t.all); v.over {
		e.raise(t, g, v)
	}
}

func (e *Engine) judgeAfter(t *runningTrigger, hit bool) {
	if hit {
		if x := t.before.get(e.keyOf(t, t.by)); x != nil {
			m := x.value
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
		if x := t.before.get(e.keyOf(t, t.by)); x != nil {
			x.value.forgive(e.tag(t, t.forgiveBy))
		}
	}
}

func (e *Engine) remember(t *runningTrigger) *marks {
	key := e.keyOf(t, t.by)
	x := t.before.get(key)
	if x == nil {
		var gone *lruEntry[*marks]
		if x, gone = t.before.add(key); gone != nil {
			t.rule.stats.Evicted++
		}
		x.value = &marks{}
	}
	return x.value
}

func (e *Engine) judgeUnlike(t *runningTrigger, hit bool) {
	had := e.holds(t, t.also)
	if !hit && !had {
		return
	}
	other := e.tag(t, t.other)
	key := e.keyOf(t, t.by)
	x := t.others.get(key)
	if x == nil {
		var gone *lruEntry[*contrast]
		if x, gone = t.others.add(key); gone != nil {
			t.rule.stats.Evicted++
		}
		x.value = &contrast{}
	}
	if hit && x.value.othersHad(other, e.now, int64(t.fire.window)) {
		e.raise(t, e.group(t), verdict{value: 1, threshold: 1})
	}
	x.value.note(fared{at: e.now, other: other, had: had, known: true})
}

// yield runs a program that gives a text.
func (e *Engine) yield(t *runningTrigger, p *vm.Program) string {
	v, err := e.vm.Run(p, e.facts.envs[t.kind])
	if err != nil {
		t.rule.stats.Errors++
		return ""
	}
	return text(v)
}

// list reads values into the engine's scratch.
func (e *Engine) list(t *runningTrigger, values []value) []string {
	e.facts.fillAddresses()
	e.values = e.values[:0]
	for _, v := range values {
		if v.direct != nil {
			e.values = append(e.values, clip(v.direct(e.facts)))
		} else {
			e.values = append(e.values, e.yield(t, v.program))
		}
	}
	return e.values
}

func (e *Engine) keyOf(t *runningTrigger, values []value) []byte {
	e.key = e.key[:0]
	for _, s := range e.list(t, values) {
		e.key = append(append(e.key, s...), 0)
	}
	return e.key
}

// groupKey is the key of the event's group; the labels' names are in it, for
// triggers of a rule may group by different things.
func (e *Engine) groupKey(t *runningTrigger) []byte {
	key := e.keyOf(t, t.groupBy)
	for _, name := range t.labels {
		key = append(append(key, name...), 0)
	}
	e.key = key
	return key
}

// tag hashes values. The seed is random: a peer cannot choose user names that
// fall together to hide a spray.
func (e *Engine) tag(t *runningTrigger, values []value) uint64 {
	return maphash.Bytes(e.seed, e.keyOf(t, values))
}

// write fills a template's programs; holes stay.
func (e *Engine) write(t *runningTrigger, parts template) []templatePart {
	e.facts.fillAddresses()
	out := make([]templatePart, len(parts))
	for i, p := range parts {
		if p.program != nil {
			p = templatePart{text: e.yield(t, p.program)}
		}
		out[i] = p
	}
	return out
}

// join writes the holes.
func join(parts []templatePart, fill func(hole string) string) string {
	var b strings.Builder
	for _, p := range parts {
		if p.hole != "" {
			b.WriteString(fill(p.hole))
		} else {
			b.WriteString(p.text)
		}
	}
	return b.String()
}
