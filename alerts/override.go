package alerts

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"
)

// override changes a rule of another file by its name.
type override struct {
	name     string
	at       position
	keys     map[string]position // what it changes, and where
	disabled *bool
	severity source
	repeat   time.Duration

	window    time.Duration
	hold      time.Duration
	threshold int
	storm     int
	floor     float64
	limit     float64
}

func (r *reader) overrides(n *yaml.Node, set *RuleSet) error {
	if n.Kind != yaml.SequenceNode || len(n.Content) > maxRules {
		return r.errorf(n, "override must be a list of at most %d changes", maxRules)
	}
	lines := map[string]int{}
	for _, item := range n.Content {
		o, err := r.override(item)
		if err != nil {
			return err
		}
		if line, twice := lines[o.name]; twice {
			return placed(o.at, o.name, fmt.Sprintf("an override of this rule stands in line %d already", line))
		}
		lines[o.name] = o.at.line
		set.overrides = append(set.overrides, o)
	}
	r.rule = ""
	return nil
}

func (r *reader) override(n *yaml.Node) (override, error) {
	name, err := r.name(n, "an override")
	if err != nil {
		return override{}, err
	}
	o := override{name: name, at: r.position(n), keys: map[string]position{}}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := n.Content[i].Value; key != "name" {
			o.keys[key] = r.position(n.Content[i+1])
		}
	}
	return o, r.mapping(n, "an override", table{
		"name":            ignore,
		"disabled":        func(n *yaml.Node) error { o.disabled = new(bool); return r.boolean(n, "disabled", o.disabled) },
		"severity":        func(n *yaml.Node) error { return r.source(n, "severity", &o.severity) },
		"repeat_interval": func(n *yaml.Node) error { return r.repeat(n, &o.repeat) },
		"window":          func(n *yaml.Node) error { return r.duration(n, "window", &o.window) },
		"for":             func(n *yaml.Node) error { return r.duration(n, "for", &o.hold) },
		"storm":           func(n *yaml.Node) error { return r.integer(n, "storm", 1, MaxStorm, &o.storm) },
		"threshold":       func(n *yaml.Node) error { return r.integer(n, "threshold", 1, MaxThreshold, &o.threshold) },
		"floor":           func(n *yaml.Node) error { return r.float(n, "floor", &o.floor) },
		"limit":           func(n *yaml.Node) error { return r.float(n, "limit", &o.limit) },
	})
}

// Overrides counts the changes of other files' rules.
func (s RuleSet) Overrides() int { return len(s.overrides) }

// Merge returns the rules of both sets with the overrides of site carried out.
// A rule that both have, or an override of one that s lacks, is an error that
// names its place in the site's file.
func (s RuleSet) Merge(site RuleSet) (RuleSet, error) {
	out := s.clone()
	index := map[string]int{}
	for i, r := range out.Rules {
		index[r.Name] = i
	}
	for _, r := range site.Rules {
		if i, twice := index[r.Name]; twice {
			return RuleSet{}, placed(r.at, r.Name, fmt.Sprintf("the name is taken (%s); change that rule under override, or choose another name", out.Rules[i].at))
		}
		index[r.Name] = len(out.Rules)
		out.Rules = append(out.Rules, r)
	}
	for _, o := range site.overrides {
		i, ok := index[o.name]
		if !ok {
			return RuleSet{}, placed(o.at, o.name, "there is no such rule to override")
		}
		if err := o.apply(&out.Rules[i]); err != nil {
			return RuleSet{}, err
		}
	}
	if err := out.checkInhibits(); err != nil {
		return RuleSet{}, err
	}
	return out, nil
}

// clone is a set whose overrides do not reach s.
func (s RuleSet) clone() RuleSet {
	s.Rules = slices.Clone(s.Rules)
	for i := range s.Rules {
		s.Rules[i].triggers = slices.Clone(s.Rules[i].triggers)
	}
	return s
}

func (o *override) apply(r *Rule) error {
	if o.disabled != nil {
		r.Disabled = *o.disabled
	}
	if o.repeat != 0 {
		r.RepeatInterval = o.repeat
	}
	set(&r.Storm, o.storm)
	if o.severity.text != "" {
		r.Severity = o.severity.text
	}
	var threshold, spike bool // whether the rule has such a setting
	for i := range r.triggers {
		t := &r.triggers[i]
		if o.severity.text != "" {
			t.severity = o.severity
		}
		f := &t.fire
		set(&f.hold, o.hold)
		if f.hold > 0 && !canHold[f.how] {
			return placed(o.at, o.name, noHold)
		}
		switch f.how {
		case fireSpike:
			spike = true
			set(&f.window, o.window)
			set(&f.floor, o.floor)
			set(&f.limit, o.limit)
		case fireCount, fireDistinct, fireAfter:
			threshold = true
			set(&f.window, o.window)
			set(&f.threshold, o.threshold)
		case fireLasting: // its window is a silence, not a time in which something is counted
		default:
			set(&f.window, o.window)
		}
	}
	switch {
	case o.threshold != 0 && !threshold:
		return placed(o.keys["threshold"], o.name, "the rule has no threshold to override")
	case (o.floor != 0 || o.limit != 0) && !spike:
		return placed(o.first("floor", "limit"), o.name, "the rule has no floor or limit to override")
	}
	r.overridden = append(slices.Clip(r.overridden), slices.Sorted(maps.Keys(o.keys))...)
	slices.Sort(r.overridden)
	r.overridden = slices.Compact(r.overridden)
	if spike && len(o.keys) > 0 {
		r.settings = o.first("floor", "limit", "window")
	}
	return check(r)
}

// first is the place of the first of these keys, or of the override.
func (o *override) first(keys ...string) position {
	for _, k := range keys {
		if at, ok := o.keys[k]; ok {
			return at
		}
	}
	return o.at
}

func set[T comparable](into *T, v T) {
	var zero T
	if v != zero {
		*into = v
	}
}
