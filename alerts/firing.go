package alerts

import (
	"slices"
	"sort"
	"strings"
	"time"
)

// noticeSlack is what a notice may take on its way to who believes in it until
// the next one.
const noticeSlack = 10 * time.Minute

// firing is an alert in its life.
type firing struct {
	rule     *runningRule
	group    uint32
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

// raise begins an alert or upholds the one that fires.
func (e *Engine) raise(t *runningTrigger, group uint32, v verdict) {
	severity := e.severity(t)
	f := t.rule.groups.firing[group]
	if f == nil {
		e.begin(t, group, v, severity)
		return
	}
	t.rule.groups.note(group, e.session())
	f.extend(t, e.now)
	a := &f.alert
	if t.fire.how == fireCount || t.fire.how == fireEach {
		f.tally(e.event)
	} else if v.value > a.Value {
		a.Value, a.Threshold, a.Learned = v.value, v.threshold, v.learned
	}
	if SeverityRank(severity) > SeverityRank(a.Severity) {
		e.escalate(t, f, severity)
	}
}

// begin is the first notice of an alert, unless too many of the rule fire.
func (e *Engine) begin(t *runningTrigger, group uint32, v verdict, severity string) {
	r := t.rule
	if r.firingNow() >= e.options.MaxFiring {
		r.stats.Suppressed++
		return
	}
	started := e.now
	if t.marks != nil {
		started = t.marks.at(group).oldest(started)
	} else {
		r.groups.forget(group)
	}
	r.groups.note(group, e.session())
	values := e.list(t, t.groupBy)
	labels := e.labels(t, values)
	f := &firing{rule: r, group: group, summary: e.write(t, t.summary), order: e.order, counted: e.event, alert: Alert{
		Rule: r.Name, Severity: severity, Status: Firing, Started: packetTime(started), Key: strings.Join(values, " "),
		Value: v.value, Threshold: v.threshold, Learned: v.learned, Labels: labels,
		Techniques: r.Techniques, Runbook: r.Runbook, Fingerprint: fingerprint(r.Name, labels),
	}}
	e.order++
	r.groups.firing[group] = f
	f.repeatAt = e.now + int64(r.repeat)
	f.extend(t, e.now)
	e.timers.push(f)
	r.stats.Raised++
	e.tell(r, severity, +1)
	if e.options.Observer != nil {
		e.options.Observer.Raised(r.Name, severity)
	}
	e.emit(f, e.now)
}

// session is the id of the event at hand's; empty where it belongs to none.
func (e *Engine) session() string {
	if c := e.view.event.Of(); c != nil {
		return c.ID
	}
	return ""
}

func (e *Engine) labels(t *runningTrigger, values []string) Labels {
	var out Labels
	for i, name := range t.labels {
		out = append(out, Label{name, values[i]})
	}
	for _, l := range t.fixed {
		out = append(out, Label{l.name, join(e.write(t, l.text), func(string) string { return "" })})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// escalate tells at once that an alert became worse. It never becomes less
// severe while it fires.
func (e *Engine) escalate(t *runningTrigger, f *firing, severity string) {
	e.tell(f.rule, f.alert.Severity, -1)
	e.tell(f.rule, severity, +1)
	f.alert.Severity = severity
	f.summary = e.write(t, t.summary)
	f.repeatAt = e.now + int64(f.rule.repeat)
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
		f.repeatAt += int64(f.rule.repeat)
		e.timers.push(f)
	}
}

// resolve ends an alert that is out of the heap.
func (e *Engine) resolve(f *firing, at int64) {
	f.alert.Status, f.alert.Ended = Resolved, packetTime(at)
	delete(f.rule.groups.firing, f.group)
	e.tell(f.rule, f.alert.Severity, -1)
	e.emit(f, at)
	f.rule.groups.forget(f.group)
}

func (e *Engine) tell(r *runningRule, severity string, n int) {
	i := SeverityRank(severity)
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
	if a.Status == Firing {
		a.Until = packetTime(at + int64(f.rule.repeat+f.rule.repeat/4+noticeSlack))
	}
	a.Sessions = slices.Clone(f.rule.groups.sessions.at(f.group).list)
	a.Summary = join(f.summary, func(hole string) string {
		switch hole {
		case "value":
			return Number(a.Value)
		case "threshold":
			return Number(a.Threshold)
		case "window":
			return short(f.window)
		}
		return a.Learned
	})
	e.options.Sink.Alert(a)
}

func packetTime(ns int64) time.Time { return time.Unix(0, ns).UTC() }
