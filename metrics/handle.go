package metrics

import (
	"github.com/mailtap/mailtap/sessions"
)

var _ sessions.Handler = (*Metrics)(nil)

// Handle implements sessions.Handler: it counts the event.
func (m *Metrics) Handle(e sessions.Event) {
	c := e.Of()
	role, server := m.role.of(c.Role), m.server.of(c.ServerName)
	switch ev := e.(type) {
	case *sessions.Replied:
		m.replied(ev, role, server)
	case *sessions.Attempt:
		m.attempts.at(role, server, m.attempt.of(ev.Result)).Inc()
	case *sessions.Opened:
		m.opened[role].Add(1)
	case *sessions.Greeted:
		m.greeted(&ev.Banner, role, server)
	case *sessions.Secured:
		m.secured(&ev.TLS, role, server)
	case *sessions.Authenticated:
		m.authenticated(&ev.Auth, role, server)
	case *sessions.MailDone:
		m.mailDone(ev.Mail, role, m.direction.of(c.Direction), server)
	case *sessions.Anomaly:
		m.anomalies.at(m.anomaly.of(ev.Kind)).Inc()
	case *sessions.Closed:
		m.closed(ev.Session, role, m.direction.of(c.Direction), server)
	}
}

func (m *Metrics) replied(ev *sessions.Replied, role, server int) {
	verb := m.replyVerb.of(ev.Verb)
	// A 334 asks the client to go on: AUTH counts with its final reply.
	if ev.Verb != "" && ev.Verb != endOfData && ev.Code != 334 {
		m.commands.at(role, m.verb.of(ev.Verb)).Inc()
	}
	if ev.Code == 0 { // lost, or never came
		return
	}
	m.replies.at(role, server, verb, m.code.at(ev.Code)).Inc()
	if ev.Delay >= 0 && ev.Verb != "" {
		m.replyDelay.at(server, verb).Observe(ev.Delay.Seconds())
	}
	if ev.Verb == "RCPT" {
		m.recipient(ev, role)
	}
}

// recipient counts replies rather than the lists of mails, which are bounded.
func (m *Metrics) recipient(ev *sessions.Replied, role int) {
	result := "rejected"
	switch ev.Code / 100 {
	case 2:
		result = "accepted"
	case 4:
		result = "deferred"
	}
	m.recipients.at(role, m.direction.of(ev.Conn.Direction), m.rcpt.of(result)).Inc()
}

func (m *Metrics) greeted(b *sessions.Banner, role, server int) {
	if b.Code != 0 {
		m.replies.at(role, server, m.replyVerb.of(other), m.code.at(b.Code)).Inc()
	}
	if b.Delay > 0 {
		m.bannerDelay.at(role, server).Observe(b.Delay.Seconds())
	}
}

func (m *Metrics) secured(t *sessions.TLS, role, server int) {
	m.tlsSessions.at(role, server, m.tlsMode.of(t.Mode), m.tlsOutcome.of(t.Outcome)).Inc()
	if t.Version != "" {
		m.tlsHandshakes.at(m.tlsVersion.of(t.Version), m.tlsCipher.of(t.Cipher)).Inc()
	}
	if t.Handshake > 0 {
		m.tlsHandshake.at(server).Observe(t.Handshake.Seconds())
	}
	if t.Certificate != nil && !t.Certificate.NotAfter.IsZero() {
		m.tlsExpiry.at(server).Set(float64(t.Certificate.NotAfter.Unix()))
	}
}

func (m *Metrics) authenticated(a *sessions.Auth, role, server int) {
	encrypted := "false"
	if a.Encrypted {
		encrypted = "true"
	}
	m.auths.at(role, server, m.mechanism.of(a.Mechanism), m.encrypted.of(encrypted), m.authResult.of(a.Result)).Inc()
	if a.SecretExposed {
		m.exposed.at(role, server, m.exposing.of(a.Mechanism)).Inc()
	}
}

func (m *Metrics) mailDone(mail *sessions.Mail, role, direction, server int) {
	m.messages.at(role, direction, server, m.mailResult.of(mail.Result)).Inc()
	if mail.Size >= 0 {
		m.messageBytes.at(role, direction).Observe(float64(mail.Size))
	}
	if mail.Result == sessions.MailAccepted {
		m.messageRecipients.at(role).Observe(float64(len(mail.To)))
	}
}

func (m *Metrics) closed(s *sessions.Session, role, direction, server int) {
	m.sessions.at(role, direction, server, m.end.of(s.End)).Inc()
	if s.End == sessions.EndRefused || s.End == sessions.EndUnanswered {
		return // was never open
	}
	m.sessionDuration.at(role).Observe(s.Duration.Seconds())
	lower(&m.opened[role])
}
