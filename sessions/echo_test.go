package sessions_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// TestQuotedSecret plays a client that sends its login ahead to a server that
// refuses AUTH and quotes what it does not understand: no event has the secret.
func TestQuotedSecret(t *testing.T) {
	const secret = "c2VjcmV0LW9mLWJvYg=="
	text := `S: 220 a
C: EHLO b
S: 250 a
C: AUTH LOGIN
C: Ym9i
C: ` + secret + `
S: 503 5.5.1 not available
S: 500 5.5.1 Command unrecognized: "Ym9i"
S: 500 5.5.1 Command unrecognized: "` + secret + `"
C: MAIL FROM:<a@b>
!S: 250 ok
C: DATA
S: 500 5.5.1 Command unrecognized: "` + secret + `"
S: 500 5.5.1 Command unrecognized: "` + secret + `"
C: QUIT
S: 221 bye
`
	quoted, known := 0, false
	tracker := sessions.NewTracker(sessions.Options{}, sessions.HandlerFunc(func(e sessions.Event) {
		said := fmt.Sprintf("%+v", e)
		switch e := e.(type) {
		case *sessions.MailDone:
			said += fmt.Sprintf("%+v", e.Mail)
		case *sessions.Closed:
			said += fmt.Sprintf("%+v", e.Session)
		case *sessions.Replied:
			known = known || e.Text == "bye"
			if e.Code == 500 {
				quoted++
			}
		}
		if strings.Contains(said, secret) {
			t.Errorf("%T has the secret: %s", e, said)
		}
	}))
	for _, s := range segments(t, text, dialog.Options{}) {
		tracker.Segment(&s)
	}
	tracker.Close()
	if quoted < 3 || !known {
		t.Errorf("%d quoting replies seen, other texts told: %v", quoted, known)
	}
}
