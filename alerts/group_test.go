package alerts

import (
	"fmt"
	"math/rand"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// TestForgottenGroupsLeaveNothing holds that who gets the place of a forgotten
// group begins anew, in every way to fire: with one place, the events of two
// that take turns never come together.
func TestForgottenGroupsLeaveNothing(t *testing.T) {
	a, b := conn("192.0.2.1", "10.0.0.1:25"), conn("192.0.2.2", "10.0.0.2:25")
	fail := func(c *sessions.Conn, s float64) sessions.Event { return denied(c, s, c.ID+fmt.Sprint(s)) }
	start := func(c *sessions.Conn, s float64) sessions.Event { return attempt(c, s, "refused") }
	offers := func(c *sessions.Conn, s float64) sessions.Event {
		return closed(c, s, sessions.Session{TLS: sessions.TLS{Offered: c == b}})
	}
	for fire, of := range map[string]func(*sessions.Conn, float64) sessions.Event{
		"event: auth, when: auth.denied, fire: {count: {threshold: 3, window: 5m}}":                                               fail,
		"event: auth, when: auth.denied, fire: {distinct: {field: auth.username, threshold: 3, window: 5m}}":                      fail,
		"event: attempt, fire: {spike: {floor: 2, limit: 2, window: 5m}}":                                                         start,
		"event: auth, when: auth.denied, fire: {after: {when: auth.denied, by: client.ip, threshold: 2, window: 5m}}":             fail,
		"event: session, when: not tls.offered, fire: {unlike: {when: tls.offered, by: server.ip, other: client.ip, window: 5m}}": offers,
	} {
		e, k := engine(t, load(t, "rules: [{name: R, summary: s, group_by: client.ip, "+fire+"}]"), Options{MaxGroups: 1})
		e.Advance(at(0)) // long before: nobody was here when the engine began
		for i, c := range []*sessions.Conn{b, a, a, b, b, a, a} {
			e.Handle(of(c, 100+float64(i)))
		}
		if len(k.lines) > 0 || e.Stats().Rules[0].Evicted == 0 {
			t.Errorf("%s: %q, %+v", fire, k.lines, e.Stats().Rules)
		}
	}
}

// TestTriggersKeepApart holds that the triggers of a rule share groups, but
// count for themselves, and that equal values of other fields are other groups.
func TestTriggersKeepApart(t *testing.T) {
	e, k := engine(t, load(t, `
rules:
  - name: R
    group_by: client.ip
    summary: s
    any:
      - {event: auth, when: auth.denied, fire: {count: {threshold: 3, window: 5m}}}
      - {event: attempt, fire: {count: {threshold: 3, window: 5m}}}
      - {event: anomaly, fire: {count: {threshold: 3, window: 5m}}, group_by: server.ip}
`), Options{})
	c := conn("10.0.0.1", "10.0.0.1:25")
	for s := range 2 {
		e.Handle(denied(c, float64(s), "u"))
		e.Handle(attempt(c, float64(s), "refused"))
		e.Handle(odd(c, float64(s), "x"))
	}
	if len(k.lines) > 0 || e.Stats().Rules[0].Groups != 2 {
		t.Fatalf("%q, %+v", k.lines, e.Stats())
	}
	e.Handle(denied(c, 3, "u"))
	e.Handle(attempt(c, 4, "refused")) // upholds the same alert
	e.Handle(odd(c, 5, "x"))
	if got := strings.Join(k.lines, ", "); got != "3s firing warning R [10.0.0.1] 3/3, 5s firing warning R [10.0.0.1] 3/3" {
		t.Error(got)
	}
	if k.alerts[0].Labels[0].Name != "client_ip" || k.alerts[1].Labels[0].Name != "server_ip" {
		t.Errorf("%+v", k.alerts)
	}
}

// TestForgivenessIsWanted holds that an event is wanted that only takes back others.
func TestForgivenessIsWanted(t *testing.T) {
	e, _ := engine(t, load(t, strings.Replace(countRule, "window: 5m}", `window: 5m, forgive: {when: auth.result == "success"}}`, 1)), Options{})
	if !e.Wants(accepted(conn("10.0.0.1", "10.0.0.1:25"), 0, "u")) {
		t.Error("not wanted")
	}
}

// TestTicks holds the remembered divisions against new ones.
func TestTicks(t *testing.T) {
	rnd := rand.New(rand.NewSource(1))
	for _, window := range []time.Duration{1, 11, 13, 100, time.Minute, MaxWindow} {
		f, now := &fire{window: window}, int64(0)
		var k ticks
		for range 5000 {
			now = max(0, now+rnd.Int63n(int64(window)/4+2)-int64(window)/30)
			k.set(now, f)
			if k.bucket != now/max(int64(window)/rateBuckets, 1) || k.window != now/int64(window) {
				t.Fatalf("window %s at %d: %+v", window, now, k)
			}
		}
	}
}

// TestGroupLabels holds that a mapping names the labels, and the source groups
// what a proxy brings by whom it speaks for.
func TestGroupLabels(t *testing.T) {
	set := load(t, `
rules:
  - {name: R, event: auth, when: auth.denied, group_by: {client_ip: source.ip, via: origin.via}, summary: '{source.ip} {origin.ip}'}
`)
	e, b := engine(t, set, site)
	e.Handle(behind(denied(conn("10.20.0.10", "10.20.0.25:25"), 0, "bob"), "198.51.100.7"))
	e.Handle(denied(conn("10.20.0.10", "10.20.0.25:25"), 1, "bob"))
	filter := denied(conn("10.20.0.26", "10.20.0.25:25"), 2, "bob").(*sessions.Authenticated)
	filter.Origin = &sessions.Origin{Client: conn("198.51.100.8", "10.20.0.25:25").Client, Via: sessions.ViaXForward}
	e.Handle(filter)
	want := []string{"198.51.100.7 proxy-v2: 198.51.100.7 198.51.100.7", "10.20.0.10 : 10.20.0.10 ", "10.20.0.26 xforward: 10.20.0.26 198.51.100.8"}
	for i, a := range b.alerts {
		if got := a.Labels.Get("client_ip") + " " + a.Labels.Get("via") + ": " + a.Summary; i >= len(want) || got != want[i] {
			t.Errorf("alert %d: %q", i, got)
		}
	}
	if len(b.alerts) != len(want) {
		t.Errorf("%q", b.lines)
	}
}

// TestLasting plays times in hours; a minus ends the wait, a star says that the
// alert begins or lasts.
func TestLasting(t *testing.T) {
	set := load(t, `
rules:
  - {name: R, event: mail, when: mail.code == 451, group_by: server.ip, summary: '{value}', repeat_interval: 1m,
     fire: {lasting: {until: mail.code == 250, by: mail.from, longer: 4h, window: 3h}}}
`)
	for _, c := range []struct{ story, want string }{
		{"a0 a2 a4", "4"}, {"a0 a2 a3.9", ""}, {"a0 a2 -3 a5 a6", ""}, {"a0 a2 b3 -b3 a4", "4"}, {"a0 a3.5 a6", ""},
		{"a0 a2 a4 a5", "4"}, {"a0 b1 a2 b3 a4 b5", "4"}, {"a9 a0 a2 a3.9", ""}, {"a9 a0 a2 a4", "4"},
	} {
		e, b := engine(t, set, site)
		for _, word := range strings.Fields(c.story) {
			code, from := 451, "a"
			if strings.HasPrefix(word, "-") {
				code, word = 250, word[1:]
			}
			if strings.ContainsAny(word[:1], "ab") {
				from, word = word[:1], word[1:]
			}
			hours, err := strconv.ParseFloat(word, 64)
			if err != nil {
				t.Fatal(err)
			}
			e.Handle(mail(conn("10.20.0.10", "10.20.0.25:25"), 3600*hours, sessions.Mail{From: from, Code: code}))
		}
		got := ""
		if len(b.alerts) > 0 {
			got = b.alerts[0].Summary
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.story, got, c.want)
		}
	}
}
