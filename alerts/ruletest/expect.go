package ruletest

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/mailtap/mailtap/alerts"
)

// expected is one alert that must come; only named fields are compared.
type expected struct {
	line   int
	rule   string
	fields []field
}

// field compares one named field.
type field struct {
	name string
	want string
	got  func(a *alerts.Alert, first time.Time) string
	same func(got string) bool // nil: want is got
}

func (f *field) matches(a *alerts.Alert, first time.Time) bool {
	got := f.got(a, first)
	if f.same != nil {
		return f.same(got)
	}
	return got == f.want
}

func (r *reader) expectations(n *yaml.Node, into *[]expected) error {
	if n.Kind != yaml.SequenceNode || len(n.Content) > maxAlerts {
		return r.errorf(n, "alerts must be a list of at most %d alerts", maxAlerts)
	}
	for _, item := range n.Content {
		e := expected{line: item.Line}
		if err := r.mapping(item, "an alert", r.expectation(&e)); err != nil {
			return err
		}
		if e.rule == "" {
			return r.errorf(item, "an alert has no rule")
		}
		*into = append(*into, e)
	}
	return nil
}

func (r *reader) expectation(e *expected) table {
	word := func(name string, words []string, got func(*alerts.Alert) string) func(*yaml.Node) error {
		return func(n *yaml.Node) error {
			var text string
			if err := r.line(n, name, &text); err != nil {
				return err
			}
			if words != nil && !slices.Contains(words, text) {
				return r.errorf(n, "%s must be one of %s", name, strings.Join(words, ", "))
			}
			e.add(field{name: name, want: text, got: func(a *alerts.Alert, _ time.Time) string { return got(a) }})
			return nil
		}
	}
	number := func(name string, got func(*alerts.Alert) float64) func(*yaml.Node) error {
		return func(n *yaml.Node) error {
			v, err := strconv.ParseFloat(n.Value, 64)
			if err != nil || n.Tag != "!!int" && n.Tag != "!!float" {
				return r.errorf(n, "%s must be a number", name)
			}
			e.add(field{name: name, want: number(v), got: func(a *alerts.Alert, _ time.Time) string { return number(got(a)) }})
			return nil
		}
	}
	moment := func(name string, got func(*alerts.Alert) time.Time) func(*yaml.Node) error {
		return func(n *yaml.Node) error { return r.moment(n, name, e, got) }
	}
	return table{
		"rule": func(n *yaml.Node) error {
			e.rule = n.Value
			return word("rule", nil, func(a *alerts.Alert) string { return a.Rule })(n)
		},
		"status":       word("status", []string{alerts.Firing, alerts.Resolved}, func(a *alerts.Alert) string { return a.Status }),
		"severity":     word("severity", alerts.Severities[:], func(a *alerts.Alert) string { return a.Severity }),
		"key":          r.exact(e, "key", func(a *alerts.Alert) string { return a.Key }),
		"summary":      r.exact(e, "summary", func(a *alerts.Alert) string { return a.Summary }),
		"inhibited_by": word("inhibited_by", nil, func(a *alerts.Alert) string { return a.InhibitedBy }),
		"value":        number("value", func(a *alerts.Alert) float64 { return a.Value }),
		"threshold":    number("threshold", func(a *alerts.Alert) float64 { return a.Threshold }),
		"repeat":       number("repeat", func(a *alerts.Alert) float64 { return float64(a.Repeat) }),
		"groups":       number("groups", func(a *alerts.Alert) float64 { return float64(a.Groups) }),
		"sessions":     number("sessions", func(a *alerts.Alert) float64 { return float64(len(a.Sessions)) }),
		"at":           moment("at", func(a *alerts.Alert) time.Time { return a.Time }),
		"started":      moment("started", func(a *alerts.Alert) time.Time { return a.Started }),
		"labels":       func(n *yaml.Node) error { return r.labels(n, e) },
	}
}

func (e *expected) add(f field) { e.fields = append(e.fields, f) }

// exact reads a text that may be empty.
func (r *reader) exact(e *expected, name string, got func(*alerts.Alert) string) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
			return r.errorf(n, "%s must be a text", name)
		}
		e.add(field{name: name, want: strings.TrimSpace(n.Value), got: func(a *alerts.Alert, _ time.Time) string { return got(a) }})
		return nil
	}
}

// labels are compared one by one; those that are not named may be there.
func (r *reader) labels(n *yaml.Node, e *expected) error {
	if n.Kind != yaml.MappingNode {
		return r.errorf(n, "labels must be a mapping (name: text)")
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		get := func(a *alerts.Alert) string { return a.Labels.Get(name) }
		if err := r.exact(e, "label "+alerts.Clip(name), get)(n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// moment reads an offset from the first packet, or a time. It is compared as
// exactly as it is written, in whole seconds at least: 12s is met by 12.03 s.
func (r *reader) moment(n *yaml.Node, name string, e *expected, got func(*alerts.Alert) time.Time) error {
	if n.Kind != yaml.ScalarNode {
		return r.errorf(n, "%s must be an offset such as 12s or a time such as 2026-01-02T03:04:05Z", name)
	}
	f := field{name: name, want: n.Value}
	if d, err := time.ParseDuration(n.Value); err == nil && d >= 0 {
		grain := grainOf(n.Value)
		f.got = func(a *alerts.Alert, first time.Time) string { return offset(got(a).Sub(first)) }
		f.same = func(text string) bool {
			v, err := time.ParseDuration(text)
			return err == nil && v.Truncate(grain) == d
		}
	} else if at, err := time.Parse(time.RFC3339Nano, n.Value); err == nil {
		grain := grainOf(n.Value)
		f.got = func(a *alerts.Alert, _ time.Time) string { return got(a).UTC().Format(time.RFC3339Nano) }
		f.same = func(text string) bool {
			v, err := time.Parse(time.RFC3339Nano, text)
			return err == nil && v.Truncate(grain).Equal(at)
		}
	} else {
		return r.errorf(n, "%s must be an offset such as 12s or a time such as 2026-01-02T03:04:05Z", name)
	}
	e.add(f)
	return nil
}

var fraction = regexp.MustCompile(`\.(\d+)([a-zµμ]*)`)

var units = map[string]time.Duration{"ms": time.Millisecond, "us": time.Microsecond, "µs": time.Microsecond, "μs": time.Microsecond, "ns": 1}

// grainOf is how exactly a time is written: the smallest unit named, a second
// at most, and the last digit of its fraction.
func grainOf(text string) time.Duration {
	grain := time.Second
	for unit, d := range units {
		if strings.HasSuffix(text, unit) {
			grain = d
		}
	}
	if m := fraction.FindStringSubmatch(text); m != nil && m[2] != "h" && m[2] != "m" {
		for range m[1] {
			grain /= 10
		}
	}
	return max(grain, 1)
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', 10, 64) }

// offset writes a time since the first packet.
func offset(d time.Duration) string { return d.String() }

func (e *expected) String() string {
	out := make([]string, len(e.fields))
	for i, f := range e.fields {
		out[i] = fmt.Sprintf("%s: %s", f.name, quoted(f.want))
	}
	return "{" + strings.Join(out, ", ") + "}"
}
