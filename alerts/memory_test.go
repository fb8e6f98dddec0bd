package alerts

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// TestMillionSources holds the engine's memory against a million sources
// (MAILTAP_FLOOD=1; else a quarter of it, still more than have room) that each try something of all that the built-in rules count, and that a source
// which comes back again and again is not pushed out by them.
func TestMillionSources(t *testing.T) {
	if raceDetector {
		t.Skip("make test runs it without the race detector")
	}
	sources := 250_000
	if os.Getenv("MAILTAP_FLOOD") != "" {
		sources = 1_000_000
	}
	e, err := NewEngine(Builtin(), site)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	server := netip.MustParseAddrPort("10.20.0.25:25")
	play := func(client netip.Addr, i int) {
		c := &sessions.Conn{ID: fmt.Sprintf("%024d", i), Client: netip.AddrPortFrom(client, 30000), Server: server, Role: "relay"}
		in := sessions.In{Conn: c, Time: t0.Add(time.Duration(i) * time.Millisecond / 4)}
		user := fmt.Sprint("user", i)
		e.Handle(&sessions.Attempt{In: in, Result: "refused"})
		e.Handle(&sessions.Authenticated{In: in, Auth: sessions.Auth{Username: user, Result: sessions.AuthFailure, Denied: true, SecretExposed: true}})
		e.Handle(&sessions.Replied{In: in, Verb: "RCPT", Code: 550})
		e.Handle(&sessions.MailDone{In: in, Mail: &sessions.Mail{From: user + "@x" + user, FromKnown: true, Login: user, Result: sessions.MailAccepted,
			Header: &sessions.Header{MessageID: user}}})
		e.Handle(&sessions.Anomaly{In: in, Kind: sessions.NotSMTP})
	}
	steady := netip.MustParseAddr("192.0.2.1")
	for i := range sources {
		play(netip.AddrFrom4([4]byte{byte(50 + i>>16), byte(i >> 8), byte(i), 1}), i)
		if i%40_000 < 2 { // ten seconds apart
			play(steady, i)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	used := int(after.HeapAlloc-before.HeapAlloc) >> 20
	t.Logf("%d sources: %d MB", sources, used)
	for _, r := range e.Stats().Rules {
		t.Logf("%+v", r)
		if r.Groups > 100_000 || r.Firing > DefaultStorm+1 {
			t.Errorf("%+v", r)
		}
	}
	if used > 256 {
		t.Errorf("%d MB", used)
	}
	runtime.KeepAlive(e)
	found := 0
	for _, r := range e.rules {
		if r.Name != "AuthBruteForce" {
			continue
		}
		for _, f := range r.groups.firing {
			if f.alert.Key == steady.String() {
				found++
			}
		}
	}
	if found != 1 {
		t.Errorf("who came back again and again was pushed out by who came once")
	}
}
