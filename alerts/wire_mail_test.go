package alerts_test

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

type raised []string

func (r *raised) Alert(a alerts.Alert) {
	if a.Status == alerts.Firing {
		*r = append(*r, fmt.Sprintf("%s [%s] %s", a.Rule, a.Key, a.Summary))
	}
}

// TestMailsFromTheWire plays dialogs to the rules that look into mails.
func TestMailsFromTheWire(t *testing.T) {
	file := func(header string) string {
		return "C: Content-Type: multipart/mixed; boundary=b\nC:\nC: --b\n" + header + "C:\nC: text\nC: --b--\n"
	}
	const double = "C: Content-Type: text/plain; name=a; name=b\n"
	for _, c := range []struct {
		name, content string
		times         int
		want          []string
	}{
		{"ordinary", file("C: Content-Type: text/plain\nC: Content-Disposition: attachment; filename=a.txt\n"), 12, nil},
		{"program", file("C: Content-Type: text/plain\nC: Content-Disposition: attachment; filename=a.pdf.exe\n"), 12, []string{
			"DangerousAttachment [10.20.0.10 b.test] 10.20.0.10 sent a mail of a@b.test to c@d.test with a dangerous file: a.pdf.exe (executable by name; 10.20.0.25 answered: accepted)."}},
		{"ten malformed", file(double), 10, []string{
			"MalformedMessage [10.20.0.10] 10.20.0.10 sent 10 mails within 10m whose MIME may hide a part, the last with mime_duplicate_parameter."}},
		{"nine malformed", file(double), 9, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got raised
			engine, err := alerts.NewEngine(alerts.Builtin(), alerts.Options{Sink: &got})
			if err != nil {
				t.Fatal(err)
			}
			text := "S: 220 a\nC: EHLO b\nS: 250 a\n" + strings.Repeat("C: MAIL FROM:<a@b.test>\nS: 250 ok\nC: RCPT TO:<c@d.test>\nS: 250 ok\nC: DATA\nS: 354 go\n"+c.content+"C: .\nS: 250 ok\n", c.times)
			playTo(t, text, engine)
			if !slices.Equal([]string(got), c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func playTo(t *testing.T, text string, engine *alerts.Engine) {
	t.Helper()
	segments, err := dialog.Segments(text, dialog.Options{Client: netip.MustParseAddrPort("10.20.0.10:40000"), Server: netip.MustParseAddrPort("10.20.0.25:25")})
	if err != nil {
		t.Fatal(err)
	}
	tracker := sessions.NewTracker(sessions.Options{}, sessions.HandlerFunc(engine.Handle))
	for i := range segments {
		tracker.Segment(&segments[i])
	}
	tracker.Close()
}

// TestRunbookExamples: what the pages of these rules tell to write is a rule file.
func TestRunbookExamples(t *testing.T) {
	for _, page := range []string{"dangerousattachment", "malformedmessage"} {
		text, err := os.ReadFile("../docs/runbooks/" + page + ".md")
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, rest := range strings.Split(string(text), "```yaml\n")[1:] {
			block, _, _ := strings.Cut(rest, "```")
			found++
			set, err := alerts.LoadRules(strings.NewReader(block), page)
			if err == nil {
				set, err = alerts.Builtin().Merge(set)
			}
			if err == nil {
				_, err = alerts.NewEngine(set, alerts.Options{})
			}
			if err != nil {
				t.Errorf("%v in\n%s", err, block)
			}
		}
		if found != 2 {
			t.Errorf("%s: %d examples", page, found)
		}
	}
}
