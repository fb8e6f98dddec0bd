package page_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailtap/mailtap/dashboards/page"
	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// noon is when the feed's story ends.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// feed plays written conversations to a page, as cmd/mailtap gives it traffic.
type feed struct {
	t       testing.TB
	page    *page.Page
	tracker *sessions.Tracker
	random  *rand.Rand
	number  int

	mu     sync.Mutex
	alerts []page.Alert
}

// fires has more alerts fire. Browsers ask for them at any time.
func (f *feed) fires(more ...page.Alert) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.alerts = append(slices.Clone(f.alerts), more...)
}

func (f *feed) firing() []page.Alert {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.alerts
}

func newFeed(t testing.TB, o page.Options) *feed {
	f := &feed{t: t, random: rand.New(rand.NewPCG(1, 2))}
	o.Sensor, o.Version, o.Roles = "tap-1", "test", []string{"relay", "submission", "submissions"}
	o.Firing = f.firing
	f.page = page.New(o)
	f.tracker = sessions.NewTracker(sessions.Options{
		Sensor: "tap-1", Home: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
		Server: []sessions.NamedServer{{Name: "mx1", Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.25/32")}}, {Name: "submit", Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.58/32")}}},
	}, sessions.HandlerFunc(func(e sessions.Event) {
		if f.page.Wants(e) || ends(e) {
			f.page.Handle(e)
		}
	}))
	return f
}

// ends says what reaches the page whether it wants it or not.
func ends(e sessions.Event) bool {
	switch e.(type) {
	case *sessions.Closed, *sessions.MailDone, *sessions.Authenticated:
		return true
	}
	return false
}

// say plays a conversation that begins at a time.
func (f *feed) say(at time.Time, client, server, text string) {
	f.t.Helper()
	f.number++
	segments, err := dialog.Segments(text, dialog.Options{
		Client: netip.AddrPortFrom(netip.MustParseAddr(client), uint16(20000+f.number%40000)), Server: netip.MustParseAddrPort(server),
		Start: at, ISN: [2]uint32{uint32(f.number) * 1000, uint32(f.number) * 7000},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	for i := range segments {
		f.tracker.Segment(&segments[i])
	}
}

func (f *feed) pick(list ...string) string { return list[f.random.IntN(len(list))] }

// hour plays an hour of a site's mail that ends at noon: it goes up and down,
// guesses of passwords come in a wave, and a server defers for a while.
func (f *feed) hour() {
	start := noon.Add(-time.Hour)
	for second := 0; second < 3600; second += 10 {
		at := start.Add(time.Duration(second) * time.Second)
		f.page.Advance(at)
		day := 1 + 0.6*math.Sin(float64(second)/600)
		for range int(day*3 + f.random.Float64()*3) {
			f.mail(at.Add(time.Duration(f.random.IntN(9000))*time.Millisecond), second)
		}
		if second > 2300 && second < 2900 || f.random.IntN(9) == 0 {
			f.guess(at.Add(time.Second), f.pick("alice", "bob", "admin", "info"))
		}
		if f.random.IntN(3) == 0 {
			f.submit(at.Add(2*time.Second), f.pick("alice", "bob", "carol"))
		}
	}
	f.submit(noon.Add(-time.Second), "alice")
	f.page.Advance(noon)
}

const hello = "S: 220 mx1.corp.test ESMTP Postfix\nC: EHLO %s\nS: 250-mx1.corp.test\nS: 250-PIPELINING\nS: 250-SIZE 52428800\nS: 250 ENHANCEDSTATUSCODES\n"
const bye = "C: QUIT\nS: 221 2.0.0 Bye\nclose C\nclose S\n"

func (f *feed) mail(at time.Time, second int) {
	domain := f.pick("example.org", "example.org", "partner.example", "news.example", "shop.example", "uni.example")
	to := f.pick("alice", "bob", "carol", "dave") + "@corp.test"
	subject := f.pick("Minutes of Monday", "Your order 4711 is on its way", "Re: offer", "Newsletter May", "Backup finished", "Grüße aus Wien")
	text := fmt.Sprintf(hello, "mail."+domain) + fmt.Sprintf("C: MAIL FROM:<%s@%s>\nS: 250 2.1.0 Ok\n", f.pick("office", "jane", "noreply"), domain)
	switch n := f.random.IntN(20); {
	case n == 0:
		text += "C: RCPT TO:<nobody@corp.test>\nS: 550 5.1.1 <nobody@corp.test>: user unknown\n"
	case n < 3 || second > 1400 && second < 1800 && n < 12:
		text += "C: RCPT TO:<" + to + ">\nS: 451 4.7.1 <" + to + ">: greylisted, try again in 300 seconds\n"
	default:
		text += fmt.Sprintf("C: RCPT TO:<%s>\nS: 250 2.1.5 Ok\nC: DATA\nS: 354 End data with <CR><LF>.<CR><LF>\nC: Subject: %s\nC: From: %s\nC:\nC: text\nC: .\nS: 250 2.0.0 Ok: queued as %08X\n", to, subject, "x@"+domain, f.random.Uint32())
	}
	client := fmt.Sprintf("198.51.100.%d", map[string]int{"example.org": 10, "partner.example": 20, "news.example": 30, "shop.example": 40, "uni.example": 50}[domain]+f.random.IntN(2))
	f.say(at, client, "192.0.2.25:25", text+bye)
}

func (f *feed) guess(at time.Time, user string) {
	text := strings.ReplaceAll(fmt.Sprintf(hello, "[203.0.113.66]"), "ENHANCED", "AUTH PLAIN LOGIN\nS: 250 ENHANCED")
	text = strings.Replace(text, "S: 250 AUTH", "S: 250-AUTH", 1)
	f.say(at, "203.0.113.66", "192.0.2.58:587", text+"C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: "+encode(user)+"\nS: 334 UGFzc3dvcmQ6\nC: "+encode("wrong-guess")+"\nS: 535 5.7.8 Error: authentication failed\n"+bye)
}

func (f *feed) submit(at time.Time, user string) {
	text := strings.Replace(fmt.Sprintf(hello, "laptop."+user+".corp.test"), "S: 250 ENH", "S: 250-AUTH PLAIN LOGIN\nS: 250 ENH", 1)
	f.say(at, fmt.Sprintf("192.0.2.%d", 100+len(user)), "192.0.2.58:587", text+
		"C: AUTH PLAIN "+encode("\x00"+user+"\x00right-secret")+"\nS: 235 2.7.0 Authentication successful\n"+
		"C: MAIL FROM:<"+user+"@corp.test>\nS: 250 2.1.0 Ok\nC: RCPT TO:<jane@example.org>\nS: 250 2.1.5 Ok\nC: DATA\nS: 354 go on\nC: Subject: Re: offer\nC:\nC: text\nC: .\nS: 250 2.0.0 Ok: queued as 7A1\n"+bye)
}

// serve makes the page's handler a site.
func (f *feed) serve() *httptest.Server {
	mux := http.NewServeMux()
	f.page.Routes(mux)
	mux.HandleFunc("GET /metrics", func(http.ResponseWriter, *http.Request) {})
	s := httptest.NewServer(mux)
	f.t.Cleanup(func() { f.page.Close(); s.Close() })
	return s
}
