package receivers

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/mailtap/mailtap/alerts"
)

// Limits of a template. Work is what one execution may do: octets that functions
// made, and octets of the template that loops went through.
const (
	maxTemplate       = 16 << 10
	maxTemplateOutput = 256 << 10
	maxTemplateWork   = 4 << 20
	stepCost          = 256
)

var (
	errNotJSON  = errors.New("the template's output is no JSON; write values with the function json, such as {{json .Summary}}")
	errTooLong  = fmt.Errorf("the output is longer than %d octets", maxTemplateOutput)
	errTooMuch  = errors.New("it loops too often or makes too much")
	errTooLarge = fmt.Errorf("it is longer than %d octets", maxTemplate)
	errParts    = errors.New("define, block and template are not offered")
)

// Template is a site's own text for alerts, in Go's text/template. What it may
// do and write is bounded: values come from hostile traffic.
type Template struct{ tree *template.Template }

// ParseBody reads the template of a webhook's whole body and tries it on sample
// alerts; its data are a Notice.
func ParseBody(text, contentType string) (*Template, error) {
	t, err := parseTemplate(text)
	if err != nil {
		return nil, err
	}
	body := Webhook{options: WebhookOptions{Name: "sample", Sensor: "sample", Body: t, ContentType: contentType}}
	for _, batch := range samples() {
		if _, err := body.body(batch); err != nil {
			return nil, fmt.Errorf("tried on a sample: %w", err)
		}
	}
	return t, nil
}

// ParseText reads the template of the text for one alert and tries it on sample
// alerts; its data are a NoticeAlert.
func ParseText(text string) (*Template, error) {
	t, err := parseTemplate(text)
	if err != nil {
		return nil, err
	}
	for _, batch := range samples() {
		if _, err := t.write(newNoticeAlert(&batch[0])); err != nil {
			return nil, fmt.Errorf("tried on a sample: %w", err)
		}
	}
	return t, nil
}

func parseTemplate(text string) (*Template, error) {
	if len(text) > maxTemplate {
		return nil, errTooLarge
	}
	t, err := template.New("template").Option("missingkey=zero").Funcs((&meter{}).functions()).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "template: "))
	}
	if len(t.Templates()) > 1 {
		return nil, errParts
	}
	if t.Tree == nil {
		return nil, errors.New("it is empty")
	}
	if err := meterLoops(t.Root); err != nil {
		return nil, err
	}
	return &Template{t}, nil
}

// meterLoops puts a step at the head of each loop: text/template cannot be
// interrupted, and a loop that writes nothing would never end.
func meterLoops(n parse.Node) error {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return nil
		}
		for _, x := range n.Nodes {
			if err := meterLoops(x); err != nil {
				return err
			}
		}
	case *parse.TemplateNode:
		return errParts
	case *parse.IfNode:
		return errors.Join(meterLoops(n.List), meterLoops(n.ElseList))
	case *parse.WithNode:
		return errors.Join(meterLoops(n.List), meterLoops(n.ElseList))
	case *parse.RangeNode:
		if err := errors.Join(meterLoops(n.List), meterLoops(n.ElseList)); err != nil {
			return err
		}
		step, err := parse.Parse("step", fmt.Sprintf("{{step %d}}", len(n.List.String())), "", "", map[string]any{"step": 0})
		if err != nil {
			return err
		}
		n.List.Nodes = append([]parse.Node{step["step"].Root.Nodes[0]}, n.List.Nodes...)
	}
	return nil
}

// write fills the template.
func (t *Template) write(data any) (string, error) {
	c, err := t.tree.Clone()
	if err != nil {
		return "", err
	}
	out := &limited{}
	err = c.Funcs((&meter{}).functions()).Execute(out, data)
	switch {
	case errors.Is(err, errTooLong):
		return "", errTooLong
	case errors.Is(err, errTooMuch):
		return "", errTooMuch
	case err != nil:
		return "", fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "template: "))
	}
	return out.String(), nil
}

// limited is a text that becomes only so long.
type limited struct{ strings.Builder }

func (l *limited) Write(b []byte) (int, error) {
	if l.Len()+len(b) > maxTemplateOutput {
		return 0, errTooLong
	}
	return l.Builder.Write(b)
}

// meter counts the work of one execution.
type meter struct{ work int }

func (m *meter) spend(n int) error {
	m.work += stepCost + max(n, 0) // a template may call step itself
	if m.work > maxTemplateWork {
		return errTooMuch
	}
	return nil
}

// functions are those of the language that make text, bounded, and ours.
func (m *meter) functions() template.FuncMap {
	return template.FuncMap{
		"step": func(n int) (string, error) { return "", m.spend(n) },
		"json": m.json,
		"join": func(list []string, sep string) (string, error) {
			return m.text(strings.Join(list, sep), len(sep)*len(list))
		},
		"upper":    func(s string) (string, error) { return m.text(strings.ToUpper(s), 0) },
		"lower":    func(s string) (string, error) { return m.text(strings.ToLower(s), 0) },
		"mrkdwn":   func(s string) (string, error) { return m.text(slackText(s), 0) },
		"print":    m.of(fmt.Sprint),
		"println":  m.of(fmt.Sprintln),
		"html":     m.of(template.HTMLEscaper),
		"js":       m.of(template.JSEscaper),
		"urlquery": m.of(template.URLQueryEscaper),
		"printf":   m.printf,
	}
}

// text accounts for a text that a function made.
func (m *meter) text(s string, more int) (string, error) {
	if len(s) > maxTemplateOutput {
		return "", errTooLong
	}
	return s, m.spend(len(s) + more)
}

// weigh says how long all arguments are together, before they are.
func (m *meter) weigh(args []any) (int, error) {
	sum := 0
	for _, a := range args {
		n := len(fmt.Sprint(a))
		sum += n
		if err := m.spend(n); err != nil {
			return 0, err
		}
	}
	if sum > maxTemplateOutput {
		return 0, errTooLong
	}
	return sum, nil
}

func (m *meter) of(make func(...any) string) func(...any) (string, error) {
	return func(args ...any) (string, error) {
		if _, err := m.weigh(args); err != nil {
			return "", err
		}
		return m.text(make(args...), 0)
	}
}

// wide matches a width or precision of four digits, or one that is an argument.
var wide = regexp.MustCompile(`%[^a-zA-Z%]*([0-9]{4}|\*)`)

func (m *meter) printf(format string, args ...any) (string, error) {
	n, err := m.weigh(args)
	if err != nil {
		return "", err
	}
	if wide.MatchString(format) || strings.Count(format, "%")*(n+1000) > maxTemplateWork {
		return "", errTooLong
	}
	return m.text(fmt.Sprintf(format, args...), len(format))
}

// json writes a value as JSON has it, quotes and all.
func (m *meter) json(v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	return m.text(string(b), 0)
}

// samples are alerts to try a template on, with signs that show where it does
// not escape.
func samples() [][]alerts.Alert {
	a := Sample(alerts.Firing)
	a.Summary = "A sample with \"quotes\", a \\, a\ttab and <b>&"
	b := a
	b.Status, b.Ended, b.Key, b.Labels, b.Sessions, b.Techniques = alerts.Resolved, a.Started, "", nil, nil, nil
	return [][]alerts.Alert{{a}, {b}, {a, b}}
}
