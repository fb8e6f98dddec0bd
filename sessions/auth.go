package sessions

import (
	"strings"

	"github.com/mailtap/mailtap/decode/smtp"
)

// authState is one AUTH exchange that is under way (RFC 4954).
type authState struct {
	ex        smtp.Exchange
	time      int64
	gap       bool   // replies were lost
	challenge []byte // text of the last 334; it may name what is asked for
}

// maxChallenge bounds what is kept of a challenge, in octets: enough to tell
// "Username:" from "Password:", and for the names in NTLM's.
const maxChallenge = 1024

func (s *session) authBegins(t *smtp.Token) {
	if s.auth != nil {
		s.authEnds(AuthUnknown, nil)
	}
	s.own().auth = &authState{time: s.now}
	s.auth.ex.Limit = s.f.t.opts.Limits.Exchange
	s.auth.ex.Start(t.Arg)
}

// respond takes the client's answer to a 334.
func (s *session) respond(t *smtp.Token) {
	if s.auth == nil {
		return
	}
	s.auth.ex.Respond(t.Data, s.auth.challenge)
	if len(s.pending) > 0 {
		s.pending[0].time = s.now
	}
}

// authMore opens the client's next line as an answer.
func (s *session) authMore(c *command, r *smtp.Reply) {
	if s.auth != nil {
		s.auth.challenge = append(s.auth.challenge[:0], r.Lines[:min(len(r.Lines), maxChallenge)]...)
	}
	s.c.Set(smtp.InAuth)
}

// authDone ends the exchange with the server's word.
func (s *session) authDone(c *command, r *smtp.Reply) {
	s.goOn(c, r)
	switch {
	case s.auth == nil:
	case r.Code == 421 && s.auth.ex.Username == "" && !s.auth.ex.Secret:
		s.auth = nil // the server leaves (RFC 5321, 3.8): nobody tried to log in yet
	case s.auth.gap && s.auth.ex.Unsure():
		s.authEnds(AuthUnknown, r) // the reply may be another exchange's
	case s.auth.ex.Cancelled:
		s.authEnds(AuthAborted, r)
	case r.Code == 235:
		s.authEnds(AuthSuccess, r)
	case r.Code >= 400 && r.Code < 600 && (!s.auth.ex.Unsure() || r.Code == 535):
		s.authEnds(AuthFailure, r)
	default:
		s.authEnds(AuthUnknown, r)
	}
}

func (s *session) authEnds(result string, r *smtp.Reply) {
	ex := &s.auth.ex
	a := Auth{
		Time: timeOf(s.auth.time), Mechanism: s.mechanism(ex.Mechanism), Username: ex.Username, Authzid: ex.Authzid,
		Domain: ex.Domain, Target: ex.Target, Workstation: ex.Workstation,
		Result: result, Encrypted: s.isInside(), SecretExposed: ex.Secret && !s.isInside(),
	}
	if ex.Odd {
		s.anomaly(BadAuth, s.now, "")
	}
	if ex.Overrun {
		s.anomaly(ExchangeLimit, s.now, "")
	}
	if r != nil {
		a.Code, a.Enhanced = r.Code, s.f.t.texts.word(r.Enhanced)
	}
	a.Denied = result == AuthFailure && denied(a.Code, a.Enhanced)
	s.auth = nil
	if len(s.auths) < s.f.t.opts.Limits.Auths {
		s.own().auths = append(s.auths, a)
	} else {
		s.anomaly(AuthLimit, s.now, "")
	}
	if result == AuthSuccess {
		s.loggedIn, s.own().login = true, a.Username
	}
	s.f.t.emit(&Authenticated{In: s.in(), Auth: a, TLSMode: s.tlsMode.String(), Helo: s.heloNow()})
}

// denied says whether a server refused a login for its credentials rather than
// for the protocol (RFC 4954, 4 and 6; RFC 5248).
func denied(code int, enhanced string) bool {
	switch code {
	case 535, 525, 534, 432:
		return true
	case 503, 504, 538:
		return false
	}
	if code < 400 || code > 599 || enhanced == "5.7.4" || enhanced == "5.7.11" {
		return false
	}
	return strings.HasPrefix(enhanced, "4.7.") || strings.HasPrefix(enhanced, "5.7.")
}

// quitted says whether the client took its leave, in clear or, as the sizes of
// the records tell, inside TLS.
func (s *session) quitted() bool {
	return s.quit || s.sealed && s.tls.watch.Facts().ClosedByQuit
}
