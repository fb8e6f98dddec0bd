package alerts

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/mailtap/mailtap/sessions"
)

// Warnings tells what the rules and overrides of a site's file say although it
// can hardly be meant: overrides that change nothing, rules that never fire.
// It is for people who write rules; each is a line that begins with its place.
// The site's set must be one that Merge takes.
func (s RuleSet) Warnings(site RuleSet) []string {
	var out []string
	plain, err := s.Merge(RuleSet{Rules: site.Rules})
	if err != nil {
		return nil
	}
	for i := range site.overrides {
		if o := &site.overrides[i]; !o.changes(&plain) {
			out = append(out, placed(o.at, o.name, "the override changes nothing").Error())
		}
	}
	for i := range site.Rules {
		out = append(out, site.Rules[i].warnings()...)
	}
	return out
}

// changes says whether a rule is another one afterwards.
func (o *override) changes(set *RuleSet) bool {
	if len(o.keys) == 0 {
		return false
	}
	for i := range set.Rules {
		before := set.Rules[i]
		if before.Name != o.name {
			continue
		}
		after := before
		after.triggers = slices.Clone(before.triggers)
		return o.apply(&after) != nil || told(&before) != told(&after)
	}
	return true
}

// told is all that an override can change, in words.
func told(r *Rule) string {
	out := fmt.Sprint(r.Disabled, r.Repeat(), r.Severity)
	for i := range r.triggers {
		t := &r.triggers[i]
		out += fmt.Sprint(t.severity.text, t.fire.window, t.fire.threshold, t.fire.floor, t.fire.limit, t.fire.longer, t.fire.least)
	}
	return out
}

// warnings finds triggers that cannot fire.
func (r *Rule) warnings() (out []string) {
	c := newCompiler(newHome(Options{}))
	run, err := c.compile(r)
	if err != nil {
		return nil
	}
	for i, t := range run.triggers {
		of := &r.triggers[i]
		f := &of.fire
		for _, x := range []struct {
			c    *condition
			from *source
		}{{t.when, &of.when}, {t.also, &f.when}, {t.forgive, &f.forgive}} {
			out = append(out, x.c.strangers(r.Name, x.from)...)
			if x.c.never(c.native(t.kind)) && x.from != &f.forgive {
				out = append(out, placed(x.from.at, r.Name, "the condition is never true: this never fires").Error())
			}
		}
		if most := t.field.most(); f.how == fireDistinct && f.threshold > most {
			out = append(out, placed(f.field[0].at, r.Name,
				fmt.Sprintf("distinct: the threshold is %d, but there are only %d different values: this never fires", f.threshold, most)).Error())
		}
	}
	return out
}

// never says whether a part that the condition needs is false without asking
// the event.
func (c *condition) never(n *native) bool {
	if c == nil || c.program == nil {
		return false
	}
	for _, part := range operands(c.program.Node(), isAnd) {
		if t := n.truth(part); t != nil && constant(part) && !t(view{}) {
			return true
		}
	}
	return false
}

func constant(n ast.Node) bool {
	yes := true
	ast.Walk(&n, visitor(func(n ast.Node) {
		switch n.(type) {
		case *ast.IdentifierNode, *ast.PointerNode, *ast.MemberNode:
			yes = false
		}
	}))
	return yes
}

// most is how many different values a field can have: of booleans two each.
func (k *keying) most() int {
	n := 1
	if k == nil {
		return MaxThreshold
	}
	for _, v := range k.values {
		switch node := v.program.Node().(type) {
		case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		default:
			if t := node.Type(); t == nil || t.Kind().String() != "bool" || n > MaxThreshold {
				return MaxThreshold
			}
			n *= 2
		}
	}
	return n
}

// vocabulary lists what some fields can hold. The record of a session has them
// under its own names too (auth.result is one of #.result, which is left out).
func vocabulary() map[string][]string {
	kinds := make([]string, len(sessions.AnomalyTable))
	for i, k := range sessions.AnomalyTable {
		kinds[i] = k.Name
	}
	return map[string][]string{
		"attempt.result": {"established", "refused", "unanswered"},
		"auth.result":    {sessions.AuthSuccess, sessions.AuthFailure, sessions.AuthAborted, sessions.AuthUnknown},
		"mail.result":    {sessions.MailAccepted, sessions.MailRejected, sessions.MailDeferred, sessions.MailAborted, sessions.MailUnknown},
		"tls.mode":       {sessions.TLSNone, sessions.TLSStartTLS, sessions.TLSImplicit},
		"tls_mode":       {sessions.TLSNone, sessions.TLSStartTLS, sessions.TLSImplicit},
		"tls.outcome": {sessions.TLSEstablished, sessions.TLSRefused, sessions.TLSFailed, sessions.TLSStripped,
			sessions.TLSNotOffered, sessions.TLSNotUsed},
		"anomaly.kind": kinds,
		"direction":    sessions.Directions[:],
		"end":          sessions.Ends[:],
	}
}

// strangers finds comparisons of such a field with a text that it never holds:
// most often a typing error.
func (c *condition) strangers(rule string, s *source) (out []string) {
	if c == nil || c.program == nil {
		return nil
	}
	words := vocabulary()
	compare := func(field ast.Node, texts ...string) {
		p, _ := path(field)
		known := words[p]
		for _, text := range texts {
			if known != nil && text != "" && !slices.Contains(known, text) {
				out = append(out, placed(s.at, rule, fmt.Sprintf("%s is never %q; it is one of %s", p, Clip(text), strings.Join(known, ", "))).Error())
			}
		}
	}
	root := c.program.Node()
	ast.Walk(&root, visitor(func(n ast.Node) {
		x, ok := n.(*ast.BinaryNode)
		if !ok {
			return
		}
		switch x.Operator {
		case "==", "!=":
			for _, side := range [][2]ast.Node{{x.Left, x.Right}, {x.Right, x.Left}} {
				if text, ok := side[1].(*ast.StringNode); ok {
					compare(side[0], text.Value)
				}
			}
		case "in":
			compare(x.Left, textsOf(x.Right)...)
		}
	}))
	return out
}

// textsOf is a list of texts that stands in an expression, as expr folded it.
func textsOf(n ast.Node) (out []string) {
	switch x := n.(type) {
	case *ast.ConstantNode:
		if set, ok := x.Value.(map[string]struct{}); ok {
			out = slices.Sorted(maps.Keys(set))
		}
	case *ast.ArrayNode:
		for _, item := range x.Nodes {
			if text, ok := item.(*ast.StringNode); ok {
				out = append(out, text.Value)
			}
		}
	}
	return out
}

type visitor func(ast.Node)

// Visit implements ast.Visitor.
func (v visitor) Visit(n *ast.Node) { v(*n) }
