package privacy

import (
	"net/netip"

	"github.com/mailtap/mailtap/sessions"
)

// Event is an event as the output may show it: a copy, where something in it is
// hidden.
func (m *Mask) Event(e sessions.Event) sessions.Event {
	if m == nil {
		return e
	}
	m.begin(e)
	switch e := e.(type) {
	case *sessions.Attempt:
		return &sessions.Attempt{In: m.in(e.In), Result: e.Result}
	case *sessions.Opened:
		return &sessions.Opened{In: m.in(e.In)}
	case *sessions.Greeted:
		out := *e
		out.In, out.Banner.Text = m.in(e.In), m.host(e.Banner.Text)
		return &out
	case *sessions.Replied:
		return m.replied(e)
	case *sessions.Secured:
		out := *e
		out.In = m.in(e.In)
		m.tls(&out.TLS)
		return &out
	case *sessions.Authenticated:
		out := *e
		out.In, out.Helo.Name = m.in(e.In), m.host(e.Helo.Name)
		m.auth(&out.Auth)
		return &out
	case *sessions.MailDone:
		out := *e
		out.In, out.Helo.Name = m.in(e.In), m.host(e.Helo.Name)
		out.Mail = m.mail(e.Mail)
		return &out
	case *sessions.Anomaly:
		out := *e
		out.In, out.Detail = m.in(e.In), m.reply(e.Detail)
		return &out
	case *sessions.Closed:
		out := *e
		out.In = m.in(e.In)
		out.Session = m.session(e.Session)
		return &out
	}
	return e
}

// begin learns what the texts of a connection's event may quote of it.
func (m *Mask) begin(e sessions.Event) {
	m.words, m.ends, m.keep = newQuoted(), nil, netip.Addr{}
	c := e.Of()
	if c == nil {
		return
	}
	m.keep = c.Server.Addr().Unmap()
	if m.settings.Clients.hides() {
		m.ends = m.masked(c).ends
		if o := e.Behind(); o != nil {
			m.quoteClient(m.ends, o.Client.Addr())
		}
	}
	switch e.(type) {
	case *sessions.Replied, *sessions.Authenticated, *sessions.Anomaly:
		m.words = m.saidIn(c)
	case *sessions.Closed:
		delete(m.said, c)
	}
}

// saidIn is what was said in a connection: a reply may quote it later.
func (m *Mask) saidIn(c *sessions.Conn) *quoted {
	q := m.said[c]
	if q == nil || len(q.shown) > maxWords {
		if len(m.said) >= maxSaid {
			clear(m.said)
		}
		q = newQuoted()
		m.said[c] = q
	}
	return q
}

// replied hides the address of a command, and what its reply quotes of it.
func (m *Mask) replied(e *sessions.Replied) *sessions.Replied {
	out := *e
	out.In = m.in(e.In)
	switch e.Verb {
	case "EHLO", "HELO", "LHLO":
		out.Argument = m.host(e.Argument)
	default:
		out.Argument = m.address(e.Argument)
		m.quoteMailbox(m.settings.Addresses, e.Argument)
	}
	out.Text = m.reply(e.Text)
	if e.Verb == "AUTH" && e.Text != "" && m.settings.Users.hides() { // who it was is known when the exchange is told
		out.Text = hidden
	}
	if (e.Verb == "VRFY" || e.Verb == "EXPN") && e.Code/100 == 2 { // the full name stands before the address (RFC 5321, 3.5.1)
		out.Text = m.list(e.Text)
	}
	return &out
}

func (m *Mask) auth(a *sessions.Auth) {
	if !m.settings.Users.hides() {
		a.Target = m.scan(a.Target, m.words)
		return
	}
	for _, name := range []string{a.Username, a.Authzid} {
		m.quoteMailbox(m.settings.Users, name)
	}
	a.Target = m.scan(a.Target, m.words)
	a.Username, a.Authzid = m.user(a.Username), m.user(a.Authzid)
	a.Workstation = m.thing(a.Workstation)
	if m.settings.Users != Account && m.settings.Users != Domain {
		a.Domain = m.thing(a.Domain)
	}
}

// thing is something that names a user beside the login name: a workstation, a
// certificate.
func (m *Mask) thing(s string) string {
	switch {
	case s == "" || !m.settings.Users.hides():
		return s
	case m.settings.Users == Pseudonym || m.settings.Users == Account:
		return "t-" + m.pseudonym(aThing, s)
	}
	return hidden
}

// tls hides who a certificate of the client names. The server's stays.
func (m *Mask) tls(t *sessions.TLS) {
	t.SNI = m.host(t.SNI)
	if t.ClientCertificate == nil || !m.settings.Users.hides() {
		return
	}
	c := *t.ClientCertificate
	c.Subject = m.thing(c.Subject)
	c.Serial, c.SHA256 = "", "" // they lead to it
	if c.SelfSigned {
		c.Issuer = c.Subject
	}
	c.Names = each(c.Names, m.thing)
	t.ClientCertificate = &c
}

func (m *Mask) session(s *sessions.Session) *sessions.Session {
	out := *s
	out.Origin = m.origin(s.Origin)
	out.Banner.Text, out.Helo.Name = m.host(s.Banner.Text), m.host(s.Helo.Name)
	out.Extensions = each(s.Extensions, m.host)
	m.tls(&out.TLS)
	out.Auth = each(s.Auth, func(a sessions.Auth) sessions.Auth {
		m.auth(&a)
		return a
	})
	// A mail of a session reads like the mail's own record.
	out.Mails = each(s.Mails, func(mail *sessions.Mail) *sessions.Mail {
		m.words = newQuoted()
		return m.mail(mail)
	})
	return &out
}

// each is a list made of another; nil stays nil.
func each[T any](list []T, f func(T) T) []T {
	if list == nil {
		return nil
	}
	out := make([]T, len(list))
	for i, v := range list {
		out[i] = f(v)
	}
	return out
}
