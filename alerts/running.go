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

	marks  *slab[marks]      // count, distinct: by group
	rates  *slab[rate]       // spike: by group
	before *memory[marks]    // after: earlier events by `by`
	others *memory[contrast] // unlike: how others fared by `by`
	waits  *memory[wait]     // lasting: what goes on by `by`
	spikes *spikes           // spike
}

type fixedLabel struct {
	name string
	text template
}

func (e *Engine) adopt(run *runningRule) {
	run.stats.Rule = run.Name
	run.groups = newGroups(e.options.MaxGroups)
	run.arrange()
	for i, t := range run.triggers {
		switch t.fire.how {
		case fireSpike:
			t.spikes = newSpikes(t, i, e.options.MaxGroups)
		case fireAfter:
			t.before = newMemory[marks](e.options.MaxGroups)
			t.before.values.fresh = freshMarks
		case fireLasting:
			t.waits = newMemory[wait](e.options.MaxGroups)
		case fireUnlike:
			t.others = newMemory[contrast](e.options.MaxGroups)
		}
		e.byKind[t.kind] = append(e.byKind[t.kind], t)
		e.interests[t.kind].add(t)
	}
	e.rules = append(e.rules, run)
}

// arrange gives each trigger its column of the rule's groups. A group belongs
// to triggers of one labelling alone; those of others may use the same column.
func (r *runningRule) arrange() {
	labellings := map[string]int{}
	used := map[[2]int]int{} // columns, by labelling and what they hold
	const holdsMarks, holdsRates = 0, 1
	for _, t := range r.triggers {
		name := strings.Join(t.labels, " ")
		if _, ok := labellings[name]; !ok {
			labellings[name] = len(labellings)
		}
		t.labelling = labellings[name]
		switch t.fire.how {
		case fireCount, fireDistinct:
			t.marks = r.groups.marksColumn(used[[2]int{t.labelling, holdsMarks}])
			used[[2]int{t.labelling, holdsMarks}]++
		case fireSpike:
			t.rates = r.groups.ratesColumn(used[[2]int{t.labelling, holdsRates}])
			used[[2]int{t.labelling, holdsRates}]++
		}
	}
}

func (r *runningRule) firingNow() int {
	n := 0
	for _, x := range r.firing {
		n += x
	}
	return n
}
