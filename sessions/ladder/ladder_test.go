package ladder_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
	"github.com/mailtap/mailtap/sessions/ladder"
)

var update = flag.Bool("update", false, "write the golden files anew")

// laddersOf plays a conversation; one text may hold several connections.
func ladderOf(t *testing.T, text string, o ladder.Options) *ladder.Ladder {
	t.Helper()
	segments, err := dialog.Segments(text, dialog.Options{NoHandshake: strings.Contains(text, "# midstream")})
	if err != nil {
		t.Fatal(err)
	}
	l := &ladder.Ladder{Options: o}
	tracker := sessions.NewTracker(sessions.Options{Sensor: "test"}, l)
	for i := range segments {
		tracker.Segment(&segments[i])
	}
	tracker.Close()
	if !l.Ended() {
		t.Fatal("the connection did not end")
	}
	return l
}

// TestConversations holds the ladder of each conversation of the sessions' own
// tests against its golden file.
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("../testdata/*.txt")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d conversations: %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			view := ladderOf(t, string(text), ladder.Options{}).View()
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, view.Text(false), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got := view.Text(false); !bytes.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// Whatever a client sends as a secret, in place or out of it, is in no form of
// the ladder.
func TestSecretsAreInNoLadder(t *testing.T) {
	const secret, plain, password = "hunter2secret", "AGFsaWNlAGh1bnRlcjJzZWNyZXQ=", "aHVudGVyMnNlY3JldA=="
	text := `S: 220 mail.example ESMTP
C: EHLO client.example
S: 250-mail.example
S: 250 AUTH PLAIN LOGIN
C: AUTH PLAIN ` + plain + `
S: 535 5.7.8 wrong: ` + plain + `
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C: YWxpY2U=
S: 334 UGFzc3dvcmQ6
C: ` + password + `
S: 535 5.7.8 wrong: ` + secret + `
C: ` + password + `
S: 500 5.5.2 what is ` + password + `
C: QUIT
S: 221 bye
`
	view := ladderOf(t, text, ladder.Options{}).View()
	encoded, err := json.Marshal(view)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{string(view.Text(true)), string(encoded)} {
		for _, s := range []string{secret, plain, password} {
			if strings.Contains(form, s) {
				t.Errorf("%s is in\n%s", s, form)
			}
		}
		if !strings.Contains(form, "AUTH") || !strings.Contains(form, "alice") {
			t.Errorf("no login is in\n%s", form)
		}
	}
}

func TestHostileTextIsCutAndVisible(t *testing.T) {
	text := "S\" \"220 \u202egpj.exe\x1b[31m " + strings.Repeat("ä", 200) + "\\r\\n\"\nC: QUIT\nS: 221 bye\n"
	text = strings.ReplaceAll(text, "\x1b", `\x1b`)
	view := ladderOf(t, text, ladder.Options{Text: 100}).View()
	greeting := view.Steps[1]
	if len(greeting.Text) > 110 || !strings.HasSuffix(greeting.Text, "ä…") {
		t.Errorf("%d octets: %q", len(greeting.Text), greeting.Text)
	}
	if got := string(view.Text(false)); strings.ContainsAny(got, "\u202e\x1b") {
		t.Errorf("%q", got)
	}
}

// A client that never ends fills no memory, and the end of it stands all the same.
func TestStepsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("S: 220 mail.example ESMTP\n")
	for i := range 500 {
		fmt.Fprintf(&b, "C: VRFY user%d\nS: 550 5.1.1 unknown\n", i)
	}
	b.WriteString("close C\nclose S\n")
	l := ladderOf(t, b.String(), ladder.Options{Steps: 50})
	view := l.View()
	if len(view.Steps) != 50 || view.Steps[49].Kind != ladder.End {
		t.Fatalf("%d steps, the last is %+v", len(view.Steps), view.Steps[len(view.Steps)-1])
	}
	if want := 2 + 1000 + 1 - 50; view.LeftOut != want {
		t.Errorf("%d steps left out, want %d", view.LeftOut, want)
	}
	if l.Octets() > 50*400 {
		t.Errorf("%d octets", l.Octets())
	}
}

func BenchmarkSmallMail(b *testing.B) {
	segments, err := dialog.Segments(dialog.SmallMail, dialog.Options{})
	if err != nil {
		b.Fatal(err)
	}
	var events []sessions.Event
	tracker := sessions.NewTracker(sessions.Options{}, sessions.HandlerFunc(func(e sessions.Event) { events = append(events, e) }))
	for i := range segments {
		tracker.Segment(&segments[i])
	}
	tracker.Close()
	b.ReportAllocs()
	for b.Loop() {
		l := ladder.Ladder{}
		for _, e := range events {
			l.Handle(e)
		}
	}
	b.ReportMetric(float64(len(events)), "events/op")
}
