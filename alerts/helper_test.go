package alerts

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

var t0 = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// site is the home of the tests: 10.20.0.24/29 and corp.test, whose mail servers
// are .24 to .27; 10.20.0.30 scans.
var site = Options{
	HomeNetworks:      []netip.Prefix{netip.MustParsePrefix("10.20.0.24/29")},
	HomeDomains:       []string{"corp.test"},
	MailServers:       []netip.Prefix{netip.MustParsePrefix("10.20.0.24/30")},
	Scanners:          []netip.Prefix{netip.MustParsePrefix("10.20.0.30/32")},
	MonitoredAccounts: []string{"Honey", "boss@corp.test"},
}

// book writes down alerts as short lines.
type book struct {
	alerts []Alert
	lines  []string
}

func (b *book) Alert(a Alert) {
	b.alerts = append(b.alerts, a)
	line := fmt.Sprintf("%s %s %s %s [%s] %s/%s", a.Time.Sub(t0), a.Status, a.Severity, a.Rule, a.Key, Number(a.Value), Number(a.Threshold))
	if a.Repeat > 0 {
		line += fmt.Sprintf(" repeat %d", a.Repeat)
	}
	b.lines = append(b.lines, line)
}

func (b *book) rules() map[string]bool {
	out := map[string]bool{}
	for _, a := range b.alerts {
		out[a.Rule] = true
	}
	return out
}

func load(t testing.TB, yaml string) RuleSet {
	t.Helper()
	set, err := LoadRules(strings.NewReader(yaml), "rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// reading are the built-in rules that read any of the events. The others cannot
// fire; compiling them takes most of the time of a short test.
func reading(events ...sessions.Event) RuleSet {
	set := Builtin()
	set.Rules = slices.DeleteFunc(set.Rules, func(r Rule) bool {
		return !slices.ContainsFunc(events, func(ev sessions.Event) bool {
			k, _ := kindOf(ev)
			return slices.Contains(r.Events(), kindNames[k])
		})
	})
	return set
}

func engine(t testing.TB, set RuleSet, o Options) (*Engine, *book) {
	t.Helper()
	b := &book{}
	if o.Sink == nil {
		o.Sink = b
	}
	e, err := NewEngine(set, o)
	if err != nil {
		t.Fatal(err)
	}
	return e, b
}

var connCount int

// conn makes a connection: "10.20.0.10" to "10.20.0.25:25".
func conn(client, server string) *sessions.Conn {
	connCount++
	c := &sessions.Conn{
		ID:     fmt.Sprintf("s%d", connCount),
		Client: netip.AddrPortFrom(netip.MustParseAddr(client), uint16(30000+connCount%30000)),
		Server: netip.MustParseAddrPort(server),
		Role:   "relay", Direction: "inbound", Start: t0,
	}
	return c
}

func at(seconds float64) time.Time { return t0.Add(time.Duration(seconds * float64(time.Second))) }

func in(c *sessions.Conn, seconds float64) sessions.In {
	return sessions.In{Conn: c, Time: at(seconds)}
}

func denied(c *sessions.Conn, s float64, user string) sessions.Event {
	return &sessions.Authenticated{In: in(c, s), Auth: sessions.Auth{Mechanism: "PLAIN", Username: user,
		Result: sessions.AuthFailure, Code: 535, Denied: true, Encrypted: true}}
}

func accepted(c *sessions.Conn, s float64, user string) sessions.Event {
	return &sessions.Authenticated{In: in(c, s), Auth: sessions.Auth{Mechanism: "PLAIN", Username: user,
		Result: sessions.AuthSuccess, Code: 235, Encrypted: true}}
}

func exposed(c *sessions.Conn, s float64, user, result string) sessions.Event {
	return &sessions.Authenticated{In: in(c, s), Auth: sessions.Auth{Mechanism: "PLAIN", Username: user,
		Result: result, SecretExposed: true}}
}

func attempt(c *sessions.Conn, s float64, result string) sessions.Event {
	return &sessions.Attempt{In: in(c, s), Result: result}
}

func command(c *sessions.Conn, s float64, verb string, code int) sessions.Event {
	return &sessions.Replied{In: in(c, s), Verb: verb, Code: code}
}

func odd(c *sessions.Conn, s float64, kind string) sessions.Event {
	return &sessions.Anomaly{In: in(c, s), Kind: kind}
}

func mail(c *sessions.Conn, s float64, m sessions.Mail) sessions.Event {
	if m.Result == "" {
		m.Result = sessions.MailAccepted
	}
	m.FromKnown = true
	return &sessions.MailDone{In: in(c, s), Mail: &m, TLSMode: sessions.TLSNone}
}

func closed(c *sessions.Conn, s float64, x sessions.Session) sessions.Event {
	return &sessions.Closed{In: in(c, s), Session: &x}
}

func secured(c *sessions.Conn, s float64, t sessions.TLS) sessions.Event {
	return &sessions.Secured{In: in(c, s), TLS: t}
}

func said(c *sessions.Conn, s float64, verb string, code int, text string) sessions.Event {
	return &sessions.Replied{In: in(c, s), Verb: verb, Code: code, Text: text}
}

// behind is an event of a session in which a proxy had told of another client.
func behind(ev sessions.Event, client string) sessions.Event {
	o := &sessions.Origin{Client: netip.AddrPortFrom(netip.MustParseAddr(client), 0), Via: sessions.ViaProxy2}
	switch ev := ev.(type) {
	case *sessions.Authenticated:
		ev.Origin = o
	case *sessions.MailDone:
		ev.Origin = o
	}
	return ev
}

// away is a connection that the server did not take.
func away(c *sessions.Conn, s int, end string) sessions.Event {
	return closed(c, float64(s), sessions.Session{End: end, TLS: sessions.TLS{Mode: "none"}})
}
