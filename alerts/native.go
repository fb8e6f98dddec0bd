package alerts

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// native turns the tree of an expression into Go functions over a view: what
// conditions are mostly made of (comparisons, and, or, not, in, contains, any,
// len, the package's own functions). It takes the tree that the expression
// machine's own program was made from, typed and folded, so that both mean the
// same. All that it takes is total: no part can fail on an event, so the parts
// of a conjunction may be judged in any order. The rest is the machine's.
type native struct {
	fields    fields
	item      fields // of the element at hand, inside any() and its like
	texts     map[string]func(string) string
	tests     map[string]func(string) bool
	addresses map[string]func(netip.Addr) bool
	steady    bool // knows nothing that is learned
}

func newNative(k kind, h *home) *native {
	return &native{fields: fieldsOf(k), texts: textFunctions(), tests: h.testFunctions(), addresses: h.addressTests()}
}

// always is what holds of an event if the condition does, whatever is learned
// in between; nil: nothing does.
func (n *native) always(root ast.Node) truth {
	steady := *n
	steady.steady = true
	whole, guard := steady.condition(root)
	switch {
	case whole != nil:
		return whole
	case n.truth(root) == nil:
		return guard
	}
	var parts []truth // all are native, so none can fail: they may be judged alone
	for _, part := range operands(root, isAnd) {
		if t := steady.truth(part); t != nil {
			parts = append(parts, t)
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return all(parts)
}

// condition translates a whole condition. Where it cannot, guard is what of its
// beginning it could: where that does not hold, nor does the condition, and
// the machine would not have come to the rest.
func (n *native) condition(root ast.Node) (whole, guard truth) {
	if t := n.truth(root); t != nil {
		return t, nil
	}
	var parts []truth
	for _, part := range operands(root, isAnd) {
		t := n.truth(part)
		if t == nil {
			break
		}
		parts = append(parts, t)
	}
	if len(parts) == 0 {
		return nil, nil
	}
	return nil, all(parts)
}

// expression gives one of the function types of view.go, a list, or nil for
// what it does not know.
func (n *native) expression(node ast.Node) any {
	switch x := node.(type) {
	case *ast.BoolNode:
		return truth(func(view) bool { return x.Value })
	case *ast.StringNode:
		return words(func(view) string { return x.Value })
	case *ast.IntegerNode:
		return whole(func(view) int { return x.Value })
	case *ast.FloatNode:
		return real(func(view) float64 { return x.Value })
	case *ast.IdentifierNode, *ast.MemberNode, *ast.PointerNode:
		return n.field(node)
	case *ast.UnaryNode:
		if t := n.truth(x.Node); t != nil && (x.Operator == "not" || x.Operator == "!") {
			return truth(func(v view) bool { return !t(v) })
		}
	case *ast.BinaryNode:
		return n.binary(x)
	case *ast.BuiltinNode:
		return n.builtin(x)
	case *ast.CallNode:
		return n.call(x)
	case *ast.ConditionalNode:
		return n.choice(x)
	}
	return nil
}

func (n *native) truth(node ast.Node) truth {
	t, _ := n.expression(node).(truth)
	return t
}

// words is the text of an expression, that of an address written.
func (n *native) words(node ast.Node) words { return asWords(n.expression(node)) }

func asWords(x any) words {
	switch x := x.(type) {
	case words:
		return x
	case address:
		return func(v view) string { return x(v).String() }
	}
	return nil
}

// field finds a fact by its path; inside any(), # is "." and .code is ".code".
func (n *native) field(node ast.Node) any {
	p, ok := path(node)
	if !ok {
		return nil
	}
	if strings.HasPrefix(p, ".") {
		return n.item[p]
	}
	if f := n.fields[p]; f != nil {
		return f
	}
	if m, ok := node.(*ast.MemberNode); ok {
		if c, ok := n.field(m.Node).(counted); ok {
			return countOf(c, m.Property.(*ast.StringNode).Value)
		}
	}
	return nil
}

func path(node ast.Node) (string, bool) {
	switch x := node.(type) {
	case *ast.IdentifierNode:
		return x.Value, true
	case *ast.PointerNode:
		return ".", x.Name == ""
	case *ast.MemberNode:
		name, plain := x.Property.(*ast.StringNode)
		of, ok := path(x.Node)
		if !ok || !plain || x.Optional || x.Method {
			return "", false
		}
		return strings.TrimSuffix(of, ".") + "." + name.Value, true
	}
	return "", false
}

// countOf reads one number of a list of counts, 0 where it has none.
func countOf(c counted, name string) whole {
	return func(v view) int {
		list := c(v)
		for i := len(list) - 1; i >= 0; i-- {
			if list[i].Name == name {
				return list[i].N
			}
		}
		return 0
	}
}

func (n *native) binary(x *ast.BinaryNode) any {
	switch x.Operator {
	case "and", "&&":
		if parts := n.truths(operands(x, isAnd)); parts != nil {
			return all(parts)
		}
	case "or", "||":
		if parts := n.truths(operands(x, isOr)); parts != nil {
			return either(parts)
		}
	case "==", "!=", "<", "<=", ">", ">=":
		return orNil(n.compare(x))
	case "in":
		return orNil(n.in(x))
	case "contains", "startsWith", "endsWith", "matches":
		return orNil(n.match(x))
	case "-":
		return n.minus(x)
	}
	return nil
}

// orNil keeps a nil function from being taken for an expression.
func orNil(t truth) any {
	if t == nil {
		return nil
	}
	return t
}

func isAnd(operator string) bool { return operator == "and" || operator == "&&" }
func isOr(operator string) bool  { return operator == "or" || operator == "||" }

// operands are the parts of a chain of one operator, in order.
func operands(node ast.Node, is func(operator string) bool) []ast.Node {
	if x, ok := node.(*ast.BinaryNode); ok && is(x.Operator) {
		return append(operands(x.Left, is), operands(x.Right, is)...)
	}
	return []ast.Node{node}
}

// truths translates the parts of a chain, the cheapest first; nil where one
// cannot be.
func (n *native) truths(nodes []ast.Node) []truth {
	slices.SortStableFunc(nodes, func(a, b ast.Node) int { return cost(a) - cost(b) })
	out := make([]truth, 0, len(nodes))
	for _, node := range nodes {
		t := n.truth(node)
		if t == nil {
			return nil
		}
		out = append(out, t)
	}
	return out
}

func all(parts []truth) truth {
	switch len(parts) {
	case 1:
		return parts[0]
	case 2:
		a, b := parts[0], parts[1]
		return func(v view) bool { return a(v) && b(v) }
	case 3:
		a, b, c := parts[0], parts[1], parts[2]
		return func(v view) bool { return a(v) && b(v) && c(v) }
	}
	return func(v view) bool {
		for _, p := range parts {
			if !p(v) {
				return false
			}
		}
		return true
	}
}

func either(parts []truth) truth {
	if len(parts) == 2 {
		a, b := parts[0], parts[1]
		return func(v view) bool { return a(v) || b(v) }
	}
	return func(v view) bool {
		for _, p := range parts {
			if p(v) {
				return true
			}
		}
		return false
	}
}

func (n *native) choice(x *ast.ConditionalNode) any {
	cond := n.truth(x.Cond)
	if cond == nil {
		return nil
	}
	switch a := n.expression(x.Exp1).(type) {
	case truth:
		if b := n.truth(x.Exp2); b != nil {
			return truth(func(v view) bool {
				if cond(v) {
					return a(v)
				}
				return b(v)
			})
		}
	case words:
		if b := n.words(x.Exp2); b != nil {
			return words(func(v view) string {
				if cond(v) {
					return a(v)
				}
				return b(v)
			})
		}
	}
	return nil
}
