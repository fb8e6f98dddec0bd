package metrics

import (
	"github.com/mailtap/mailtap/sessions"
)

var _ sessions.Handler = (*Shard)(nil)

// Handle implements sessions.Handler: it counts the event.
func (s *Shard) Handle(e sessions.Event) {
	c := s.at(e.Of())
	switch ev := e.(type) {
	case *sessions.Replied:
		s.replied(ev, c)
	case *sessions.Attempt:
		s.attempts.inc(c.role, c.server, s.m.attempt.of(ev.Result))
	case *sessions.Opened:
		s.open[c.role].now++
	case *sessions.Greeted:
		s.greeted(&ev.Banner, c)
	case *sessions.Secured:
		s.secured(&ev.TLS, c)
	case *sessions.Authenticated:
		s.authenticated(&ev.Auth, c)
	case *sessions.MailDone:
		s.mailDone(ev.Mail, c)
	case *sessions.Anomaly:
		s.anomalies.inc(s.m.anomaly.of(ev.Kind))
	case *sessions.Closed:
		s.closed(ev.Session, c)
	}
}

func (s *Shard) replied(ev *sessions.Replied, c *place) {
	verb := s.m.replyVerb.of(ev.Verb)
	// A 334 asks the client to go on: AUTH counts with its final reply.
	if ev.Verb != "" && ev.Verb != endOfData && ev.Code != 334 {
		s.commands.inc(c.role, s.m.commandOf[verb])
	}
	if ev.Code == 0 { // lost, or never came
		return
	}
	s.replies.inc(c.role, c.server, verb, s.m.code.at(ev.Code))
	if ev.Delay >= 0 && ev.Verb != "" {
		s.replyDelay.observe(ev.Delay.Seconds(), c.server, verb)
	}
	if ev.Code >= 400 && ev.Code < 600 && refusing(ev.Verb) {
		s.refused(ev.Code, ev.Enhanced, ev.Text, c)
	}
	if ev.Verb == "RCPT" {
		s.recipient(ev.Code, c)
	}
}

// recipient counts replies rather than the lists of mails, which are bounded.
func (s *Shard) recipient(code int, c *place) {
	result := rcptRejected
	switch code / 100 {
	case 2:
		result = rcptAccepted
	case 4:
		result = rcptDeferred
	}
	s.recipients.inc(c.role, c.direction, result)
}

func (s *Shard) greeted(b *sessions.Banner, c *place) {
	if b.Code != 0 {
		s.replies.inc(c.role, c.server, s.m.replyVerb.of(other), s.m.code.at(b.Code))
	}
	if b.Code >= 400 && b.Code < 600 {
		s.refused(b.Code, "", b.Text, c)
	}
	if b.Delay > 0 {
		s.bannerDelay.observe(b.Delay.Seconds(), c.role, c.server)
	}
}

func (s *Shard) secured(t *sessions.TLS, c *place) {
	s.tlsSessions.inc(c.role, c.server, s.m.tlsMode.of(t.Mode), s.m.tlsOutcome.of(t.Outcome))
	if t.Version != "" {
		s.tlsHandshakes.inc(s.m.tlsVersion.of(t.Version), s.m.tlsCipher.of(t.Cipher))
	}
	if t.Handshake > 0 {
		s.tlsHandshake.observe(t.Handshake.Seconds(), c.server)
	}
	if t.Certificate != nil && !t.Certificate.NotAfter.IsZero() {
		s.expiry[c.server] = float64(t.Certificate.NotAfter.Unix())
	}
}

func (s *Shard) authenticated(a *sessions.Auth, c *place) {
	encrypted := "false"
	if a.Encrypted {
		encrypted = "true"
	}
	s.auths.inc(c.role, c.server, s.m.mechanism.of(a.Mechanism), s.m.encrypted.of(encrypted), s.m.authResult.of(a.Result))
	if a.SecretExposed {
		s.exposed.inc(c.role, c.server, s.m.exposing.of(a.Mechanism))
	}
}

func (s *Shard) mailDone(mail *sessions.Mail, c *place) {
	s.messages.inc(c.role, c.direction, c.server, s.m.mailResult.of(mail.Result))
	if mail.Size >= 0 {
		s.messageBytes.observe(float64(mail.Size), c.role, c.direction)
	}
	if mail.Result == sessions.MailAccepted {
		s.messageRecipients.observe(float64(len(mail.To)), c.role)
	}
	if mail.Header != nil {
		s.content(mail, c)
	}
}

func (s *Shard) closed(rec *sessions.Session, c *place) {
	s.sessions.inc(c.role, c.direction, c.server, s.m.end.of(rec.End))
	if rec.End == sessions.EndRefused || rec.End == sessions.EndUnanswered {
		return // was never open
	}
	s.sessionDuration.observe(rec.Duration.Seconds(), c.role)
	if o := &s.open[c.role]; o.now > 0 { // an end may come without its beginning
		o.now--
	}
}
