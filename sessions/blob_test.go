package sessions_test

import (
	"strings"
	"testing"

	"github.com/mailtap/mailtap/sessions/dialog"
)

// TestProperties lets Exchange 2003 send properties behind a 354 that is no
// DATA's: they are no commands, and the reply to them is asked for. To a tap
// that sees the server alone the 354 is DATA's, so this is no conversation
// among the others.
func TestProperties(t *testing.T) {
	got := play(t, segments(t, `
S: 220 mx.example
C: EHLO client.example
S: 250-mx.example
S: 250 XEXCH50
C: MAIL FROM:<a@client.example>
S: 250 ok
C: RCPT TO:<b@mx.example>
S: 250 ok
C: XEXCH50 23 2
S: 354 Send binary data
C" "MAIL FROM:<not@a.cmd>\r\n"
S: 250 ok
C: DATA
S: 354 go
C: Subject: t
C:
C: .
S: 250 queued as A1
C: QUIT
S: 221 x
`, dialog.Options{}))
	for _, want := range []string{`"MAIL":1`, `"queue_id":"A1"`, "XEXCH50  -> 354  in 10ms\nXEXCH50  -> 250  in"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if strings.Contains(got, `"anomalies"`) {
		t.Errorf("odd things in\n%s", got)
	}
}
