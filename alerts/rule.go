package alerts

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Defaults and limits of the language.
const (
	DefaultRepeatInterval = 4 * time.Hour       // like Alertmanager's repeat_interval
	MaxWindow             = 31 * 24 * time.Hour // longest window, repeat_interval
	MaxThreshold          = 1000                // of count, distinct and after: each event in a window is remembered
	minSpikeWindow        = time.Second         // a bucket of it must hold more than one packet
	maxRuleFile           = 1 << 20             // octets of a rule file
	maxRules              = 1000                // entries of a rule file
)

// Rule is one entry of a rule file, checked. It says what an engine does with
// events; it holds no state.
type Rule struct {
	Name           string
	Severity       string // info, warning, critical or an expression that yields one
	Techniques     []string
	Runbook        string
	RepeatInterval time.Duration // 0 means DefaultRepeatInterval
	Disabled       bool
	Storm          int // single alerts that fire at once; 0 means DefaultStorm

	inhibits   []inhibition
	labels     []labelSource
	triggers   []trigger
	at         position
	overridden []string // what a site changed
	settings   position // of an override's floor, limit or window; zero: none
}

// trigger is one way in which a rule fires.
type trigger struct {
	kind     kind
	when     source   // empty: every event of the kind
	severity source   // info, warning, critical or an expression
	groupBy  []source // expressions; empty: one group
	named    []string // labels of groupBy; empty: called after the expressions
	summary  source
	fire     fire
	hold     time.Duration // for; goes into fire
}

// How a trigger fires.
const (
	fireEach     = "each"     // with every event
	fireCount    = "count"    // threshold events in a window
	fireDistinct = "distinct" // threshold different values of field in a window
	fireRatio    = "ratio"    // a part of the events in a window is of another condition too
	fireSpike    = "spike"    // events in a window far above what was learned
	fireAfter    = "after"    // with an event before which threshold others stood in a window
	fireUnlike   = "unlike"   // with an event that contradicts what others had lately
	fireLasting  = "lasting"  // with an event that tells again what began long ago
)

// fire is the fire section of a trigger; which fields count depends on how.
type fire struct {
	how       string
	at        position
	window    time.Duration // each: 0 means the rule's repeat interval
	hold      time.Duration // for: how long the verdict must hold
	threshold int
	field     []source // distinct: what must differ

	share float64 // ratio: the threshold, of `when` (the `of` of the file) among all ...
	least int     // ... where there are so many; unlike: so many others

	forgive   source   // count, distinct, after: an event that takes back earlier ones ...
	forgiveBy []source // ... with the same values of these

	when  source   // after: the earlier events; unlike: what others had; lasting: what ends it; ratio: what is counted among all
	by    []source // after, unlike, lasting: what both sides have in common
	other source   // unlike: what differs between one and the others
	times int      // unlike: so often in a row

	longer time.Duration // lasting: how long it must have gone on

	floor, limit float64 // spike: never fire below floor; what counts above limit where nothing was learned
	factor       float64 // spike: times the mean ...
	deviations   float64 // ... and standard deviations above it
	learn        int     // spike: windows until a baseline is believed
}

type labelSource struct {
	name string
	text source
}

// source is a piece of the file with its place, for errors.
type source struct {
	text  string
	at    position
	whole string   // the file's value that text is a part of
	skip  int      // characters of whole before text
	from  position // of whole
	raw   string   // the file from there on, as it was written
}

// position is a place in a rule file; the column is 0 where it is not known.
type position struct {
	file         string
	line, column int
}

func (p position) String() string {
	if p.column == 0 {
		return fmt.Sprintf("%s:%d", p.file, p.line)
	}
	return fmt.Sprintf("%s:%d:%d", p.file, p.line, p.column)
}

// Events lists the event kinds that the rule reads, each once.
func (r *Rule) Events() []string {
	var seen [kinds]bool
	var out []string
	for _, t := range r.triggers {
		if !seen[t.kind] {
			seen[t.kind] = true
			out = append(out, kindNames[t.kind])
		}
	}
	return out
}

// GroupBy lists the expressions that groups are made of, each once.
func (r *Rule) GroupBy() []string {
	var out []string
	for _, t := range r.triggers {
		for _, s := range t.groupBy {
			if !slices.Contains(out, s.text) {
				out = append(out, s.text)
			}
		}
	}
	return out
}

// Overridden lists the keys that a site's override changed.
func (r *Rule) Overridden() []string { return slices.Clone(r.overridden) }

// Position says where the rule stands: file:line:column.
func (r *Rule) Position() string { return r.at.String() }

// Repeat is the interval in effect.
func (r *Rule) Repeat() time.Duration {
	if r.RepeatInterval == 0 {
		return DefaultRepeatInterval
	}
	return r.RepeatInterval
}

// Severities lists what the rule's alerts can have: to show a metric's
// children at zero. Of an expression that is what it names, or all.
func (r *Rule) Severities() []string {
	var can [len(Severities)]bool
	for _, t := range r.triggers {
		named := false
		for i, s := range Severities {
			if t.severity.text == s || strings.Contains(t.severity.text, `"`+s+`"`) || strings.Contains(t.severity.text, "'"+s+"'") {
				can[i], named = true, true
			}
		}
		if !named {
			can = [len(Severities)]bool{true, true, true}
		}
	}
	var out []string
	for i, s := range Severities {
		if can[i] {
			out = append(out, s)
		}
	}
	return out
}

// Fires says in words how the rule fires, for a listing.
func (r *Rule) Fires() string {
	out := ""
	for i := range r.triggers {
		t := &r.triggers[i]
		words := t.fire.describe()
		if t.fire.hold > 0 {
			words += " for " + short(t.fire.hold)
		}
		if i > 0 {
			out += "; "
		}
		out += kindNames[t.kind] + ": " + words
	}
	return out
}

func (f *fire) describe() string {
	switch f.how {
	case fireCount:
		return fmt.Sprintf("%d in %s", f.threshold, short(f.window))
	case fireDistinct:
		return fmt.Sprintf("%d different in %s", f.threshold, short(f.window))
	case fireAfter:
		return fmt.Sprintf("after %d in %s", f.threshold, short(f.window))
	case fireRatio:
		return fmt.Sprintf("%s %% of at least %d in %s", Number(100*f.share), f.least, short(f.window))
	case fireSpike:
		return fmt.Sprintf("adaptive, floor %s in %s", Number(f.floor), short(f.window))
	case fireUnlike:
		return fmt.Sprintf("unlike %d others in %s", f.least, short(f.window))
	case fireLasting:
		return fmt.Sprintf("lasting longer than %s", short(f.longer))
	}
	return "each"
}

// short writes a duration without its zero parts: 5m, not 5m0s.
func short(d time.Duration) string {
	switch {
	case d >= time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d >= time.Minute && d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}
