package alerts

import (
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/vm"
)

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
		inner, tail, closed := strings.Cut(after, "}")
		begin := utf8.RuneCountInString(s.text[:len(s.text)-len(after)])
		if !closed {
			return nil, placed(s.place(begin-1), c.rule, what+": { without }")
		}
		rest = tail
		if name := strings.TrimSpace(inner); holes[name] {
			out = append(out, templatePart{hole: name})
			continue
		}
		p, err := c.value(k, s.part(inner, begin), what)
		if err != nil {
			return nil, err
		}
		out = append(out, templatePart{program: p})
	}
}

// write fills a template's programs; holes stay.
func (e *Engine) write(t *runningTrigger, parts template) []templatePart {
	out := make([]templatePart, len(parts))
	for i, p := range parts {
		if p.program != nil {
			p = templatePart{text: e.yield(t, p.program)}
		}
		out[i] = p
	}
	return out
}

// constant is the text of a template that is the same for every event.
func (t template) constant() (text string, ok bool) {
	for _, p := range t {
		if p.program != nil || p.hole != "" {
			return "", false
		}
		text += p.text
	}
	return text, true
}

// join writes the holes.
func join(parts []templatePart, fill func(hole string) string) string {
	var b strings.Builder
	for _, p := range parts {
		if p.hole != "" {
			b.WriteString(fill(p.hole))
		} else {
			b.WriteString(p.text)
		}
	}
	return b.String()
}
