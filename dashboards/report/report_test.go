package report

import (
	"bytes"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/sessions"
)

var update = flag.Bool("update", false, "renew the golden files")

var start = time.Date(2026, 3, 9, 8, 7, 6, 0, time.UTC)

func conn(server, role, direction string) *sessions.Conn {
	return &sessions.Conn{
		ID: "S1", Client: netip.MustParseAddrPort("192.0.2.7:40000"), Server: netip.MustParseAddrPort(server), ServerName: "mx1",
		Role: role, Direction: direction, Start: start,
	}
}

func in(c *sessions.Conn, after time.Duration) sessions.In {
	return sessions.In{Conn: c, Time: start.Add(after)}
}

// aMorning is ordinary traffic with a bit of everything.
func aMorning() *Report {
	r := new(Report)
	mx, out := conn("192.0.2.25:25", "relay", "inbound"), conn("[2001:db8::26]:587", "submission", "internal")
	for i := range 200 {
		c := mx
		if i%5 == 0 {
			c = out
		}
		at := time.Duration(i) * time.Minute
		m := &sessions.Mail{Result: results[min(i%17, 4)], To: []string{"a", "b"}, Size: 1500, Encrypted: i%2 == 0}
		if i%40 == 0 {
			m.Attachments = []sessions.Attachment{{Filename: "a.exe", Danger: []sessions.Danger{{Kind: "executable"}}}, {Filename: "b.txt"}}
		}
		r.Handle(&sessions.Replied{In: in(c, at), Verb: "EHLO", Code: 250, Delay: time.Duration(i+1) * time.Millisecond})
		r.Handle(&sessions.MailDone{In: in(c, at), Mail: m})
		r.Handle(&sessions.Secured{In: in(c, at), TLS: sessions.TLS{Mode: sessions.TLSStartTLS, Outcome: sessions.TLSEstablished, Version: "TLSv1.3", Certificate: &sessions.Certificate{Problems: []string{"expired"}}}})
		r.Handle(&sessions.Closed{In: in(c, at+time.Second), Session: &sessions.Session{
			End: sessions.Ends[i%3], Partial: i%50 == 0, Lost: sessions.Sides{Client: 10}, TLS: sessions.TLS{Established: true, Decrypted: i%2 == 0},
		}})
	}
	for i := range 12 {
		r.Handle(&sessions.Replied{In: in(mx, time.Hour), Verb: "RCPT", Code: 550, Enhanced: "5.1.1", Text: "5.1.1 <ghost@corp.test>: no such user", Delay: -1})
		r.Handle(&sessions.Authenticated{In: in(out, time.Hour), Auth: sessions.Auth{Mechanism: "PLAIN", Username: fmt.Sprint("user", i%3), Result: sessions.AuthFailure, Denied: true, SecretExposed: i < 4}})
	}
	r.Handle(&sessions.Replied{In: in(mx, time.Hour), Verb: ".", Code: 451, Enhanced: "4.7.1", Text: "4.7.1 greylisted", Delay: 3 * time.Second})
	r.Handle(&sessions.Replied{In: in(out, time.Hour), Verb: "AUTH", Code: 535, Delay: time.Second})
	r.Handle(&sessions.Greeted{In: in(mx, time.Hour), Banner: sessions.Banner{Code: 554, Text: "no"}})
	r.Handle(&sessions.Anomaly{In: in(mx, time.Hour), Kind: sessions.BareLF})
	r.Alert(alerts.Alert{Time: start.Add(time.Hour), Rule: "AuthBruteForce", Severity: alerts.Warning, Status: alerts.Firing, Summary: "192.0.2.7 failed to log in 5 times."})
	r.Alert(alerts.Alert{Time: start.Add(2 * time.Hour), Rule: "PlaintextCredentials", Severity: alerts.Critical, Status: alerts.Firing, Summary: "A password crossed the wire.", Runbook: "https://example.test/r"})
	r.Alert(alerts.Alert{Time: start.Add(3 * time.Hour), Rule: "AuthBruteForce", Severity: alerts.Warning, Status: alerts.Firing, Repeat: 1, Summary: "again"})
	r.Alert(alerts.Alert{Time: start.Add(3 * time.Hour), Rule: "AuthBruteForce", Severity: alerts.Warning, Status: alerts.Resolved, Summary: "over"})
	return r
}

func morningInput() Input {
	return Input{
		Files: []string{"monday.pcap", "tuesday.pcap"}, Packets: 123456, Octets: 98_765_432, First: start.UnixNano(), Last: start.Add(4 * time.Hour).UnixNano(),
		LeftOut: []Row{{"not_ip", 3}, {"not_tcp", 40}}, Unread: []string{"wednesday.pcap: no such file"},
	}
}

func TestTextIsGolden(t *testing.T) {
	var got bytes.Buffer
	if err := aMorning().Build(morningInput()).Text(&got); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/morning.txt", got.Bytes())
}

func TestHTMLIsGolden(t *testing.T) {
	var got bytes.Buffer
	if err := aMorning().Build(morningInput()).HTML(&got); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/morning.html", got.Bytes())
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("differs from %s (-update renews it); got\n%s", file, got)
	}
}

func TestEmpty(t *testing.T) {
	var text, page bytes.Buffer
	p := new(Report).Build(Input{Files: []string{"none.pcap"}})
	if err := p.Text(&text); err != nil || !strings.Contains(text.String(), "no packets") {
		t.Errorf("%v: %s", err, text.String())
	}
	if err := p.HTML(&page); err != nil || !strings.Contains(page.String(), "no packets") {
		t.Errorf("%v", err)
	}
}

// evil drives a terminal and a browser, if it is let.
const evil = "\x1b]0;owned\x07\u202e<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{.}}\n\xff\x9b2J"

// aFlood is hostile traffic: every name is new, and evil.
func aFlood(n int) *Report {
	r := new(Report)
	for i := range n {
		name := fmt.Sprintf("%s%d", evil, i)
		server := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), uint16(i))
		c := &sessions.Conn{Server: server, ServerName: name, Role: name, Direction: name, Start: start}
		at := sessions.In{Conn: c, Time: start.Add(time.Duration(i*i) * time.Second)}
		r.Handle(&sessions.Replied{In: at, Verb: "RCPT", Code: 400 + i%200, Enhanced: name, Text: name + strings.Repeat("x", 4000), Delay: time.Duration(i)})
		r.Handle(&sessions.MailDone{In: at, Mail: &sessions.Mail{Result: name, Attachments: []sessions.Attachment{{Danger: []sessions.Danger{{Kind: name}}}}}})
		r.Handle(&sessions.Authenticated{In: at, Auth: sessions.Auth{Mechanism: name, Username: name, Result: name, SecretExposed: true}})
		r.Handle(&sessions.Secured{In: at, TLS: sessions.TLS{Outcome: name, Version: name, Certificate: &sessions.Certificate{Problems: []string{name}}}})
		r.Handle(&sessions.Anomaly{In: at, Kind: name})
		r.Handle(&sessions.Closed{In: at, Session: &sessions.Session{End: name}})
		if i < 100 {
			r.Alert(alerts.Alert{Time: at.Time, Rule: name, Severity: evil, Status: alerts.Firing, Summary: name, Runbook: "javascript:alert(3)"})
		}
	}
	return r
}

func floodInput() Input {
	in := Input{Packets: 1, First: 1, Last: 1 << 62, Unread: []string{evil}}
	for i := range 500 {
		in.Files = append(in.Files, evil)
		in.LeftOut = append(in.LeftOut, Row{fmt.Sprint(evil, i), 1})
	}
	return in
}

func TestTextOfHostileNames(t *testing.T) {
	var out bytes.Buffer
	if err := aFlood(3000).Build(floodInput()).Text(&out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) > 65 {
		t.Errorf("%d lines are no page", len(lines))
	}
	for _, line := range lines {
		if n := utf8.RuneCountInString(line); n > Columns {
			t.Errorf("%d columns: %q", n, line)
		}
		if strings.ContainsFunc(line, func(c rune) bool { return c < ' ' || c >= 0x7f && c < 0xa0 || c == 0x202e }) {
			t.Errorf("controls in %q", line)
		}
	}
}

// What comes from mail makes no element, no attribute and no link.
func TestHTMLOfHostileNames(t *testing.T) {
	var out bytes.Buffer
	if err := aFlood(300).Build(floodInput()).HTML(&out); err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(&out)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for name := range strings.FieldsSeq("html head meta title style body main header h1 h2 p section div b span svg line text g rect circle i table thead tbody tr th td a code ul li footer") {
		known[name] = true
	}
	evils := 0
	for n := range root.Descendants() {
		switch n.Type {
		case html.TextNode:
			evils += strings.Count(n.Data, "<script>alert(1)</script>")
		case html.ElementNode:
			if !known[n.Data] {
				t.Errorf("an element <%s>", n.Data)
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "src" || a.Key == "style" {
					t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
				}
				if a.Key == "href" && strings.Contains(a.Val, "javascript") {
					t.Errorf("a link to %q", a.Val)
				}
			}
		}
	}
	if evils < 50 {
		t.Errorf("only %d hostile names are shown: the test does not see them", evils)
	}
}

func TestHTMLNeedsNothingElse(t *testing.T) {
	var out bytes.Buffer
	if err := aMorning().Build(morningInput()).HTML(&out); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"src=", "url(", "@import", "<script", "<link"} {
		if strings.Contains(out.String(), word) {
			t.Errorf("the page has %s", word)
		}
	}
}

// However many names come, memory stays and the sums are right.
func TestBounded(t *testing.T) {
	const n = 6_000
	r := aFlood(n)
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if m.HeapAlloc > 20<<20 {
		t.Errorf("%d octets are held", m.HeapAlloc)
	}
	p := r.Build(Input{})
	for name, c := range map[string]Counts{"logins": p.Logins, "mechanisms": p.Mechanisms, "ends": p.Ends, "roles": p.Sessions, "tls": p.TLS, "versions": p.Versions, "dangers": p.Attachments.Dangers} {
		sum := c.Other
		for _, row := range c.Rows {
			sum += row.N
		}
		if c.Total != n || sum != n {
			t.Errorf("%s: total %d, sum %d, want %d", name, c.Total, sum, n)
		}
	}
	mails := 0
	for _, k := range p.Kinds {
		mails += k.Results.Total
	}
	if len(p.Kinds) > maxKinds+1 || mails != n || p.Mails.Total != n {
		t.Errorf("%d kinds of mails, %d and %d mails", len(p.Kinds), mails, p.Mails.Total)
	}
	refusals := p.Refusals.Other
	for _, v := range p.Refusals.Rows {
		refusals += v.N
	}
	if p.Refusals.Total != n || refusals != n {
		t.Errorf("%d and %d refusals", p.Refusals.Total, refusals)
	}
	if replies := r.servers.rest.n; len(r.servers.delays) > maxServers || replies < n-maxServers {
		t.Errorf("%d servers, %d replies of others", len(r.servers.delays), replies)
	}
	sum := 0
	for i := range p.Slots {
		sum += p.Slots[i].Mails()
	}
	if sum != n || len(p.Slots) > slots {
		t.Errorf("%d mails in %d slots", sum, len(p.Slots))
	}
}

// Who is frequent stays, however many others come before and behind.
func TestFrequentNamesStay(t *testing.T) {
	var names tally
	for i := range 20_000 {
		names.add(fmt.Sprint("rare", i), 1)
		if i%4 == 0 {
			names.add("frequent", 1)
		}
	}
	c := names.top(1)
	if c.Rows[0].Name != "frequent" || c.Rows[0].N < 4500 || c.Total != 25_000 {
		t.Errorf("%+v", c)
	}
}

func TestDelays(t *testing.T) {
	var d delays
	for i := range 1000 {
		d.add(time.Duration(i+1) * time.Millisecond)
	}
	for share, want := range map[float64]time.Duration{0.5: 500 * time.Millisecond, 0.95: 950 * time.Millisecond, 0: time.Millisecond} {
		if got := d.quantile(share); got < want*85/100 || got > want*115/100 {
			t.Errorf("quantile %v is %v, want about %v", share, got, want)
		}
	}
	if d.worst != time.Second {
		t.Errorf("worst %v", d.worst)
	}
	for _, v := range []time.Duration{-1, 0, 999, time.Microsecond, 3 * time.Microsecond, 4 * time.Microsecond, time.Hour, 1 << 62} {
		s := stepOf(v)
		if m := middleOf(s); v > 4*time.Microsecond && v < 19*time.Hour && (m < v*85/100 || m > v*115/100) {
			t.Errorf("%v falls to %v", v, m)
		}
	}
	d = delays{}
	d.add(time.Second)
	if m := d.quantile(0.5); m < 900*time.Millisecond || m > time.Second || d.quantile(1) != time.Second {
		t.Errorf("one reply in 1s: %v, %v", d.quantile(0.5), d.quantile(1))
	}
}

func TestTimeline(t *testing.T) {
	var l timeline
	seconds := []int64{1000, 1001, 1001, 1100, 900, 5000, -40, 1 << 33, -1 << 33}
	for i, s := range seconds {
		l.at(s).Accepted++
		from, width, list := l.shown()
		sum := 0
		for j := range list {
			sum += list[j].Accepted
		}
		if sum != i+1 || len(list) > slots || from > min(s, 1000) || from+width*int64(len(list)) <= s {
			t.Errorf("behind %d: %d mails in %d slots of %d from %d", s, sum, len(list), width, from)
		}
	}
}

func TestMeanings(t *testing.T) {
	for _, c := range []struct {
		code           int
		enhanced, want string
	}{
		{550, "5.1.1", "no such mailbox"}, {450, "4.2.0", "mailbox busy"}, {550, "5.4.99", "network or routing"}, {550, "", "mailbox not available"},
		{599, "", "refused"}, {432, "x", "refused for now"}, {554, "5.7.1", "not authorised"},
	} {
		if got := meaningOf(c.code, c.enhanced); got != c.want {
			t.Errorf("%d %s means %q, want %q", c.code, c.enhanced, got, c.want)
		}
	}
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		amount(0): "0", amount(999): "999", amount(1000): "1,000", amount(1234567): "1,234,567",
		octets(int64(1)): "1 octet", octets(int64(999)): "999 octets", octets(int64(1000)): "1.00 kB", octets(int64(99_950)): "100 kB", octets(int64(1_234_567)): "1.23 MB",
		short(500): "0 µs", short(1500 * time.Microsecond): "1.5 ms", short(90 * time.Second): "1m30s",
		long(time.Hour): "1h", long(90 * time.Minute): "1h30m", long(time.Minute): "1m", long(2 * time.Second): "2s", long(72 * time.Hour): "3.0 days", long(74 * time.Second): "1m14s",
		share(1, 3): "33.3 %", share(1, 100000): "<0.1 %", share(99999, 100000): ">99.9 %", share(0, 0): "–", share(2, 2): "100 %",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func BenchmarkHandle(b *testing.B) {
	r := new(Report)
	c := conn("192.0.2.25:25", "relay", "inbound")
	e := &sessions.Replied{In: in(c, 0), Verb: "RCPT", Code: 550, Enhanced: "5.1.1", Text: "no such user", Delay: time.Millisecond}
	b.ReportAllocs()
	for b.Loop() {
		r.Handle(e)
	}
}
