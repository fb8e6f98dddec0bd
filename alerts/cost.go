package alerts

import "github.com/expr-lang/expr/ast"

// cost guesses what an expression takes, in nanoseconds: the parts of a
// conjunction are judged in this order.
func cost(node ast.Node) int {
	switch x := node.(type) {
	case *ast.UnaryNode:
		return cost(x.Node)
	case *ast.BinaryNode:
		c := cost(x.Left) + cost(x.Right)
		switch x.Operator {
		case "contains":
			return c + 10
		case "matches":
			return c + 200
		}
		return c + 1
	case *ast.ConditionalNode:
		return cost(x.Cond) + max(cost(x.Exp1), cost(x.Exp2))
	case *ast.BuiltinNode:
		return cost(x.Arguments[0]) + costOfCall(x.Name, x.Arguments)
	case *ast.CallNode:
		name, _ := x.Callee.(*ast.IdentifierNode)
		if name == nil || len(x.Arguments) == 0 {
			return 100
		}
		return cost(x.Arguments[0]) + costOfCall(name.Value, x.Arguments)
	case *ast.IdentifierNode, *ast.MemberNode, *ast.PointerNode:
		return 2
	}
	return 0
}

func costOfCall(name string, arguments []ast.Node) int {
	switch name {
	case "any", "all", "none":
		if p, ok := arguments[1].(*ast.PredicateNode); ok {
			return 10 + 2*cost(p.Node)
		}
	case "is_home", "is_scanner":
		return 5
	case "is_mail_server", "is_monitored":
		return 30
	case "domain", "lower", "upper":
		return 20
	case "routed_domain":
		return 40
	case "is_home_domain":
		return 60
	case "is_foreign":
		return 100
	}
	return 1
}
