package sessions_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
	"github.com/mailtap/mailtap/sessions/log"
)

var update = flag.Bool("update", false, "write the golden files anew")

// play runs segments through a tracker and returns the records, and behind
// them the events that records do not show.
func play(t testing.TB, segments []packet.Segment) string {
	t.Helper()
	return playWith(t, sessions.Options{Sensor: "test"}, segments)
}

func playWith(t testing.TB, o sessions.Options, segments []packet.Segment) string {
	t.Helper()
	var out bytes.Buffer
	file := log.NewFile(&out, log.FileOptions{})
	w, err := log.NewWriter(log.Options{Sensor: "test", Sinks: []log.Sink{file}})
	if err != nil {
		t.Fatal(err)
	}
	var other strings.Builder
	tracker := sessions.NewTracker(o, sessions.HandlerFunc(func(e sessions.Event) {
		w.Handle(e)
		describe(&other, e)
	}))
	for i := range segments {
		s := segments[i]
		s.Payload = bytes.Clone(s.Payload) // borrowed: wiped behind the tracker's back
		tracker.Segment(&s)
		clear(s.Payload)
	}
	tracker.Close()
	if n := tracker.Stats().HeldBytes; n != 0 {
		t.Errorf("%d octets are still held", n)
	}
	if n := tracker.Kept(); n != 0 {
		t.Errorf("%d octets are still kept", n)
	}
	if err := file.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.String() + other.String()
}

func describe(b *strings.Builder, e sessions.Event) {
	switch e := e.(type) {
	case *sessions.Attempt:
		fmt.Fprintf(b, "attempt %s\n", e.Result)
	case *sessions.Replied:
		fmt.Fprintf(b, "%s %s -> %d %s in %v\n", e.Verb, e.Argument, e.Code, e.Enhanced, e.Delay)
	case *sessions.Secured:
		fmt.Fprintf(b, "secured %s %s\n", e.TLS.Mode, e.TLS.Outcome)
	}
}

// counts differ with the way a dialog is cut into packets; facts do not.
var counts = regexp.MustCompile(`"(packets|retransmitted)":\{[^}]*\},?|"duration":[0-9.]+,?`)

func facts(records string) string { return counts.ReplaceAllString(records, "") }

func conversations(t testing.TB) map[string]string {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	all := map[string]string{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all[f] = string(b)
	}
	return all
}

func segments(t testing.TB, text string, o dialog.Options) []packet.Segment {
	t.Helper()
	s, err := dialog.Segments(text, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestConversations holds each conversation's records against its golden file.
func TestConversations(t *testing.T) {
	for file, text := range conversations(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			o := dialog.Options{NoHandshake: strings.Contains(text, "# midstream")}
			got := play(t, segments(t, text, o))
			golden := strings.TrimSuffix(file, ".txt") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestEverySegmentation cuts each conversation in every way of a size, at
// every single place, and with every packet twice: the facts stay.
func TestEverySegmentation(t *testing.T) {
	for file, text := range conversations(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			o := dialog.Options{NoHandshake: strings.Contains(text, "# midstream")}
			want := facts(play(t, segments(t, text, o)))
			longest := 0
			o.Cut = func(b []byte) [][]byte { longest = max(longest, len(b)); return [][]byte{b} }
			segments(t, text, o)
			for size := 1; size <= min(longest, 40); size++ {
				o.Cut = func(b []byte) [][]byte { return chop(b, size) }
				if got := facts(play(t, segments(t, text, o))); got != want {
					t.Fatalf("in pieces of %d\ngot\n%s\nwant\n%s", size, got, want)
				}
			}
			for at := 1; at < longest; at++ {
				o.Cut = func(b []byte) [][]byte { return cutAt(b, at) }
				if got := facts(play(t, segments(t, text, o))); got != want {
					t.Fatalf("cut at %d\ngot\n%s\nwant\n%s", at, got, want)
				}
			}
			o.Cut = func(b []byte) [][]byte { return chop(b, 7) }
			var twice []packet.Segment
			for _, s := range segments(t, text, o) {
				twice = append(twice, s, s)
			}
			if got := facts(play(t, twice)); withoutBytes(got) != withoutBytes(want) {
				t.Fatalf("every packet twice\ngot\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func withoutBytes(s string) string {
	return regexp.MustCompile(`"bytes":\{[^}]*\},?`).ReplaceAllString(s, "")
}

func chop(b []byte, size int) (parts [][]byte) {
	for len(b) > size {
		parts = append(parts, b[:size])
		b = b[size:]
	}
	return append(parts, b)
}

func cutAt(b []byte, at int) [][]byte {
	if at >= len(b) {
		return [][]byte{b}
	}
	return [][]byte{b[:at], b[at:]}
}

// TestSequenceWrap lets both sequence spaces wrap inside each conversation.
func TestSequenceWrap(t *testing.T) {
	id := regexp.MustCompile(`"session":"[0-9a-f]*"`)
	for file, text := range conversations(t) {
		o := dialog.Options{NoHandshake: strings.Contains(text, "# midstream")}
		want := id.ReplaceAllString(play(t, segments(t, text, o)), "")
		for back := uint32(1); back < 400; back += 7 {
			o.ISN = [2]uint32{-back, -back / 2}
			got := id.ReplaceAllString(play(t, segments(t, text, o)), "")
			if got != want {
				t.Fatalf("%s: %d before the wrap\ngot\n%s\nwant\n%s", file, back, got, want)
			}
		}
	}
}

// TestTapOrder swaps neighbouring packets, as a tap does that merges two
// directions: the facts stay.
func TestTapOrder(t *testing.T) {
	for file, text := range conversations(t) {
		if strings.Contains(text, "# midstream") {
			continue // who was first is all that a late start tells
		}
		o := dialog.Options{}
		whole := segments(t, text, o)
		want := withoutTimes(facts(play(t, whole)))
		for i := 2; i+1 < len(whole); i++ {
			swapped := append([]packet.Segment(nil), whole...)
			swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
			swapped[i].Time, swapped[i+1].Time = swapped[i+1].Time, swapped[i].Time
			if swapped[i].Flags&(packet.RST|packet.FIN) != 0 || swapped[i+1].Flags&(packet.RST|packet.FIN) != 0 {
				continue
			}
			if got := withoutTimes(facts(play(t, swapped))); got != want {
				t.Fatalf("%s: packets %d and %d swapped\ngot\n%s\nwant\n%s", file, i, i+1, got, want)
			}
		}
	}
}

func withoutTimes(s string) string {
	s = regexp.MustCompile(`,?"(time|delay|duration|hop_delay)":[^,}]*`).ReplaceAllString(s, "")
	return regexp.MustCompile(` in -?[0-9a-zµ.]+`).ReplaceAllString(s, "")
}

// TestOneDirection plays only one side: facts are missing, none are made up.
func TestOneDirection(t *testing.T) {
	for file, text := range conversations(t) {
		whole := segments(t, text, dialog.Options{})
		truth := play(t, segments(t, text, dialog.Options{NoHandshake: strings.Contains(text, "# midstream")}))
		for _, port := range []uint16{25, 40000} {
			var half []packet.Segment
			for _, s := range whole {
				if s.From().Port() == port {
					half = append(half, s)
				}
			}
			got := play(t, half)
			if n, all := strings.Count(got, `"result":"accepted"`), strings.Count(truth, `"result":"accepted"`); n > all {
				t.Errorf("%s, only port %d: %d of %d accepted in\n%s", file, port, n, all, got)
			}
			for _, lie := range []string{`"result":"accepted"`, `"result":"success"`, "not@a.command", "nor@this.one"} {
				if lie == `"result":"accepted"` && port == 25 {
					continue // the server's word is enough
				}
				if strings.Contains(got, lie) && !(port == 40000 && strings.Contains(lie, "@") && strings.Contains(file, "midstream")) {
					t.Errorf("%s, only port %d: %s in\n%s", file, port, lie, got)
				}
			}
			if !strings.Contains(got, `"partial":true`) {
				t.Errorf("%s, only port %d: not partial\n%s", file, port, got)
			}
		}
	}
}

// TestEachPacketLost drops every packet in turn: no mail, recipient or login
// appears that was not there, and no two mails become one.
func TestEachPacketLost(t *testing.T) {
	for file, text := range conversations(t) {
		o := dialog.Options{NoHandshake: strings.Contains(text, "# midstream")}
		truth := play(t, segments(t, strings.ReplaceAll(text, "\n!", "\n"), o)) // what was lost was said all the same
		known := deliveries(t, truth)
		whole := segments(t, text, o)
		for i := range whole {
			got := play(t, append(append([]packet.Segment(nil), whole[:i]...), whole[i+1:]...))
			for d := range deliveries(t, got) {
				if !known[d] {
					t.Errorf("%s without packet %d: made up %s in\n%s", file, i, d, got)
				}
			}
			for _, result := range []string{`"result":"accepted"`, `"result":"success"`} {
				if strings.Count(got, result) > strings.Count(truth, result) {
					t.Errorf("%s without packet %d: more %s in\n%s", file, i, result, got)
				}
			}
		}
	}
}

// deliveries lists who sent to whom, and who logged in.
func deliveries(t *testing.T, records string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for line := range strings.Lines(records) {
		var r struct {
			Event, Username string
			From            *string
			To              []string
		}
		if !strings.HasPrefix(line, "{") {
			continue
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		switch {
		case r.Event == "auth":
			all["login of "+r.Username] = true
		case r.Event == "mail" && r.From != nil:
			for _, to := range r.To {
				all["mail from "+*r.From+" to "+to] = true
			}
		}
	}
	all["login of "] = true // no name is no lie
	return all
}
