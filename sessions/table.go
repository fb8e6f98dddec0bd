package sessions

import (
	"strings"

	"github.com/mailtap/mailtap/decode/smtp"
)

// The state table. A row says what a reply to a verb does to the session, by
// the class of the reply (RFC 5321, 4.2.1). A class without an action changes
// nothing. The state itself is the client's grammar (decode/smtp.Mode), the
// open mail and the open AUTH exchange; the server decides all of them.
type action func(s *session, c *command, r *smtp.Reply)

type row struct {
	good   action // 2xx
	more   action // 3xx
	refuse action // 4xx, 5xx and any other
}

func (s *session) act(c *command, r *smtp.Reply) {
	var do action
	t := rowOf(c)
	switch r.Code / 100 {
	case 2:
		do = t.good
	case 3:
		do = t.more
	default:
		do = t.refuse
	}
	if do != nil {
		do(s, c, r)
	}
}

func rowOf(c *command) row {
	if c.lost {
		return row{good: (*session).lostGood, more: (*session).lostMore, refuse: (*session).lostRefused}
	}
	switch c.verb {
	case smtp.HELO, smtp.EHLO, smtp.LHLO:
		return row{good: (*session).heloTaken}
	case smtp.MAIL:
		return row{good: (*session).mailBegins, refuse: (*session).mailRefused, more: (*session).mailRefused}
	case smtp.RCPT:
		return row{good: (*session).rcptTaken, refuse: (*session).rcptRefused, more: (*session).rcptRefused}
	case smtp.DATA:
		return row{more: (*session).dataTaken, good: (*session).dataOdd, refuse: (*session).dataRefused}
	case smtp.EndOfDot:
		return row{good: (*session).mailDone, refuse: (*session).mailDone, more: (*session).mailDone}
	case smtp.BDAT, smtp.BURL:
		return row{good: (*session).chunkDone, refuse: (*session).chunkDone, more: (*session).chunkDone}
	case smtp.RSET:
		return row{good: (*session).reseted}
	case smtp.QUIT:
		return row{good: (*session).quitTaken}
	case smtp.AUTH:
		return row{good: (*session).authDone, more: (*session).authMore, refuse: (*session).authDone}
	case smtp.STARTTLS, smtp.XANONYMOUSTLS:
		return row{good: (*session).tlsTaken, refuse: (*session).tlsRefused, more: (*session).tlsRefused}
	case smtp.XCLIENT:
		return row{good: (*session).xclientTaken}
	case smtp.XFORWARD:
		return row{good: (*session).xforwardTaken}
	case smtp.XEXCH50:
		return row{more: (*session).blobTaken}
	case smtp.TURN, smtp.ATRN:
		return row{good: (*session).turnTaken}
	}
	return row{}
}

// goOn takes the client out of waiting.
func (s *session) goOn(*command, *smtp.Reply) {
	if s.c.Mode() == smtp.Wait {
		s.c.Set(smtp.Commands)
	}
}

// heloTaken keeps the name and the extensions. HELO and EHLO also reset the
// transaction (RFC 5321, 4.1.4).
func (s *session) heloTaken(c *command, r *smtp.Reply) {
	s.mailAborted()
	s.helo.taken, s.helo.takenVerb = c.arg, c.verb
	s.lmtp = c.verb == smtp.LHLO
	if c.verb == smtp.HELO {
		return
	}
	s.ehlo = !r.Headless
	s.extensions = s.f.t.texts.offer(r.Lines, r.Headless)
	if most := s.f.t.opts.Limits.Extensions; len(s.extensions) > most {
		s.extensions = s.extensions[:most:most]
		s.anomaly(ExtensionsLimit, s.now, "")
	}
	for _, word := range s.extensions {
		switch {
		case word == "STARTTLS":
			s.offered = true
		case masked(word):
			s.masked = true
			s.anomaly(StartTLSMasked, s.now, "")
		}
	}
}

// masked knows what some firewalls write over STARTTLS: eight octets, X and
// perhaps an A at the end.
func masked(word string) bool {
	return len(word) == 8 && strings.Trim(word[:7], "X") == "" && (word[7] == 'A' || word[7] == 'X')
}

// blobTaken is the 354 to XEXCH50: properties follow that are no content, and
// get a reply of their own.
func (s *session) blobTaken(c *command, r *smtp.Reply) {
	if c.size < 0 || s.c.Mode() != smtp.Commands {
		return
	}
	end := s.c.Offset() + c.size
	s.c.Blob(c.size)
	s.wait(command{verb: smtp.XEXCH50, size: -1, begin: end - 1, end: end, seen: s.seen, time: s.now})
}

func (s *session) reseted(*command, *smtp.Reply) { s.mailAborted() }

func (s *session) quitTaken(*command, *smtp.Reply) { s.mailAborted() }
