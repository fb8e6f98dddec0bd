package alerts

import (
	"slices"
	"sort"
	"strings"
	"time"
)

// group is what a rule remembers about one value of its group_by.
type group struct {
	rule     *runningRule
	key      string // as people read it
	labels   Labels // of group_by, sorted
	marks    []marks
	rates    []*rate
	sessions []string
	firing   *firing
}

// firing is an alert in its life.
type firing struct {
	group    *group
	alert    Alert // without what each notice fills anew
	summary  []templatePart
	window   time.Duration // longest of the triggers that upheld it
	until    int64         // when the window is clean, unless an event comes
	repeatAt int64
	due      int64 // in the heap of timers; may lie before the true one
	order    uint64
	index    int    // in the heap
	counted  uint64 // number of the event counted last
}

// tally counts an event of an alert whose value is all that came since it
// began, not only what a window holds; once, though several triggers match.
func (f *firing) tally(event uint64) {
	if f.counted != event {
		f.counted = event
		f.alert.Value++
	}
}

// group finds or makes the group of the event at hand.
func (e *Engine) group(t *runningTrigger) *group {
	r := t.rule
	key := e.groupKey(t)
	if x := r.groups.get(key); x != nil {
		return x.value
	}
	x, gone := r.groups.add(key)
	if gone != nil {
		r.stats.Evicted++
		if f := gone.value.firing; f != nil {
			e.timers.remove(f)
			e.resolve(f, e.now)
		}
	}
	values := e.list(t, t.groupBy)
	g := &group{rule: r, key: strings.Join(values, " ")}
	for i, name := range t.labels {
		g.labels = append(g.labels, Label{name, values[i]})
	}
	x.value = g
	return g
}

func (g *group) marksOf(t *runningTrigger) *marks {
	if g.marks == nil {
		g.marks = make([]marks, len(g.rule.triggers))
	}
	return &g.marks[t.index]
}

func (g *group) rateOf(t *runningTrigger, now int64, early bool) *rate {
	if g.rates == nil {
		g.rates = make([]*rate, len(g.rule.triggers))
	}
	if g.rates[t.index] == nil {
		g.rates[t.index] = newRate(now, &t.fire, early)
	}
	return g.rates[t.index]
}

// note keeps the id of a session that counted.
func (g *group) note(id string) {
	if len(g.sessions) < MaxSessions && !slices.Contains(g.sessions, id) {
		g.sessions = append(g.sessions, id)
	}
}

// raise begins an alert or upholds the one that fires.
func (e *Engine) raise(t *runningTrigger, g *group, v verdict) {
	severity := e.severity(t)
	f := g.firing
	if f == nil {
		e.begin(t, g, v, severity)
		return
	}
	g.note(e.facts.cur.Session)
	f.extend(t, e.now)
	a := &f.alert
	if t.fire.how == fireCount || t.fire.how == fireEach {
		f.tally(e.event)
	} else if v.value > a.Value {
		a.Value, a.Threshold, a.Learned = v.value, v.threshold, v.learned
	}
	if severityRank(severity) > severityRank(a.Severity) {
		e.escalate(t, f, severity)
	}
}

// severity of the event at hand.
func (e *Engine) severity(t *runningTrigger) string {
	if t.severity.program == nil {
		return t.severity.fixed
	}
	s := e.yield(t, t.severity.program)
	if severityRank(s) < 0 {
		t.rule.stats.Errors++
		return Warning
	}
	return s
}

func (e *Engine) begin(t *runningTrigger, g *group, v verdict, severity string) {
	r := t.rule
	if r.firingNow() >= e.options.MaxFiring {
		r.stats.Suppressed++
		return
	}
	started := e.now
	if t.fire.how == fireCount || t.fire.how == fireDistinct {
		started = g.marksOf(t).oldest(started)
	} else {
		g.sessions = g.sessions[:0]
	}
	g.note(e.facts.cur.Session)
	labels := e.labels(t, g)
	f := &firing{group: g, summary: e.write(t, t.summary), order: e.order, counted: e.event, alert: Alert{
		Rule: r.Name, Severity: severity, Status: Firing, Started: packetTime(started), Key: g.key,
		Value: v.value, Threshold: v.threshold, Learned: v.learned, Labels: labels,
		Techniques: r.Techniques, Runbook: r.Runbook, Fingerprint: fingerprint(r.Name, labels),
	}}
	e.order++
	g.firing = f
	f.repeatAt = e.now + int64(r.repeat)
	f.extend(t, e.now)
	e.timers.push(f)
	r.stats.Raised++
	e.count(r, severity, +1)
	if e.options.Observer != nil {
		e.options.Observer.Raised(r.Name, severity)
	}
	e.emit(f, e.now)
}

func (e *Engine) labels(t *runningTrigger, g *group) Labels {
	out := slices.Clone(g.labels)
	for _, l := range t.fixed {
		out = append(out, Label{l.name, join(e.write(t, l.text), func(string) string { return "" })})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// escalate tells at once that an alert became worse. It never becomes less
// severe while it fires.
func (e *Engine) escalate(t *runningTrigger, f *firing, severity string) {
	e.count(f.group.rule, f.alert.Severity, -1)
	e.count(f.group.rule, severity, +1)
	f.alert.Severity = severity
	f.summary = e.write(t, t.summary)
	f.repeatAt = e.now + int64(f.group.rule.repeat)
	f.alert.Escalated = true
	e.emit(f, e.now)
	f.alert.Escalated = false
}

// extend upholds an alert: its window is clean after the trigger's time.
func (f *firing) extend(t *runningTrigger, now int64) {
	f.window = max(f.window, t.fire.window)
	f.until = max(f.until, now+int64(t.fire.window))
}

// timer resolves or repeats an alert whose time may have come.
func (e *Engine) timer(f *firing) {
	switch {
	case min(f.until, f.repeatAt) > f.due: // upheld since
		e.timers.push(f)
	case f.until <= f.repeatAt:
		e.resolve(f, f.until)
	default:
		f.alert.Repeat++
		e.emit(f, f.repeatAt)
		f.repeatAt += int64(f.group.rule.repeat)
		e.timers.push(f)
	}
}

// resolve ends an alert that is out of the heap.
func (e *Engine) resolve(f *firing, at int64) {
	f.alert.Status, f.alert.Ended = Resolved, packetTime(at)
	f.group.firing = nil
	e.count(f.group.rule, f.alert.Severity, -1)
	e.emit(f, at)
	f.group.sessions = nil // the alert owns them now
}

func (e *Engine) count(r *runningRule, severity string, n int) {
	i := severityRank(severity)
	r.firing[i] += n
	if e.options.Observer != nil {
		e.options.Observer.FiringNow(r.Name, severity, r.firing[i])
	}
}

func (e *Engine) emit(f *firing, at int64) {
	if e.options.Sink == nil {
		return
	}
	a := f.alert
	a.Time = packetTime(at)
	a.Sessions = slices.Clone(f.group.sessions)
	a.Summary = join(f.summary, func(hole string) string {
		switch hole {
		case "value":
			return number(a.Value)
		case "threshold":
			return number(a.Threshold)
		case "window":
			return short(f.window)
		}
		return a.Learned
	})
	e.options.Sink.Alert(a)
}

func packetTime(ns int64) time.Time { return time.Unix(0, ns).UTC() }
