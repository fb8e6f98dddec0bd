package sessions

import (
	"bytes"

	"github.com/mailtap/mailtap/decode/smtp"
	"github.com/mailtap/mailtap/decode/tls"
)

// This file finds the place in the dialog again after octets were lost. The
// rule: the server decides; what it cannot have answered is not known, and
// nothing is made up.

// commandsLost takes a gap in the client's direction.
func (s *session) commandsLost(t *smtp.Token) {
	switch s.c.Mode() {
	case smtp.InData:
		s.contentLost(t.Gap)
		s.own().fork.add(candidate{end: t.End, size: s.contentNow().size, gap: true})
		return
	case smtp.InChunk:
		s.contentLost(t.Gap)
		return
	case smtp.Opaque:
		return
	case smtp.InAuth:
		s.c.Set(smtp.Wait) // the answer was lost: the next reply tells
		return
	case smtp.Commands:
		if c := s.mail.content; c != nil && c.chunked {
			s.contentLost(0) // a chunk may be among what was lost
		}
		s.c.Set(smtp.Tail)
	}
	s.anomaly(Resync, s.now, "")
	if n := len(s.pending); n > 0 && s.pending[n-1].lost {
		s.pending[n-1].end = t.End // one stands for all: how many were lost is not known
		return
	}
	s.file(command{verb: smtp.Unknown, lost: true, begin: t.Begin, end: t.End, seen: s.seen, time: s.now})
}

// repliesLost takes a gap in the server's direction, which ends at offset end.
func (s *session) repliesLost(end int64) {
	s.greeted, s.acked, s.mail.repliesLost = true, -1, true
	if s.c.Mode() == smtp.InData {
		s.own().fork.replyLost = true
	}
	if s.auth != nil {
		s.auth.gap = true
	}
	if s.fork.held != nil {
		s.settleFork()
	}
	s.guessOn()
	if s.c.Mode() == smtp.Tail && len(s.c.Unread()) > 0 { // else what the client sent before the replies is yet to come
		s.found()
	}
}

// guessOn goes on where the reply that a client waits for was lost.
func (s *session) guessOn() {
	if s.c.Mode() == smtp.Wait {
		s.mustGuess, s.own().guessFrom = true, s.c.Offset()+int64(len(s.c.Unread()))
		s.guess()
	}
}

// guess decides for a client whose reply was lost, by what it sent next.
func (s *session) guess() {
	next := s.c.Unread()
	if s.c.Mode() != smtp.Wait || len(next) == 0 {
		return
	}
	i := len(s.pending) - 1
	for i >= 0 && !waits(s.pending[i].verb) {
		i--
	}
	verb := smtp.Unknown
	if i >= 0 {
		verb = s.pending[i].verb
	}
	if verb == smtp.STARTTLS {
		// What was sent along with STARTTLS tells nothing of its reply.
		if next = next[min(max(s.guessFrom-s.c.Offset(), 0), int64(len(next))):]; len(next) == 0 {
			return
		}
	}
	isTLS, needTLS := tls.LooksLikeRecord(next)
	if needTLS && verb == smtp.STARTTLS || !isTLS && bytes.IndexByte(next, '\n') < 0 && len(next) < s.f.t.opts.Limits.Line {
		return // a part of a line tells nothing
	}
	s.mustGuess = false
	for range i + 1 {
		s.unanswered(s.shift())
	}
	line := firstLine(next)
	switch verb {
	case smtp.DATA:
		if !smtp.WellFormed(line) {
			s.dataBegins()
			return
		}
	case smtp.AUTH:
		if smtp.Base64(line) {
			if s.auth != nil {
				s.auth.ex.Lost()
				s.auth.challenge = s.auth.challenge[:0]
			}
			s.wait(command{verb: smtp.AUTH, begin: s.c.Offset(), end: s.c.Offset(), seen: s.seen, time: s.now})
			s.c.Set(smtp.InAuth)
			return
		}
		if s.auth != nil {
			s.authEnds(AuthUnknown, nil)
		}
	case smtp.STARTTLS:
		if isTLS {
			s.accepted, s.tlsMode = true, startTLS
			s.tlsBegins()
			return
		}
	}
	s.c.Set(smtp.Commands)
}

func waits(v smtp.Verb) bool {
	return v == smtp.DATA || v == smtp.AUTH || v == smtp.STARTTLS || v == smtp.XANONYMOUSTLS
}

// adrift says whether it is open which command a reply behind a gap answers:
// several were sent together, and how many replies the gap took is not known.
// Nobody gets such a reply. The next command that was sent knowing more finds
// the place again.
func (s *session) adrift(r *smtp.Reply) bool {
	if r.Headless && len(s.pending) > 1 {
		first, second := &s.pending[0], &s.pending[1]
		switch {
		case second.lost:
			s.passDoubtful(r)
		case s.acked >= 0 && s.acked < second.end:
		case first.seen == second.seen && !first.lost:
			s.own().drifting, s.burst = second.seen+1, -1
		}
	}
	if r.Headless && r.Code >= 400 && len(s.pending) > 0 && !s.pending[0].lost && s.pending[0].verb != smtp.AUTH {
		// A refusal that stands behind a lost reply may be the word of a server
		// that waits no longer (RFC 5321, 4.5.3.2).
		s.unanswered(s.shift())
		return true
	}
	if len(s.pending) == 0 || s.pending[0].seen+1 != s.drifting {
		s.drifting = 0
	}
	return s.drifting > 0 && r.Code/100 != 3
}

// passDoubtful drops a command where a reply behind a gap may as well be one to the
// lost commands behind it, if the server has seen the first octet of them.
func (s *session) passDoubtful(r *smtp.Reply) {
	if r.Headless && len(s.pending) > 1 && s.pending[1].lost && (s.acked < 0 || s.acked > s.pending[1].begin) {
		s.unanswered(s.shift())
	}
}

// unanswered takes a command whose reply was lost.
func (s *session) unanswered(c command) {
	if c.lost {
		if s.mail.open != nil {
			s.mail.maybeOver = true
		} else {
			s.mail.maybeOpen = true
		}
		return
	}
	switch c.verb {
	case smtp.MAIL:
		if m := s.mail.open; m != nil && (!s.mail.settled || m.Code == 503) && !s.mail.maybeOver {
			return // nested: a server refuses it (RFC 5321, 4.1.4)
		}
		nested := s.mail.maybeOpen || s.mail.maybeOver
		s.mailAborted()
		s.openMail(&c)
		s.mail.unsure = true
		if nested {
			s.mail.open.From, s.mail.open.FromKnown = "", false
		}
	case smtp.RCPT:
		if m := s.mail.open; m != nil && len(m.Unanswered) < s.f.t.opts.Limits.Recipients {
			m.Unanswered = append(m.Unanswered, c.arg)
			s.records(textCost + len(c.arg))
		}
	case smtp.EndOfDot, smtp.BDAT:
		if c.content != nil {
			s.mailUnknown(c.content)
		}
	case smtp.RSET, smtp.QUIT:
		s.mailAborted()
	case smtp.DATA:
		if c.fresh {
			s.chunksLost(&c)
		}
		if s.c.Mode() == smtp.Wait {
			s.c.Set(smtp.Commands)
		}
	}
}

// mailUnknown ends the open mail: its content was sent, its reply was lost.
func (s *session) mailUnknown(c *content) {
	m := s.mailNow()
	if m == nil {
		return
	}
	s.fill(m, c)
	m.Result = MailUnknown
	s.endMail()
}

// purge drops commands that must have been answered in a gap: the client had
// seen more of the server when it sent the next one.
func (s *session) purge(seen int64) {
	answered := 0
	for i := range s.pending {
		c := &s.pending[i]
		if c.verb == smtp.AUTH || !c.lost && c.seen >= seen {
			break // those behind it were sent knowing no less: a client may have thousands waiting
		}
		if !c.lost && c.seen < seen && c.seen != s.burst {
			answered = i + 1 // and so is what came before it
		}
	}
	for range answered {
		s.unanswered(s.shift())
	}
}

// passLost drops a stand-in for lost commands once the server answers what
// came after it.
func (s *session) passLost() {
	for len(s.pending) > 1 && s.pending[0].lost && (s.acked < 0 || s.acked >= s.pending[1].end) && s.pending[1].seen > s.pending[0].seen {
		s.unanswered(s.shift())
	}
}

// found ends the search for the place: a reply came, so the client's last
// octets before it were commands, or the end of a message.
func (s *session) found() {
	tail := s.c.Unread()
	base := s.c.Offset()
	if s.acked >= 0 && s.acked-base < int64(len(tail)) {
		tail = tail[:max(s.acked-base, 0)]
	}
	at := len(tail)
	for at > 0 {
		begin := bytes.LastIndexByte(tail[:at-1], '\n') + 1
		if !smtp.WellFormed(tail[begin:at]) {
			break
		}
		at = begin
	}
	end := []byte("\r\n.\r\n")
	if bytes.HasSuffix(tail[:at], end) || at == 3 && string(tail[:3]) == ".\r\n" {
		s.c.SkipTo(base + int64(at))
		if s.chunksLeft() {
			s.chunksLost(&command{time: s.now})
		}
		s.file(command{verb: smtp.EndOfDot, begin: base + int64(at) - 3, end: base + int64(at), seen: s.seen, time: s.now, content: &content{size: -1, truncated: true, time: s.now}})
	}
	s.c.SkipTo(base + int64(at))
	s.c.Set(smtp.Commands)
	s.pumpClient()
}

// longestCommand is more than a command takes with its parameters (RFC 5321, 4.5.3.1.4).
const longestCommand = 2048

// lostGood is a 2xx to a command that was lost. It may be a MAIL's; where there
// are two, a RSET's and a MAIL's: what comes then is not of the open mail.
func (s *session) lostGood(c *command, r *smtp.Reply) {
	s.goOn(c, r)
	if s.mail.open != nil && c.taken == 1 && !s.mail.unsure && !s.mail.repliesLost && !c.withContent() {
		s.mail.maybeOver = true
		return
	}
	s.mailAborted()
	s.mail.maybeOpen = true
}

// lostRefused is a 4xx or 5xx to a command that was lost.
func (s *session) lostRefused(c *command, r *smtp.Reply) {
	if c.withContent() {
		s.mailAborted()
		s.mail.maybeOpen = true
	}
}

// withContent says that more was lost than a command takes.
func (c *command) withContent() bool { return c.end-c.begin > longestCommand }

// lostMore is a 3xx to a command that was lost: 354 answers DATA, 334 AUTH.
func (s *session) lostMore(c *command, r *smtp.Reply) {
	switch r.Code {
	case 354:
		if s.chunksLeft() {
			s.chunksLost(c)
		}
		s.dataBegins()
	case 334:
		s.wait(command{verb: smtp.AUTH, begin: s.c.Offset(), end: s.c.Offset(), seen: s.seen, time: s.now})
		s.c.Set(smtp.InAuth)
	}
}
