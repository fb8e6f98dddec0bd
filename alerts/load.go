package alerts

import (
	"bytes"
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
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

// Builtin returns the built-in rules. A test has compiled them: here they are
// read only, once, which takes a tenth of the time.
func Builtin() RuleSet { return builtin().clone() }

var builtin = sync.OnceValue(func() RuleSet {
	set, err := parseRules(builtinYAML, "builtin.yaml", func(*Rule) error { return nil })
	if err != nil {
		panic(err) // the file is part of the program; a test loads it
	}
	return set
})

// LoadRules reads a rule file and checks all of it: keys, types of
// expressions, ranges. An error is one line that names file, line, column
// where known, rule, and what is wrong. name is what errors call the file.
func LoadRules(in io.Reader, name string) (RuleSet, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxRuleFile+1))
	if err != nil {
		return RuleSet{}, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > maxRuleFile {
		return RuleSet{}, fmt.Errorf("%s:1: a rule file has at most %d octets", name, maxRuleFile)
	}
	return parseRules(data, name, check)
}

func parseRules(data []byte, name string, check func(*Rule) error) (set RuleSet, err error) {
	r := &reader{file: name, body: string(data), check: check}
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
		if err := r.check(&rule); err != nil {
			return err
		}
		set.Rules = append(set.Rules, rule)
	}
	r.rule = ""
	return nil
}

// name finds the name first, so that every other error can tell it.
func (r *reader) name(n *yaml.Node, what string) (string, error) {
	r.rule = ""
	if n.Kind != yaml.MappingNode {
		return "", r.errorf(n, "%s must be a mapping (key: value)", what)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == "name" {
			v := n.Content[i+1]
			if v.Kind != yaml.ScalarNode || !isName(v.Value, asciiLetters, asciiLetters+"0123456789_") {
				return "", r.errorf(v, "name must be a letter followed by up to 63 letters, digits or underscores")
			}
			r.rule = v.Value
			return v.Value, nil
		}
	}
	return "", r.errorf(n, "%s has no name", what)
}

const (
	lowerLetters = "abcdefghijklmnopqrstuvwxyz"
	asciiLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + lowerLetters
)

// isName says whether a text has 1 to 64 characters, the first of some and the
// others of more.
func isName(s, first, others string) bool {
	return s != "" && len(s) <= 64 && strings.IndexByte(first, s[0]) >= 0 && strings.Trim(s, others) == ""
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
	keys["storm"] = func(n *yaml.Node) error { return r.integer(n, "storm", 1, MaxStorm, &rule.Storm) }
	keys["inhibits"] = func(n *yaml.Node) error { return r.inhibits(n, &rule) }
	keys["labels"] = func(n *yaml.Node) error { return r.labels(n, &rule) }
	keys["techniques"] = func(n *yaml.Node) error { return r.texts(n, "techniques", &rule.Techniques) }
	keys["runbook"] = func(n *yaml.Node) (err error) { rule.Runbook, err = r.text(n, "runbook"); return }
	if err := r.mapping(n, "a rule", keys); err != nil {
		return Rule{}, err
	}
	rule.Severity = base.severity.text
	if err := r.triggers(n, ways, base, &rule); err != nil {
		return Rule{}, err
	}
	return rule, r.storm(n, &rule)
}

// storm refuses one of a rule that can have but one alert.
func (r *reader) storm(n *yaml.Node, rule *Rule) error {
	if rule.Storm == 0 || slices.ContainsFunc(rule.triggers, func(t trigger) bool { return len(t.groupBy) > 0 }) {
		return nil
	}
	return r.errorf(valueOf(n, "storm"), "storm: the rule has no group_by, so it has one alert at most")
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
	if t.fire.hold = t.hold; t.hold > 0 && !canHold[t.fire.how] {
		return r.errorf(cmp.Or(valueOf(n, "for"), n), noHold)
	}
	return nil
}

// canHold names the ways to fire whose verdict can hold for a while; that of
// the others is about one event.
var canHold = map[string]bool{fireEach: true, fireCount: true, fireDistinct: true, fireRatio: true, fireSpike: true}

const noHold = "for: after and unlike judge a single event, it cannot last"

// valueOf finds the value of a key, nil where it is not there.
func valueOf(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
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
		"for":      func(n *yaml.Node) error { return r.duration(n, "for", &t.hold) },
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
