package alerts

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

func lines(t *testing.T, b *book, want ...string) {
	t.Helper()
	if !slices.Equal(b.lines, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(b.lines, "\n\t"), strings.Join(want, "\n\t"))
	}
}

const countRule = `
rules:
  - name: R
    event: auth
    when: auth.denied
    group_by: client.ip
    fire: {count: {threshold: 3, window: 5m}}
    repeat_interval: 10m
    summary: '{value} of {threshold} in {window} from {client.ip}'
`

func TestCountFiresRepeatsResolves(t *testing.T) {
	e, b := engine(t, load(t, countRule), Options{})
	c := conn("192.0.2.1", "10.0.0.1:25")
	for s := 0; s <= 900; s += 60 {
		e.Handle(denied(c, float64(s), "u"))
	}
	e.Advance(at(1199))
	e.Advance(at(1201))
	e.Advance(at(99999))
	lines(t, b,
		"2m0s firing warning R [192.0.2.1] 3/3",
		"12m0s firing warning R [192.0.2.1] 12/3 repeat 1",
		"20m0s resolved warning R [192.0.2.1] 16/3 repeat 1")
	last := b.alerts[2]
	if !last.Started.Equal(t0) || !last.Ended.Equal(at(1200)) || last.Summary != "16 of 3 in 5m from 192.0.2.1" {
		t.Errorf("%+v", last)
	}
	if last.Fingerprint != b.alerts[0].Fingerprint || len(last.Fingerprint) != 16 {
		t.Errorf("fingerprints %q and %q", b.alerts[0].Fingerprint, last.Fingerprint)
	}
	e.Handle(denied(c, 99999, "u"))
	e.Handle(denied(c, 99999, "u"))
	if len(b.lines) != 3 {
		t.Error("events from before the end counted again")
	}
	e.Handle(denied(c, 99999, "u"))
	e.Flush(at(100000))
	if len(b.lines) != 5 || b.alerts[4].Status != Resolved || !b.alerts[4].Ended.Equal(at(100000)) {
		t.Errorf("after Flush: %q", b.lines[3:])
	}
}

func TestNoticesDoNotDependOnAdvance(t *testing.T) {
	play := func(step int) []string {
		e, b := engine(t, Builtin(), site)
		rnd := rand.New(rand.NewSource(1))
		connCount = 0
		for s := range 6000 {
			c := conn(fmt.Sprint("192.0.2.", rnd.Intn(20)), fmt.Sprint("10.20.0.25:", 25+rnd.Intn(20)))
			switch rnd.Intn(5) {
			case 0:
				e.Handle(denied(c, float64(s), fmt.Sprint("u", rnd.Intn(30))))
			case 1:
				e.Handle(attempt(c, float64(s), "refused"))
			case 2:
				e.Handle(command(c, float64(s), "RCPT", 550))
			case 3:
				e.Handle(exposed(c, float64(s), fmt.Sprint("u", rnd.Intn(30)), "failure"))
			case 4:
				e.Handle(mail(c, float64(s), sessions.Mail{From: "a@b.test", To: []string{"c@d.test"}}))
			}
			if step > 0 && s%step == 0 {
				e.Advance(at(float64(s) + 0.5))
			}
		}
		e.Flush(at(12000))
		out := b.lines
		for _, a := range b.alerts {
			out = append(out, fmt.Sprint(a.Fingerprint, a.Sessions, a.Summary))
		}
		return out
	}
	want := play(0)
	if len(want) < 100 {
		t.Fatalf("only %d lines", len(want))
	}
	for _, step := range []int{0, 1, 7} {
		if got := play(step); !slices.Equal(got, want) {
			t.Errorf("step %d: other notices", step)
		}
	}
}

func TestGroupsAreBounded(t *testing.T) {
	e, b := engine(t, load(t, countRule), Options{MaxGroups: 100})
	for i := range 5000 {
		c := conn(fmt.Sprintf("10.%d.%d.1", i/256, i%256), "10.0.0.1:25")
		for range 3 {
			e.Handle(denied(c, float64(i)/1000, "u"))
		}
	}
	s := e.Stats().Rules[0]
	if s.Groups != 100 || s.Evicted != 4900 || s.Firing != 11 || s.Folded != 4990 || len(e.timers) != 11 {
		t.Errorf("%+v, %d timers", s, len(e.timers))
	}
	firing := map[string]int{}
	for _, a := range b.alerts {
		if a.Status == Firing {
			firing[a.Fingerprint] = 1
		} else {
			firing[a.Fingerprint]--
		}
	}
	open := 0
	for _, n := range firing {
		open += n
	}
	if open != 11 || len(b.alerts) != 12 {
		t.Errorf("%d alerts are open after %d notices: one is for each of ten groups, one for their storm", open, len(b.alerts))
	}
}

func TestMemoriesAreBounded(t *testing.T) {
	e, _ := engine(t, Builtin(), Options{MaxGroups: 50})
	none := sessions.Session{Helo: sessions.Helo{Verb: "EHLO"}, Extensions: []string{"SIZE"}, TLS: sessions.TLS{Mode: "none"}}
	for i := range 2000 {
		c := conn("192.0.2.1", fmt.Sprintf("10.%d.%d.1:25", i/256, i%256))
		e.Handle(closed(c, 0, none))
		e.Handle(denied(c, 0, fmt.Sprint("u", i)))
		e.Handle(attempt(c, 0, "refused"))
	}
	for _, r := range e.rules {
		if n := len(r.groups.keys.entries); n > 50 {
			t.Errorf("%s: %d groups", r.Name, n)
		}
		for slot := range uint32(len(r.groups.keys.entries)) {
			for _, column := range r.groups.marks {
				if n := len(column.at(slot).list); n > MaxThreshold {
					t.Errorf("%s: %d marks", r.Name, n)
				}
			}
			if n := len(r.groups.sessions.at(slot).list); n > MaxSessions {
				t.Errorf("%s: %d sessions", r.Name, n)
			}
		}
		for _, tr := range r.triggers {
			if tr.others != nil && len(tr.others.keys.entries) != 50 || tr.before != nil && len(tr.before.keys.entries) > 50 {
				t.Errorf("%s: a memory is not bounded", r.Name)
			}
		}
	}
}

func TestFiringIsBounded(t *testing.T) {
	e, b := engine(t, load(t, countRule), Options{})
	for i := range 50 {
		c := conn(fmt.Sprintf("10.0.%d.1", i), "10.0.0.1:25")
		for range 3 {
			e.Handle(denied(c, 0, "u"))
		}
	}
	if s := e.Stats().Rules[0]; s.Firing != 11 || s.Folded != 40 || len(b.alerts) != 11 {
		t.Errorf("%+v, %d notices", s, len(b.alerts))
	}
}

func TestClockGoesBack(t *testing.T) {
	e, b := engine(t, load(t, countRule), Options{})
	c := conn("192.0.2.1", "10.0.0.1:25")
	for range 3 {
		e.Handle(denied(c, 1e8, "u")) // three years ahead
	}
	e.Handle(denied(c, 0, "u"))
	e.Advance(at(301))
	lines(t, b, "27777h46m40s firing warning R [192.0.2.1] 3/3", "5m0s resolved warning R [192.0.2.1] 4/3")
	e.Handle(denied(c, 290, "u")) // a little late: counts as now
	if e.Stats().ClockSteps != 1 || e.now != at(301).UnixNano() {
		t.Errorf("%d steps, now %s", e.Stats().ClockSteps, packetTime(e.now))
	}
	for _, odd := range []time.Time{{}, time.Unix(-5, 0), time.Unix(1<<55, 0), t0} {
		e.Handle(&sessions.Authenticated{In: sessions.In{Conn: c, Time: odd}, Auth: sessions.Auth{Denied: true}})
		e.Handle(&sessions.Attempt{In: sessions.In{Conn: c, Time: odd}})
	}
}

func TestObserver(t *testing.T) {
	o := &observed{}
	e, _ := engine(t, Builtin(), Options{Observer: o})
	c := conn("192.0.2.1", "10.0.0.1:25")
	e.Handle(exposed(c, 0, "u", "failure"))
	e.Handle(exposed(c, 1, "u", "success"))
	e.Advance(at(99999))
	want := "now PlaintextCredentials warning 1, raised PlaintextCredentials warning, now PlaintextCredentials warning 0, " +
		"now PlaintextCredentials critical 1, now PlaintextCredentials critical 0"
	if got := strings.Join(o.lines, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

type observed struct{ lines []string }

func (o *observed) Raised(rule, severity string) {
	o.lines = append(o.lines, fmt.Sprintf("raised %s %s", rule, severity))
}

func (o *observed) FiringNow(rule, severity string, n int) {
	o.lines = append(o.lines, fmt.Sprintf("now %s %s %d", rule, severity, n))
}

func TestSpikeLearns(t *testing.T) {
	e, b := engine(t, Builtin(), Options{})
	c := conn("192.0.2.1", "10.0.0.1:25")
	s := 0.0
	send := func(perMinute, minutes float64) {
		for end := s + 60*minutes; s < end; s += 60 / perMinute {
			e.Handle(attempt(c, s, "established"))
		}
	}
	send(500, 30) // busy since the beginning: that is how it is
	if len(b.lines) != 0 {
		t.Fatalf("a steady rate raised %q", b.lines)
	}
	send(600, 10)
	if len(b.lines) != 0 {
		t.Fatalf("a little more raised %q", b.lines)
	}
	send(3000, 1)
	if len(b.alerts) != 1 || b.alerts[0].Rule != "ConnectionRateSpike" {
		t.Fatalf("six times the rate raised %q", b.lines)
	}
	a := b.alerts[0]
	if a.Threshold < 1000 || a.Threshold > 2000 || !strings.HasPrefix(a.Learned, "expected 4") {
		t.Errorf("threshold %v, learned %q", a.Threshold, a.Learned)
	}
	send(500, 5)
	if n := len(b.alerts); n != 2 || b.alerts[1].Status != Resolved {
		t.Errorf("after the spike: %q", b.lines)
	}
	if v := b.alerts[len(b.alerts)-1].Value; v < 2000 {
		t.Errorf("the peak was %v", v)
	}
}

func TestSpikeFloorAndSilence(t *testing.T) {
	e, b := engine(t, Builtin(), Options{})
	c := conn("192.0.2.1", "10.0.0.1:25")
	for i := range 40 {
		e.Handle(attempt(c, float64(i)*60, "established")) // one a minute, learned
	}
	for i := range 59 {
		e.Handle(attempt(c, 2500+float64(i)/10, "established"))
	}
	if len(b.lines) != 0 {
		t.Fatalf("below the floor: %q", b.lines)
	}
	for i := range 10 {
		e.Handle(attempt(c, 2506+float64(i)/10, "established"))
	}
	if len(b.alerts) != 1 || b.alerts[0].Threshold != 60 {
		t.Fatalf("above the floor: %q", b.lines)
	}
}

func TestLastingChangeIsLearned(t *testing.T) {
	e, b := engine(t, Builtin(), Options{})
	c := conn("192.0.2.1", "10.0.0.1:25")
	for s := 0.0; s < 1800; s += 1 {
		e.Handle(attempt(c, s, "established"))
	}
	for s := 1800.0; s < 6*3600; s += 0.1 {
		e.Handle(attempt(c, s, "established"))
	}
	if n := len(b.alerts); n == 0 || b.alerts[n-1].Status != Resolved {
		t.Errorf("ten times the rate for hours is still news: %q", b.lines)
	}
}

func TestFailingExpressionIsNoMatch(t *testing.T) {
	e, b := engine(t, load(t, `
rules:
  - name: R
    event: mail
    when: mail.to[3] == "x"
    summary: s
`), Options{})
	e.Handle(mail(conn("192.0.2.1", "10.0.0.1:25"), 0, sessions.Mail{}))
	if len(b.lines) != 0 || e.Stats().Rules[0].Errors != 1 {
		t.Errorf("%q %+v", b.lines, e.Stats())
	}
}

func TestEveryFieldReads(t *testing.T) {
	e, b := engine(t, load(t, `
rules:
  - name: S
    event: session
    when: >-
      any(mails, any(.rejected, .to == "r@x" and .code == 550)) and auth[0].username == "u" and commands.MAIL == 2
      and replies["250"] == 3 and "bare_lf" in anomalies and bytes.client == 7 and banner.code == 220
      and helo.name == "h" and end == "quit" and duration == 1.5 and tls.certificate.self_signed
      and tls.certificate.not_after < time and client.port > 0 and server.name == "mx" and role == "relay"
    summary: '{client.ip} {extensions}'
    labels: {who: '{server.name}', team: mail}
`), Options{})
	c := conn("192.0.2.1", "10.0.0.1:25")
	c.ServerName = "mx"
	e.Handle(closed(c, 0, sessions.Session{
		Duration: 1500 * time.Millisecond, End: "quit", Banner: sessions.Banner{Code: 220}, Helo: sessions.Helo{Name: "h"},
		Extensions: []string{"A", "B"}, Anomalies: []string{"bare_lf"}, Bytes: sessions.Sides{Client: 7},
		Auth: []sessions.Auth{{Username: "u"}}, Mails: []*sessions.Mail{{Rejected: []sessions.Rejection{{To: "r@x", Code: 550}}}},
		Commands: []sessions.Count{{Name: "MAIL", N: 2}}, Replies: []sessions.Count{{Name: "250", N: 3}},
		TLS: sessions.TLS{Certificate: &sessions.Certificate{SelfSigned: true}},
	}))
	if len(b.alerts) != 1 || b.alerts[0].Summary != "192.0.2.1 A, B" || b.alerts[0].Labels.Get("who") != "mx" {
		t.Fatalf("%+v %+v", b.alerts, e.Stats())
	}
}

func TestAddresses(t *testing.T) {
	h := newHome(Options{HomeNetworks: site.HomeNetworks, HomeDomains: []string{"Corp.Test."}})
	for address, want := range map[string][2]string{
		"a@b.test":                    {"b.test", "b.test"},
		"a@B.Test.":                   {"b.test", "b.test"},
		"postmaster":                  {"", ""},
		"":                            {"", ""},
		"y%far.test@corp.test":        {"corp.test", "far.test"},
		`"v@far.test"@corp.test`:      {"corp.test", "far.test"},
		"@corp.test:z@far.test":       {"far.test", "far.test"},
		"far.test!user@corp.test":     {"corp.test", "far.test"},
		"100%sure@corp.test":          {"corp.test", "corp.test"},
		"a!b@corp.test":               {"corp.test", "corp.test"},
		"prvs=1%a.b..c@corp.test":     {"corp.test", "corp.test"},
		"list+bob=far.test@corp.test": {"corp.test", "corp.test"},
		"%@@%!@":                      {"", ""},
	} {
		if got := [2]string{domainOf(address), routedDomain(address)}; got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
	for domain, want := range map[string]bool{"corp.test": true, "MX.corp.test": true, "xcorp.test": false, "": false,
		"[10.20.0.25]": true, "[IPv6:fd20::1]": false, "test": false} {
		if h.hasDomain(domain) != want {
			t.Errorf("hasDomain(%q) = %v", domain, !want)
		}
	}
}
