package alerts

import (
	"slices"
	"strings"
)

// Adopt tells the engine of alerts that receivers believe to fire, after a
// restart. Those that Restore did not bring back are kept: each is upheld when
// its group is met again, known by its fingerprint, and resolved to the
// receivers when the rule's window has passed without. It is called before the
// first event; notices of an alert replace those before.
func (e *Engine) Adopt(active []Alert) {
	known := map[string]*firing{}
	for _, f := range e.timers {
		for _, print := range e.names(f) {
			known[print] = f
		}
	}
	for _, a := range e.unplaced {
		known[a.Fingerprint] = nil
	}
	for _, a := range active {
		f, there := known[a.Fingerprint]
		switch {
		case a.Status != Firing:
		case f != nil:
			f.known = a.Fingerprint
		case !there && len(e.unplaced) < maxAdopted:
			known[a.Fingerprint] = nil
			e.unplaced = append(e.unplaced, a)
		}
	}
}

// names are the fingerprints by which receivers may know an alert that Restore
// brought back.
func (e *Engine) names(f *firing) []string {
	out := []string{f.alert.Fingerprint}
	if f.storm == nil && !f.adopted {
		out = append(out, e.toldAs(f.alert.Fingerprint)...)
	}
	if f.known != "" && e.options.Receivers != "" { // else they are told the plain one from now on
		out = append(out, f.known)
	}
	return out
}

// maxAdopted bounds Adopt.
const maxAdopted = 100_000

// place gives adopted alerts their time: packet time is known with the first event.
func (e *Engine) place(now int64) {
	byName := map[string]*runningRule{}
	for _, r := range e.rules {
		byName[r.Name] = r
	}
	list := e.unplaced
	e.unplaced = nil
	for _, a := range list {
		r := byName[a.Rule]
		if r == nil { // disabled, renamed: nobody upholds its alerts
			r = &runningRule{Rule: &Rule{Name: a.Rule}, repeat: DefaultRepeatInterval}
		}
		e.keep(r, a, now)
	}
}

func (e *Engine) keep(r *runningRule, a Alert, now int64) {
	f := &firing{rule: r, group: none, alert: a, sessions: slices.Clone(a.Sessions), summary: []templatePart{{text: a.Summary}}, order: e.order, told: true}
	e.order++
	f.alert.Escalated, f.alert.Groups, f.alert.Evidence = false, 0, ""
	if SeverityRank(a.Severity) < 0 {
		f.alert.Severity = Warning
	}
	for _, t := range r.triggers {
		f.window = max(f.window, t.fire.window)
	}
	f.until, f.repeatAt = now+int64(f.window), now+int64(r.Repeat())
	if a.Labels.Get(stormLabel) != "" && r.storm == nil && len(r.triggers) > 0 {
		r.storms++
		f.storm = &storm{number: r.storms, groups: map[uint64]struct{}{}, base: min(max(a.Groups, 0), MaxStormGroups)}
		_, worst, _ := strings.Cut(a.Summary, stormWorst)
		f.summary = []templatePart{{text: worst}}
		r.storm = f
	} else if r.adopted != nil {
		r.adopted[a.Fingerprint] = f
	}
	e.adoptShown(f, &a)
	e.tell(r, f.alert.Severity, +1)
	e.timers.push(f)
}

// recognise finds the adopted alert of the event's group. It costs the labels of
// every event that counts, but only until all are met again or resolved.
func (e *Engine) recognise(t *runningTrigger, group uint32) *firing {
	r := t.rule
	for _, print := range e.toldAs(fingerprint(r.Name, e.labels(t, e.list(t, t.groupBy)))) {
		if f := r.adopted[print]; f != nil {
			delete(r.adopted, print)
			f.group, f.key = group, r.groups.keys.entries[group].key
			r.groups.firing[group] = f
			return f
		}
	}
	return nil
}
