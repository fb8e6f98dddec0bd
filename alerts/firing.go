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
	group    uint32 // slot; none of a storm and where the slot was given to another group
	key      key    // of the group
	alert    Alert  // without what each notice fills anew
	sessions []string
	summary  []templatePart
	share    bool          // the value is a part of all: shown in percent
	window   time.Duration // longest of the triggers that upheld it
	until    int64         // when the window is clean, unless an event comes
	repeatAt int64
	due      int64 // in the heap of timers; may lie before the true one
	order    uint64
	counted  uint64 // number of the event counted last

	told        bool   // receivers know of it
	silencer    string // rule that keeps it from receivers
	silentUntil int64  // of what nobody was told: when to see whether that still holds
	storm       *storm // nil: it is a single alert

	shown   map[string]*shown // by the name of a mask; nil where nothing is hidden
	adopted bool              // the fingerprint is the one that receivers know
	known   string            // by which they know it where settings or keys changed since; else empty
}

// tally counts an event of an alert whose value is all that came since it
// began, not only what a window holds; once, though several triggers match.
func (f *firing) tally(event uint64) {
	if f.counted != event {
		f.counted = event
		f.alert.Value++
	}
}

// counts says whether the value is what came since the alert began.
func (f *firing) counts(t *runningTrigger) bool {
	return f.storm != nil || t.fire.how == fireCount || t.fire.how == fireEach
}

// raise begins an alert, has it pend, or upholds the one that fires.
func (e *Engine) raise(t *runningTrigger, group uint32, v verdict) {
	f := e.firingOf(t, group)
	if f == nil {
		if e.held(t, group) {
			e.begin(t, group, v)
		}
		return
	}
	severity := e.severity(t)
	f.note(e.session())
	e.uphold(t, f, group)
	a := &f.alert
	if !f.counts(t) && v.value > a.Value {
		a.Value, a.Threshold, a.Learned = v.value, v.threshold, v.learned
	}
	if SeverityRank(severity) > SeverityRank(a.Severity) {
		e.escalate(t, f, v, severity)
	}
}

// uphold extends an alert by the event at hand, and counts it.
func (e *Engine) uphold(t *runningTrigger, f *firing, group uint32) {
	f.extend(t, e.now)
	if f.counts(t) {
		f.tally(e.event)
	}
	if f.storm != nil {
		t.rule.groups.sessions.at(group).member.until = e.now + int64(t.fire.window)
	}
	e.silence(t)
}

// begin is the first notice of an alert, unless a storm takes the group up.
func (e *Engine) begin(t *runningTrigger, group uint32, v verdict) {
	r := t.rule
	if r.storm != nil || r.firingNow() >= r.stormSize() {
		e.fold(t, group, v)
		return
	}
	f := e.newFiring(t, v, e.started(t, group))
	f.group, f.key = group, r.groups.keys.entries[group].key
	f.sessions = noteID(slices.Clone(r.groups.sessions.at(group).list), e.session())
	r.groups.forget(group)
	values := e.list(t, t.groupBy)
	f.alert.Key, f.alert.Labels = strings.Join(values, " "), e.labels(t, values)
	r.groups.firing[group] = f
	e.show(t, f, v)
	e.announce(t, f)
}

// started is when the first event was that an alert would tell of.
func (e *Engine) started(t *runningTrigger, group uint32) int64 {
	if t.marks != nil {
		return t.marks.at(group).oldest(e.now)
	}
	t.rule.groups.forget(group)
	return e.now
}

func (e *Engine) newFiring(t *runningTrigger, v verdict, started int64) *firing {
	r := t.rule
	f := &firing{rule: r, group: none, summary: e.write(t, t.summary), share: t.fire.how == fireRatio, order: e.order, counted: e.event, alert: Alert{
		Rule: r.Name, Severity: e.severity(t), Status: Firing, Started: packetTime(started),
		Value: v.value, Threshold: v.threshold, Learned: v.learned, Techniques: r.Techniques, Runbook: r.Runbook,
	}}
	e.order++
	return f
}

// announce tells of an alert for the first time.
func (e *Engine) announce(t *runningTrigger, f *firing) {
	r := f.rule
	f.alert.Fingerprint = fingerprint(r.Name, f.alert.Labels)
	f.repeatAt = e.now + int64(r.repeat)
	f.extend(t, e.now)
	e.silence(t)
	r.stats.Raised++
	e.tell(r, f.alert.Severity, +1)
	if e.options.Observer != nil {
		e.options.Observer.Raised(r.Name, f.alert.Severity)
	}
	e.emit(f, e.now)
	e.timers.push(f)
}

// note keeps the id of a session that counted.
func (f *firing) note(id string) { f.sessions = noteID(f.sessions, id) }

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
func (e *Engine) escalate(t *runningTrigger, f *firing, v verdict, severity string) {
	e.tell(f.rule, f.alert.Severity, -1)
	e.tell(f.rule, severity, +1)
	f.alert.Severity = severity
	f.summary = e.write(t, t.summary)
	if f.storm != nil {
		f.ofMember(t, v)
	}
	e.show(t, f, v)
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

// next is when something must happen to the alert.
func (f *firing) next() int64 {
	next := min(f.until, f.repeatAt)
	if f.silent() {
		next = min(next, f.silentUntil)
	}
	return next
}

// timer resolves, repeats or tells an alert whose time may have come.
func (e *Engine) timer(f *firing) {
	switch next := f.next(); {
	case next > f.due: // upheld since
		e.timers.push(f)
	case f.until == next:
		e.resolve(f, f.until)
	case f.silent() && f.silentUntil == next:
		e.unsilence(f)
	default:
		e.repeat(f, f.repeatAt)
		e.timers.push(f)
	}
}

// repeat tells again of an alert that lasts.
func (e *Engine) repeat(f *firing, at int64) {
	f.alert.Repeat++
	e.emit(f, at)
	f.repeatAt = at + int64(f.rule.repeat)
}

// resolve ends an alert that is out of the heap.
func (e *Engine) resolve(f *firing, at int64) {
	r := f.rule
	f.alert.Status, f.alert.Ended = Resolved, packetTime(at)
	switch {
	case f.storm != nil:
		r.storm = nil
	case f.group != none:
		delete(r.groups.firing, f.group)
	default:
		delete(r.groups.orphans, f.key)
		delete(r.adopted, f.alert.Fingerprint)
	}
	e.tell(r, f.alert.Severity, -1)
	e.emit(f, at)
}

func (e *Engine) tell(r *runningRule, severity string, n int) {
	i := SeverityRank(severity)
	r.firing[i] += n
	if e.options.Observer != nil {
		e.options.Observer.FiringNow(r.Name, severity, r.firing[i])
	}
}

// emit gives a notice to the sink.
func (e *Engine) emit(f *firing, at int64) {
	by := e.silencing(f, at)
	if e.options.Sink == nil {
		return
	}
	a := e.toldOf(f, at)
	a.InhibitedBy = by
	e.options.Sink.Alert(a)
}

// toldOf is what there is to tell of an alert now.
func (e *Engine) toldOf(f *firing, at int64) Alert {
	a := f.alert
	a.Time = packetTime(at)
	if a.Status == Firing {
		a.Until = packetTime(at + int64(f.rule.repeat+f.rule.repeat/4+noticeSlack))
	}
	a.Sessions = slices.Clone(f.sessions)
	a.Summary = f.text(&a)
	if f.storm != nil {
		a.Groups = f.storm.count()
	}
	e.reveal(f, &a)
	if f.storm != nil {
		a.Summary = f.storm.sentence(f, &a, f.storm.examples, a.Summary)
	}
	return a
}

// Firing are all alerts that fire, for who lists them anew; no Sink is told. Those
// that were adopted and have no time yet are as Adopt got them.
func (e *Engine) Firing() (judged, adopted []Alert) {
	for _, f := range e.timers {
		a := e.toldOf(f, e.now)
		if !f.told {
			a.InhibitedBy = f.silencer
		}
		judged = append(judged, a)
	}
	return judged, slices.Clone(e.unplaced)
}

// text writes the summary with what the alert's value is now.
func (f *firing) text(a *Alert) string {
	return join(f.summary, func(hole string) string {
		switch hole {
		case "value":
			return f.number(a.Value)
		case "threshold":
			return f.number(a.Threshold)
		case "window":
			return short(f.window)
		}
		return a.Learned
	})
}

// number writes a value or threshold of the alert.
func (f *firing) number(v float64) string {
	if f.share {
		return Number(100*v) + " %"
	}
	return Number(v)
}

func packetTime(ns int64) time.Time { return time.Unix(0, ns).UTC() }
