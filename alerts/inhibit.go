package alerts

import (
	"fmt"
	"slices"
)

// inhibition is one entry of a rule's `inhibits`, checked.
type inhibition struct {
	rule  string
	equal []string // labels that both must have alike
	at    position
}

// silenced is an inhibition at work: until when an alert of the rule fires, by
// the labels that must be equal.
type silenced struct {
	*inhibition
	by     *runningRule
	upheld memory[int64]
}

// silence notes that an alert fires on the event at hand, for the rules that it
// inhibits.
func (e *Engine) silence(t *runningTrigger) {
	for i, s := range t.rule.inhibits {
		k := e.keyOf(t, t.equal[i])
		until := s.upheld.get(k)
		if until == nil {
			var taken bool
			if until, taken = s.upheld.add(k); taken {
				t.rule.stats.Evicted++
			}
			*until = 0
		}
		*until = max(min(*until, e.now+int64(MaxWindow)), e.now+int64(t.fire.window))
	}
}

// silencer is the rule that keeps an alert from receivers, and how long. A storm
// stands for many groups: it has no label that could be equal.
func (e *Engine) silencer(f *firing, at int64) (rule string, until int64) {
	if f.storm != nil {
		return "", 0
	}
	for _, s := range f.rule.inhibitedBy {
		text := e.scratch[:0]
		for _, name := range s.equal {
			text = append(append(text, f.alert.Labels.Get(name)...), 0)
		}
		e.scratch = text
		if slot, ok := s.upheld.keys.find(e.hash(text)); ok {
			if t := *s.upheld.values.at(slot); t > at && t <= at+int64(MaxWindow) && t > until {
				rule, until = s.by.Name, t
			}
		}
	}
	return rule, until
}

// silent says of an alert that fires that nobody was told.
func (f *firing) silent() bool { return !f.told && f.silencer != "" }

// silencing names the rule that keeps a notice from receivers. Who was told of
// an alert is told of its end; who was not is not.
func (e *Engine) silencing(f *firing, at int64) string {
	if f.alert.Status == Resolved {
		if f.told {
			return ""
		}
		return f.silencer
	}
	by, until := e.silencer(f, at)
	if by == "" {
		f.told = true
	} else if !f.told {
		f.silencer, f.silentUntil = by, max(f.silentUntil, until) // never before its timer
	}
	return by
}

// unsilence tells of an alert that outlives what inhibited it.
func (e *Engine) unsilence(f *firing) {
	at := f.silentUntil
	if by, until := e.silencer(f, at); by != "" {
		f.silencer, f.silentUntil = by, until
	} else {
		e.emit(f, at)
		f.repeatAt = at + int64(f.rule.repeat)
	}
	e.timers.push(f)
}

// connect brings inhibiting rules and inhibited ones together, and has those
// judged first that inhibit. A rule that is not there is inhibited by nobody.
func (e *Engine) connect() {
	byName := map[string]*runningRule{}
	for _, r := range e.rules {
		byName[r.Name] = r
	}
	for _, r := range e.rules {
		for _, s := range r.inhibits {
			if target := byName[s.rule]; target != nil {
				target.inhibitedBy = append(target.inhibitedBy, s)
			}
		}
	}
	for range e.rules { // Merge saw to it that there are no circles
		for _, r := range e.rules {
			for _, s := range r.inhibitedBy {
				r.rank = min(max(r.rank, s.by.rank+1), len(e.rules))
			}
		}
	}
	for k := range e.byKind {
		slices.SortStableFunc(e.byKind[k], func(a, b *runningTrigger) int { return a.rule.rank - b.rule.rank })
	}
}

// checkInhibits holds every `inhibits` against the rules that are there.
func (s RuleSet) checkInhibits() error {
	byName := map[string]*Rule{}
	for i := range s.Rules {
		byName[s.Rules[i].Name] = &s.Rules[i]
	}
	for i := range s.Rules {
		r := &s.Rules[i]
		for _, in := range r.inhibits {
			target := byName[in.rule]
			if target == nil {
				return placed(in.at, r.Name, fmt.Sprintf("inhibits: there is no rule %s", Clip(in.rule)))
			}
			if name := target.lacks(in.equal); name != "" {
				return placed(in.at, r.Name, fmt.Sprintf("inhibits: rule %s has no label %s from its group_by in every trigger", in.rule, Clip(name)))
			}
			if reaches(byName, in.rule, r.Name, map[string]bool{}) {
				return placed(in.at, r.Name, fmt.Sprintf("inhibits: rule %s inhibits this one", in.rule))
			}
		}
	}
	return nil
}

// lacks names a label that not every trigger of the rule groups by.
func (r *Rule) lacks(labels []string) string {
	for i := range r.triggers {
		have := r.triggers[i].labels()
		for _, name := range labels {
			if !slices.Contains(have, name) {
				return name
			}
		}
	}
	return ""
}

// reaches says whether a rule inhibits another, itself or through others.
func reaches(byName map[string]*Rule, from, to string, seen map[string]bool) bool {
	if from == to {
		return true
	}
	r := byName[from]
	if r == nil || seen[from] {
		return false
	}
	seen[from] = true
	return slices.ContainsFunc(r.inhibits, func(in inhibition) bool { return reaches(byName, in.rule, to, seen) })
}
