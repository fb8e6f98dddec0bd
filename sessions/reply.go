package sessions

import (
	"time"

	"github.com/mailtap/mailtap/decode/smtp"
)

// This file pairs the server's replies with the commands that they answer.

// reply pairs a reply with the command that it answers and runs the state
// table.
func (s *session) reply(r *smtp.Reply) {
	if r.Code == 0 {
		s.anomaly(BadReply, s.now, "")
		return
	}
	if r.Long {
		s.anomaly(LongReply, s.now, "")
	}
	s.countReply(r.Code)
	if s.isBanner(r) {
		s.banner(r)
		return
	}
	s.greeted, s.mustGuess = true, false
	if s.c.Mode() == smtp.Tail {
		s.found()
	}
	if s.forked(r) {
		return
	}
	if s.lostAny {
		r.Headless = r.Headless && (len(s.pending) == 0 || s.pending[0].lost || s.pending[0].seen != r.Begin)
		s.skipTo(r)
		if s.adrift(r) {
			s.lonely(r)
			return
		}
	}
	s.passLost()
	s.passDoubtful(r)
	if r.Headless && r.Code == 421 { // the replies before it may stand in the gap
		for len(s.pending) > 0 {
			s.unanswered(s.shift())
		}
	}
	if len(s.pending) == 0 || s.unsolicited(r) {
		s.lonely(r)
		return
	}
	s.answer(r)
}

// skipTo leaves out commands that a reply cannot answer: after a loss 354 finds
// its DATA, 221 its QUIT.
func (s *session) skipTo(r *smtp.Reply) {
	want := smtp.DATA
	switch r.Code {
	case 354:
	case 221:
		want = smtp.QUIT
	case 235:
		want = smtp.AUTH
	default:
		return
	}
	for i := range s.pending {
		if s.pending[i].verb == want || s.pending[i].lost {
			for range i {
				s.unanswered(s.shift())
			}
			return
		}
	}
}

func (s *session) countReply(code int) {
	s.lastCode = uint16(code)
	s.codes.add(uint16(code))
}

// mayEcho says whether a reply may repeat what the client sent although that
// was a secret: servers quote a line that they did not understand, and after a
// refused AUTH that line can be a password.
func (s *session) mayEcho(c *command, r *smtp.Reply) bool {
	return c.verb == smtp.Unknown || c.verb == smtp.AUTH || s.misread(r)
}

// misread says whether a reply may be about another line than the one that it
// was paired with: after a loss, a complaint of the syntax.
func (s *session) misread(r *smtp.Reply) bool { return s.lostAny && r.Code/10 == 50 }

// unsolicited says whether the server sent a reply before it can have seen the
// command that waits for one (RFC 5321, 3.8: 421 may come at any time).
func (s *session) unsolicited(r *smtp.Reply) bool {
	return s.acked >= 0 && s.acked <= s.pending[0].begin
}

// lonely takes a reply that answers no command.
func (s *session) lonely(r *smtp.Reply) {
	if r.Code != 421 && !s.lostAny && !s.f.midway && !s.proxyRefused(r) {
		s.anomaly(UnsolicitedReply, s.now, "")
	}
	tell(s.f.t, &s.f.t.events.replied, Replied{In: s.in(), Code: r.Code, Enhanced: s.f.t.texts.word(r.Enhanced), Delay: -1})
	switch {
	case s.c.Mode() == smtp.InData:
		s.dataAnswered(r)
	case s.c.Mode() == smtp.Commands && r.Code == 354 && (s.lostAny || s.f.midway):
		s.dataBegins() // the DATA command was lost
	}
}

// answer gives a reply to the first command that waits.
func (s *session) answer(r *smtp.Reply) {
	first := &s.pending[0]
	if s.lmtp && (first.verb == smtp.BDAT || first.verb == smtp.BURL) && first.flags&smtp.LastBDAT != 0 && first.replies == 0 && s.mail.open != nil {
		first.replies = int32(len(s.mail.open.To))
	}
	if r.Code == 353 && first.verb == smtp.EndOfDot && first.replies == 0 && s.mail.open != nil {
		first.replies = int32(1 + len(s.mail.open.To) + 1)
		s.mail.prdr = true
	}
	if first.lost && r.Code/100 != 3 {
		first.taken++
	}
	c := &s.f.t.answered
	*c = *first
	switch {
	case first.replies > 1:
		first.replies--
	case first.verb == smtp.AUTH && r.Code == 334:
	case first.lost && r.Code/100 != 3: // more may have been lost than one command
	default:
		s.shift()
	}
	if !c.lost {
		s.burst = c.seen
	}
	delay := time.Duration(r.BeginTime - c.time)
	if delay < 0 || r.Headless {
		delay = -1
	}
	if r.Code == 503 && c.verb != smtp.AUTH && !c.lost {
		s.anomaly(BadSequence, s.now, "")
	}
	e := Replied{In: s.in(), Verb: c.verb.String(), Code: r.Code, Enhanced: s.f.t.texts.word(r.Enhanced), Delay: delay, Argument: c.arg}
	if !s.mayEcho(c, r) {
		e.Text = s.f.t.texts.reply(r, 512)
	}
	if c.verb == smtp.Unknown && c.lost {
		e.Verb = ""
	}
	tell(s.f.t, &s.f.t.events.replied, e)
	s.act(c, r)
}

func (s *session) isBanner(r *smtp.Reply) bool {
	switch {
	case s.greeted, s.f.midway && (len(s.pending) > 0 || r.Code != 220 || s.started[client]):
		return false
	case !s.f.midway && !s.f.isnKnown[server] && !s.isInside() && len(s.pending) > 0 && r.Code != 220 && r.Code != 554 && r.Code != 421:
		return false // its SYN was lost, so the greeting may be
	}
	return r.Begin == s.begin[server] || s.f.midway || s.turned
}

// banner takes the server's greeting (RFC 5321, 3.1).
func (s *session) banner(r *smtp.Reply) {
	s.greeted = true
	s.greeting = Banner{Code: r.Code, Text: s.f.t.texts.reply(r, 512), Delay: max(time.Duration(r.BeginTime-s.f.start), 0)}
	tell(s.f.t, &s.f.t.events.greeted, Greeted{In: s.in(), Banner: s.greeting})
	if s.early {
		s.anomaly(EarlyTalker, s.now, "")
	}
	if s.c.Mode() == smtp.Tail {
		s.c.Set(smtp.Commands)
	}
	s.f.t.heard = s.f
}
