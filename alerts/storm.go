package alerts

import (
	"fmt"
	"slices"
	"strings"
)

// Limits of a storm.
const (
	DefaultStorm   = 10      // single alerts of a rule that fire at once
	MaxStorm       = 1000    // most that a rule may ask for
	MaxStormGroups = 250_000 // groups that are told apart; beyond them a storm says "at least"
	stormExamples  = 3       // groups that the summary names
	stormLabel     = "storm"
	stormWorst     = ", the worst: " // before the summary of a member
)

// storm is what one alert remembers that stands for many groups of a rule: when
// so many fire, those that follow are folded into it while it lasts. It is told
// when it begins, when it became a hundred and ten thousand groups, and like any
// alert when it became worse, lasts, or is over.
type storm struct {
	number   uint32 // of the rule's storms: tells its members from those of the one before
	groups   map[uint64]struct{}
	base     int // groups that were counted before a restart, and are not known
	full     bool
	examples []string
}

// folded is a group's part in a storm.
type folded struct {
	storm uint32
	until int64 // when its window is clean
}

// upheld says whether the group's own window is not clean yet.
func (m *folded) upheld(f *firing, now int64) bool {
	return m.storm == f.storm.number && now < m.until && m.until <= now+int64(MaxWindow)
}

// stormSize is how many single alerts of the rule fire at once.
func (r *Rule) stormSize() int {
	if r.Storm == 0 {
		return DefaultStorm
	}
	return r.Storm
}

// fold takes a group into the rule's storm, which begins with the first.
func (e *Engine) fold(t *runningTrigger, group uint32, v verdict) {
	r := t.rule
	f, begins := r.storm, r.storm == nil
	sessions := r.groups.sessions.at(group).list
	if begins {
		f = e.newFiring(t, v, e.started(t, group))
		f.ofMember(t, v)
		f.alert.Value = v.events(t)
		f.alert.Key, f.alert.Labels = stormLabel, t.stormLabels()
		r.storms++
		f.storm = &storm{number: r.storms, groups: map[uint64]struct{}{}}
		r.storm = f
	} else {
		f.alert.Value += v.events(t)
		f.counted = e.event
	}
	for _, id := range sessions {
		f.note(id)
	}
	f.note(e.session())
	r.groups.forget(group)
	r.stats.Folded++
	r.groups.sessions.at(group).member = folded{f.storm.number, e.now + int64(t.fire.window)}
	grew := f.storm.add(r.groups.keys.entries[group].key)
	if len(f.storm.examples) < stormExamples {
		f.storm.examples = withExample(f.storm.examples, strings.Join(e.list(t, t.groupBy), " "))
		e.showExample(t, f)
	}
	if begins {
		e.show(t, f, v)
		e.announce(t, f)
		return
	}
	f.extend(t, e.now)
	e.silence(t)
	if severity := e.severity(t); SeverityRank(severity) > SeverityRank(f.alert.Severity) {
		e.escalate(t, f, v, severity)
	} else if grew {
		e.repeat(f, e.now)
	}
}

// events is how many events a verdict stands for.
func (v verdict) events(t *runningTrigger) float64 {
	if t.fire.how == fireRatio {
		return 1
	}
	return v.value
}

// ofMember fills the summary with what one member did: the alert's own value is
// that of all.
func (f *firing) ofMember(t *runningTrigger, v verdict) {
	f.summary, f.share = []templatePart{{text: memberText(t, v, f.summary)}}, false
}

func memberText(t *runningTrigger, v verdict, summary []templatePart) string {
	a := Alert{Value: v.value, Threshold: v.threshold, Learned: v.learned}
	one := firing{summary: summary, window: t.fire.window, share: t.fire.how == fireRatio}
	return one.text(&a)
}

// add counts a group once; grew says that this is worth a notice.
func (s *storm) add(k key) (grew bool) {
	if len(s.groups) >= MaxStormGroups {
		s.full = true
		return false
	}
	n := len(s.groups)
	s.groups[k.a^k.b] = struct{}{}
	return len(s.groups) > n && (s.count() == 100 || s.count() == 10_000)
}

func (s *storm) count() int { return s.base + len(s.groups) }

func withExample(examples []string, key string) []string {
	if key == "" || slices.Contains(examples, key) {
		return examples
	}
	return append(examples, key)
}

// sentence is the summary of a notice of the storm.
func (s *storm) sentence(f *firing, a *Alert, examples []string, worst string) string {
	what := thousands(a.Groups) + " further groups"
	if a.Groups == 1 {
		what = "1 further group"
	}
	if s.full {
		what = "at least " + what
	}
	names := slices.Clone(examples)
	if a.Groups > len(names) {
		names = append(names, "…")
	}
	return fmt.Sprintf("%s: %s within %s (%s)%s%s", a.Rule, what, short(f.window), strings.Join(names, ", "), stormWorst, worst)
}

// stormLabels are those that hold for every group of the rule, and one that
// tells the storm from a group.
func (t *runningTrigger) stormLabels() Labels {
	out := Labels{{stormLabel, "true"}}
	for _, l := range t.fixed {
		if value, ok := l.text.constant(); ok {
			out = append(out, Label{l.name, value})
		}
	}
	slices.SortFunc(out, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	return out
}
