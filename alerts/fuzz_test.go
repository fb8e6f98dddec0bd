package alerts

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// placedLine is how every error of a file begins: with a place in it.
var placedLine = regexp.MustCompile(`^f\.yaml:[1-9]\d*(:[1-9]\d*)?: `)

func checkError(t *testing.T, err error, text string) {
	t.Helper()
	if strings.ContainsAny(err.Error(), "\n\r") || !placedLine.MatchString(err.Error()) {
		t.Fatalf("error %q", err)
	}
	var line int
	fmt.Sscanf(err.Error(), "f.yaml:%d", &line)
	if most := 2 + strings.Count(text, "\n") + strings.Count(text, "\r") + strings.Count(text, "\u0085") + strings.Count(text, "\u2028") + strings.Count(text, "\u2029"); line > most {
		t.Fatalf("error %q in a file of %d lines", err, most)
	}
}

// checkAlerts holds what is true of the alerts of any rules: they can be shown,
// are bounded, begin before they end, and end once.
func checkAlerts(t *testing.T, b *book) {
	t.Helper()
	firing := map[string]bool{}
	for i := range b.alerts {
		a := &b.alerts[i]
		for _, l := range a.Labels {
			if len(l.Value) > 1<<21 || !utf8.ValidString(l.Value) {
				t.Fatalf("label %q", l)
			}
		}
		if SeverityRank(a.Severity) < 0 || len(a.Sessions) > MaxSessions || a.Time.Before(a.Started) && a.Status == Resolved {
			t.Fatalf("alert %+v", a)
		}
		key := a.Rule + a.Fingerprint
		if a.Status == Resolved && !firing[key] {
			t.Fatalf("an alert ends that did not begin: %+v", a)
		}
		firing[key] = a.Status == Firing
	}
	for key, on := range firing {
		if on {
			t.Fatalf("%s fires after the end", key)
		}
	}
}

// play gives rules events of all kinds, in disorder, and the end.
func play(t *testing.T, set RuleSet, n int) []string {
	t.Helper()
	o := small()
	e, b := engine(t, set, o)
	for _, ev := range stream(1, n, 20, 250) {
		give(e, ev)
	}
	e.Flush(at(1e6))
	checkAlerts(t, b)
	return b.lines
}

// FuzzLoadRules holds that any file loads or gives one placed line; that what
// loads runs over events of all kinds, the same way each time; that events
// which nobody wants change nothing; and that the file can be merged and judged.
func FuzzLoadRules(f *testing.F) {
	f.Add([]byte(good))
	f.Add(builtinYAML)
	f.Add([]byte(mixedRules))
	f.Add([]byte("override:\n  - {name: AuthBruteForce, threshold: 3}\n  - {name: MessageRateSpike, floor: 3, window: 1s}"))
	f.Add([]byte("rules:\n  - {name: R, event: mail, when: 'any(mail.to, # matches \"a+\")', summary: '{mail.to}'}"))
	f.Add([]byte("rules:\n  - name: R\n    event: session\n    when: >-\n      len(mails) > 0\n      and mails[0].code / bytes.client > 1\n    severity: '[\"info\"][len(auth)]'\n    summary: '{mails[3].from}'"))
	builtin := Builtin()
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := LoadRules(bytes.NewReader(data), "f.yaml")
		if err != nil {
			checkError(t, err, string(data))
			return
		}
		if len(set.Rules) > 30 || len(data) > 1<<15 {
			return // time, not correctness
		}
		merged, err := builtin.Merge(set)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Fatalf("error %q", err)
			}
			merged = set
		}
		// To compile those that the file does not touch takes nearly all of the time.
		merged.Rules = slices.DeleteFunc(merged.Rules, func(r Rule) bool {
			return len(r.Overridden()) == 0 && strings.HasPrefix(r.Position(), "builtin.yaml:")
		})
		for _, w := range builtin.Warnings(set) {
			checkError(t, fmt.Errorf("%s", w), string(data))
		}
		if _, err := NewEngine(merged, site); err != nil {
			t.Fatal(err)
		}
		if one, two := play(t, set, 150), play(t, set, 150); !slices.Equal(one, two) {
			t.Fatalf("%q, then %q", one, two)
		}
	})
}

// FuzzTemplate holds that any text is a summary and a label, or an error with a
// place, and that what comes of it is fit for people wherever the event put
// anything in.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{"{value} of {threshold}, {window}, {learned}", "{client.ip", "a } b", "{auth.username}{auth.username + \"x\"}", "{}", "{{client.ip}}", "{auth.code / 0}", "{[1, 2][auth.code]}", "{\"}\"}", "\xff{role}"} {
		f.Add(s)
	}
	c := conn("192.0.2.1", "10.20.0.25:25")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.TrimSpace(text) == "" || len(text) > 2000 {
			return
		}
		r := Rule{Name: "R", at: position{"f.yaml", 1, 1}, labels: []labelSource{{"x", source{text: text, at: position{"f.yaml", 1, 1}}}},
			triggers: []trigger{{kind: kindAuth, severity: source{text: Warning}, summary: source{text: text, at: position{"f.yaml", 1, 1}}, fire: fire{how: fireEach}}}}
		e, err := NewEngine(RuleSet{Rules: []Rule{r}}, Options{})
		if err != nil {
			checkError(t, err, text)
			return
		}
		b := &book{}
		e.options.Sink = b
		e.Handle(denied(c, 0, "bob\x1b[31m\n\xff"))
		if len(b.alerts) != 1 {
			t.Fatalf("%d alerts", len(b.alerts))
		}
		for _, out := range []string{b.alerts[0].Summary, b.alerts[0].Labels.Get("x")} {
			if strings.ContainsRune(out, 0x1b) && !strings.ContainsAny(text, "\x1b\\") {
				t.Fatalf("a control character went through: %q", out)
			}
			if len(out) > len(text)*(maxText+20)+100 {
				t.Fatalf("%d octets of %d", len(out), len(text))
			}
		}
	})
}
