package alerts

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/expr-lang/expr/ast"
)

// compare translates a comparison of two facts or a fact and a constant.
func (n *native) compare(x *ast.BinaryNode) truth {
	left, right := n.expression(x.Left), n.expression(x.Right)
	if left == nil || right == nil {
		return nil
	}
	if t := compareAddress(x, left, right); t != nil {
		return t
	}
	if a, b := asWords(left), asWords(right); a != nil && b != nil {
		if s, ok := x.Right.(*ast.StringNode); ok {
			return orderFixed(x.Operator, a, s.Value)
		}
		return order(x.Operator, a, b)
	}
	switch a := left.(type) {
	case whole:
		if b, ok := right.(whole); ok {
			if i, ok := x.Right.(*ast.IntegerNode); ok {
				return orderFixed(x.Operator, a, i.Value)
			}
			return order(x.Operator, a, b)
		}
	case span:
		if b, ok := right.(span); ok {
			return order(x.Operator, a, b)
		}
	case moment:
		if b, ok := right.(moment); ok {
			return order(x.Operator, func(v view) int { return a(v).Compare(b(v)) }, func(view) int { return 0 })
		}
	case truth:
		b, ok := right.(truth)
		switch {
		case ok && x.Operator == "==":
			return func(v view) bool { return a(v) == b(v) }
		case ok && x.Operator == "!=":
			return func(v view) bool { return a(v) != b(v) }
		}
		return nil
	}
	if a, b := asReal(left), asReal(right); a != nil && b != nil {
		return order(x.Operator, a, b)
	}
	return nil
}

func asReal(x any) real {
	switch x := x.(type) {
	case real:
		return x
	case whole:
		return func(v view) float64 { return float64(x(v)) }
	}
	return nil
}

func order[T cmp.Ordered](operator string, a, b func(view) T) truth {
	switch operator {
	case "==":
		return func(v view) bool { return a(v) == b(v) }
	case "!=":
		return func(v view) bool { return a(v) != b(v) }
	case "<":
		return func(v view) bool { return a(v) < b(v) }
	case "<=":
		return func(v view) bool { return a(v) <= b(v) }
	case ">":
		return func(v view) bool { return a(v) > b(v) }
	}
	return func(v view) bool { return a(v) >= b(v) }
}

// orderFixed is order against a constant: what most comparisons are.
func orderFixed[T cmp.Ordered](operator string, a func(view) T, b T) truth {
	switch operator {
	case "==":
		return func(v view) bool { return a(v) == b }
	case "!=":
		return func(v view) bool { return a(v) != b }
	case "<":
		return func(v view) bool { return a(v) < b }
	case "<=":
		return func(v view) bool { return a(v) <= b }
	case ">":
		return func(v view) bool { return a(v) > b }
	}
	return func(v view) bool { return a(v) >= b }
}

// compareAddress translates == and != of addresses without writing them; their
// texts are equal where they are.
func compareAddress(x *ast.BinaryNode, left, right any) truth {
	if x.Operator != "==" && x.Operator != "!=" {
		return nil
	}
	equal := x.Operator == "=="
	a, ok := left.(address)
	if !ok {
		return nil
	}
	if b, ok := right.(address); ok {
		return func(v view) bool { return (a(v) == b(v)) == equal }
	}
	s, ok := x.Right.(*ast.StringNode)
	if !ok {
		return nil
	}
	b, ok := written(s.Value)
	return func(v view) bool { return (ok && a(v) == b) == equal }
}

// written is the address that is written so; ok is false where none is.
func written(s string) (a netip.Addr, ok bool) {
	if a, err := netip.ParseAddr(s); err == nil {
		return a, a.String() == s
	}
	return netip.Addr{}, s == netip.Addr{}.String()
}

// in translates membership in a fixed list, or of a text in a list of the event.
func (n *native) in(x *ast.BinaryNode) truth {
	left := n.expression(x.Left)
	if left == nil {
		return nil
	}
	if c, ok := x.Right.(*ast.ConstantNode); ok {
		return inFixed(left, c.Value)
	}
	l, ok := n.expression(x.Right).(list)
	w := asWords(left)
	if !ok || l.text == nil || w == nil {
		return nil
	}
	return func(v view) bool {
		s := w(v)
		for _, e := range l.text(v) {
			if e == s {
				return true
			}
		}
		return false
	}
}

func inFixed(left, set any) truth {
	switch set := set.(type) {
	case map[string]struct{}:
		switch a := left.(type) {
		case words:
			return member(a, set)
		case address:
			addresses := map[netip.Addr]struct{}{}
			for s := range set {
				if b, ok := written(s); ok {
					addresses[b] = struct{}{}
				}
			}
			return member(a, addresses)
		}
	case map[int]struct{}:
		if a, ok := left.(whole); ok {
			return member(a, set)
		}
	}
	return nil
}

// member looks through a short list rather than into a map: that is quicker.
func member[T comparable](a func(view) T, set map[T]struct{}) truth {
	if len(set) > 8 {
		return func(v view) bool { _, ok := set[a(v)]; return ok }
	}
	list := make([]T, 0, len(set))
	for x := range set {
		list = append(list, x)
	}
	return func(v view) bool {
		x := a(v)
		for i := range list {
			if list[i] == x {
				return true
			}
		}
		return false
	}
}

// minus translates differences of times: what remains of a certificate.
func (n *native) minus(x *ast.BinaryNode) any {
	switch a := n.expression(x.Left).(type) {
	case moment:
		switch b := n.expression(x.Right).(type) {
		case moment:
			return span(func(v view) time.Duration { return a(v).Sub(b(v)) })
		case span:
			return moment(func(v view) time.Time { return a(v).Add(-b(v)) })
		}
	case span:
		if b, ok := n.expression(x.Right).(span); ok {
			return span(func(v view) time.Duration { return a(v) - b(v) })
		}
	}
	return nil
}
