package sessions

import (
	"time"

	"github.com/mailtap/mailtap/decode/mail"
	"github.com/mailtap/mailtap/decode/smtp"
)

// mailState is the open transaction, and the content that is being sent. They
// are two: pipelined content comes before the reply that opens its
// transaction.
type mailState struct {
	open        *Mail
	content     *content // being sent
	told        int32    // mails that ended
	settled     bool     // open has its result, and ends with the next command
	smuggleNext bool     // the next MAIL stands behind a look-alike
	bareLF      bool     // the client ends lines with bare LF: its end of data too
	answered    bool     // the server answered before the end of data
	chunks      bool     // a message in chunks has begun and not ended
	prdr        bool     // a reply for each recipient comes, then one for all
	maybeOpen   bool     // what was lost may have opened a transaction
	maybeOver   bool     // what was lost may have ended the open one
	repliesLost bool     // replies were lost since it was opened
	unsure      bool     // the reply to the MAIL of the open one was lost
}

// content is what a message turned out to be.
type content struct {
	reader      *mail.Message // while it is being read
	size        int64
	truncated   bool
	chunked     bool
	header      *Header
	attachments []Attachment
	report      *Report
	protection  string
	malformed   []string
	time        int64
	octets      int // that all this takes, about
}

// content takes octets of a message.
func (s *session) content(b []byte) {
	c := s.contentNow()
	c.size += int64(len(b))
	c.reader.Write(b)
}

func (s *session) contentNow() *content {
	if s.mail.content == nil {
		s.mail.content = &content{time: s.now, reader: s.f.t.readers.take()}
	}
	return s.mail.content
}

// contentLost counts octets of a message that were never seen. A header with
// a hole is not read on: what follows may be the body.
func (s *session) contentLost(n int64) {
	c := s.contentNow()
	c.size += n
	c.truncated = true
	c.reader.Lost(max(n, 1))
}

// takeContent ends the content.
func (s *session) takeContent() *content {
	c := s.contentNow()
	c.reader.End()
	s.takeMessage(c)
	s.dropContent()
	c.reader = nil
	return c
}

// dropContent forgets the content that was being sent.
func (s *session) dropContent() {
	if s.mail.content != nil {
		s.f.t.readers.put(s.mail.content.reader)
		s.mail.content = nil
	}
}

// takeMessage copies what the message told by now.
func (s *session) takeMessage(c *content) {
	m := c.reader
	c.octets = m.Held()
	c.attachments, c.report, c.protection = m.Attachments(), m.Report(), m.Protection()
	c.malformed = m.Malformed()
	c.header = headerOf(m.Fields(), c.time)
	for _, odd := range m.Oddities() {
		s.anomaly(odd, s.now, "")
	}
}

// mailBegins opens a transaction (RFC 5321, 4.1.1.2).
func (s *session) mailBegins(c *command, r *smtp.Reply) {
	s.mailAborted()
	s.openMail(c)
}

func (s *session) openMail(c *command) {
	m := s.newMail(c)
	s.mail.maybeOpen, s.mail.maybeOver, s.mail.unsure, s.mail.repliesLost = false, false, false, false
	m.FromKnown = true
	m.From = c.arg
	m.parameters(&c.params)
	s.mail.open, s.mail.settled = m, false
	s.keepOpen(m)
}

func (s *session) newMail(c *command) *Mail {
	m := &Mail{Time: timeOf(c.time), Size: -1, DeclaredSize: -1, Smuggled: s.mail.smuggleNext, Authenticated: s.loggedIn, Login: s.login, Encrypted: s.isInside()}
	s.mail.smuggleNext = false
	return m
}

// keepMail puts a mail into the session's record; false where there is no room.
func (s *session) keepMail(m *Mail) bool {
	if s.mails == nil {
		s.mails = newMails()
	}
	if lim := &s.f.t.opts.Limits; len(s.mails.all) >= lim.Mails || s.recorded >= lim.MailsSize {
		s.anomaly(MailsLimit, s.now, "")
		return false
	}
	s.mails.all = append(s.mails.all, m)
	s.f.t.mails++
	return true
}

// mailRefused makes an entry of its own. A second MAIL that is refused leaves
// the open transaction as it is (RFC 5321, 4.1.4).
func (s *session) mailRefused(c *command, r *smtp.Reply) {
	if s.mail.settled && r.Code != 503 {
		s.mailAborted()
	}
	if (s.mail.open != nil || s.lostAny || s.f.midway) && r.Code == 503 || r.Code == 500 {
		return // nested, or not understood as a command at all: no transaction
	}
	m := s.newMail(c)
	m.From, m.FromKnown = c.arg, true
	m.parameters(&c.params)
	kept := s.keepMail(m)
	s.result(m, r)
	if kept {
		s.recorded += m.opening() + len(m.Reply)
	}
	s.tellMail(m)
}

// result sets what a reply says of a mail.
func (s *session) result(m *Mail, r *smtp.Reply) {
	m.Result = resultOf(r.Code)
	m.Duration = max(timeOf(s.now).Sub(m.Time), 0)
	if r.Headless && r.Code >= 400 {
		m.Result = MailUnknown // a reply was lost before it: this may be the word of a server that waits no longer
	}
	if m.Result == MailUnknown {
		m.Code, m.Enhanced, m.Reply = 0, "", ""
		return
	}
	m.Code, m.Enhanced, m.Reply = r.Code, s.f.t.texts.word(r.Enhanced), ""
	if !s.misread(r) {
		m.Reply = r.Text(512)
	}
	if m.Result == MailAccepted {
		m.QueueID = smtp.QueueID(r.Lines)
	}
}

func resultOf(code int) string {
	switch code / 100 {
	case 2:
		if code == 221 || code == 220 {
			return MailUnknown // a greeting or QUIT's: the mail's own reply was lost
		}
		return MailAccepted
	case 4:
		return MailDeferred
	case 5:
		return MailRejected
	}
	return MailUnknown
}

// tellMail pushes a finished mail.
func (s *session) tellMail(m *Mail) {
	s.mail.told++
	tell(s.f.t, &s.f.t.events.mailDone, MailDone{In: s.in(), Mail: m, TLSMode: s.tlsMode.String(), Helo: s.heloNow(), Number: int(s.mail.told)})
}

func (s *session) rcptTaken(c *command, r *smtp.Reply) {
	m := s.mail.open
	if m == nil {
		if !s.partial {
			return
		}
		m = s.strayMail(c)
	} else if c.fresh {
		m = s.chunksLost(c)
	}
	s.reopen(m)
	if len(m.To) >= s.f.t.opts.Limits.Recipients {
		s.anomaly(RecipientsLimit, s.now, "")
		return
	}
	m.To = append(m.To, c.arg)
	s.records(textCost + len(c.arg))
	if c.rcpt != nil {
		m.Options = append(m.Options, *c.rcpt)
		s.records(c.rcpt.cost())
	}
}

func (s *session) rcptRefused(c *command, r *smtp.Reply) {
	m := s.mail.open
	if m == nil {
		return
	}
	if len(m.Rejected) >= s.f.t.opts.Limits.Recipients {
		s.anomaly(RecipientsLimit, s.now, "")
		return
	}
	m.Rejected = append(m.Rejected, Rejection{To: c.arg, Code: r.Code, Enhanced: s.f.t.texts.word(r.Enhanced)})
	s.records(rejectionCost + len(c.arg))
}

// reopen takes back the result of a refused DATA: the client tries again.
func (s *session) reopen(m *Mail) {
	if s.mail.settled {
		m.Result, m.Code, m.Enhanced, m.Reply = "", 0, "", ""
		s.mail.settled = false
	}
}

// strayMail is a transaction whose MAIL command was lost: its sender is not
// known.
func (s *session) strayMail(c *command) *Mail {
	m := s.newMail(c)
	s.mail.open, s.mail.settled = m, false
	s.mail.maybeOpen, s.mail.maybeOver, s.mail.unsure, s.mail.repliesLost = false, false, false, false
	s.keepOpen(m)
	return m
}

// dataTaken begins the content: the server said 354 (RFC 5321, 4.1.1.4).
func (s *session) dataTaken(c *command, r *smtp.Reply) {
	s.mail.bareLF = c.flags&smtp.BareLF != 0
	if c.fresh {
		s.chunksLost(c)
	}
	if m := s.mail.open; m != nil {
		s.reopen(m)
		if len(m.To) == 0 && len(m.Unanswered) == 1 && s.clientGap == 0 {
			m.To, m.Unanswered = m.Unanswered, nil // 354 says that a recipient was accepted
		}
	}
	s.dataBegins()
}

func (s *session) dataBegins() {
	s.dropContent()
	s.mail.answered = false
	s.fork = forkState{}
	s.c.Unfork()
	s.c.Set(smtp.InData)
}

// dataOdd is a 2xx to DATA: no content follows.
func (s *session) dataOdd(c *command, r *smtp.Reply) { s.goOn(c, r) }

func (s *session) dataRefused(c *command, r *smtp.Reply) {
	s.goOn(c, r)
	if m := s.mail.open; m != nil && !s.mail.settled {
		s.result(m, r)
		s.mail.settled = true
	}
}

// endOfData files the line with the dot: its reply is the mail's.
func (s *session) endOfData(t *smtp.Token) {
	c := command{verb: smtp.EndOfDot, begin: t.Begin, end: t.End, seen: s.seen, time: s.now}
	c.content = s.takeContent()
	if s.mail.answered {
		s.mail.answered = false
		s.c.Unfork()
		return
	}
	if s.lmtp && s.mail.open != nil {
		c.replies = int32(len(s.mail.open.To))
	}
	s.file(c)
}

// dataAnswered takes a reply that came before the end of data: the server does
// not wait for the rest.
func (s *session) dataAnswered(r *smtp.Reply) {
	if s.mail.answered {
		return
	}
	s.mail.answered = true
	s.smuggling()
	if m := s.mailNow(); m != nil {
		s.result(m, r)
		switch {
		case m.Result == MailAccepted:
			m.Result = MailUnknown // nobody accepts what was not sent
		case r.Code == 421 && s.f.half[client].Ended(&s.f.t.pool):
			m.Result, m.Code, m.Enhanced, m.Reply = MailAborted, 0, "", "" // the client had closed: the server says so
		}
		c := *s.contentNow()
		s.takeMessage(&c)
		c.truncated = c.truncated || r.Code < 400
		s.fill(m, &c)
		m.Size = -1
		s.endMail()
	}
}

// mailNow is the open transaction, or a stray one where its commands were lost.
func (s *session) mailNow() *Mail {
	if s.mail.open == nil && (s.lostAny || s.f.midway) {
		s.strayMail(&command{time: s.now})
	}
	return s.mail.open
}

// mailDone ends the transaction with the reply to the end of data.
func (s *session) mailDone(c *command, r *smtp.Reply) {
	m := s.mailNow()
	if m == nil {
		return
	}
	switch {
	case s.lmtp:
		m.RecipientCodes = append(m.RecipientCodes, r.Code)
		if s.worse(m, r); c.replies > 1 {
			return
		}
	case s.mail.prdr && c.replies > 1:
		if r.Code != 353 {
			m.RecipientCodes = append(m.RecipientCodes, r.Code)
		}
		return
	default:
		s.result(m, r)
	}
	if c.content != nil {
		s.fill(m, c.content)
	}
	s.endMail()
}

// worse keeps the best of LMTP's replies: a mail is accepted where one
// recipient got it (RFC 2033, 4.2).
func (s *session) worse(m *Mail, r *smtp.Reply) {
	if m.Result == "" || m.Result != MailAccepted && r.Code/100 == 2 {
		s.result(m, r)
	}
}

// fill copies what the content told into the record.
func (s *session) fill(m *Mail, c *content) {
	m.Size, m.Truncated, m.Chunking = c.size, c.truncated, c.chunked
	if m.Truncated {
		m.Size = -1 // dots, the end of data and what stood behind it may be in the hole
	}
	m.Header, m.Attachments, m.Report, m.Protection, m.Malformed = c.header, c.attachments, c.report, c.protection, c.malformed
	s.records(c.octets)
}

// headerOf is the record of a header whose content began to come at a time.
func headerOf(f mail.Fields, began int64) *Header {
	h := &Header{
		Subject: f.Subject, From: f.From, To: f.To, MessageID: f.MessageID, Date: f.Date, Sent: f.DateTime, UserAgent: f.UserAgent,
		Received: f.Received, AuthResults: f.AuthResults, DKIMDomains: f.DKIMDomains,
		FromAddresses: f.FromAddresses, Cc: f.Cc, ReplyTo: f.ReplyTo, Sender: f.Sender, ReturnPath: f.ReturnPath, InReplyTo: f.InReplyTo,
		OriginatingIP: f.OriginatingIP, AutoSubmitted: f.AutoSubmitted, ListID: f.ListID, Precedence: f.Precedence,
		Hops: f.Hops, Verdicts: f.Verdicts, ARC: f.ARC,
	}
	sent := f.NewestReceived
	if sent.IsZero() {
		sent = f.DateTime
	}
	if d := timeOf(began).Sub(sent); !sent.IsZero() && d > 0 && d < 30*24*time.Hour {
		h.HopDelay = d
	}
	return h
}

func (s *session) endMail() {
	m := s.mail.open
	s.mail.open, s.mail.settled, s.mail.prdr = nil, false, false
	s.recordsEnded(m)
	s.tellMail(m)
}

// mailAborted ends the open transaction without a delivery: RSET, QUIT, HELO
// or a new MAIL.
func (s *session) mailAborted() {
	m := s.mail.open
	s.mail.maybeOpen = false
	if m == nil {
		return
	}
	if !s.mail.settled || m.Code == 503 && s.lostAny { // 503 to DATA ends nothing
		m.Result, m.Code, m.Enhanced, m.Reply = MailAborted, 0, "", ""
		if s.lostAny {
			m.Result = MailUnknown // its end of data may have been lost
		}
		m.Duration = max(timeOf(s.now).Sub(m.Time), 0)
	}
	s.endMail()
}

// chunkBegins notes BDAT (RFC 3030).
func (s *session) chunkBegins(t *smtp.Token) {
	if t.Flags&smtp.BadSize == 0 {
		s.contentNow().chunked = true
		s.mail.chunks = true
	}
}

// chunksLost ends a mail whose last chunks were lost, and begins the one whose
// MAIL was lost with them.
func (s *session) chunksLost(c *command) *Mail {
	if m := s.mail.open; m != nil {
		m.Chunking, m.Truncated = true, true
	}
	s.mailAborted()
	return s.strayMail(c)
}

// endOfChunk gives the content to the BDAT that said LAST.
func (s *session) endOfChunk(t *smtp.Token) {
	for i := len(s.pending) - 1; i >= 0; i-- {
		c := &s.pending[i]
		if c.verb != smtp.BDAT {
			continue
		}
		c.time, c.end = s.now, t.End
		if c.flags&smtp.LastBDAT != 0 {
			s.mail.chunks = false
			c.content = s.takeContent()
			c.content.chunked = true
			s.room.octets += c.content.cost()
		}
		return
	}
	s.dropContent() // answered before its octets came
}

// chunkDone takes the reply to a BDAT: the last one's is the mail's, a refused
// one ends the transaction.
func (s *session) chunkDone(c *command, r *smtp.Reply) {
	m := s.mail.open
	if m == nil && c.flags&smtp.LastBDAT != 0 {
		m = s.mailNow()
	}
	if m == nil {
		return
	}
	switch {
	case c.flags&smtp.LastBDAT != 0 && c.flags&smtp.BadSize == 0:
		if s.mail.settled && r.Code/100 != 2 {
			break // a chunk before was refused: this reply only says so again
		}
		s.mail.settled = false
		if s.lmtp {
			m.RecipientCodes = append(m.RecipientCodes, r.Code)
			if s.worse(m, r); c.replies > 1 {
				return
			}
		} else {
			s.result(m, r)
		}
		if c.content != nil {
			s.fill(m, c.content)
		}
		s.endMail()
	case r.Code >= 400 && !s.mail.settled:
		s.result(m, r)
		m.Chunking = true
		s.mail.settled = true
	}
}
