package alerts

import (
	"fmt"
	"math/rand"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// Events of the benchmarks stand for what a busy server sees: many clients in
// no order, so that what is remembered of each is cold, while the event itself
// was just made.
const (
	benchClients = 5000
	benchServers = 20
	benchMails   = 8 * benchClients
)

// crowd plays sessions again and again, each time of another client and with
// other names: the events are the same ones, changed.
type crowd struct {
	conn    sessions.Conn
	mail    sessions.Mail
	header  sessions.Header
	auth    *sessions.Authenticated
	at      []*time.Time
	events  []sessions.Event
	clients []netip.AddrPort
	servers []netip.AddrPort
	from    []string
	ids     []string // of messages
	users   []string // by client
	rnd     *rand.Rand
	n       int
	touched byte
}

func newCrowd() *crowd {
	c := &crowd{conn: sessions.Conn{ID: "s1", Role: "relay", Direction: "inbound", Start: t0}}
	for i := range benchClients {
		a := netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)})
		c.clients = append(c.clients, netip.AddrPortFrom(a, 40000))
		c.users = append(c.users, "user"+a.String())
	}
	c.rnd = rand.New(rand.NewSource(1))
	for i := range benchServers {
		c.servers = append(c.servers, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 20, 0, byte(24 + i)}), 25))
	}
	for i := range 500 {
		c.from = append(c.from, fmt.Sprintf("user%d@sender%d.example", i, i))
	}
	for range benchMails {
		c.ids = append(c.ids, fmt.Sprintf("<%016x.%d@mail.sender.example>", c.rnd.Uint64(), len(c.ids)))
	}
	return c
}

// next makes the events those of another client, 200 ms of packet time later:
// a client comes again after a quarter of an hour or so.
func (c *crowd) next() []sessions.Event {
	i := c.n
	c.n++
	client := c.rnd.Intn(benchClients)
	c.conn.Client, c.conn.Server = c.clients[client], c.servers[client*13%benchServers]
	c.mail.From, c.header.MessageID = c.from[client%500], c.ids[i%benchMails]
	c.touched += c.ids[(i+8)%benchMails][0]
	if c.auth != nil {
		c.auth.Auth.Username = c.users[client]
	}
	now := t0.Add(time.Duration(i) * 200 * time.Millisecond)
	for _, at := range c.at {
		*at = now
	}
	return c.events
}

func (c *crowd) in() sessions.In { return sessions.In{Conn: &c.conn} }

func (c *crowd) opening(result string) {
	a, o, g := &sessions.Attempt{In: c.in(), Result: result}, &sessions.Opened{In: c.in()}, &sessions.Greeted{In: c.in()}
	c.at = append(c.at, &a.Time, &o.Time, &g.Time)
	c.events = append(c.events, a, o, g)
}

func (c *crowd) replies(verbs ...string) {
	for _, v := range verbs {
		r := &sessions.Replied{In: c.in(), Verb: v, Code: 250, Text: "OK"}
		c.at, c.events = append(c.at, &r.Time), append(c.events, r)
	}
}

func (c *crowd) closing(s *sessions.Session) {
	e := &sessions.Closed{In: c.in(), Session: s}
	c.at, c.events = append(c.at, &e.Time), append(c.events, e)
}

// session is an ordinary session with one accepted mail.
func session() *crowd {
	c := newCrowd()
	c.opening("established")
	c.replies("EHLO", "MAIL", "RCPT", "DATA", ".")
	tls := sessions.TLS{Mode: sessions.TLSNone, Outcome: sessions.TLSNotUsed, Offered: true}
	c.header = sessions.Header{Subject: "s", From: "A <a@sender.example>", FromAddresses: []string{"a@sender.example"}, Received: 2}
	c.mail = sessions.Mail{FromKnown: true, To: []string{"bob@corp.test"}, Result: sessions.MailAccepted, Code: 250, Size: 2000, Header: &c.header}
	m := &sessions.MailDone{In: c.in(), Mail: &c.mail, TLSMode: sessions.TLSNone}
	s := &sessions.Secured{In: c.in(), TLS: tls}
	c.at, c.events = append(c.at, &m.Time), append(c.events, m)
	c.replies("QUIT")
	c.at, c.events = append(c.at, &s.Time), append(c.events, s)
	c.closing(&sessions.Session{End: sessions.EndQuit, Helo: sessions.Helo{Verb: "EHLO", Name: "a"},
		Extensions: []string{"SIZE", "STARTTLS"}, TLS: tls, Mails: []*sessions.Mail{&c.mail},
		Commands: []sessions.Count{{Name: "EHLO", N: 1}, {Name: "MAIL", N: 1}}, Replies: []sessions.Count{{Name: "250", N: 4}}})
	return c
}

// failedLogin is a session whose login fails.
func failedLogin() *crowd {
	c := newCrowd()
	c.opening("established")
	c.replies("EHLO", "AUTH")
	c.auth = denied(&c.conn, 0, "").(*sessions.Authenticated)
	c.at, c.events = append(c.at, &c.auth.Time), append(c.events, c.auth)
	c.replies("QUIT")
	c.closing(&sessions.Session{End: sessions.EndQuit, Helo: sessions.Helo{Verb: "EHLO", Name: "a"}, Extensions: []string{"AUTH"},
		TLS: sessions.TLS{Mode: sessions.TLSNone}, Auth: []sessions.Auth{{Result: sessions.AuthFailure}}})
	return c
}

func (c *crowd) engine(b *testing.B) *Engine {
	o := site
	o.MaxGroups = benchMails / 2 // message ids push each other out
	e, err := NewEngine(Builtin(), o)
	if err != nil {
		b.Fatal(err)
	}
	for range 2 * benchMails {
		for _, ev := range c.next() {
			e.Handle(ev)
		}
	}
	b.ReportAllocs()
	return e
}

func BenchmarkSession(b *testing.B) {
	for name, of := range map[string]func() *crowd{"mail": session, "login": failedLogin} {
		b.Run(name, func(b *testing.B) {
			c := of()
			e := c.engine(b)
			for b.Loop() {
				for _, ev := range c.next() {
					e.Handle(ev)
				}
			}
		})
	}
}

// BenchmarkEvent measures each event of a session alone.
func BenchmarkEvent(b *testing.B) {
	one := func(name string, c *crowd, i int) {
		c.events = c.events[i : i+1]
		kind := strings.TrimPrefix(fmt.Sprintf("%T", c.events[0]), "*sessions.")
		b.Run(name+"/"+kind, func(b *testing.B) {
			e := c.engine(b)
			for b.Loop() {
				e.Handle(c.next()[0])
			}
		})
	}
	for _, i := range []int{0, 1, 5, 8, 10, 11} {
		one("mail", session(), i)
	}
	one("login", failedLogin(), 5)
}
