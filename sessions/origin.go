package sessions

import (
	"net/netip"

	"github.com/mailtap/mailtap/decode/smtp"
)

// Ways in which a proxy tells whom it speaks for.
const (
	ViaProxy1   = "proxy-v1"
	ViaProxy2   = "proxy-v2"
	ViaXClient  = "xclient"
	ViaXForward = "xforward"
)

// Origin is the client that a proxy speaks for, as the proxy told it.
type Origin struct {
	Client netip.AddrPort // port 0 where it was not told
	Via    string
}

// proxyHeader takes a PROXY header off the client's first octets and returns
// its length. A server that has greeted already expects none: to it the line
// is a command.
func (s *session) proxyHeader(b []byte) int {
	if s.greeted || s.started[server] || s.f.midway || s.proxied {
		return 0
	}
	h, n, state := smtp.ParseProxy(b)
	switch state {
	case smtp.ProxyBad:
		s.anomaly(BadProxy, s.now, "")
		return n
	case smtp.ProxyDone:
		s.proxied = true
		if h.Source.IsValid() {
			via := ViaProxy1
			if h.Version == 2 {
				via = ViaProxy2
			}
			s.own().origin = &Origin{Client: h.Source, Via: via}
		}
		return n
	}
	return 0
}

// proxyRefused takes a refusal that answers no command, before any greeting of
// the client was accepted: a server that expects no PROXY header has read it as
// commands, a line each. Version 2 has a QUIT in its signature.
func (s *session) proxyRefused(r *smtp.Reply) bool {
	known := s.unproxied && r.Code == 221
	if !s.proxied || s.lostAny || s.helo.takenVerb != smtp.Unknown || r.Code/100 != 5 && !known {
		return false
	}
	s.unproxied, s.own().origin = true, nil
	s.commands.add(smtp.Unknown)
	s.anomaly(UnknownVerb, s.now, "")
	return true
}

// xclientTaken is the server's 220 to XCLIENT: the session begins anew, for
// the client that was named (Postfix, XCLIENT_README).
func (s *session) xclientTaken(c *command, r *smtp.Reply) {
	s.mailAborted()
	if c.proxy.Addr.IsValid() {
		s.own().origin = &Origin{Client: netip.AddrPortFrom(c.proxy.Addr, c.proxy.Port), Via: ViaXClient}
	}
	if c.proxy.Login != "" {
		s.loggedIn, s.own().login = true, c.proxy.Login
	}
}

// xforwardTaken notes whom a filter got the mail from. It grants nothing.
func (s *session) xforwardTaken(c *command, r *smtp.Reply) {
	if s.origin == nil && c.proxy.Addr.IsValid() {
		s.own().origin = &Origin{Client: netip.AddrPortFrom(c.proxy.Addr, c.proxy.Port), Via: ViaXForward}
	}
}

// turnTaken is the server's 250 to TURN or ATRN: from now on the client
// greets, and the server sends mail (RFC 2645, 4).
func (s *session) turnTaken(c *command, r *smtp.Reply) {
	s.anomaly(Turned, s.now, "")
	s.mailAborted()
	s.turned = !s.turned
	s.forget()
	s.early = false
	s.anew()
}
