package alerts

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/sessions/privacy"
)

const shownRule = `
rules:
  - name: R
    event: auth
    when: auth.denied
    group_by: {client_ip: source.ip, user: upper(auth.username)}
    storm: 2
    fire: {count: {threshold: 3, window: 5m}}
    severity: 'auth.username == "root" ? "critical" : "warning"'
    labels: {domain: '{domain(auth.username)}'}
    summary: '{source.ip} failed {value} times as {auth.username}.'
`

func hides(key string) (Mask, *privacy.Mask) {
	m := privacy.New(privacy.Settings{Users: privacy.Pseudonym, Clients: privacy.Pseudonym}, privacy.Key(strings.Repeat(key, 32)))
	return m, m
}

// Rules judge what was seen, and a mask sees nothing of it: neither in a single
// alert nor in a storm, nor in one that goes on after a restart.
func TestAMaskedAlertTellsNoValue(t *testing.T) {
	m, _ := hides("k")
	e, b := engine(t, load(t, shownRule), Options{Masks: []Mask{m}, Receivers: m.Name()})
	for i := range 5 {
		c := conn(fmt.Sprintf("192.0.2.%d", i+1), "10.0.0.1:25")
		for range 3 {
			e.Handle(denied(c, 0, fmt.Sprintf("kim%d@corp.test", i)))
		}
	}
	next, again := engine(t, load(t, shownRule), Options{Masks: []Mask{m}, Receivers: m.Name()})
	if err := next.Restore(bytes.NewReader(saved(t, e))); err != nil {
		t.Fatal(err)
	}
	next.Advance(at(9999))
	if len(b.alerts) != 3 || len(again.alerts) != 3 || again.alerts[0].Status != Resolved {
		t.Fatalf("told %q, then %q", b.lines, again.lines)
	}
	for _, a := range append(b.alerts, again.alerts...) {
		shown := a.Shown(m.Name())
		text := fmt.Sprintf("%+v", shown)
		for _, word := range []string{"kim", "KIM", "corp", "192.0.2."} {
			if strings.Contains(text, word) {
				t.Errorf("%q is told: %s", word, text)
			}
		}
		if shown.Privacy == "" || !strings.Contains(shown.Summary, "failed 3 times as p-") || a.Labels.Get("storm") == "" && shown.Fingerprint == a.Fingerprint {
			t.Errorf("shown is %s", text)
		}
		if a.Shown("").Summary != a.Summary || a.Privacy != "" {
			t.Errorf("in full it is %+v", a.Shown(""))
		}
	}
	if a, b := b.alerts[0].Shown(m.Name()), again.alerts[0].Shown(m.Name()); a.Key != b.Key || a.Fingerprint != b.Fingerprint || a.Labels[0] != b.Labels[0] {
		t.Errorf("it began as %+v and ends as %+v", a, b)
	}
}

// What receivers were told under one key they are told the end of, though the key
// is another by now.
func TestAdoptedAlertKeepsItsPseudonymsOverARotation(t *testing.T) {
	old, earlier := hides("k")
	e, b := engine(t, load(t, shownRule), Options{Masks: []Mask{old}, Receivers: old.Name()})
	x := conn("192.0.2.1", "10.0.0.1:25")
	for range 3 {
		e.Handle(denied(x, 0, "u@corp.test"))
	}
	told := b.alerts[0].Shown(old.Name())
	m, _ := hides("n")
	e, b = engine(t, load(t, shownRule), Options{Masks: []Mask{m}, Receivers: m.Name(), Earlier: earlier})
	e.Adopt([]Alert{told})
	e.Handle(denied(x, 100, "u@corp.test")) // it fires already
	e.Handle(denied(x, 101, "u@corp.test"))
	e.Handle(denied(x, 102, "u@corp.test"))
	e.Advance(at(9999))
	if len(b.alerts) != 1 {
		t.Fatalf("told %q", b.lines)
	}
	end := b.alerts[0].Shown(m.Name())
	if end.Status != Resolved || end.Key != told.Key || end.Fingerprint != told.Fingerprint || end.Value != 6 {
		t.Errorf("told %+v, then %+v", told, end)
	}
}

// So they are where the rules' state was kept as well: one alert, which ends under the
// name that they know, over further restarts too, and is listed under it.
func TestRestoredAlertKeepsItsNameOverARotation(t *testing.T) {
	old, earlier := hides("k")
	e, b := engine(t, load(t, shownRule), Options{Masks: []Mask{old}, Receivers: old.Name()})
	x := conn("192.0.2.1", "10.0.0.1:25")
	for range 3 {
		e.Handle(denied(x, 0, "u@corp.test"))
	}
	told := b.alerts[0].Shown(old.Name())
	m, _ := hides("n")
	for _, o := range []Options{
		{Masks: []Mask{m}, Receivers: m.Name(), Earlier: earlier},
		{Masks: []Mask{m}, Receivers: m.Name()}, // the key before is gone
	} {
		state := saved(t, e)
		e, b = engine(t, load(t, shownRule), o)
		if err := e.Restore(bytes.NewReader(state)); err != nil {
			t.Fatal(err)
		}
		e.Adopt([]Alert{told})
		e.Handle(odd(x, 1, "x"))
		judged, adopted := e.Firing()
		if len(judged) != 1 || len(adopted) != 0 || judged[0].Shown(m.Name()).Fingerprint != told.Fingerprint || len(b.alerts) != 0 {
			t.Fatalf("%+v and %+v fire, told %q", judged, adopted, b.lines)
		}
	}
	e.Advance(at(9999))
	if len(b.alerts) != 1 || b.alerts[0].Status != Resolved || b.alerts[0].Shown(m.Name()).Fingerprint != told.Fingerprint {
		t.Errorf("told %+v, then %q", told, b.lines)
	}
}

// An alert that began when nothing was hidden is not told in full later.
func TestAnAlertOfOtherSettingsIsHidden(t *testing.T) {
	e, b := engine(t, load(t, shownRule), Options{})
	x := conn("192.0.2.1", "10.0.0.1:25")
	for range 3 {
		e.Handle(denied(x, 0, "u@corp.test"))
	}
	state, active := saved(t, e), b.alerts[0]
	m, _ := hides("k")
	for _, restore := range []bool{true, false} {
		e, b = engine(t, load(t, shownRule), Options{Masks: []Mask{m}, Receivers: m.Name()})
		if restore {
			if err := e.Restore(bytes.NewReader(state)); err != nil {
				t.Fatal(err)
			}
		}
		e.Adopt([]Alert{active})
		e.Handle(odd(x, 1, "x"))
		e.Advance(at(9999))
		if len(b.alerts) == 0 {
			t.Fatal("it never ends")
		}
		for _, a := range b.alerts {
			if s := a.Shown(m.Name()); s.Key != "*" || s.Labels.Get("client_ip") != "*" || strings.Contains(s.Summary, "192.0.2.1") {
				t.Errorf("shown is %+v", s)
			}
		}
	}
}

func TestAWorseAlertIsMaskedToo(t *testing.T) {
	m, _ := hides("k")
	rule := strings.Replace(shownRule, ", user: upper(auth.username)", "", 1)
	e, b := engine(t, load(t, rule), Options{Masks: []Mask{m}, Receivers: m.Name()})
	x := conn("192.0.2.1", "10.0.0.1:25")
	for _, user := range []string{"u", "u", "u", "root"} {
		e.Handle(denied(x, 0, user))
	}
	if len(b.alerts) != 2 || !b.alerts[1].Escalated {
		t.Fatalf("told %q", b.lines)
	}
	s := b.alerts[1].Shown(m.Name())
	if strings.Contains(s.Summary, "root") || strings.Contains(s.Summary, "192") || !strings.Contains(s.Summary, "as p-") || s.Severity != Critical {
		t.Errorf("shown is %+v", s)
	}
}
