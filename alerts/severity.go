package alerts

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
)

// severity is fixed or an expression that yields a text.
type severity struct {
	fixed   string
	native  words // nil: run the program
	program *vm.Program
}

func (c *compiler) severity(k kind, s source) (severity, error) {
	if SeverityRank(s.text) >= 0 {
		return severity{fixed: s.text}, nil
	}
	if regexp.MustCompile(`^[A-Za-z]+$`).MatchString(s.text) {
		return severity{}, placed(s.at, c.rule, fmt.Sprintf("unknown severity %q; allowed: %s, or an expression that yields one", Clip(s.text), strings.Join(Severities[:], ", ")))
	}
	p, err := c.program(k, s, "severity", expr.AsKind(reflect.String))
	if err != nil {
		return severity{}, err
	}
	return severity{program: p, native: c.native(k).words(p.Node())}, nil
}

// severity of the event at hand.
func (e *Engine) severity(t *runningTrigger) string {
	if t.severity.program == nil {
		return t.severity.fixed
	}
	s := e.severityOf(t)
	if SeverityRank(s) < 0 {
		t.rule.stats.Errors++
		return Warning
	}
	return s
}

func (e *Engine) severityOf(t *runningTrigger) string {
	if t.severity.native != nil {
		return Clip(t.severity.native(e.view))
	}
	return e.yield(t, t.severity.program)
}
