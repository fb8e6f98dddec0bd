package alerts

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
)

// compiler turns the sources of rules into programs and, where it can, into Go
// functions. Equal conditions of one kind become one, judged once an event;
// so do equal lists of values. Equal values, which most rules group by and tell
// of, are compiled once: the library takes a tenth of a millisecond for each.
type compiler struct {
	home       *home
	functions  []expr.Option
	conditions map[conditionKey]*condition
	keyings    map[conditionKey]*keying
	values     map[conditionKey]*vm.Program
	natives    [kinds]*native
	reads      [kinds]reads
	rule       string
}

type conditionKey struct {
	kind kind
	text string
}

func newCompiler(h *home) *compiler {
	return &compiler{home: h, functions: functions(h), conditions: map[conditionKey]*condition{}, keyings: map[conditionKey]*keying{}, values: map[conditionKey]*vm.Program{}}
}

func (c *compiler) native(k kind) *native {
	if c.natives[k] == nil {
		c.natives[k] = newNative(k, c.home)
	}
	return c.natives[k]
}

// check compiles all of a rule and throws the result away: to find mistakes
// when the file is loaded.
func check(r *Rule) error {
	_, err := newCompiler(newHome(Options{})).compile(r)
	return err
}

// value compiles an expression whose value may be of any type.
func (c *compiler) value(k kind, s source, what string) (*vm.Program, error) {
	key := conditionKey{k, s.text}
	if have := c.values[key]; have != nil {
		return have, nil
	}
	p, err := c.program(k, s, what)
	if err == nil {
		c.values[key] = p
	}
	return p, err
}

func (c *compiler) program(k kind, s source, what string, want ...expr.Option) (*vm.Program, error) {
	options := slices.Concat([]expr.Option{expr.Env(reflect.ValueOf(newEnv(k)).Elem().Interface())}, c.functions, want)
	p, err := expr.Compile(s.text, options...)
	if err != nil {
		return nil, c.misplaced(k, s, what, err)
	}
	c.reads[k].note(s.text)
	return p, nil
}

// ofConnection are names that every event of a connection knows.
var ofConnection = []string{"session", "client", "server", "source", "origin", "role", "direction"}

// misplaced puts an error of the expression library at its place in the file.
func (c *compiler) misplaced(k kind, s source, what string, err error) error {
	at, message := s.at, err.Error()
	var in *file.Error
	if errors.As(err, &in) {
		message, at = in.Message, s.place(offsetOf(s.text, in.Line, in.Column))
	}
	if name, unknown := strings.CutPrefix(message, "unknown name "); k == kindCapture && unknown && slices.Contains(ofConnection, name) {
		message += ": an event of the kind capture belongs to no connection"
	}
	return placed(at, c.rule, what+": "+explain(k, message))
}

// offsetOf counts the characters before a place in a text.
func offsetOf(text string, line, column int) int {
	n := column
	for i := 1; i < line; i++ {
		before, rest, _ := strings.Cut(text, "\n")
		n, text = n+utf8.RuneCountInString(before)+1, rest
	}
	return n
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
	made.native, made.guard = c.native(k).condition(p.Node())
	made.steady = c.native(k).always(p.Node())
	if k == kindCommand {
		made.reply = c.native(k).reply(p.Node())
	}
	c.conditions[key] = made
	return made, nil
}

// keyingOf compiles what a group, a memory or a distinct field is made of.
func (c *compiler) keyingOf(k kind, list []source, what string) (*keying, error) {
	made := &keying{}
	name := ""
	for _, s := range list {
		p, err := c.value(k, s, what)
		if err != nil {
			return nil, err
		}
		if !scalar(p.Node().Type()) {
			return nil, placed(s.at, c.rule, what+": "+Clip(s.text)+" must be a text, a number or a boolean")
		}
		made.values = append(made.values, value{p, writer(c.native(k).expression(p.Node()))})
		name += s.text + "\x00"
	}
	key := conditionKey{k, name}
	if have := c.keyings[key]; have != nil {
		return have, nil
	}
	c.keyings[key] = made
	return made, nil
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

// compile makes the running form of a rule.
func (c *compiler) compile(r *Rule) (*runningRule, error) {
	c.rule = r.Name
	run := &runningRule{Rule: r, repeat: r.Repeat()}
	for i := range r.triggers {
		t, err := c.trigger(run, &r.triggers[i])
		if err != nil {
			return nil, err
		}
		run.triggers = append(run.triggers, t)
	}
	return run, nil
}

func (c *compiler) trigger(run *runningRule, t *trigger) (*runningTrigger, error) {
	out := &runningTrigger{rule: run, kind: t.kind, fire: t.fire, judge: judgeOf(t.fire.how), labels: t.labels()}
	var err error
	step := func(f func() error) {
		if err == nil {
			err = f()
		}
	}
	k := t.kind
	step(func() (e error) { out.when, e = c.condition(k, t.when, "when"); return })
	step(func() (e error) { out.severity, e = c.severity(k, t.severity); return })
	step(func() (e error) { out.groupBy, e = c.keyingOf(k, t.groupBy, "group_by"); return })
	step(func() (e error) { out.summary, e = c.template(k, t.summary, "summary"); return })
	step(func() error { return c.labels(out, run.labels) })
	step(func() error { return c.fire(out) })
	step(func() error { return c.equal(out, t.groupBy) })
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
	if f.how == fireSpike {
		if err := c.spike(t.rule.Rule, f); err != nil {
			return err
		}
	}
	step := func(into **keying, list []source, what string) {
		if err == nil {
			*into, err = c.keyingOf(k, list, what)
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
		what := f.how + ".when"
		if f.how == fireRatio {
			what = "ratio.of"
		}
		t.also, err = c.condition(k, f.when, what)
	}
	return err
}

// spike refuses numbers that are good alone but not together.
func (c *compiler) spike(r *Rule, f *fire) error {
	at := f.at
	if r.settings.line > 0 {
		at = r.settings
	}
	switch {
	case f.limit < f.floor:
		return placed(at, c.rule, fmt.Sprintf("spike: limit (%s) must not be below floor (%s)", Number(f.limit), Number(f.floor)))
	case f.window < minSpikeWindow:
		return placed(at, c.rule, fmt.Sprintf("spike: a window of %s cannot be divided; allowed: %s to 31d", f.window, minSpikeWindow))
	}
	return nil
}

// equal compiles what the rule's inhibits ask to be alike: of the trigger's
// labels those that they name.
func (c *compiler) equal(t *runningTrigger, groupBy []source) error {
	for _, in := range t.rule.Rule.inhibits {
		var list []source
		for _, name := range in.equal {
			i := slices.Index(t.labels, name)
			if i < 0 {
				return placed(in.at, c.rule, fmt.Sprintf("inhibits: the rule has no label %s from its group_by in every trigger", Clip(name)))
			}
			list = append(list, groupBy[i])
		}
		made, err := c.keyingOf(t.kind, list, "group_by")
		if err != nil {
			return err
		}
		t.equal = append(t.equal, made)
	}
	return nil
}

var notLabel = regexp.MustCompile(`[^a-z0-9]+`)

func (t *trigger) labels() []string {
	if len(t.named) > 0 {
		return t.named
	}
	return groupLabels(t.groupBy)
}

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
