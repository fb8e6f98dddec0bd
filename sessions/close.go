package sessions

import (
	"slices"

	"github.com/mailtap/mailtap/decode/smtp"
)

// finish ends the dialog and returns the record, all but what TCP counted.
func (s *session) finish(end string) *Session {
	s.now = max(s.now, s.f.last)
	s.unsniffed(client)
	s.unsniffed(server)
	if s.sealed {
		s.readInside() // secrets may have come since
		defer s.tls.watch.Close()
	}
	s.finishWaiting()
	s.finishMail(end)
	if s.auth != nil {
		s.authEnds(AuthUnknown, nil)
	}
	if s.early && !s.started[server] && s.f.isnKnown[server] {
		s.anomaly(EarlyTalker, s.now, "") // and no greeting ever came
	}
	s.unended()
	s.finishTLS()
	s.finishPartial()
	rec := &Session{
		Duration: timeOf(s.f.last).Sub(timeOf(s.f.start)), End: end, Origin: s.origin,
		Banner: s.greeting, Helo: s.heloNow(), Extensions: s.extensions, TLS: s.tlsNow(), Auth: s.auths, Mails: s.mails.list(),
		Commands: s.commands.counts(), Replies: s.codes.counts(&s.f.t.texts), Anomalies: s.anomalies(), Partial: s.partial,
	}
	if s.outer != nil {
		rec.Outer = s.outer.kind
	}
	return rec
}

// heloNow is the last name that the server accepted, else the last one given.
func (s *session) heloNow() Helo {
	switch h := &s.helo; {
	case h.takenVerb != smtp.Unknown:
		return Helo{Verb: h.takenVerb.String(), Name: h.taken}
	case h.givenVerb != smtp.Unknown:
		return Helo{Verb: h.givenVerb.String(), Name: h.given}
	}
	return Helo{}
}

// finishWaiting reads what the client sent ahead to a server that never
// answered.
func (s *session) finishWaiting() {
	if s.c.Mode() != smtp.Wait || s.started[server] {
		return
	}
	s.guess()
	s.pumpClient()
}

// finishMail ends what is open. A transaction that the connection's end cut
// off before the end of data was given up; where only the view ended, nobody
// knows.
func (s *session) finishMail(end string) {
	if s.fork.held != nil {
		s.settleFork()
	} else if s.c.Mode() == smtp.InData {
		s.smuggling()
	}
	for len(s.pending) > 0 {
		c := s.shift()
		if c.content != nil {
			s.mailUnknown(c.content)
		} else if c.verb == smtp.MAIL && !c.lost {
			s.mailAborted()
			s.openMail(&c)
		} else if c.verb == smtp.RCPT {
			s.unanswered(c)
		}
	}
	m := s.mail.open
	if m == nil {
		return
	}
	if !s.mail.settled {
		if s.mail.content != nil {
			s.fill(m, s.takeContent())
			m.Size = -1
		}
		m.Result = MailAborted
		if end == EndRunning || end == EndEvicted || s.partial {
			m.Result = MailUnknown
		}
		m.Duration = max(timeOf(s.now).Sub(m.Time), 0)
	}
	s.endMail()
}

// unended names what was left in clear before TLS.
func (s *session) unended() {
	if !s.sealed {
		return
	}
	s.notAgain(false)
	for from, line := range s.tls.line {
		if len(line) > 0 {
			s.inClear(side(from), line, s.tls.knew[from])
		}
	}
}

// finishTLS tells how encryption went where no handshake told it. A connection
// that never spoke tells nothing.
func (s *session) finishTLS() {
	spoke := s.ehlo || s.sealed || s.helo.takenVerb != smtp.Unknown
	if spoke && !s.secured {
		s.tellSecured()
		return
	}
	s.tlsFacts()
}

func (s *session) finishPartial() {
	if s.f.midway {
		s.partial = true
	}
	if s.started[client] != s.started[server] && (s.f.packets[client] == 0 || s.f.packets[server] == 0) {
		s.anomaly(OneWay, s.now, "")
		s.partial = true
	}
}

func (s *session) anomalies() []string {
	slices.Sort(s.kinds)
	return s.kinds
}

// dismissed says whether the server's last word was that it leaves: 421, 221,
// or a 554 behind which it closes (RFC 5321, 3.8 and 4.2.3).
func (s *session) dismissed() bool {
	return s.lastCode == 421 || s.lastCode == 221 || s.lastCode == 554
}
