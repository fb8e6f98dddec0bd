package alerts

import (
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/mailtap/mailtap/sessions"
)

// replies answers for the commonest event, by its verb and code alone, whether
// any rule may care: an ordinary 250 meets no rule, so it need not meet their
// conditions either. The answers are what the conditions themselves said when
// the rules were compiled.
type replies struct {
	rows [replyRows]replyRow
}

const (
	replyRows  = 64
	replyCodes = 640 // codes below it are in the table
)

// replyRow says for one verb which codes may matter.
type replyRow struct {
	verb string
	may  *[replyCodes / 64]uint64 // nil: no verb has this row
}

// replyVerbs are those of ordinary sessions, and replyRowOf tells their rows
// apart. A verb that has none is judged by the conditions.
var replyVerbs = [...]string{"", "EHLO", "MAIL", "RCPT", "DATA", ".", "QUIT", "AUTH", "STARTTLS", "BDAT", "HELO", "LHLO", "RSET", "NOOP", "VRFY", "EXPN", "OTHER"}

func replyRowOf(verb string) int {
	if verb == "" {
		return 0
	}
	return (int(verb[0]) + 6*int(verb[len(verb)/2])) % replyRows
}

// may is false where no condition can hold; true where one may, and for what is
// not in the table.
func (r *replies) may(e *sessions.Replied) bool {
	row := &r.rows[replyRowOf(e.Verb)]
	if row.may == nil || uint(e.Code) >= replyCodes || row.verb != e.Verb {
		return true
	}
	return row.may[e.Code/64]>>(e.Code%64)&1 != 0
}

// newReplies asks what is known of each condition for each verb and code.
func newReplies(conditions []*condition) *replies {
	r, e := &replies{}, &sessions.Replied{}
	v := view{event: e}
	for _, verb := range replyVerbs {
		row := replyRow{verb, new([replyCodes / 64]uint64)}
		for code := range replyCodes {
			e.Verb, e.Code = verb, code
			if slices.ContainsFunc(conditions, func(c *condition) bool { return c.reply == nil || c.reply(v) }) {
				row.may[code/64] |= 1 << (code % 64)
			}
		}
		r.rows[replyRowOf(verb)] = row
	}
	return r
}

// reply is what the verb and the code alone say of a condition: where it does
// not hold, nor does the condition. nil: they say nothing. The condition must be
// native as a whole, or the machine might fail on what stands before.
func (n *native) reply(root ast.Node) truth {
	if n.truth(root) == nil {
		return nil
	}
	blind := *n // knows no other facts
	blind.fields = fields{"command.verb": n.fields["command.verb"], "command.code": n.fields["command.code"]}
	var parts []truth
	for _, part := range operands(root, isAnd) {
		if t := blind.truth(part); t != nil {
			parts = append(parts, t)
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return all(parts)
}
