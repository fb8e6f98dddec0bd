package alerts

import (
	"math/rand"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// chance makes random events whose fields mostly hold what rules ask for.
type chance struct {
	*rand.Rand
	texts []string
}

func newChance(seed int64) *chance {
	return &chance{rand.New(rand.NewSource(seed)), []string{
		"", "", "", "a", "x@evil.test", "y@other.test", "bob@corp.test", "ALICE@Mail.Corp.Test.", "y%other.test@corp.test", "postmaster",
		"corp.test", "Über", "bob\x1b[31m", "\xff", "1", "250", "10.20.0.25", "success", "failure", "accepted", "rejected", "refused",
		"unanswered", "established", "VRFY", "RCPT", "EHLO", "MAIL", "none", "stripped", "expired", "self_signed", "submission", "relay",
		"fail", "pass", "starttls_masked", "starttls_injection", "smuggling", "not_smtp", "bare_lf", "quit", "inbound", "PLAIN", "SIZE 10",
	}}
}

func (c *chance) text() string { return c.texts[c.Intn(len(c.texts))] }

var whenever = []time.Duration{0, 0, -1, time.Second, 1500 * time.Millisecond, time.Hour, 300 * time.Hour, 900 * time.Hour}

// fill gives every exported field some value.
func (c *chance) fill(v reflect.Value) {
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = t0.Add(whenever[c.Intn(len(whenever))])
		return
	case *time.Duration:
		*x = whenever[c.Intn(len(whenever))]
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(c.text())
	case reflect.Bool:
		v.SetBool(c.Intn(2) == 0)
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt([]int64{-1, 0, 1, 2, 7, 25, 30, 221, 250, 535, 550, 552}[c.Intn(12)])
	case reflect.Uint64, reflect.Uint16, reflect.Uint8:
		v.SetUint([]uint64{0, 1, 7, 25}[c.Intn(4)])
	case reflect.Pointer:
		if c.Intn(4) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			c.fill(v.Elem())
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), c.Intn(3), 3))
		for i := range v.Len() {
			c.fill(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				c.fill(v.Field(i))
			}
		}
	}
}

func random[T any](c *chance) *T {
	x := new(T)
	c.fill(reflect.ValueOf(x).Elem())
	return x
}

func (c *chance) conn() *sessions.Conn {
	k := random[sessions.Conn](c)
	clients := []string{"10.20.0.10", "10.20.0.25", "192.0.2.1", "192.0.2.2", "2001:db8::1", "::ffff:10.20.0.25", "fe80::1%eth0"}
	client := netip.MustParseAddr(clients[c.Intn(len(clients))])
	if c.Intn(50) == 0 {
		client = netip.Addr{}
	}
	server := netip.AddrFrom4([4]byte{10, 20, 0, byte(24 + c.Intn(9))})
	k.Client, k.Server = netip.AddrPortFrom(client, uint16(30000+c.Intn(9))), netip.AddrPortFrom(server, uint16(25+c.Intn(3)))
	return k
}

// event is one of a kind; that of no kind is one that no rule can read.
func (c *chance) event(k kind, s float64) sessions.Event {
	in := sessions.In{Conn: c.conn(), Time: at(s)}
	if c.Intn(4) == 0 {
		in.Origin = &sessions.Origin{Client: c.conn().Client, Via: []string{sessions.ViaProxy1, sessions.ViaProxy2, sessions.ViaXClient, sessions.ViaXForward}[c.Intn(4)]}
	}
	switch k {
	case kindAttempt:
		return &sessions.Attempt{In: in, Result: c.text()}
	case kindSession:
		x := random[sessions.Session](c)
		x.Mails = slices.DeleteFunc(x.Mails, func(m *sessions.Mail) bool { return m == nil })
		return &sessions.Closed{In: in, Session: x}
	case kindCommand:
		e := random[sessions.Replied](c)
		e.In = in
		return e
	case kindAuth:
		return &sessions.Authenticated{In: in, Auth: *random[sessions.Auth](c)}
	case kindMail:
		return &sessions.MailDone{In: in, Mail: random[sessions.Mail](c), TLSMode: c.text()}
	case kindTLS:
		return &sessions.Secured{In: in, TLS: *random[sessions.TLS](c)}
	case kindAnomaly:
		return &sessions.Anomaly{In: in, Kind: c.text(), Detail: c.text()}
	}
	if k == kindCapture {
		return &captured{Capture{at(s), c.text(), uint64(c.Intn(3000)), uint64(c.Intn(50)), uint64(c.Intn(3e6)), uint64(c.Intn(5e4))}}
	}
	return &sessions.Opened{In: in}
}
