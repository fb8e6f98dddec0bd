package alerts

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/sessions"
)

func TestRatio(t *testing.T) {
	e, b := engine(t, load(t, `
rules:
  - name: R
    event: command
    when: command.verb == "RCPT"
    group_by: client.ip
    fire: {ratio: {of: command.code >= 500, threshold: 0.25, window: 2m, least: 8}}
    summary: '{value} of {client.ip}, {threshold} in {window}'
`), Options{})
	c := conn("192.0.2.1", "10.0.0.1:25")
	for i, code := range []int{550, 550, 250, 250, 250, 250, 250} { // two of seven: too few of all
		e.Handle(command(c, float64(i), "RCPT", code))
		e.Handle(command(c, float64(i), "MAIL", 550))
	}
	e.Handle(command(c, 7, "RCPT", 250)) // two of eight, but this one is good: it begins nothing
	lines(t, b)
	e.Handle(command(c, 8, "RCPT", 550))
	for s := 20; s < 60; s += 10 {
		e.Handle(command(c, float64(s), "RCPT", 550))
	}
	for s := 60; s < 600; s++ { // below a quarter from 12 good ones on
		e.Handle(command(c, float64(s), "RCPT", 250))
	}
	lines(t, b, "8s firing warning R [192.0.2.1] 0.3/0.2", "3m14s resolved warning R [192.0.2.1] 0.5/0.2")
	if got := b.alerts[0].Summary + "; " + b.alerts[1].Summary; got != "33.3 % of 192.0.2.1, 25 % in 2m; 53.8 % of 192.0.2.1, 25 % in 2m" {
		t.Error(got)
	}
}

// TestShareForgets holds the buckets against a list of all events.
func TestShareForgets(t *testing.T) {
	var s share
	type event struct {
		at  int64
		hit bool
	}
	var list []event
	const window, width = 1200, 100
	for i, now := 0, int64(5000); i < 3000; i++ {
		now += int64(i * i % 97)
		if i%500 == 499 {
			now += 3 * window
		}
		list = append(list, event{now, i%3 == 0})
		all, of := s.add(now, window, i%3 == 0)
		var wantAll, wantOf uint64
		for _, x := range list {
			if x.at/width > now/width-shareBuckets {
				wantAll++
				if x.hit {
					wantOf++
				}
			}
		}
		if all != wantAll || of != wantOf {
			t.Fatalf("event %d: %d of %d, want %d of %d", i, of, all, wantOf, wantAll)
		}
	}
}

func TestForWaits(t *testing.T) {
	for fire, of := range map[string]string{
		"each: {window: 3m}":                                             "each",
		"count: {threshold: 2, window: 3m}":                              "count",
		"distinct: {field: auth.username, threshold: 2, window: 3m}":     "distinct",
		"ratio: {of: auth.denied, threshold: 0.5, window: 3m, least: 2}": "ratio",
		"spike: {floor: 1, limit: 1, window: 3m}":                        "spike",
	} {
		e, b := engine(t, load(t, "rules: [{name: R, event: auth, when: auth.denied, group_by: client.ip, for: 5m, summary: s, fire: {"+fire+"}}]"), Options{})
		c := conn("192.0.2.1", "10.0.0.1:25")
		e.Advance(at(0))                                              // nobody was here before
		for _, s := range []int{1000, 1001, 1060, 1120, 1180, 1240} { // four minutes
			e.Handle(denied(c, float64(s), fmt.Sprint("u", s)))
		}
		if s := e.Stats().Rules[0]; s.Pending != 1 || s.Pended != 1 || s.Firing != 0 {
			t.Errorf("%s: %+v", of, s)
		}
		e.Advance(at(1500)) // the window is clean: the wait is over
		if s := e.Stats().Rules[0]; s.Pending != 0 {
			t.Errorf("%s: %+v", of, s)
		}
		for _, s := range []int{1500, 1501, 1560, 1620, 1680, 1740, 1800, 1802} {
			e.Handle(denied(c, float64(s), fmt.Sprint("u", s)))
		}
		e.Advance(at(5000))
		if len(b.alerts) != 2 || b.alerts[0].Time.Before(at(1800)) || b.alerts[0].Time.After(at(1802)) || b.alerts[1].Status != Resolved {
			t.Errorf("%s: %q", of, b.lines)
		}
		if s := e.Stats().Rules[0]; s.Pending != 0 || s.Pended != 2 {
			t.Errorf("%s: %+v", of, s)
		}
	}
}

const inhibiting = `
rules:
  - {name: Low, event: auth, when: auth.denied, group_by: client.ip, fire: {count: {threshold: 2, window: 5m}}, repeat_interval: 1h, summary: low}
  - {name: High, event: auth, when: auth.denied and auth.username == "root", group_by: client.ip, fire: {each: {window: 2m}}, summary: high,
     inhibits: [{rule: Low, equal: [client_ip]}]}
`

// silenced writes who was kept from receivers behind each line.
func silencedLines(b *book) []string {
	var out []string
	for i, a := range b.alerts {
		line := strings.Replace(b.lines[i], " warning", "", 1)
		if a.InhibitedBy != "" {
			line += " by " + a.InhibitedBy
		}
		out = append(out, line)
	}
	return out
}

func TestInhibition(t *testing.T) {
	a, c := conn("192.0.2.1", "10.0.0.1:25"), conn("192.0.2.2", "10.0.0.1:25")
	type try struct {
		s  float64
		of string // client and user
	}
	for name, x := range map[string]struct {
		tries []try
		want  string
	}{
		"at once, and told when it outlives the other": {[]try{{s: 0, of: "a x"}, {s: 1, of: "a root"}, {s: 100, of: "a x"}},
			"1s firing High [192.0.2.1] 1/1; 1s firing Low [192.0.2.1] 2/2 by High; 2m1s resolved High [192.0.2.1] 1/1; " +
				"2m1s firing Low [192.0.2.1] 3/2; 6m40s resolved Low [192.0.2.1] 3/2"},
		"what was told is told to the end": {[]try{{s: 0, of: "a x"}, {s: 1, of: "a x"}, {s: 290, of: "a root"}, {s: 400, of: "a root"}, {s: 500, of: "a root"}, {s: 600, of: "a root"}},
			"1s firing Low [192.0.2.1] 2/2; 4m50s firing High [192.0.2.1] 1/1; 12m0s resolved High [192.0.2.1] 4/1; 15m0s resolved Low [192.0.2.1] 6/2"},
		"who was never told is not told of the end": {[]try{{s: 0, of: "a x"}, {s: 1, of: "a root"}, {s: 300, of: "c x"}, {s: 301, of: "c x"}},
			"1s firing High [192.0.2.1] 1/1; 1s firing Low [192.0.2.1] 2/2 by High; 2m1s resolved High [192.0.2.1] 1/1; " +
				"2m1s firing Low [192.0.2.1] 2/2; 5m1s firing Low [192.0.2.2] 2/2; 5m1s resolved Low [192.0.2.1] 2/2; 10m1s resolved Low [192.0.2.2] 2/2"},
		"others are not silenced": {[]try{{s: 0, of: "a root"}, {s: 1, of: "c x"}, {s: 2, of: "c x"}},
			"0s firing High [192.0.2.1] 1/1; 2s firing Low [192.0.2.2] 2/2; 2m0s resolved High [192.0.2.1] 1/1; 5m2s resolved Low [192.0.2.2] 2/2"},
	} {
		for _, step := range []float64{0, 7} {
			e, b := engine(t, load(t, inhibiting), Options{})
			now := 0.0
			for _, y := range x.tries {
				for step > 0 && now+step < y.s {
					now += step
					e.Advance(at(now))
				}
				who, user, _ := strings.Cut(y.of, " ")
				e.Handle(denied(map[string]*sessions.Conn{"a": a, "c": c}[who], y.s, user))
			}
			e.Advance(at(5000))
			got := strings.Split(strings.Join(silencedLines(b), "; "), "; ")
			if strings.Join(slices.Sorted(slices.Values(got)), "; ") != strings.Join(slices.Sorted(slices.Values(strings.Split(x.want, "; "))), "; ") {
				t.Errorf("%s, step %v:\n%s", name, step, strings.Join(silencedLines(b), "\n"))
			}
		}
	}
	// The inhibiting alert lasts longer than the inhibited one.
	e, b := engine(t, load(t, strings.Replace(inhibiting, "window: 2m", "window: 20m", 1)), Options{})
	e.Handle(denied(a, 0, "x"))
	e.Handle(denied(a, 1, "root"))
	e.Advance(at(5000))
	lines(t, b, "1s firing warning High [192.0.2.1] 1/1", "1s firing warning Low [192.0.2.1] 2/2",
		"5m1s resolved warning Low [192.0.2.1] 2/2", "20m1s resolved warning High [192.0.2.1] 1/1")
	if b.alerts[1].InhibitedBy != "High" || b.alerts[2].InhibitedBy != "High" {
		t.Errorf("%+v", b.alerts)
	}
}

func TestSpraySilencesBruteForceAtOnce(t *testing.T) {
	e, b := engine(t, Builtin(), site)
	c := conn("192.0.2.1", "10.20.0.25:25")
	for i := range 5 {
		e.Handle(denied(c, float64(i), fmt.Sprint("u", i)))
	}
	if len(b.alerts) != 2 || b.alerts[0].Rule != "PasswordSpray" || b.alerts[1].Rule != "AuthBruteForce" || b.alerts[1].InhibitedBy != "PasswordSpray" {
		t.Errorf("%+v", b.alerts)
	}
}

func TestStorm(t *testing.T) {
	e, b := engine(t, load(t, `
rules:
  - name: R
    event: auth
    when: auth.denied
    group_by: client.ip
    storm: 2
    severity: 'auth.username == "root" ? "critical" : "warning"'
    fire: {count: {threshold: 3, window: 5m}}
    summary: '{value} of {client.ip}'
    labels: {team: mail, who: '{auth.username}'}
`), Options{})
	n := 0
	fail := func(i int, s float64, user string) {
		n++
		e.Handle(denied(conn(fmt.Sprintf("10.0.%d.%d", i>>8, i&255), "10.0.0.1:25"), s, user))
	}
	for i := range 300 {
		for range 3 {
			fail(i, float64(i)/10, "u")
		}
	}
	fail(200, 31, "u")  // a member's
	fail(5000, 32, "u") // nobody's
	for range 3 {
		fail(250, 40, "root") // a member became worse
	}
	fail(0, 50, "u") // a single one's own
	e.Advance(at(349))
	fail(260, 349, "u") // a member's window was clean: it is none any more
	e.Advance(at(9999))
	lines(t, b,
		"0s firing warning R [10.0.0.0] 3/3",
		"100ms firing warning R [10.0.0.1] 3/3",
		"200ms firing warning R [storm] 3/3",
		"10.1s firing warning R [storm] 300/3 repeat 1",
		"40s firing critical R [storm] 896/3 repeat 1",
		"5m0.1s resolved warning R [10.0.0.1] 3/3",
		"5m40s resolved critical R [storm] 898/3 repeat 1",
		"5m50s resolved warning R [10.0.0.0] 4/3")
	a := b.alerts[6]
	if a.Groups != 298 || len(a.Sessions) != MaxSessions || a.Labels.Get("team") != "mail" || a.Labels.Get("storm") != "true" || len(a.Labels) != 2 {
		t.Errorf("%+v", a)
	}
	if want := "R: 298 further groups within 5m (10.0.0.2, 10.0.0.3, 10.0.0.4, …), the worst: 3 of 10.0.0.250"; a.Summary != want {
		t.Errorf("summary %q", a.Summary)
	}
	if b.alerts[2].Summary != "R: 1 further group within 5m (10.0.0.2), the worst: 3 of 10.0.0.2" || b.alerts[2].Fingerprint != a.Fingerprint {
		t.Errorf("%+v", b.alerts[2])
	}
	if s := e.Stats().Rules[0]; s.Raised != 3 || s.Folded != 298 || s.Firing != 0 {
		t.Errorf("%+v", s)
	}
}
