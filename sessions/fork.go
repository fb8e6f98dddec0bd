package sessions

import (
	"bytes"

	"github.com/mailtap/mailtap/decode/smtp"
)

// This file decides where a message ended. RFC 5321 knows one end of data;
// lenient servers take others, and smuggling lives from the difference. The
// server's replies tell: one more reply than commands means that it took the
// look-alike.

// candidate is a place where the message may have ended for the server.
type candidate struct {
	end  int64 // offset behind the look-alike, or behind a gap
	size int64 // octets of content before it
	gap  bool
}

// maxCandidates bounds the look-alikes of one message that are remembered.
const maxCandidates = 16

type forkState struct {
	candidates []candidate
	held       *smtp.Reply // the reply to the end of data, until it is sure what it ends
	ended      *command    // the end of data that it answers
	replyLost  bool        // replies were lost since the content began: the one to its end may be among them
}

func (f *forkState) add(c candidate) {
	if len(f.candidates) < maxCandidates {
		f.candidates = append(f.candidates, c)
	}
}

// lookalike notes an end of data that only a lenient server takes.
func (s *session) lookalike(t *smtp.Token) {
	if !s.mail.bareLF {
		s.anomaly(Lookalike, s.now, "")
	}
	s.own().fork.add(candidate{end: t.End, size: s.contentNow().size})
}

// splitAt finds the first candidate behind which stands a command, or nothing
// that the server has seen.
func (s *session) splitAt(needCommand bool) (candidate, bool) {
	for _, c := range s.fork.candidates {
		behind, ok := s.c.Behind(c.end)
		if !ok || s.acked >= 0 && s.acked < c.end {
			continue
		}
		if s.acked >= 0 {
			behind = behind[:min(int64(len(behind)), s.acked-c.end)]
		}
		behind = bytes.TrimLeft(behind, "\r\n")
		if len(behind) == 0 && !needCommand || len(behind) > 0 && smtp.WellFormed(firstLine(behind)) {
			return c, true
		}
	}
	return candidate{}, false
}

// forked takes a reply while it is open where the message ended; true where the
// reply was used up.
func (s *session) forked(r *smtp.Reply) bool {
	switch {
	case s.fork.held != nil:
		if len(s.pending) > 0 && !s.unsolicited(r) && (s.pending[0].verb != smtp.QUIT || r.Code == 221) {
			s.settleFork() // but 221 alone answers a QUIT that was sent along
			return false
		}
		if c, ok := s.splitAt(true); ok && r.Code != 421 {
			s.split(c, s.fork.held)
			s.pumpClient()
		} else {
			s.settleFork()
		}
		return false
	case s.c.Mode() == smtp.InData && !s.mail.answered && len(s.pending) == 0 && r.Code != 421:
		c, ok := s.splitAt(s.fork.replyLost)
		if ok && s.fork.replyLost {
			s.cut(c) // the reply is for what stands behind
			return false
		}
		if ok {
			s.split(c, r)
		}
		return ok
	case len(s.pending) > 0 && s.pending[0].verb == smtp.EndOfDot && len(s.fork.candidates) > 0 && !s.unsolicited(r) && !s.lmtp:
		c, ok := s.splitAt(true)
		switch {
		case !ok:
			s.dropFork()
			return false
		case s.fork.replyLost: // while content comes a server says nothing: it had ended
			s.cut(c)
			s.guessOn()
			s.pumpClient()
			return false
		}
		s.hold(r)
		return true
	}
	return false
}

// hold keeps the reply to an end of data that may not be the only one.
func (s *session) hold(r *smtp.Reply) {
	c := s.shift()
	held := *r
	held.Lines = append([]byte(nil), r.Lines...)
	held.Enhanced = append([]byte(nil), r.Enhanced...)
	s.own().fork.held, s.fork.ended = &held, &c
}

// settleFork takes the standard end for the true one.
func (s *session) settleFork() {
	s.smuggling()
	r, c := s.fork.held, s.fork.ended
	s.dropFork()
	s.putBack(*c)
	s.answer(r)
}

func (s *session) dropFork() {
	s.fork = forkState{}
	s.c.Unfork()
}

// smuggling tells commands behind a look-alike, whether the server took them
// or not.
func (s *session) smuggling() {
	if s.mail.bareLF {
		return
	}
	for _, c := range s.fork.candidates {
		if behind, ok := s.c.Behind(c.end); ok && !c.gap && len(behind) > 0 && smtp.WellFormed(firstLine(behind)) {
			s.anomaly(Smuggling, s.now, "")
			return
		}
	}
}

// split ends the message at a candidate, with the server's reply to it.
func (s *session) split(c candidate, r *smtp.Reply) {
	behind, _ := s.c.Behind(c.end)
	smuggle := !c.gap && !s.mail.bareLF && len(behind) > 0
	body := s.endContent(c)
	s.mail.smuggleNext = smuggle
	s.wait(command{verb: smtp.EndOfDot, begin: c.end - 1, end: c.end, seen: -1, time: s.now, content: body})
	s.answer(r)
	s.mail.smuggleNext = smuggle
}

// cut ends the message at a candidate, the reply to which was lost.
func (s *session) cut(c candidate) {
	s.mailUnknown(s.endContent(c))
	s.pumpClient()
}

// endContent ends the content at a candidate: the octets behind it are read
// again, as the commands that they are for this server.
func (s *session) endContent(c candidate) *content {
	s.smuggling()
	body := s.contentTo(c)
	for _, p := range s.pending {
		s.uncount(p)
	}
	s.forget()
	s.fork = forkState{}
	s.c.Rewind(c.end)
	return body
}

// contentTo is the content up to a candidate.
func (s *session) contentTo(c candidate) *content {
	var body *content
	switch {
	case s.fork.ended != nil:
		body = s.fork.ended.content
	case s.mail.content != nil:
		body = s.takeContent()
	default:
		body = &content{truncated: true, time: s.now}
	}
	body.size = c.size
	body.attachments, body.malformed = nil, nil // octets behind the candidate were read as parts of them
	return body
}

// uncount takes back a command that will be read again.
func (s *session) uncount(c command) {
	if c.verb != smtp.EndOfDot && !c.lost {
		s.commands.takeBack(c.verb)
	}
	if c.verb == smtp.QUIT {
		s.quit = false
	}
}
