package alerts

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
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
		return severity{}, c.noSeverity(s.at, s.text)
	}
	p, err := c.program(k, s, "severity", expr.AsKind(reflect.String))
	if err != nil {
		return severity{}, err
	}
	if err := c.outcomes(s, p.Node()); err != nil {
		return severity{}, err
	}
	return severity{program: p, native: c.native(k).words(p.Node())}, nil
}

func (c *compiler) noSeverity(at position, text string) error {
	return placed(at, c.rule, fmt.Sprintf("unknown severity %q; allowed: %s, or an expression that yields one", Clip(text), strings.Join(Severities[:], ", ")))
}

// outcomes refuses an expression that names another text as its outcome.
func (c *compiler) outcomes(s source, n ast.Node) error {
	switch x := n.(type) {
	case *ast.ConditionalNode:
		if err := c.outcomes(s, x.Exp1); err != nil {
			return err
		}
		return c.outcomes(s, x.Exp2)
	case *ast.StringNode:
		if SeverityRank(x.Value) < 0 {
			return c.noSeverity(s.place(x.Location().From), x.Value)
		}
	}
	return nil
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
