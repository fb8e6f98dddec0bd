package log

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// conversation plays a dialog and gives its records in a form.
func conversation(t *testing.T, format, text string) []byte {
	t.Helper()
	segments, err := dialog.Segments(text, dialog.Options{NoHandshake: strings.Contains(text, "# midstream")})
	if err != nil {
		t.Fatal(err)
	}
	return written(t, format, func(w *Writer) {
		tracker := sessions.NewTracker(sessions.Options{Sensor: "test"}, w)
		for i := range segments {
			tracker.Segment(&segments[i])
		}
		tracker.Close()
	})
}

// written gives what a Writer writes in a form while do has it.
func written(t *testing.T, format string, do func(*Writer)) []byte {
	t.Helper()
	var out bytes.Buffer
	file := NewFile(&out, FileOptions{})
	var sink Sink = file
	frame := NewZeekFile(file)
	if format == FormatZeek {
		sink = frame
	}
	w, err := NewWriter(Options{Sensor: "test", Format: format, Version: "1.0", Sinks: []Sink{sink}})
	if err != nil {
		t.Fatal(err)
	}
	do(w)
	if err := frame.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// everyExample gives one of each kind, with all that it may have and with the
// least.
func everyExample(w *Writer) {
	rich := mailDone(richConn(), richMail(), sessions.TLSNone)
	rich.Helo, rich.Number = sessions.Helo{Verb: "EHLO", Name: "client.test"}, 2
	hostile := richMail()
	hostile.From, hostile.Reply = "a\tb@x", "no\nsuch \x1b[2J user"
	hostile.To = []string{"-", "a,b@x", "", "\xff@x", "(empty)"}
	hostile.Header.Subject, hostile.Header.To = "-", `"Doe, Jane" <jane@x>, (a, b) c@x,, <d,e@x>`
	w.Handle(rich)
	w.Handle(mailDone(richConn(), hostile, sessions.TLSNone))
	w.Handle(mailDone(bareConn(), &sessions.Mail{Time: start, Size: -1, DeclaredSize: -1}, ""))
	w.Handle(authenticated(richConn(), richAuth(), sessions.TLSNone))
	w.Handle(authenticated(bareConn(), sessions.Auth{Time: start}, ""))
	w.Handle(closed(richConn(), richSession()))
	logins := richSession()
	logins.Mails = nil
	w.Handle(closed(richConn(), logins))
	w.Handle(closed(bareConn(), &sessions.Session{}))
	w.Alert(richAlert())
	w.Alert(&AlertRecord{Time: start, Rule: "NotSMTP"})
}

// Each conversation of the trackers' tests, and the examples, in each form.
func TestFormatsAreGolden(t *testing.T) {
	files, err := filepath.Glob("../testdata/*.txt")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d conversations: %v", len(files), err)
	}
	for _, format := range Formats[1:] {
		t.Run(format, func(t *testing.T) {
			var got bytes.Buffer
			got.WriteString("== examples\n")
			got.Write(written(t, format, everyExample))
			for _, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				got.WriteString("== " + strings.TrimSuffix(filepath.Base(file), ".txt") + "\n")
				got.Write(conversation(t, format, string(text)))
			}
			golden := filepath.Join("testdata", "formats", format+".golden")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("differs from %s (-update renews it); got\n%s", golden, got.Bytes())
			}
		})
	}
}

func TestUnknownFormat(t *testing.T) {
	_, err := NewWriter(Options{Format: "xml"})
	if err == nil || !strings.Contains(err.Error(), "json, zeek, eve, ecs, ocsf") {
		t.Errorf("%v", err)
	}
}

func TestAddresses(t *testing.T) {
	for field, want := range map[string]string{
		"":                     "",
		"a@x":                  "a@x",
		" a@x , b@x,":          "a@x|b@x",
		`"Doe, J" <j@x>, b@x`:  `"Doe, J" <j@x>|b@x`,
		`"a\", b" <j@x>, b@x`:  `"a\", b" <j@x>|b@x`,
		"(x, (y, z)) a@x, b@x": "(x, (y, z)) a@x|b@x",
		"<a,b@x>, c@x":         "<a,b@x>|c@x",
		`"open, a@x`:           `"open, a@x`,
		"),a@x":                ")|a@x",
	} {
		if got := strings.Join(addresses(field), "|"); got != want {
			t.Errorf("%q gives %q, want %q", field, got, want)
		}
	}
}

// What a mail's and a session's record cost in each form.
func BenchmarkFormats(b *testing.B) {
	mail, session := mailDone(richConn(), richMail(), sessions.TLSNone), closed(richConn(), richSession())
	for _, format := range Formats {
		b.Run(format, func(b *testing.B) {
			w, err := NewWriter(Options{Sensor: "test", Format: format, Sinks: []Sink{NewFile(discard{}, FileOptions{})}})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				w.Handle(mail)
				w.Handle(session)
			}
		})
	}
}
