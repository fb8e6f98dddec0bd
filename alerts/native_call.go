package alerts

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
)

// call translates a call of one of the package's own functions.
func (n *native) call(x *ast.CallNode) any {
	name, ok := x.Callee.(*ast.IdentifierNode)
	if !ok || len(x.Arguments) != 1 {
		return nil
	}
	if n.steady && name.Value == "is_mail_server" {
		return nil
	}
	argument := n.expression(x.Arguments[0])
	if a, ok := argument.(address); ok {
		if f := n.addresses[name.Value]; f != nil {
			return truth(func(v view) bool { return f(a(v)) })
		}
	}
	w := asWords(argument)
	if w == nil {
		return nil
	}
	if f := n.texts[name.Value]; f != nil {
		return words(func(v view) string { return f(w(v)) })
	}
	if f := n.tests[name.Value]; f != nil {
		return truth(func(v view) bool { return f(w(v)) })
	}
	return nil
}

// builtin translates those of the language's functions that rules mostly use.
func (n *native) builtin(x *ast.BuiltinNode) any {
	switch x.Name {
	case "any", "all", "none":
		return n.quantor(x)
	case "len":
		switch a := n.expression(x.Arguments[0]).(type) {
		case list:
			return a.size
		case words:
			return whole(func(v view) int { return utf8.RuneCountInString(a(v)) })
		}
	case "lower", "upper":
		if w := n.words(x.Arguments[0]); w != nil && x.Name == "lower" {
			return words(func(v view) string { return strings.ToLower(w(v)) })
		} else if w != nil {
			return words(func(v view) string { return strings.ToUpper(w(v)) })
		}
	case "duration":
		if s, ok := x.Arguments[0].(*ast.StringNode); ok {
			if d, err := time.ParseDuration(s.Value); err == nil {
				return span(func(view) time.Duration { return d })
			}
		}
	}
	return nil
}

// quantor translates any(), all() and none() over a list of the event.
func (n *native) quantor(x *ast.BuiltinNode) any {
	l, ok := n.expression(x.Arguments[0]).(list)
	if !ok || len(x.Arguments) != 2 {
		return nil
	}
	p, ok := x.Arguments[1].(*ast.PredicateNode)
	if !ok {
		return nil
	}
	inner := *n
	inner.item = l.of
	test := inner.truth(p.Node)
	if test == nil {
		return nil
	}
	switch x.Name {
	case "any":
		return truth(func(v view) bool { return l.some(v, test) })
	case "none":
		return truth(func(v view) bool { return !l.some(v, test) })
	}
	fails := truth(func(v view) bool { return !test(v) })
	return truth(func(v view) bool { return !l.some(v, fails) })
}

// match translates the operators that look into a text. The pattern of matches
// must be fixed: any other may be broken.
func (n *native) match(x *ast.BinaryNode) truth {
	a := n.words(x.Left)
	if a == nil {
		return nil
	}
	if x.Operator == "matches" {
		if s, ok := x.Right.(*ast.StringNode); ok {
			if re, err := regexp.Compile(s.Value); err == nil {
				m := newMatcher(re)
				return func(v view) bool { return m.match(a(v)) }
			}
		}
		return nil
	}
	b := n.words(x.Right)
	if b == nil {
		return nil
	}
	switch x.Operator {
	case "contains":
		return func(v view) bool { return strings.Contains(a(v), b(v)) }
	case "startsWith":
		return func(v view) bool { return strings.HasPrefix(a(v), b(v)) }
	}
	return func(v view) bool { return strings.HasSuffix(a(v), b(v)) }
}
