package alerts

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
)

// compiler turns the sources of rules into programs. Equal conditions of one
// kind become one program, judged once an event.
type compiler struct {
	functions  []expr.Option
	conditions map[conditionKey]*condition
	reads      [kinds]reads
	rule       string
}

type conditionKey struct {
	kind kind
	text string
}

// condition is a compiled `when` with its answer for the event at hand.
type condition struct {
	program *vm.Program // nil: always true
	event   uint64      // number of the event that answer belongs to
	answer  bool
}

func newCompiler(h *home) *compiler {
	return &compiler{functions: functions(h), conditions: map[conditionKey]*condition{}}
}

// check compiles all of a rule and throws the result away: to find mistakes
// when the file is loaded.
func check(r *Rule) error {
	_, err := newCompiler(newHome(nil, nil)).compile(r)
	return err
}

var noField = regexp.MustCompile(`type \S+ has no field (\S+)`)

func (c *compiler) program(k kind, s source, what string, want expr.Option) (*vm.Program, error) {
	options := append([]expr.Option{expr.Env(reflect.ValueOf(newEnv(k)).Elem().Interface())}, c.functions...)
	if want != nil {
		options = append(options, want)
	}
	p, err := expr.Compile(s.text, options...)
	if err != nil {
		return nil, c.misplaced(s, what, err)
	}
	c.reads[k].note(s.text, want != nil)
	return p, nil
}

// misplaced puts an error of the expression library at its place in the file.
func (c *compiler) misplaced(s source, what string, err error) error {
	at, message := s.at, err.Error()
	var in *file.Error
	if errors.As(err, &in) {
		message = in.Message
		at.line += max(in.Line-1, 0)
		switch {
		case in.Line > 1:
			at.column = 0 // the indentation of the block is not known
		case at.column > 0:
			at.column += in.Column
		}
	}
	message = noField.ReplaceAllString(message, "unknown field $1")
	return placed(at, c.rule, what+": "+message)
}

func (c *compiler) condition(k kind, s source, what string) (*condition, error) {
	if s.text == "" {
		return &condition{}, nil
	}
	key := conditionKey{k, s.text}
	if have := c.conditions[key]; have != nil {
		return have, nil
	}
	p, err := c.program(k, s, what, expr.AsBool())
	if err != nil {
		return nil, err
	}
	made := &condition{program: p}
	c.conditions[key] = made
	return made, nil
}

// value is a compiled expression that yields a scalar. What most groups are
// made of is read without the expression machine, which costs more than the rest.
type value struct {
	program *vm.Program
	direct  func(*facts) string // nil: run the program
}

var directValues = map[conditionKey]func(*facts) string{
	{kindAuth, "auth.username"}:   func(f *facts) string { return f.envs[kindAuth].(*authEnv).Auth.Username },
	{kindMail, "mail.message_id"}: func(f *facts) string { return f.envs[kindMail].(*mailEnv).Mail.MessageID },
}

var directConn = map[string]func(*facts) string{
	"client.ip":   func(f *facts) string { return f.ips[0] },
	"server.ip":   func(f *facts) string { return f.ips[1] },
	"server.name": func(f *facts) string { return f.cur.Server.Name },
	"role":        func(f *facts) string { return f.cur.Role },
	"direction":   func(f *facts) string { return f.cur.Direction },
}

func directValue(k kind, text string) func(*facts) string {
	if d := directConn[text]; d != nil {
		return d
	}
	return directValues[conditionKey{k, text}]
}

// values compiles what a group or a distinct field is made of.
func (c *compiler) values(k kind, list []source, what string) ([]value, error) {
	out := make([]value, 0, len(list))
	for _, s := range list {
		p, err := c.program(k, s, what, nil)
		if err != nil {
			return nil, err
		}
		if !scalar(p.Node().Type()) {
			return nil, placed(s.at, c.rule, what+": "+clip(s.text)+" must be a text, a number or a boolean")
		}
		out = append(out, value{p, directValue(k, s.text)})
	}
	return out, nil
}

func scalar(t reflect.Type) bool {
	if t == nil {
		return false
	}
	switch t.Kind() {
	case reflect.String, reflect.Int, reflect.Bool, reflect.Float64:
		return true
	}
	return false
}

// template is a text with expressions in braces. What depends on the event is
// written once, when the alert begins; {value} and its like are holes that each
// notice fills anew.
type template []templatePart

type templatePart struct {
	text    string
	hole    string      // value, threshold, window, learned
	program *vm.Program // else
}

var holes = map[string]bool{"value": true, "threshold": true, "window": true, "learned": true}

func (c *compiler) template(k kind, s source, what string) (template, error) {
	var out template
	rest := s.text
	for {
		before, after, open := strings.Cut(rest, "{")
		if before != "" {
			out = append(out, templatePart{text: before})
		}
		if !open {
			return out, nil
		}
		at := s.at
		if at.column > 0 {
			at.column += utf8.RuneCountInString(s.text[:len(s.text)-len(after)])
		}
		inner, tail, closed := strings.Cut(after, "}")
		if !closed {
			return nil, placed(at, c.rule, what+": { without }")
		}
		rest = tail
		if name := strings.TrimSpace(inner); holes[name] {
			out = append(out, templatePart{hole: name})
			continue
		}
		p, err := c.program(k, source{inner, at}, what, nil)
		if err != nil {
			return nil, err
		}
		out = append(out, templatePart{program: p})
	}
}

// severity is fixed or an expression that yields a text.
type severity struct {
	fixed   string
	program *vm.Program
}

func (c *compiler) severity(k kind, s source) (severity, error) {
	if severityRank(s.text) >= 0 {
		return severity{fixed: s.text}, nil
	}
	if regexp.MustCompile(`^[A-Za-z]+$`).MatchString(s.text) {
		return severity{}, placed(s.at, c.rule, fmt.Sprintf("unknown severity %q; allowed: %s, or an expression that yields one", clip(s.text), strings.Join(Severities[:], ", ")))
	}
	p, err := c.program(k, s, "severity", expr.AsKind(reflect.String))
	return severity{program: p}, err
}

// compile makes the running form of a rule.
func (c *compiler) compile(r *Rule) (*runningRule, error) {
	c.rule = r.Name
	run := &runningRule{Rule: r, repeat: r.Repeat()}
	for i := range r.triggers {
		t, err := c.trigger(run, &r.triggers[i], i)
		if err != nil {
			return nil, err
		}
		run.triggers = append(run.triggers, t)
	}
	return run, nil
}

func (c *compiler) trigger(run *runningRule, t *trigger, i int) (*runningTrigger, error) {
	out := &runningTrigger{rule: run, index: i, kind: t.kind, fire: t.fire, labels: groupLabels(t.groupBy)}
	var err error
	step := func(f func() error) {
		if err == nil {
			err = f()
		}
	}
	k := t.kind
	step(func() (e error) { out.when, e = c.condition(k, t.when, "when"); return })
	step(func() (e error) { out.severity, e = c.severity(k, t.severity); return })
	step(func() (e error) { out.groupBy, e = c.values(k, t.groupBy, "group_by"); return })
	step(func() (e error) { out.summary, e = c.template(k, t.summary, "summary"); return })
	step(func() error { return c.labels(out, run.labels) })
	step(func() error { return c.fire(out) })
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *compiler) labels(t *runningTrigger, list []labelSource) error {
	for _, l := range list {
		made, err := c.template(t.kind, l.text, "label "+l.name)
		if err != nil {
			return err
		}
		for _, have := range t.labels {
			if have == l.name {
				return placed(l.text.at, c.rule, fmt.Sprintf("label %s stands for a group_by field already", l.name))
			}
		}
		t.fixed = append(t.fixed, fixedLabel{l.name, made})
	}
	return nil
}

func (c *compiler) fire(t *runningTrigger) (err error) {
	f, k := &t.fire, t.kind
	if f.window == 0 { // each
		f.window = t.rule.repeat
	}
	if f.how == fireSpike && f.limit < f.floor {
		return placed(t.rule.at, c.rule, "spike: limit must not be below floor")
	}
	step := func(into *[]value, list []source, what string) {
		if err == nil {
			*into, err = c.values(k, list, what)
		}
	}
	step(&t.field, f.field, "field")
	step(&t.by, f.by, "by")
	step(&t.forgiveBy, f.forgiveBy, "forgive.by")
	if f.other.text != "" {
		step(&t.other, []source{f.other}, "other")
	}
	if err == nil && f.forgive.text != "" {
		t.forgive, err = c.condition(k, f.forgive, "forgive.when")
	}
	if err == nil && f.when.text != "" {
		t.also, err = c.condition(k, f.when, f.how+".when")
	}
	return err
}

var notLabel = regexp.MustCompile(`[^a-z0-9]+`)

// groupLabels names the labels of a group after its expressions: client.ip is
// client_ip.
func groupLabels(list []source) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.Trim(notLabel.ReplaceAllString(strings.ToLower(s.text), "_"), "_")
		if out[i] == "" || out[i][0] <= '9' || reservedLabels[out[i]] {
			out[i] = "group_" + out[i]
		}
	}
	return out
}

// maxText bounds what a hostile peer can put into a key, label or summary.
const maxText = 200

// clip makes a text fit for people: valid, bounded, without control characters
// (a user name may hold an escape sequence for the reader's terminal). Of
// different texts it makes different ones, but for chance.
func clip(s string) string {
	if len(s) <= maxText && clean(s) {
		return s
	}
	mark := fingerprint(s, nil)
	if len(s) > maxText {
		s = s[:maxText]
	}
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	return s + "~" + mark
}

func clean(s string) bool {
	i := 0
	for i < len(s) && s[i] >= ' ' && s[i] < 0x7f {
		i++
	}
	for _, r := range s[i:] {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// text writes what an expression yielded.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return clip(v)
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return number(v)
	case []string:
		return clip(strings.Join(v, ", "))
	case nil:
		return ""
	}
	return clip(fmt.Sprint(v))
}
