package alerts

import (
	"slices"
	"testing"

	"github.com/mailtap/mailtap/sessions"
)

// TestReplies holds the table against the conditions that it was made from.
func TestReplies(t *testing.T) {
	verbs := append(slices.Clone(replyVerbs[:]), "XCLIENT", "rcpt")
	codes := []int{-1, 0, 252, 535, 549, 550, 551, 552, 553, 599, 639, 640, 1 << 40}
	e, _ := engine(t, Builtin(), site)
	for _, verb := range replyVerbs {
		if e.replies.rows[replyRowOf(verb)].verb != verb {
			t.Errorf("%q has no row of its own", verb)
		}
		for _, code := range codes {
			r := &sessions.Replied{In: in(conn("10.20.0.26", "192.0.2.1:25"), 0), Verb: verb, Code: code, Text: "spamhaus"}
			may := e.replies.may(r)
			if want := e.interests[kindCommand].in(view{event: r}); may != want && uint(code) < replyCodes {
				t.Errorf("%s %d: %v, want %v", verb, code, may, want)
			}
		}
	}
	m, _ := mixed(t, site)
	c := newChance(1)
	for range 20_000 {
		r := c.event(kindCommand, 0).(*sessions.Replied)
		r.Verb, r.Code = verbs[c.Intn(len(verbs))], codes[c.Intn(len(codes))]
		if !m.replies.may(r) && m.interests[kindCommand].in(view{event: r}) {
			t.Fatalf("%+v may matter", r)
		}
	}
	none, _ := engine(t, load(t, countRule), site)
	if none.replies.may(&sessions.Replied{Verb: "RCPT", Code: 550}) {
		t.Error("no rule reads commands, but one may matter")
	}
}
