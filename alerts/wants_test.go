package alerts

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// mixedRules fire in every way, partly by conditions that need the machine.
const mixedRules = `
rules:
  - {name: A, event: command, when: 'command.code >= 500 and command.text[0:1] == "a"', group_by: client.ip, summary: '{client.ip}'}
  - {name: B, event: command, when: 'command.code % 2 == 1 and command.verb == "RCPT"', group_by: role, fire: {count: {threshold: 3, window: 1m}}, summary: '{value}'}
  - {name: C, event: mail, when: 'mail.to[0] == "a"', group_by: [mail.code, mail.from_known, mail.duration], fire: {count: {threshold: 2, window: 5m, forgive: {when: mail.smuggled, by: mail.from}}}, summary: '{value}'}
  - {name: D, event: auth, when: auth.denied, group_by: 'auth.username + ""', fire: {distinct: {field: [client.ip, server.port], threshold: 3, window: 2m, forgive: {when: auth.result == "success"}}}, summary: '{value}'}
  - {name: E, event: tls, when: not tls.offered, group_by: client.ip, fire: {unlike: {when: tls.offered, by: server.ip, other: client.ip, window: 5m}}, summary: '{tls.sni}', labels: {who: '{tls.cipher}'}}
  - name: F
    group_by: client.ip
    repeat_interval: 2m
    severity: 'role == "relay" ? "critical" : "info"'
    summary: '{value} of {threshold}'
    any:
      - {event: attempt, when: attempt.result == "refused", fire: {after: {when: attempt.result == "unanswered", by: server.ip, threshold: 2, window: 1m, forgive: {when: server.port == 26, by: client.ip}}}}
      - {event: attempt, group_by: server.ip, when: role != "relay", fire: {spike: {floor: 3, limit: 5, window: 20s, learn: 3}}}
      - {event: session, when: partial, fire: {count: {threshold: 2, window: 1m}}}
      - {event: session, when: 'any(mails, .smuggled)', fire: {distinct: {field: end, threshold: 2, window: 90s}}}
      - {event: command, group_by: {who: source.ip}, when: 'command.code >= 400 and command.verb == "RCPT"', fire: {lasting: {until: 'command.code < 300 and command.verb == "RCPT"', by: [client.ip, command.verb], longer: 1m, window: 2m}}}
      - {event: tls, when: 'not is_mail_server(client.ip) and not tls.offered and not is_scanner(server.ip)', fire: {unlike: {when: tls.offered, by: server.ip, other: client.ip, least: 2, window: 5m}}}
      - {event: attempt, when: 'client.port == 30001 and not is_mail_server(server.ip)', fire: {count: {threshold: 2, window: 1m}}}
      - {event: anomaly, when: 'anomaly.kind != ""', group_by: client.port, fire: {each: {window: 3m}}}
  - {name: G, event: command, group_by: client.ip, storm: 1, for: 10s, fire: {ratio: {of: command.code >= 250, threshold: 0.3, window: 2m, least: 2}}, summary: '{value} of {client.ip}'}
  - {name: H, event: attempt, group_by: [client.ip, server.ip], storm: 2, fire: {each: {window: 40s}}, severity: 'attempt.result == "refused" ? "critical" : "info"', repeat_interval: 1m, inhibits: [{rule: I, equal: [client_ip]}, {rule: J, equal: [server_ip]}], summary: '{server.ip}'}
  - {name: I, event: attempt, group_by: client.ip, fire: {each: {window: 1m}}, repeat_interval: 2m, summary: '{client.ip}', labels: {team: mail}}
  - {name: J, event: anomaly, group_by: [server.ip, client.port], storm: 3, fire: {count: {threshold: 2, window: 90s}}, inhibits: [{rule: I2, equal: [server_ip]}], summary: '{server.ip} {value}'}
  - {name: I2, event: anomaly, group_by: server.ip, for: 30s, fire: {distinct: {field: client.ip, threshold: 2, window: 2m}}, inhibits: [{rule: I3, equal: [server_ip]}], summary: '{server.ip} {value}'}
  - {name: I3, event: anomaly, group_by: server.ip, for: 10s, fire: {each: {window: 2m}}, summary: '{server.ip} {value}'}
`

var mixedSet = sync.OnceValues(func() (RuleSet, error) {
	set, err := LoadRules(strings.NewReader(mixedRules), "mixed.yaml")
	if err != nil {
		return set, err
	}
	return Builtin().Merge(set)
})

func mixed(t testing.TB, o Options) (*Engine, *book) {
	t.Helper()
	set, err := mixedSet()
	if err != nil {
		t.Fatal(err)
	}
	return engine(t, set, o)
}

// story is all that an engine told, for comparison.
func story(e *Engine, b *book) []string {
	var out []string
	for _, a := range b.alerts {
		line, _ := json.Marshal(a)
		out = append(out, string(line))
	}
	return append(out, fmt.Sprintf("%+v", e.Stats()))
}

// stream is random events, some of no kind; their times go on by up to step
// seconds, and now and then back by up to back.
func stream(seed int64, n int, step, back float64) []sessions.Event {
	c := newChance(seed)
	var out []sessions.Event
	s := 100.0
	for range n {
		s += c.Float64() * step
		when := s
		if back > 0 && c.Intn(10) == 0 {
			when -= c.Float64() * back
		}
		ev := c.event(kind(c.Intn(int(kinds)+1)), when)
		if opened, ok := ev.(*sessions.Opened); ok && c.Intn(2) == 0 {
			ev = &sessions.Greeted{In: opened.In}
		}
		out = append(out, ev)
	}
	return out
}

func small() Options {
	o := site
	o.MaxGroups = 9
	o.LearnServers, o.LearnTime, o.MaxServers = true, 5*time.Minute, 5
	return o
}

// TestUnwantedEventsAreTime holds that Handle does no more with an unwanted
// event than Advance does with its time, wherever that lies.
func TestUnwantedEventsAreTime(t *testing.T) {
	for seed := range int64(6) {
		all, some := []*Engine{nil, nil}, []*book{nil, nil}
		all[0], some[0] = mixed(t, small())
		all[1], some[1] = mixed(t, small())
		dropped := 0
		for _, ev := range stream(seed, 3500, 2, 400) {
			all[0].Handle(ev)
			if all[1].Wants(ev) {
				all[1].Handle(ev)
			} else {
				all[1].Advance(ev.At())
				dropped++
			}
		}
		compare(t, story(all[1], some[1]), story(all[0], some[0]), 100)
		if dropped < 300 {
			t.Errorf("only %d events were unwanted", dropped)
		}
	}
}

// TestUnwantedEventsCanBeLeftOut holds that nothing is missed where packet time
// goes on and the engine is told of it each second.
func TestUnwantedEventsCanBeLeftOut(t *testing.T) {
	play := func(seed int64, leave bool) []string {
		e, b := mixed(t, small())
		second := int64(0)
		for i, ev := range stream(seed, 3000, 2, 0) {
			if now := ev.At().Unix(); i == 0 || now > second {
				second = now
				e.Advance(ev.At())
			}
			if !leave || e.Wants(ev) {
				e.Handle(ev)
			}
		}
		e.Flush(at(1e5))
		return story(e, b)
	}
	for seed := range int64(6) {
		compare(t, play(seed, true), play(seed, false), 100)
	}
}

func compare(t *testing.T, got, want []string, least int) {
	t.Helper()
	if len(want) < least {
		t.Errorf("only %d notices", len(want))
	}
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Fatalf("notice %d of %d is\n%s\nwant\n%s", i, len(want), got[min(i, len(got)-1)], want[i])
		}
	}
	if len(got) > len(want) {
		t.Fatalf("%d notices more", len(got)-len(want))
	}
}

// TestOrdinaryEventsAreUnwanted names what the built-in rules need not see.
func TestOrdinaryEventsAreUnwanted(t *testing.T) {
	e, _ := engine(t, Builtin(), site)
	c := session()
	var got []string
	for _, ev := range c.next() {
		if e.Wants(ev) {
			got = append(got, fmt.Sprintf("%T", ev))
		}
	}
	if want := []string{"*sessions.Attempt", "*sessions.MailDone", "*sessions.Closed"}; !slices.Equal(got, want) {
		t.Errorf("wanted %v, want %v", got, want)
	}
	k := conn("192.0.2.1", "10.20.0.25:25")
	for _, ev := range []sessions.Event{command(k, 0, "RCPT", 550), command(k, 0, "VRFY", 250), denied(k, 0, "u"), odd(k, 0, sessions.Smuggling)} {
		if !e.Wants(ev) {
			t.Errorf("%+v is not wanted", ev)
		}
	}
	for _, ev := range []sessions.Event{command(k, 0, "RCPT", 552), odd(k, 0, sessions.BareLF), &sessions.Opened{In: in(k, 0)}} {
		if e.Wants(ev) {
			t.Errorf("%+v is wanted", ev)
		}
	}
}

// TestWantsBesideHandle is for the race detector.
func TestWantsBesideHandle(t *testing.T) {
	e, _ := mixed(t, small())
	events := stream(1, 1000, 1, 0)
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			for _, ev := range events {
				e.Wants(ev)
			}
		})
	}
	for _, ev := range events {
		e.Handle(ev)
	}
	wait.Wait()
}

// TestNothingNewAllocatesNothing plays ordinary sessions until all is met.
func TestNothingNewAllocatesNothing(t *testing.T) {
	for name, c := range map[string]*crowd{"mail": session(), "login": failedLogin()} {
		o := site
		o.MaxGroups = benchClients
		e, _ := engine(t, Builtin(), o)
		one := func() {
			for _, ev := range c.next() {
				e.Handle(ev)
				e.Wants(ev)
			}
		}
		for range 4 * benchClients {
			one()
		}
		if n := testing.AllocsPerRun(2000, one); n > 0 {
			t.Errorf("%s: %v allocations a session", name, n)
		}
	}
}

func BenchmarkWants(b *testing.B) {
	c := session()
	e := c.engine(b)
	for _, i := range []int{0, 1, 4, 5, 8, 10, 11} {
		ev := c.events[i]
		b.Run(fmt.Sprintf("%02d-%T", i, ev), func(b *testing.B) {
			for b.Loop() {
				e.Wants(ev)
			}
		})
	}
}
