package alerts

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

//go:embed builtin.yaml
var builtinYAML []byte

// RuleSet is what a rule file says: rules, and changes of rules that another
// file has.
type RuleSet struct {
	Rules     []Rule
	overrides []override
}

// BuiltinYAML is the text of the built-in rule file.
func BuiltinYAML() string { return string(builtinYAML) }

// Builtin returns the built-in rules.
func Builtin() RuleSet {
	set, err := LoadRules(bytes.NewReader(builtinYAML), "builtin.yaml")
	if err != nil {
		panic(err) // the file is part of the program; a test loads it
	}
	return set
}

// LoadRules reads a rule file and checks all of it: keys, types of
// expressions, ranges. An error is one line that names file, line, column
// where known, rule, and what is wrong. name is what errors call the file.
func LoadRules(in io.Reader, name string) (RuleSet, error) {
	var set RuleSet
	data, err := io.ReadAll(io.LimitReader(in, maxRuleFile+1))
	if err != nil {
		return set, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > maxRuleFile {
		return set, fmt.Errorf("%s:1: a rule file has at most %d octets", name, maxRuleFile)
	}
	r := &reader{file: name, body: string(data)}
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return set, nil
	} else if err != nil {
		return set, r.syntaxError(err)
	}
	if err := dec.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return set, placed(position{file: name, line: 1}, "", "a rule file holds one YAML document")
	}
	if err := r.document(&doc, &set); err != nil {
		return RuleSet{}, err
	}
	return set, nil
}

func (r *reader) document(doc *yaml.Node, set *RuleSet) error {
	if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 || doc.Content[0].Tag == "!!null" {
		return nil
	}
	if err := r.noAliases(doc); err != nil {
		return err
	}
	return r.mapping(doc.Content[0], "the file", table{
		"rules":    func(n *yaml.Node) error { return r.rules(n, set) },
		"override": func(n *yaml.Node) error { return r.overrides(n, set) },
	})
}

func (r *reader) rules(n *yaml.Node, set *RuleSet) error {
	if n.Kind != yaml.SequenceNode || len(n.Content) > maxRules {
		return r.errorf(n, "rules must be a list of at most %d rules", maxRules)
	}
	lines := map[string]int{}
	for _, item := range n.Content {
		rule, err := r.readRule(item)
		if err != nil {
			return err
		}
		if line, twice := lines[rule.Name]; twice {
			return placed(rule.at, rule.Name, fmt.Sprintf("a rule of this name stands in line %d already", line))
		}
		lines[rule.Name] = rule.at.line
		if err := check(&rule); err != nil {
			return err
		}
		set.Rules = append(set.Rules, rule)
	}
	r.rule = ""
	return nil
}

var ruleName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)

// name finds the name first, so that every other error can tell it.
func (r *reader) name(n *yaml.Node, what string) (string, error) {
	r.rule = ""
	if n.Kind != yaml.MappingNode {
		return "", r.errorf(n, "%s must be a mapping (key: value)", what)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "name" {
			v := n.Content[i+1]
			if v.Kind != yaml.ScalarNode || !ruleName.MatchString(v.Value) {
				return "", r.errorf(v, "name must be a letter followed by up to 63 letters, digits or underscores")
			}
			r.rule = v.Value
			return v.Value, nil
		}
	}
	return "", r.errorf(n, "%s has no name", what)
}

func ignore(*yaml.Node) error { return nil }

func (r *reader) readRule(n *yaml.Node) (Rule, error) {
	name, err := r.name(n, "a rule")
	if err != nil {
		return Rule{}, err
	}
	rule := Rule{Name: name, at: r.position(n)}
	base := trigger{kind: kinds, severity: source{text: Warning, at: rule.at}}
	var ways *yaml.Node
	keys := r.triggerKeys(&base)
	keys["name"] = ignore
	keys["any"] = func(n *yaml.Node) error { ways = n; return nil }
	keys["disabled"] = func(n *yaml.Node) error { return r.boolean(n, "disabled", &rule.Disabled) }
	keys["repeat_interval"] = func(n *yaml.Node) error { return r.repeat(n, &rule.RepeatInterval) }
	keys["labels"] = func(n *yaml.Node) error { return r.labels(n, &rule) }
	keys["techniques"] = func(n *yaml.Node) error { return r.texts(n, "techniques", &rule.Techniques) }
	keys["runbook"] = func(n *yaml.Node) (err error) { rule.Runbook, err = r.text(n, "runbook"); return }
	if err := r.mapping(n, "a rule", keys); err != nil {
		return Rule{}, err
	}
	rule.Severity = base.severity.text
	return rule, r.triggers(n, ways, base, &rule)
}

// triggers reads the list `any`; a rule without it is its own only trigger.
func (r *reader) triggers(n, ways *yaml.Node, base trigger, rule *Rule) error {
	if ways == nil {
		rule.triggers = []trigger{base}
		return r.complete(n, &rule.triggers[0])
	}
	if ways.Kind != yaml.SequenceNode || len(ways.Content) == 0 || len(ways.Content) > 16 {
		return r.errorf(ways, "any must be a list of 1 to 16 triggers")
	}
	for _, item := range ways.Content {
		t := base
		if err := r.mapping(item, "a trigger", r.triggerKeys(&t)); err != nil {
			return err
		}
		if err := r.complete(item, &t); err != nil {
			return err
		}
		rule.triggers = append(rule.triggers, t)
	}
	return nil
}

// complete sets what a trigger leaves out and refuses what it cannot.
func (r *reader) complete(n *yaml.Node, t *trigger) error {
	if t.kind == kinds {
		return r.errorf(n, "event is missing; allowed: %s", kindList())
	}
	if t.fire.how == "" {
		t.fire.how = fireEach
	}
	if t.summary.text == "" {
		return r.errorf(n, "summary is missing")
	}
	return nil
}

func hasKey(n *yaml.Node, key string) bool {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return true
		}
	}
	return false
}

func kindList() string { return strings.Join(kindNames[:], ", ") }

// repeat reads a repeat_interval; a short one would flood people.
func (r *reader) repeat(n *yaml.Node, into *time.Duration) error {
	if err := r.duration(n, "repeat_interval", into); err != nil {
		return err
	}
	if *into < time.Minute {
		return r.errorf(n, "repeat_interval: %s is out of range; allowed: 1m to 31d", Clip(n.Value))
	}
	return nil
}

func (r *reader) triggerKeys(t *trigger) table {
	return table{
		"event":    func(n *yaml.Node) error { return r.event(n, &t.kind) },
		"when":     func(n *yaml.Node) error { return r.source(n, "when", &t.when) },
		"severity": func(n *yaml.Node) error { return r.source(n, "severity", &t.severity) },
		"group_by": func(n *yaml.Node) error { return r.groupBy(n, t) },
		"summary":  func(n *yaml.Node) error { return r.source(n, "summary", &t.summary) },
		"fire":     func(n *yaml.Node) error { return r.fire(n, &t.fire) },
	}
}

func (r *reader) event(n *yaml.Node, into *kind) error {
	for k, name := range kindNames {
		if n.Kind == yaml.ScalarNode && n.Value == name {
			*into = kind(k)
			return nil
		}
	}
	return r.errorf(n, "unknown event %q; allowed: %s", Clip(n.Value), kindList())
}

// Defaults of a spike.
const (
	spikeFactor     = 3
	spikeDeviations = 6
	spikeLearn      = 10
	spikeWindow     = time.Minute
)

// fireKeys says which keys each way to fire has, and which it needs.
var fireKeys = map[string]struct{ may, must []string }{
	fireEach:     {may: []string{"window"}},
	fireCount:    {may: []string{"threshold", "window", "forgive"}, must: []string{"threshold", "window"}},
	fireDistinct: {may: []string{"field", "threshold", "window", "forgive"}, must: []string{"field", "threshold", "window"}},
	fireSpike:    {may: []string{"floor", "window", "limit", "factor", "deviations", "learn"}, must: []string{"floor", "limit"}},
	fireAfter:    {may: []string{"when", "by", "threshold", "window", "forgive"}, must: []string{"when", "by", "threshold", "window"}},
	fireUnlike:   {may: []string{"when", "by", "other", "least", "times", "window"}, must: []string{"when", "by", "other", "window"}},
	fireLasting:  {may: []string{"until", "by", "longer", "window"}, must: []string{"by", "longer", "window"}},
}

const fireList = "each, count, distinct, spike, after, unlike, lasting"

// fire reads `each` or `{count: {…}}`.
func (r *reader) fire(n *yaml.Node, f *fire) error {
	if n.Kind == yaml.ScalarNode && n.Value == fireEach {
		*f = fire{how: fireEach}
		return nil
	}
	if n.Kind != yaml.MappingNode || len(n.Content) != 2 {
		return r.errorf(n, "fire must be each, or one of %s with its settings", fireList)
	}
	how, body := n.Content[0].Value, n.Content[1]
	rules, ok := fireKeys[how]
	if !ok {
		return r.errorf(n.Content[0], "unknown way to fire %q; allowed: %s", Clip(how), fireList)
	}
	*f = fire{how: how, at: r.position(n.Content[0])}
	if how == fireSpike {
		f.factor, f.deviations, f.learn, f.window = spikeFactor, spikeDeviations, spikeLearn, spikeWindow
	}
	f.least, f.times = 1, 1
	all, keys := r.fireTable(f), table{}
	for _, k := range rules.may {
		keys[k] = all[k]
	}
	if err := r.mapping(body, how, keys); err != nil {
		return err
	}
	for _, k := range rules.must {
		if !hasKey(body, k) {
			return r.errorf(body, "%s has no %s", how, k)
		}
	}
	return nil
}

func (r *reader) fireTable(f *fire) table {
	return table{
		"window":     func(n *yaml.Node) error { return r.duration(n, "window", &f.window) },
		"threshold":  func(n *yaml.Node) error { return r.integer(n, "threshold", 1, MaxThreshold, &f.threshold) },
		"field":      func(n *yaml.Node) error { return r.some(n, "field", &f.field) },
		"when":       func(n *yaml.Node) error { return r.source(n, "when", &f.when) },
		"by":         func(n *yaml.Node) error { return r.sources(n, "by", &f.by) },
		"other":      func(n *yaml.Node) error { return r.source(n, "other", &f.other) },
		"until":      func(n *yaml.Node) error { return r.source(n, "until", &f.when) },
		"longer":     func(n *yaml.Node) error { return r.duration(n, "longer", &f.longer) },
		"least":      func(n *yaml.Node) error { return r.integer(n, "least", 1, maxLeast, &f.least) },
		"times":      func(n *yaml.Node) error { return r.integer(n, "times", 1, MaxThreshold, &f.times) },
		"floor":      func(n *yaml.Node) error { return r.float(n, "floor", &f.floor) },
		"limit":      func(n *yaml.Node) error { return r.float(n, "limit", &f.limit) },
		"factor":     func(n *yaml.Node) error { return r.float(n, "factor", &f.factor) },
		"deviations": func(n *yaml.Node) error { return r.float(n, "deviations", &f.deviations) },
		"learn":      func(n *yaml.Node) error { return r.integer(n, "learn", 2, 1000, &f.learn) },
		"forgive":    func(n *yaml.Node) error { return r.forgive(n, f) },
	}
}

func (r *reader) forgive(n *yaml.Node, f *fire) error {
	err := r.mapping(n, "forgive", table{
		"when": func(n *yaml.Node) error { return r.source(n, "when", &f.forgive) },
		"by":   func(n *yaml.Node) error { return r.sources(n, "by", &f.forgiveBy) },
	})
	if err == nil && f.forgive.text == "" {
		return r.errorf(n, "forgive has no when")
	}
	return err
}
