package sessions_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// TestEventsTellWhomAProxySpokeFor holds what each event knows of the client
// behind a proxy: nothing before it was told, nothing after it proved wrong.
func TestEventsTellWhomAProxySpokeFor(t *testing.T) {
	const ehlo = "S: 220 mx ESMTP\nC: EHLO c\nS: 250 mx\n"
	const login = "C: AUTH PLAIN AGJvYgB4\nS: 535 5.7.8 no\nC: QUIT\nS: 221 bye\nclose S\nclose C\n"
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"none", ehlo + login, []string{"attempt -", "greeted -", "auth -", "closed -"}},
		{"PROXY", "C: PROXY TCP4 198.51.100.7 192.0.2.25 50000 25\n\n" + ehlo + login,
			[]string{"attempt -", "greeted 198.51.100.7 proxy-v1", "auth 198.51.100.7 proxy-v1", "closed 198.51.100.7 proxy-v1"}},
		{"PROXY that the server did not expect", "C: PROXY TCP4 198.51.100.7 192.0.2.25 50000 25\n\nS: 220 mx ESMTP\nS: 502 5.5.2 what\nC: EHLO c\nS: 250 mx\n" + login,
			[]string{"attempt -", "greeted 198.51.100.7 proxy-v1", "auth -", "closed -"}},
		{"XCLIENT", ehlo + "C: XCLIENT ADDR=198.51.100.8\nS: 220 mx\nC: EHLO c\nS: 250 mx\n" + login,
			[]string{"attempt -", "greeted -", "auth 198.51.100.8 xclient", "closed 198.51.100.8 xclient"}},
		{"XCLIENT refused", ehlo + "C: XCLIENT ADDR=198.51.100.8\nS: 550 no\n" + login, []string{"attempt -", "greeted -", "auth -", "closed -"}},
		{"XFORWARD", ehlo + "C: XFORWARD ADDR=198.51.100.9\nS: 250 ok\n" + login,
			[]string{"attempt -", "greeted -", "auth 198.51.100.9 xforward", "closed 198.51.100.9 xforward"}},
	} {
		var got []string
		tracker := sessions.NewTracker(sessions.Options{}, sessions.HandlerFunc(func(e sessions.Event) {
			kind := map[string]string{"*sessions.Attempt": "attempt", "*sessions.Greeted": "greeted", "*sessions.Authenticated": "auth", "*sessions.Closed": "closed"}[fmt.Sprintf("%T", e)]
			if kind == "" {
				return
			}
			who := "-"
			if o := e.Behind(); o != nil {
				who = o.Client.Addr().String() + " " + o.Via
			}
			got = append(got, kind+" "+who)
		}))
		tracker.Segments(segments(t, c.text, dialog.Options{}))
		tracker.Close()
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
