package alerts

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

func greeted(c *sessions.Conn, s float64) sessions.Event {
	return &sessions.Greeted{In: in(c, s), Banner: sessions.Banner{Code: 220}}
}

// learning is a site that told nothing; what it is told is collected in notices.
func learning(t *testing.T, o Options) (e *Engine, b *book, notices *[]string) {
	notices = new([]string)
	o.LearnServers, o.Notice = true, func(s string) { *notices = append(*notices, s) }
	e, b = engine(t, Builtin(), o)
	return e, b, notices
}

func TestServersAreLearned(t *testing.T) {
	e, b, notices := learning(t, Options{})
	out := func(client string, s float64) { e.Handle(attempt(conn(client, "192.0.2.1:25"), s, "established")) }
	out("10.20.0.40", 0) // nothing is known yet
	e.Handle(greeted(conn("192.0.2.9", "10.20.0.27:25"), 1))
	e.Handle(greeted(conn("192.0.2.9", "203.0.113.5:25"), 2)) // somebody else's
	e.Handle(secured(conn("192.0.2.9", "[fd00::25]:465"), 3, sessions.TLS{Established: true}))
	out("10.20.0.40", 3500) // too early
	out("10.20.0.27", 3700)
	out("fd00::25", 3701)
	out("203.0.113.5", 3702) // not ours
	if len(b.lines) != 0 {
		t.Errorf("raised too early, or for a mail server: %q", b.lines)
	}
	out("10.20.0.40", 3703)
	if len(b.lines) != 1 || b.alerts[0].Rule != "RogueSender" || b.alerts[0].Key != "10.20.0.40" {
		t.Errorf("got %q", b.lines)
	}
	want := []string{
		"home.networks is not set: 10.20.0.27 answered on port 25, so private addresses are taken for ours",
		"home.mail_servers is not set: 10.20.0.27 and whoever else of ours answers on mail ports is taken for a known mail server; after 1h of watching, others are not",
	}
	if !slices.Equal(*notices, want) {
		t.Errorf("notices:\n%s", strings.Join(*notices, "\n"))
	}
}

// TestClockStepsBackWhileLearning holds that nobody is denied for a time that lies ahead.
func TestClockStepsBackWhileLearning(t *testing.T) {
	e, b, _ := learning(t, Options{})
	e.Advance(at(1e6))
	e.Handle(greeted(conn("192.0.2.9", "10.20.0.27:25"), 1))
	e.Handle(attempt(conn("10.20.0.40", "192.0.2.1:25"), 3500, "established"))
	if len(b.lines) != 0 {
		t.Errorf("raised %q", b.lines)
	}
}

func TestLearnedServersAreBounded(t *testing.T) {
	e, b, notices := learning(t, Options{HomeNetworks: site.HomeNetworks, MaxServers: 3})
	for i := range 3 {
		e.Handle(greeted(conn("192.0.2.9", fmt.Sprintf("10.20.0.%d:25", 24+i)), float64(i)))
	}
	if len(*notices) != 2 || !strings.HasPrefix((*notices)[1], "3 mail servers are inside, no more are remembered") {
		t.Errorf("notices %q", *notices)
	}
	e.Handle(greeted(conn("192.0.2.9", "10.20.0.28:25"), 9))
	e.Handle(attempt(conn("10.20.0.29", "192.0.2.1:25"), 9000, "established")) // may be one of those forgotten
	if n := len(e.home.learned.servers); n != 3 || len(b.lines) != 0 {
		t.Errorf("%d servers, %q", n, b.lines)
	}
}

// TestWantsWhatTeaches holds that what is learned reaches the engine although no
// rule reads it, and that Wants does not depend on what was learned.
func TestWantsWhatTeaches(t *testing.T) {
	e, _, _ := learning(t, Options{})
	inside, outside := greeted(conn("192.0.2.9", "10.20.0.27:25"), 0), greeted(conn("192.0.2.9", "203.0.113.5:25"), 0)
	rogue := attempt(conn("10.20.0.40", "192.0.2.1:25"), 0, "established")
	if !e.Wants(inside) || e.Wants(outside) || !e.Wants(rogue) {
		t.Error("wants another's greeting, or not what it must see")
	}
	e.Handle(inside)
	e.Advance(at(4000))
	if !e.Wants(inside) || !e.Wants(rogue) || !e.Wants(attempt(conn("10.20.0.27", "192.0.2.1:25"), 4000, "established")) {
		t.Error("what was learned changed what is wanted")
	}
	named, _ := engine(t, Builtin(), site)
	if named.Wants(inside) {
		t.Error("wants a greeting although the servers are named")
	}
}

// TestHomeIsPrivateSpace holds that rules which ask for home addresses judge
// where none are named.
func TestHomeIsPrivateSpace(t *testing.T) {
	for _, c := range []struct {
		client, server string
		want           int
	}{
		{"192.0.2.1", "10.20.0.25:25", 1}, {"192.0.2.1", "[fd00::1]:25", 1}, {"192.0.2.1", "172.31.0.1:25", 1},
		{"10.20.0.10", "10.20.0.25:25", 0}, {"192.0.2.1", "203.0.113.25:25", 0}, {"192.0.2.1", "100.64.0.1:25", 0},
	} {
		e, b := engine(t, Builtin(), Options{HomeDomains: site.HomeDomains})
		e.Handle(mail(conn(c.client, c.server), 0, sessions.Mail{From: "x@evil.test", To: []string{"y@other.test"}}))
		if len(b.lines) != c.want || len(e.Off()) != 0 {
			t.Errorf("%s to %s: %q, off %v", c.client, c.server, b.lines, e.Off())
		}
	}
}

func TestMonitoredAccounts(t *testing.T) {
	for user, want := range map[string]string{
		"honey": Critical, "HONEY@anywhere.test": Critical, "boss@corp.test": Critical,
		"boss": Warning, "boss@evil.test": Warning, "honeybee": Warning,
	} {
		e, b := engine(t, Builtin(), site)
		for i := range 5 {
			e.Handle(denied(conn("192.0.2.1", "10.20.0.25:587"), float64(i), user))
		}
		if len(b.alerts) != 1 || b.alerts[0].Severity != want {
			t.Errorf("%s: %q, want %s", user, b.lines, want)
		}
	}
}

// TestHomeEntries holds what the entries of a site mean.
func TestHomeEntries(t *testing.T) {
	h := newHome(site)
	for _, c := range []struct {
		what      string
		got, want bool
	}{
		{"a mail server as IPv4 in IPv6", h.testFunctions()["is_mail_server"]("::ffff:10.20.0.25"), true},
		{"a host beside them", h.testFunctions()["is_mail_server"]("10.20.0.28"), false},
		{"a scanner", h.testFunctions()["is_scanner"]("10.20.0.30"), true},
		{"no address", h.testFunctions()["is_scanner"]("x"), false},
		{"nobody", h.monitors(""), false},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v", c.what, c.got)
		}
	}
	if none := newHome(Options{}); !none.isMailServer(conn("10.20.0.28", "10.20.0.25:25").Client.Addr()) {
		t.Error("denied a mail server although none is known")
	}
	if d := time.Duration(newHome(Options{LearnServers: true, LearnTime: time.Minute}).learned.wait); d != time.Minute {
		t.Errorf("learns for %s", d)
	}
}
