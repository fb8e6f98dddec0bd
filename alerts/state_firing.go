package alerts

import (
	"encoding/json"
	"slices"
	"time"
)

// maxFirings bounds the alerts of one rule in a state file: singles, adopted
// ones, a storm.
const maxFirings = MaxStorm + maxAdopted + 1

func (e *Engine) saveFiring(w *encoder, r *runningRule) {
	var list []*firing
	for _, f := range e.timers {
		if f.rule == r {
			list = append(list, f)
		}
	}
	slices.SortFunc(list, func(a, b *firing) int { return int(a.order) - int(b.order) })
	w.uint(uint64(len(list)))
	for _, f := range list {
		w.part(func(w *encoder) { f.save(w) })
	}
}

// save writes an alert. Its values are for people: JSON will do, there are few.
func (f *firing) save(w *encoder) {
	a := f.alert
	a.Sessions, a.Summary = nil, ""
	text, _ := json.Marshal(a) // texts, numbers and times alone
	w.text(string(text))
	w.texts(f.sessions)
	w.uint(uint64(f.group))
	w.key(f.key)
	saveParts(w, f.summary)
	w.bool(f.share)
	w.int(int64(f.window))
	w.int(f.until)
	w.int(f.repeatAt)
	w.uint(f.order)
	w.bool(f.told)
	w.text(f.silencer)
	w.int(f.silentUntil)
	w.bool(f.storm != nil)
	if s := f.storm; s != nil {
		w.uint(uint64(s.number))
		w.uint(uint64(s.base))
		w.bool(s.full)
		w.texts(s.examples)
		w.uint(uint64(len(s.groups)))
		for k := range s.groups {
			w.word(k)
		}
	}
	f.saveShown(w)
}

func saveParts(w *encoder, parts []templatePart) {
	w.uint(uint64(len(parts)))
	for _, p := range parts {
		w.text(p.hole)
		w.text(p.text)
	}
}

func restoreParts(d *decoder) (parts []templatePart) {
	for range d.count(1000) {
		p := templatePart{hole: d.text(), text: d.text()}
		d.ok(p.hole == "" || holes[p.hole])
		parts = append(parts, p)
	}
	return parts
}

func (e *Engine) restoreFiring(d *decoder, r *runningRule) {
	for range d.count(maxFirings) {
		p := d.part()
		f := &firing{rule: r}
		f.restore(p)
		if !d.ok(p.end() && e.restored(f)) {
			return
		}
	}
}

func (f *firing) restore(d *decoder) {
	err := json.Unmarshal([]byte(d.text()), &f.alert)
	a := &f.alert
	if !d.ok(err == nil && a.Rule == f.rule.Name && a.Status == Firing && SeverityRank(a.Severity) >= 0) {
		return
	}
	a.Sessions, f.sessions = nil, d.texts(MaxSessions)
	f.group, f.key = uint32(d.uint()), d.key()
	f.summary = restoreParts(d)
	f.share = d.bool()
	f.window = time.Duration(min(max(d.int(), 0), int64(MaxWindow)))
	f.until, f.repeatAt, f.order = d.int(), d.int(), d.uint()
	f.told, f.silencer, f.silentUntil = d.bool(), d.text(), d.int()
	if d.bool() {
		s := &storm{number: uint32(d.uint()), base: d.countTo(MaxStormGroups), full: d.bool(), examples: d.texts(stormExamples), groups: map[uint64]struct{}{}}
		for range d.count(MaxStormGroups) {
			s.groups[d.word()] = struct{}{}
		}
		f.storm = s
	}
	f.restoreShown(d)
}

// restored gives an alert its place; false: it cannot have it.
func (e *Engine) restored(f *firing) bool {
	r, g := f.rule, &f.rule.groups
	switch {
	case f.storm != nil:
		if r.storm != nil || f.group != none {
			return false
		}
		r.storm = f
	case f.group != none:
		if int(f.group) >= len(g.keys.entries) || g.firing[f.group] != nil || g.keys.entries[f.group].key != f.key {
			return false
		}
		g.firing[f.group] = f
	case f.key == key{}:
		r.adopted[f.alert.Fingerprint] = f
	default:
		if _, there := g.keys.find(f.key); there || g.orphans[f.key] != nil {
			return false
		}
		g.orphans[f.key] = f
	}
	// What was due then was done: no file may have the clock work off years.
	first, last := e.now+1, e.now+int64(MaxWindow)
	f.until, f.repeatAt = min(max(f.until, first), last), min(max(f.repeatAt, first), last)
	r.firing[SeverityRank(f.alert.Severity)]++
	e.timers.push(f)
	return true
}
