package alerts

import "time"

// wait is something that goes on, told by events that come again: a recipient
// that is deferred, say. Times are nanoseconds; last is 0 where it is over.
type wait struct{ first, last int64 }

// judgeLasting fires with an event that tells again what began longer ago than
// `longer` and was not over in between. Silence of more than the window ends it
// too: nobody tells that a mail was given up.
func (e *Engine) judgeLasting(t *runningTrigger) {
	hit, over := e.holds(t, t.when), e.holds(t, t.also)
	if !hit && (!over || t.waits.keys.empty()) {
		return
	}
	k := e.keyOf(t, t.by)
	w := t.waits.get(k)
	switch {
	case over:
		if w != nil {
			*w = wait{}
		}
		return
	case w == nil:
		var taken bool
		if w, taken = t.waits.add(k); taken {
			t.rule.stats.Evicted++
			*w = wait{}
		}
	}
	w.again(e.now, int64(t.fire.window))
	if lasted := e.now - w.first; lasted >= int64(t.fire.longer) {
		e.raise(t, e.group(t), verdict{value: time.Duration(lasted).Hours(), threshold: t.fire.longer.Hours()})
	}
}

// again notes one more event. One from the future is left of a clock that
// stepped back.
func (w *wait) again(now, window int64) {
	if w.last == 0 || now-w.last > window || w.last > now {
		w.first = now
	}
	w.last = now
}
