package alerts

import (
	"bytes"
	"fmt"
	"math"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// office is who sends on a working day, by the minute: people through the
// server's one address, a newsletter that its login sends at 10:00, and a relay
// that is awake at night.
func office(r *rand.Rand, at time.Time) (people, newsletter, relay int) {
	h := float64(at.Hour()) + float64(at.Minute())/60
	busy := 40 / (1 + math.Exp(-(h-8.5)*4)) / (1 + math.Exp((h-17.5)*3))
	if d := at.Weekday(); d == time.Saturday || d == time.Sunday {
		busy = 0
	} else if at.Hour() == 10 && at.Minute() < 3 {
		newsletter = 25 + r.Intn(4)
	}
	noisy := func(x float64) int { return int(max(0, x+math.Sqrt(x)*r.NormFloat64())) }
	return noisy(busy), newsletter, noisy(8 + busy/4)
}

// TestOrdinaryWeeksRaiseNothing plays weeks of an office's mail through the
// engine, beginning on a Friday at noon: Monday's nine o'clock comes after a
// silent weekend. Then a flood of a night, which is as large as an ordinary
// noon, is seen: it is held against its own hour.
func TestOrdinaryWeeksRaiseNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("four weeks of mail")
	}
	if raceDetector {
		t.Skip("make test runs it without the race detector")
	}
	e, b := engine(t, Builtin(), site)
	start := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	r := rand.New(rand.NewSource(1))
	people, relay := conn("10.20.0.10", "10.20.0.25:587"), conn("192.0.2.9", "10.20.0.25:25")
	var minute []sessions.Event
	send := func(c *sessions.Conn, at time.Time, n int, m sessions.Mail) {
		for i := range n {
			s := at.Add(time.Duration(i) * time.Minute / time.Duration(n)).Sub(t0).Seconds()
			minute = append(minute, attempt(c, s, "established"), mail(c, s, m))
		}
	}
	sent := 0
	over := func() {
		slices.SortStableFunc(minute, func(a, b sessions.Event) int { return a.At().Compare(b.At()) })
		for _, ev := range minute {
			e.Handle(ev)
		}
		sent += len(minute) / 2
		minute = minute[:0]
	}
	until := start.AddDate(0, 0, 4*7)
	for at := start; at.Before(until); at = at.Add(time.Minute) {
		p, n, l := office(r, at)
		send(relay, at, l, sessions.Mail{From: "x@partner.test"})
		for range p {
			login := sessions.Mail{From: fmt.Sprintf("x@d%d.test", r.Intn(9)), Login: fmt.Sprint("user", r.Intn(20))}
			send(people, at.Add(time.Duration(r.Intn(60))*time.Second), 1, login)
		}
		send(people, at, n, sessions.Mail{From: "news@list.test", Login: "news"})
		over()
	}
	if len(b.lines) > 0 || sent < 400_000 {
		t.Fatalf("%d mails raised %d: %q", sent, len(b.lines), b.lines[:min(20, len(b.lines))])
	}
	night := time.Date(2026, 12, 23, 2, 0, 0, 0, time.UTC)
	for at := until; at.Before(night); at = at.Add(time.Minute) {
		_, _, l := office(r, at)
		send(relay, at, l, sessions.Mail{})
		over()
	}
	send(people, night, 80, sessions.Mail{From: "x@d1.test", Login: "user1"})
	over()
	if !b.rules()["MessageRateSpike"] {
		t.Fatal("a noon's mails at two in the night are ordinary")
	}
	i := slices.IndexFunc(b.alerts, func(a Alert) bool { return a.Rule == "MessageRateSpike" && a.Labels.Get("client_ip") != "" })
	if i < 0 {
		t.Fatalf("%q", b.lines)
	}
	if a := b.alerts[i]; a.Threshold > 75 || !strings.Contains(a.Learned, "at this hour, learned since 2026-11-20 from 4") {
		t.Errorf("%v of %v: %s", a.Value, a.Threshold, a.Learned)
	}
}

// TestSpikeTellsWhatItLearned pins the sentence.
func TestSpikeTellsWhatItLearned(t *testing.T) {
	e, b := engine(t, load(t, `
rules:
  - {name: R, event: attempt, group_by: client.ip, fire: {spike: {floor: 5, limit: 20, window: 1m}}, summary: '{value} of {threshold}: {learned}'}
`), Options{})
	a, stranger := conn("192.0.2.1", "10.0.0.1:25"), conn("192.0.2.2", "10.0.0.1:25")
	for s := 0.0; s < 3*86400; s += 20 {
		e.Handle(attempt(a, s, "established"))
	}
	for i := range 25 {
		e.Handle(attempt(a, 3*86400+float64(i), "established"))
		e.Handle(attempt(stranger, 3*86400+float64(i), "established"))
	}
	want := []string{
		"14 of 13.4: expected 0 to 6 in 1m, learned since 2026-11-23 from 4,320 windows",
		"21 of 20: not met before; the absolute limit of 20 in 1m",
	}
	var got []string
	for _, a := range b.alerts {
		if a.Status == Firing {
			got = append(got, a.Summary)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// restored is an engine that goes on where another one is.
func restored(t *testing.T, from *Engine, set RuleSet, o Options) (*Engine, *book) {
	t.Helper()
	e, b := engine(t, set, o)
	e.seed = from.seed
	for i, r := range from.rules {
		for k, x := range r.triggers {
			if x.spikes != nil {
				if err := e.rules[i].triggers[k].spikes.Restore(x.spikes.AppendTo(nil)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return e, b
}

// TestSpikesGoOnAfterARestart cuts the input where nothing fires, anywhere:
// what comes behind raises the same.
func TestSpikesGoOnAfterARestart(t *testing.T) {
	set := load(t, `
rules:
  - {name: A, event: attempt, group_by: client.ip, fire: {spike: {floor: 5, limit: 9, window: 10s, learn: 3}}, summary: '{value} of {threshold}: {learned}'}
  - name: B
    summary: '{value} of {threshold}: {learned}'
    any:
      - {event: attempt, group_by: server.port, fire: {spike: {floor: 8, limit: 12, window: 20s, learn: 3}}}
      - {event: attempt, group_by: client.port, fire: {spike: {floor: 3, limit: 4, window: 5s, learn: 2}}}
`)
	r := rand.New(rand.NewSource(1))
	conns := make([]*sessions.Conn, 12)
	for i := range conns {
		conns[i] = conn(fmt.Sprint("192.0.2.", i), fmt.Sprint("10.0.0.1:", 25+i%3))
	}
	var events []sessions.Event
	for s := 0.0; s < 4000; s += r.ExpFloat64() {
		events = append(events, attempt(conns[r.Intn(len(conns))], s, "established"))
		if r.Intn(150) == 0 {
			for c := r.Intn(len(conns)); r.Intn(30) > 0; s += 0.05 {
				events = append(events, attempt(conns[c], s, "established"))
			}
			s += 60 // all is resolved
			events = append(events, attempt(conns[0], s, "established"))
		}
	}
	cuts := 0
	e, b := engine(t, set, Options{})
	for i, ev := range events {
		if r.Intn(100) == 0 && len(e.timers) == 0 {
			cuts++
			tail, told := restored(t, e, set, Options{})
			rest, all := engine(t, set, Options{})
			for _, ev := range events[:i] {
				rest.Handle(ev)
			}
			before := len(all.lines)
			for _, ev := range events[i:min(len(events), i+1500)] {
				tail.Handle(ev)
				rest.Handle(ev)
			}
			if !slices.Equal(told.lines, all.lines[before:]) {
				t.Fatalf("cut at %d: %q, without a cut %q", i, told.lines, all.lines[before:])
			}
		}
		e.Handle(ev)
	}
	if cuts < 10 || len(b.lines) < 30 {
		t.Errorf("%d cuts, %d notices: the test shows little", cuts, len(b.lines))
	}
}

func FuzzSpikesRestore(f *testing.F) {
	set := load(f, `rules: [{name: R, event: attempt, group_by: client.ip, fire: {spike: {floor: 5, limit: 9, window: 10s, learn: 3}}, summary: s}]`)
	e, _ := engine(f, set, Options{})
	c := conn("192.0.2.1", "10.0.0.1:25")
	for s := range 300 {
		e.Handle(attempt(c, float64(s), "established"))
	}
	f.Add(e.rules[0].triggers[0].spikes.AppendTo(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, _ := engine(t, set, Options{MaxGroups: 3})
		s := e.rules[0].triggers[0].spikes
		if s.Restore(b) == nil {
			saved := s.AppendTo(nil)
			again, _ := engine(t, set, Options{MaxGroups: 3})
			s := again.rules[0].triggers[0].spikes
			if err := s.Restore(saved); err != nil || !bytes.Equal(s.AppendTo(nil), saved) {
				t.Fatalf("what it gives it does not take: %v", err)
			}
		}
		if n := len(e.rules[0].groups.keys.entries); n > 3 {
			t.Fatalf("%d groups", n)
		}
		for i := range 100 {
			e.Handle(attempt(c, float64(i), "established"))
		}
	})
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 12: "12", 999: "999", 3204: "3,204", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d is %s", n, got)
		}
	}
}
