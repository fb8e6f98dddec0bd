package top

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/mailtap/mailtap/sessions"
)

var start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func mail(client, from string, to ...string) *sessions.MailDone {
	c := &sessions.Conn{Client: netip.AddrPortFrom(netip.MustParseAddr(client), 40000)}
	return &sessions.MailDone{In: sessions.In{Conn: c, Time: start}, Mail: &sessions.Mail{From: from, FromKnown: true, To: to}}
}

func shown(entries []Entry) string {
	var out []string
	for _, e := range entries {
		out = append(out, fmt.Sprintf("%s %s %d", e.List, e.Name, e.Mails))
	}
	return strings.Join(out, ", ")
}

func TestListsOfAWindow(t *testing.T) {
	l := New(Options{SenderDomains: 2, RecipientDomains: 2, Clients: 1})
	l.Advance(start)
	l.Handle(mail("192.0.2.1", "a@One.test", "u@x.test", "v@X.test", "w@y.test"))
	l.Handle(mail("192.0.2.1", "b@one.test", "u@x.test"))
	l.Handle(mail("192.0.2.2", "", "u@z.test"))
	l.Handle(mail("192.0.2.2", "b@two.test"))
	l.Handle(mail("192.0.2.2", "nobody"))
	proxied := mail("192.0.2.9", "b@two.test")
	proxied.Origin = &sessions.Origin{Client: netip.MustParseAddrPort("192.0.2.2:0")}
	l.Handle(proxied)
	if entries, ended := l.Advance(start.Add(DefaultWindow - 1)); ended {
		t.Errorf("ended too early: %v", entries)
	}
	entries, ended := l.Advance(start.Add(DefaultWindow))
	const want = "sender_domain one.test 2, sender_domain two.test 2, recipient_domain x.test 2, recipient_domain y.test 1, client 192.0.2.2 4"
	if got := shown(entries); !ended || got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if entries, ended := l.Advance(start.Add(3 * DefaultWindow)); !ended || len(entries) > 0 {
		t.Errorf("an empty window has %v", entries)
	}
}

func TestNoListIsWanted(t *testing.T) {
	if New(Options{}) != nil {
		t.Error("there are lists")
	}
}

func TestTheClockIsSetBack(t *testing.T) {
	l := New(Options{Clients: 1})
	l.Advance(start)
	l.Advance(start.Add(-24 * time.Hour))
	if _, ended := l.Advance(start.Add(-24*time.Hour + DefaultWindow)); !ended {
		t.Error("the window waits for a day")
	}
}

func TestDomains(t *testing.T) {
	for address, want := range map[string]string{
		"a@B.test": "b.test", "": "<>", "a": "", "a@": "", `"x@y"@z.test`: "z.test", "a@\xff.test": "?.test", "a@" + strings.Repeat("x", 256): "",
	} {
		if got := domainOf(address, nullSender); got != want || !utf8.ValidString(got) {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

// What makes up more than its share is found, and no count is more than the truth,
// whatever else comes.
func TestSketchIsHonest(t *testing.T) {
	s, truth, random := newSketch(40), map[string]uint64{}, rand.New(rand.NewPCG(1, 2))
	const total = 20_000
	for n := range total {
		name := fmt.Sprint("rare", random.Uint64())
		if k := random.IntN(100); k < 30 {
			name = fmt.Sprint("busy", k%4) // 7 or 8 % each
		}
		truth[name]++
		s.add(name)
		if n%1000 == 0 {
			for i, c := range s.counters {
				if s.places[c.name] != i || s.heap[c.at] != i || c.at > 0 && s.less(c.at, (c.at-1)/2) {
					t.Fatal("the heap is broken")
				}
			}
		}
	}
	if len(s.counters) != 40 || len(s.places) != 40 {
		t.Errorf("%d counters, %d places", len(s.counters), len(s.places))
	}
	most := s.most(4)
	for _, c := range most {
		if !strings.HasPrefix(c.name, "busy") || c.count-c.above > truth[c.name] || c.count < truth[c.name] || c.count-c.above < truth[c.name]-total/40 {
			t.Errorf("%s: %d less %d, truly %d", c.name, c.count, c.above, truth[c.name])
		}
	}
	if len(most) != 4 {
		t.Errorf("%d names", len(most))
	}
}

func BenchmarkMail(b *testing.B) {
	l := New(Options{SenderDomains: MaxNames, RecipientDomains: MaxNames, Clients: MaxNames})
	var events []*sessions.MailDone
	for i := range 1 << 14 {
		events = append(events, mail(fmt.Sprintf("10.0.%d.%d", i>>8, i&255), fmt.Sprintf("a@d%d.test", i), fmt.Sprintf("u@e%d.test", i)))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		l.Handle(events[i%len(events)])
	}
}
