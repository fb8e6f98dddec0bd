package ruletest

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/capture/packet"
)

func load(t testing.TB, text string) *Test {
	t.Helper()
	s, err := Load(strings.NewReader(text), "t.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return &s.Tests[0]
}

// expecting is a test with these alerts, in YAML's flow form.
func expecting(t testing.TB, list string) *Test {
	return load(t, "tests:\n  - name: a\n    dialog: 'S: 220 hi'\n    alerts: "+list+"\n")
}

func TestErrors(t *testing.T) {
	secret := "AGFsaWNlAHNlY3JldA=="
	for name, c := range map[string]struct{ text, want string }{
		"empty":             {"", "t.yaml:1: tests is missing"},
		"no tests":          {"home: {}", "t.yaml:1:1: tests is missing"},
		"unknown key":       {"test: []", `t.yaml:1:1: unknown key "test" in the file; allowed: home, rule_files, tests`},
		"no name":           {"tests:\n  - {dialog: x, alerts: []}", "t.yaml:2:5: a test has no name"},
		"no traffic":        {"tests:\n  - {name: a, alerts: []}", "t.yaml:2:5: a test has one of capture, dialog, conversations"},
		"two kinds":         {"tests:\n  - {name: a, dialog: '', capture: x, alerts: []}", "t.yaml:2:5: a test has one of capture, dialog, conversations"},
		"no alerts":         {"tests:\n  - {name: a, dialog: ''}", "t.yaml:2:5: alerts is missing; write [] where none may come"},
		"a name twice":      {"tests:\n  - {name: a, dialog: '', alerts: []}\n  - {name: a, dialog: '', alerts: []}", "t.yaml:3:5: a test of this name stands in line 2 already"},
		"status":            {"tests:\n  - {name: a, dialog: '', alerts: [{rule: R, status: on}]}", "t.yaml:2:54: status must be one of firing, resolved"},
		"value":             {"tests:\n  - {name: a, dialog: '', alerts: [{rule: R, value: many}]}", "t.yaml:2:53: value must be a number"},
		"at":                {"tests:\n  - {name: a, dialog: '', alerts: [{rule: R, at: 12}]}", "t.yaml:2:50: at must be an offset such as 12s or a time such as 2026-01-02T03:04:05Z"},
		"no rule":           {"tests:\n  - {name: a, dialog: '', alerts: [{at: 12s}]}", "t.yaml:2:36: an alert has no rule"},
		"network":           {"home: {networks: [10.0.0.0/33]}", "t.yaml:1:19: networks: no network; write for example 192.0.2.0/24"},
		"client":            {"tests:\n  - name: a\n    conversations:\n      - {client: me, dialog: ''}", "t.yaml:4:18: client must be an address"},
		"repeat":            {"tests:\n  - name: a\n    conversations:\n      - {repeat: 10001, dialog: ''}", "t.yaml:4:18: repeat must be a whole number from 1 to 10000"},
		"versions":          {"tests:\n  - name: a\n    conversations:\n      - {client: '2001:db8::1', dialog: ''}\n    alerts: []", "t.yaml:4: client and server are of different IP versions"},
		"too long":          {"tests:\n  - name: a\n    conversations:\n      - {repeat: 10000, every: 1h, dialog: ''}\n    alerts: []", "t.yaml:4: the repetitions last longer than 744h"},
		"line":              {"tests:\n  - name: a\n    alerts: []\n    dialog: |\n      S: 220 hi\n      AUTH PLAIN " + secret, "t.yaml:5: dialog: line 2: no line of a conversation; it begins with C: or S:, or is wait, ack, close or reset"},
		"wait":              {"tests:\n  - name: a\n    alerts: []\n    dialog: |\n      wait " + secret, "t.yaml:5: dialog: line 1: wait takes a time with its unit, such as 30s"},
		"long wait":         {"tests:\n  - name: a\n    alerts: []\n    dialog: \"wait 745h\\nS: x\"", "t.yaml:4: dialog: it lasts longer than 744h"},
		"base64":            {"tests:\n  - name: a\n    alerts: []\n    dialog: 'C: {base64 " + secret + "'", "t.yaml:4: dialog: line 1: write {base64 text}"},
		"lost indentation":  {"tests:\n  - name: a\n    dialog: |\n    AUTH PLAIN " + secret + ": x\n", "t.yaml:4:5: unknown key in a test; allowed: "},
		"no YAML":           {"tests: [" + secret, "t.yaml:1: no valid YAML"},
		"anchor":            {"tests: &a []", "t.yaml:1:8: anchors and aliases are not part of a test file"},
		"dialog of a list":  {"tests:\n  - {name: a, dialog: [" + secret + "], alerts: []}", "t.yaml:2:23: dialog must be a text, lines that begin with C: or S:"},
		"much from little":  {"tests:\n  - name: a\n    alerts: []\n    conversations:\n      - {repeat: 10000, dialog: \"" + strings.Repeat(`\n`, 30) + "\"}", "t.yaml:5: the conversations of a test have at most 200000 lines"},
		"two documents":     {"tests: []\n---\n{}", "t.yaml:1: a test file holds one YAML document"},
		"attempt":           {"tests:\n  - name: a\n    conversations:\n      - {attempt: maybe}", "t.yaml:4:19: attempt must be refused or unanswered"},
		"attempt, and talk": {"tests:\n  - name: a\n    conversations:\n      - {attempt: refused, dialog: ''}", "t.yaml:4:9: a conversation has either dialog or attempt"},
	} {
		_, err := Load(strings.NewReader(c.text), "t.yaml")
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error tells a secret: %v", name, err)
		}
	}
}

var first = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func came(rule, severity, key string, after time.Duration) alerts.Alert {
	return alerts.Alert{Rule: rule, Severity: severity, Status: alerts.Firing, Key: key, Value: 5, Threshold: 5,
		Time: first.Add(after), Started: first, Labels: alerts.Labels{{Name: "a", Value: "b"}, {Name: "c", Value: "d"}}}
}

func TestCompare(t *testing.T) {
	one, two := came("R", "warning", "x", 12340*time.Millisecond), came("R", "critical", "y", 90*time.Second)
	over, again, worse, silenced := one, one, one, one
	over.Status, again.Repeat, worse.Repeat, worse.Escalated, silenced.InhibitedBy = alerts.Resolved, 1, 1, true, "S"
	for _, c := range []struct {
		expect string
		got    []alerts.Alert
		want   int // lines of difference
	}{
		{"[]", nil, 0},
		{"[]", []alerts.Alert{one}, 2},
		{"[{rule: R}]", []alerts.Alert{one}, 0},
		{"[{rule: R}]", nil, 2},
		{"[{rule: S}]", []alerts.Alert{one}, 4},
		{"[{rule: R}, {rule: R}]", []alerts.Alert{one}, 2},
		{"[{rule: R}]", []alerts.Alert{one, one}, 2},
		{"[{rule: R}, {rule: R, key: x}]", []alerts.Alert{one, two}, 0},                 // the vague one must not take x
		{"[{rule: R, key: x}, {rule: R}, {rule: R}]", []alerts.Alert{two, two, one}, 0}, // in any order
		{"[{rule: R, severity: critical}]", []alerts.Alert{one}, 5},
		{"[{rule: R, at: 12s}]", []alerts.Alert{one}, 0},
		{"[{rule: R, at: 12.3s}]", []alerts.Alert{one}, 0},
		{"[{rule: R, at: 12.34s}]", []alerts.Alert{one}, 0},
		{"[{rule: R, at: 12.340s}]", []alerts.Alert{one}, 0},
		{"[{rule: R, at: 12.35s}]", []alerts.Alert{one}, 5},
		{"[{rule: R, at: 12340ms}]", []alerts.Alert{one}, 0},
		{"[{rule: R, at: 12.0s}]", []alerts.Alert{one}, 5},
		{"[{rule: R, at: 1m30s}]", []alerts.Alert{two}, 0},
		{"[{rule: R, at: 1.5m}]", []alerts.Alert{two}, 0},
		{"[{rule: R, at: 2m}]", []alerts.Alert{two}, 5},
		{"[{rule: R, at: '2026-01-02T03:04:17Z'}]", []alerts.Alert{one}, 0},
		{"[{rule: R, at: 2026-01-02T04:04:17.34+01:00}]", []alerts.Alert{one}, 0},
		{"[{rule: R, at: '2026-01-02T03:04:18Z'}]", []alerts.Alert{one}, 5},
		{"[{rule: R, started: 0s, value: 5.0, threshold: 5, sessions: 0, groups: 0, repeat: 0, summary: ''}]", []alerts.Alert{one}, 0},
		{"[{rule: R, labels: {a: b}}]", []alerts.Alert{one}, 0},
		{"[{rule: R, labels: {a: b, e: f}}]", []alerts.Alert{one}, 5},
		{"[{rule: R}]", []alerts.Alert{one, over, again, silenced}, 0}, // nobody asks for those
		{"[{rule: R}, {rule: R, repeat: 1}]", []alerts.Alert{one, worse}, 0},
		{"[{rule: R}]", []alerts.Alert{one, worse}, 2},
		{"[{rule: R, status: firing}, {rule: R, status: resolved}]", []alerts.Alert{one, over}, 0},
		{"[{rule: R, status: resolved}]", []alerts.Alert{one, over}, 2},
		{"[{rule: R, repeat: 0}, {rule: R, repeat: 1}]", []alerts.Alert{one, again}, 0},
		{"[{rule: R, inhibited_by: S}]", []alerts.Alert{silenced}, 0},
	} {
		if out := expecting(t, c.expect).Compare(c.got, first); len(out) != c.want {
			t.Errorf("%s: %d lines, want %d\n%s", c.expect, len(out), c.want, strings.Join(out, "\n"))
		}
	}
	many := make([]alerts.Alert, MaxAlerts+1)
	if out := expecting(t, "[]").Compare(many, first); len(out) != 1 {
		t.Errorf("too many alerts: %q", out)
	}
	if out := expecting(t, "[]").Compare(many[1:], first); len(out) != maxShown+2 {
		t.Errorf("many alerts: %d lines", len(out))
	}
}

// What came is shown in the form in which it can be expected.
func TestShownCanBeExpected(t *testing.T) {
	a := came("R", "warning", `x "y"`, 12340*time.Millisecond)
	a.Summary, a.Groups, a.Repeat, a.InhibitedBy = `it's {said}: "no", \ # é`, 3, 2, "S"
	if out := expecting(t, "["+Show(&a, first)+"]").Compare([]alerts.Alert{a}, first); len(out) != 0 {
		t.Error(strings.Join(out, "\n"))
	}
}

func TestSegments(t *testing.T) {
	test := load(t, `tests:
  - name: a
    alerts: []
    conversations:
      - {start: 5s, client: 192.0.2.0/30, server: "192.0.2.25:587", repeat: 3, every: 1s, dialog: 'C: {base64 \0u{n}}'}
      - {client: "192.0.2.9:1234", attempt: refused}
      - {start: 1s, client: 192.0.2.9, server: 10.0.0.0/8, repeat: 300, attempt: unanswered}
`)
	list, err := test.Segments()
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	from, to := map[string]int{}, map[string]bool{}
	for i, s := range list {
		if i > 0 && s.Time < list[i-1].Time {
			t.Fatal("out of order")
		}
		if len(s.Payload) > 0 {
			after := time.Duration(s.Time - start.UnixNano()).Truncate(time.Second)
			said = append(said, fmt.Sprintf("%s %s > %s %q", after, s.From().Addr(), s.To(), s.Payload))
		}
		if s.Flags == packet.SYN {
			from[s.From().String()]++
			to[s.To().Addr().String()] = true
		}
	}
	want := []string{
		`5s 192.0.2.1 > 192.0.2.25:587 "AHUx\r\n"`, `6s 192.0.2.2 > 192.0.2.25:587 "AHUy\r\n"`, `7s 192.0.2.1 > 192.0.2.25:587 "AHUz\r\n"`,
	}
	if !slices.Equal(said, want) {
		t.Errorf("said %q, want %q", said, want)
	}
	if len(from) != 304 || from["192.0.2.9:1234"] != 1 || !to["10.0.0.1"] || !to["10.0.1.44"] || len(to) != 301 {
		t.Errorf("%d clients' ports, %d servers", len(from), len(to))
	}
}

func TestPathsAreOfTheFile(t *testing.T) {
	s, err := Load(strings.NewReader("rule_files: [a.yaml, /b.yaml]\ntests:\n  - {name: a, capture: c/d.pcap, alerts: []}\n"), "x/y/t.yaml")
	if err != nil || s.RuleFiles[0] != filepath.Join("x/y", "a.yaml") || s.RuleFiles[1] != "/b.yaml" || s.Tests[0].Capture != "x/y/c/d.pcap" {
		t.Errorf("%+v, %v", s, err)
	}
}

// FuzzLoad holds that any file loads or gives one placed line, that what loads
// plays in order and within its bounds, and that comparing ends.
func FuzzLoad(f *testing.F) {
	f.Add([]byte("tests:\n  - name: a\n    conversations:\n      - {repeat: 3, every: 1s, client: 192.0.2.0/30, dialog: \"S: 220 hi\\nC: {base64 x{n}}\\nwait 3s\\nclose C\"}\n    alerts:\n      - {rule: R, at: 12.5s, value: 3}\n"))
	f.Add([]byte("home: {networks: [10.0.0.0/8]}\ntests:\n  - {name: a, dialog: 'C: x', alerts: [{rule: R, at: '2026-01-02T03:04:05Z', labels: {a: b}}]}"))
	f.Add([]byte("tests:\n  - {name: b, conversations: [{attempt: refused, server: '[2001:db8::1]:25', client: 2001:db8::/64, repeat: 9}], alerts: []}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Load(strings.NewReader(string(data)), "f.yaml")
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") || !strings.HasPrefix(err.Error(), "f.yaml:") {
				t.Fatalf("error %q", err)
			}
			return
		}
		for i := range s.Tests {
			test := &s.Tests[i]
			list, err := test.Segments()
			if err != nil {
				if strings.ContainsAny(err.Error(), "\n\r") {
					t.Fatalf("error %q", err)
				}
				continue
			}
			for j := 1; j < len(list); j++ {
				if list[j].Time < list[j-1].Time {
					t.Fatal("out of order")
				}
			}
			a := came("R", "warning", "x", time.Second)
			test.Compare([]alerts.Alert{a, a}, first)
		}
	})
}
