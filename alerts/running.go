package alerts

import (
	"strings"
	"time"
)

// runningRule is a compiled rule with its groups.
type runningRule struct {
	*Rule
	repeat   time.Duration
	triggers []*runningTrigger
	groups   groups
	firing   [len(Severities)]int
	stats    RuleStats

	storm       *firing            // nil: none
	storms      uint32             // so far
	adopted     map[string]*firing // by fingerprint: their group is not known yet
	inhibits    []*silenced
	inhibitedBy []*silenced
	rank        int // rules that inhibit it have a lower one
}

// runningTrigger is a compiled trigger with its memory.
type runningTrigger struct {
	rule  *runningRule
	kind  kind
	fire  fire
	judge func(e *Engine, t *runningTrigger)

	when, also, forgive *condition
	severity            severity
	groupBy, field      *keying
	by, forgiveBy       *keying
	other               *keying
	labels              []string // names, beside groupBy
	labelling           int      // number of these names among the rule's
	fixed               []fixedLabel
	summary             template
	equal               []*keying // of the rule's inhibits

	marks   *slab[marks]      // count, distinct: by group
	shares  *slab[share]      // ratio: by group
	pending *slab[pending]    // for: by group
	rates   *slab[rate]       // spike: by group
	before  *memory[marks]    // after: earlier events by `by`
	others  *memory[contrast] // unlike: how others fared by `by`
	waits   *memory[wait]     // lasting: what goes on by `by`
	spikes  *spikes           // spike
}

type fixedLabel struct {
	name string
	text template
}

func (e *Engine) adopt(run *runningRule) {
	run.stats.Rule = run.Name
	e.fresh(run)
	for _, t := range run.triggers {
		e.byKind[t.kind] = append(e.byKind[t.kind], t)
		e.interests[t.kind].add(t)
	}
	e.rules = append(e.rules, run)
}

// fresh gives a rule that knows nothing its memory.
func (e *Engine) fresh(run *runningRule) {
	most := min(e.options.MaxGroups, run.most())
	run.groups, run.adopted = newGroups(most), map[string]*firing{}
	run.storm, run.storms, run.firing = nil, 0, [len(Severities)]int{}
	run.arrange()
	for len(run.inhibits) < len(run.Rule.inhibits) {
		run.inhibits = append(run.inhibits, &silenced{inhibition: &run.Rule.inhibits[len(run.inhibits)], by: run})
	}
	for _, s := range run.inhibits {
		s.upheld = *newMemory[int64](e.options.MaxGroups)
	}
	for i, t := range run.triggers {
		switch t.fire.how {
		case fireSpike:
			t.spikes = newSpikes(t, i, e.options.MaxGroups)
		case fireAfter:
			t.before = newMemory[marks](most)
			t.before.values.fresh = freshMarks
		case fireLasting:
			t.waits = newMemory[wait](e.options.MaxGroups)
		case fireUnlike:
			t.others = newMemory[contrast](e.options.MaxGroups)
		}
	}
}

// arrange gives each trigger its column of the rule's groups. A group belongs
// to triggers of one labelling alone; those of others may use the same column.
func (r *runningRule) arrange() {
	labellings := map[string]int{}
	used := map[[2]int]int{} // columns, by labelling and what they hold
	const holdsMarks, holdsRates, holdsShares, holdsPending = 0, 1, 2, 3
	next := func(t *runningTrigger, what int) int {
		used[[2]int{t.labelling, what}]++
		return used[[2]int{t.labelling, what}] - 1
	}
	for _, t := range r.triggers {
		name := strings.Join(t.labels, " ")
		if _, ok := labellings[name]; !ok {
			labellings[name] = len(labellings)
		}
		t.labelling = labellings[name]
		switch t.fire.how {
		case fireCount, fireDistinct:
			t.marks = column(&r.groups.marks, next(t, holdsMarks), freshMarks)
		case fireRatio:
			t.shares = column(&r.groups.shares, next(t, holdsShares), nil)
		case fireSpike:
			t.rates = column(&r.groups.rates, next(t, holdsRates), nil)
		}
		if t.fire.hold > 0 {
			t.pending = column(&r.groups.pending, next(t, holdsPending), nil)
		}
	}
}

// maxMarks bounds what the events of one rule take in memory: 16 octets each.
const maxMarks = 10_000_000

// most is how many groups a rule may remember, if each has all its events.
func (r *runningRule) most() int {
	marks := 1
	for _, t := range r.triggers {
		marks = max(marks, t.fire.threshold)
	}
	return maxMarks / marks
}

func (r *runningRule) firingNow() int {
	n := 0
	for _, x := range r.firing {
		n += x
	}
	return n
}
