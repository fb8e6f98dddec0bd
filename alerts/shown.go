package alerts

import (
	"slices"
	"strings"

	"github.com/mailtap/mailtap/sessions"
)

// Mask hides what an output must not show. Rules see events as they are; what an
// alert says is written once more from the event that the mask gives.
type Mask interface {
	Event(sessions.Event) sessions.Event
	Fingerprint(string) string
	Name() string // of what it hides, the same for the same settings; never empty
}

// shown is what an alert says under one mask.
type shown struct {
	key      string
	labels   Labels
	summary  []templatePart
	share    bool
	examples []string // of a storm
}

// Shown is the alert as an output with the mask of this name may show it; with an
// empty name it is the alert itself. Sessions stay: their ids are the mask's own
// matter.
func (a Alert) Shown(name string) Alert {
	all := a.shown
	a.shown = nil
	s, ok := all[name]
	switch {
	case name == "":
		return a
	case ok:
	case name == a.Privacy: // somebody showed it already
		return a
	default:
		s = hidden(&a)
	}
	a.Key, a.Summary, a.Labels, a.Fingerprint, a.Privacy = s.Key, s.Summary, s.Labels, s.Fingerprint, name
	return a
}

// unshown stands for a value that is not shown.
const unshown = "*"

// hidden is an alert of which nothing is known that may be shown: it began under
// other settings.
func hidden(a *Alert) Alert {
	out := Alert{Key: unshown, Summary: a.Rule + ": it began under other settings of privacy, what it is about is hidden"}
	for _, l := range a.Labels {
		out.Labels = append(out.Labels, Label{l.Name, unshown})
	}
	return out
}

// through has f read the event at hand as a mask gives it.
func (e *Engine) through(m Mask, f func()) {
	event := e.view.event
	e.view.event = m.Event(event)
	e.facts.take(e.view.event)
	f()
	e.view.event = event
	e.facts.take(event)
}

// show writes what an alert says of the event at hand for each mask.
func (e *Engine) show(t *runningTrigger, f *firing, v verdict) {
	for _, m := range e.options.Masks {
		s := f.shownTo(m)
		e.through(m, func() {
			s.summary, s.share = e.write(t, t.summary), f.share
			if f.storm != nil {
				s.summary = []templatePart{{text: memberText(t, v, s.summary)}}
				s.key, s.labels = f.alert.Key, f.alert.Labels
			} else if s.labels == nil {
				values := e.list(t, t.groupBy)
				s.key, s.labels = strings.Join(values, " "), e.labels(t, values)
			}
		})
	}
}

// showExample names a group of a storm for each mask.
func (e *Engine) showExample(t *runningTrigger, f *firing) {
	for _, m := range e.options.Masks {
		s := f.shownTo(m)
		e.through(m, func() { s.examples = withExample(s.examples, strings.Join(e.list(t, t.groupBy), " ")) })
	}
}

func (f *firing) shownTo(m Mask) *shown {
	if f.shown == nil {
		f.shown = make(map[string]*shown)
	}
	s := f.shown[m.Name()]
	if s == nil {
		s = &shown{}
		f.shown[m.Name()] = s
	}
	return s
}

// reveal completes a notice with what each mask shows of it.
func (e *Engine) reveal(f *firing, a *Alert) {
	if len(e.options.Masks) == 0 {
		return
	}
	plain := *a
	a.shown = make(map[string]Alert, len(e.options.Masks))
	for _, m := range e.options.Masks {
		one := hidden(&plain)
		if f.storm != nil {
			one = plain // its labels are the rule's
			one.Summary = f.storm.sentence(f, &plain, nil, "")
		}
		if s := f.shown[m.Name()]; s != nil && s.summary != nil {
			under := firing{summary: s.summary, share: s.share, window: f.window}
			one = Alert{Key: s.key, Labels: s.labels, Summary: under.text(&plain)}
			if f.storm != nil {
				one.Summary = f.storm.sentence(f, &plain, s.examples, one.Summary)
			}
		}
		one.Fingerprint = e.fingerprintFor(f, m)
		a.shown[m.Name()] = one
	}
}

// fingerprintFor is the alert's under a mask. Receivers are told the end of what they
// know under the fingerprint by which they know it.
func (e *Engine) fingerprintFor(f *firing, m Mask) string {
	if f.storm == nil && f.known != "" && m.Name() == e.options.Receivers {
		return f.known
	}
	if f.storm != nil || f.adopted && m.Name() == e.options.Receivers {
		return f.alert.Fingerprint
	}
	return m.Fingerprint(f.alert.Fingerprint)
}

// toldAs are the fingerprints by which receivers may know a group: theirs, and that
// of the key before.
func (e *Engine) toldAs(print string) []string {
	out := []string{print}
	for _, m := range e.options.Masks {
		if m.Name() == e.options.Receivers {
			out = []string{m.Fingerprint(print)}
		}
	}
	if e.options.Earlier != nil {
		out = append(out, e.options.Earlier.Fingerprint(print))
	}
	return out
}

// adoptShown keeps what receivers were told of an alert, if it may still be shown.
func (e *Engine) adoptShown(f *firing, a *Alert) {
	f.adopted = true
	if e.options.Receivers != "" && a.Privacy == e.options.Receivers {
		f.shown = map[string]*shown{a.Privacy: {key: a.Key, labels: a.Labels, summary: f.summary}}
	}
}

func (f *firing) saveShown(w *encoder) {
	if f.shown == nil && !f.adopted && f.known == "" {
		return
	}
	w.bool(f.adopted)
	names := make([]string, 0, len(f.shown))
	for name := range f.shown {
		names = append(names, name)
	}
	slices.Sort(names)
	w.uint(uint64(len(names)))
	for _, name := range names {
		s := f.shown[name]
		w.text(name)
		w.text(s.key)
		w.uint(uint64(len(s.labels)))
		for _, l := range s.labels {
			w.text(l.Name)
			w.text(l.Value)
		}
		saveParts(w, s.summary)
		w.bool(s.share)
		w.texts(s.examples)
	}
	if f.known != "" {
		w.text(f.known)
	}
}

// maxMasks bounds the masks in a state file.
const maxMasks = 16

func (f *firing) restoreShown(d *decoder) {
	if len(d.b) == 0 { // nothing is hidden
		return
	}
	f.adopted = d.bool()
	for range d.count(maxMasks) {
		name, s := d.text(), &shown{key: d.text()}
		for range d.count(1000) {
			s.labels = append(s.labels, Label{d.text(), d.text()})
		}
		s.summary, s.share, s.examples = restoreParts(d), d.bool(), d.texts(stormExamples)
		if f.shown == nil {
			f.shown = make(map[string]*shown)
		}
		f.shown[name] = s
	}
	if len(d.b) > 0 {
		f.known = d.text()
	}
}
