package alerts

import "time"

// pending is a group's wait for an alert where a trigger says `for`: since the
// verdict first held, until the window would be clean.
type pending struct{ since, until int64 }

// live says whether the wait goes on. A time from the future is left of a clock
// that stepped back.
func (p *pending) live(now int64, window time.Duration) bool {
	return p.since <= now && now < p.until && p.until <= now+int64(window)
}

// held says, of a verdict that holds, whether it has held long enough. The wait
// ends with an event that finds the verdict to hold, not by the clock: so it
// does not depend on how often anyone looks.
func (e *Engine) held(t *runningTrigger, group uint32) bool {
	if t.fire.hold == 0 {
		return true
	}
	p := t.pending.at(group)
	if !p.live(e.now, t.fire.window) {
		p.since = e.now
		t.rule.stats.Pended++
	}
	p.until = e.now + int64(t.fire.window)
	if e.now-p.since < int64(t.fire.hold) {
		return false
	}
	*p = pending{}
	return true
}

// wait upholds a wait by an event that counts, though the verdict may not hold.
func (e *Engine) wait(t *runningTrigger, group uint32) {
	if t.fire.hold == 0 {
		return
	}
	if p := t.pending.at(group); p.live(e.now, t.fire.window) {
		p.until = e.now + int64(t.fire.window)
	}
}

// pendingNow counts the groups of a rule that wait.
func (r *runningRule) pendingNow(now int64) int {
	n := 0
	for _, t := range r.triggers {
		if t.fire.hold == 0 {
			continue
		}
		for slot := range uint32(len(r.groups.keys.entries)) {
			if p := t.pending.peek(slot); p != nil && p.live(now, t.fire.window) {
				n++
			}
		}
	}
	return n
}
