package sessions

import (
	"slices"

	"github.com/mailtap/mailtap/capture/stream"
	"github.com/mailtap/mailtap/decode/smtp"
)

// command waits for its reply.
type command struct {
	verb    smtp.Verb
	flags   uint8
	lost    bool   // stands for octets that were lost: what they said is not known
	fresh   bool   // a RCPT or DATA of a transaction whose MAIL must have been lost
	replies int32  // replies it gets; 0 is one (LMTP gets one a recipient)
	taken   int32  // how many 2xx a stand-in for lost octets got
	arg     string // MAIL, RCPT, VRFY, EXPN: the address; HELO: the name
	params  smtp.MailParams
	rcpt    *RecipientOptions
	proxy   *smtp.XClient // XCLIENT, XFORWARD
	size    int64         // XEXCH50: octets that follow a 354
	begin   int64         // offset of its first octet in the client's stream
	end     int64         // offset behind its last octet
	seen    int64         // octets of the server that the client had seen when it sent this
	time    int64         // packet time of its last octet
	content *content      // the end of data, and BDAT LAST: what it ends
}

// session is the dialog of one connection. What nearly every packet needs
// stands first.
type session struct {
	f   *flow
	rec *Session
	lim *Limits
	tok *smtp.Token // the tracker's: one token is read at a time, and its memory stays hot
	rep *smtp.Reply

	seen  int64 // the client's acknowledgement in the chunk being read
	acked int64 // the server's acknowledgement in the chunk being read; -1 unknown
	now   int64 // packet time of the chunk being read

	sealed    bool    // TLS has begun
	passing   bool    // and nothing but the sizes of its records can be learned
	outer     *outer  // the protocol of a proxy before SMTP; nil for none
	started   [2]bool // a side has talked
	turned    bool    // client and server have changed roles
	greeted   bool    // the banner came, or will not
	early     bool    // the client talked before it
	lostAny   bool    // octets were lost: replies may not match
	mustGuess bool    // the reply that the client waits for was lost
	secured   bool    // the secured event was given
	quit      bool
	loggedIn  bool
	masked    bool // the offer of STARTTLS was masked
	lmtp      bool
	proxied   bool // a PROXY header came
	unproxied bool // the server took it for commands
	ehlo      bool // an EHLO was accepted: extensions are known

	c smtp.Client
	s smtp.Server

	mail    mailState
	auth    *authState
	pending []command
	spare   []command // empty: memory for pending
	fork    forkState
	burst   int64 // what the client had seen when it sent the command answered last

	codes    []codeCount
	fewCodes [6]codeCount // memory for codes
	commands [smtp.NumVerbs]uint32
	lastCode int // of the last reply

	tls *tlsState // nil before TLS began

	begin     [2]int64 // offset of a side's first octet that is no proxy's
	head      [2]head  // first octets of a side, until they tell TLS from text
	clientGap int64    // offset behind the last gap of the client
	drifting  int64    // what the client had seen when it sent commands of which it is open which was answered; -1: none
	guessFrom int64    // offset of the first octet that the client sent knowing the reply that was lost
	login     string   // the user name of the login that succeeded
	kinds     []string // of anomalies, each once
	helo      struct{ given, taken Helo }
}

func newSession(f *flow) *session {
	lim := &f.t.opts.Limits
	s := &f.dialog
	*s = session{f: f, lim: lim, rec: &Session{TLS: TLS{Mode: TLSNone}}, acked: -1, drifting: -1, tok: &f.t.tok, rep: &f.t.rep, spare: s.spare}
	s.c.Options = &f.t.client
	s.s.Limit = lim.Reply
	if f.midway {
		s.anomaly(Midstream, f.start, "")
		s.c.Set(smtp.Tail)
	}
	return s
}

// octets takes a run of a side's octets. ack is the offset of the other side's
// stream that the sender had seen, -1 where the capture does not tell.
func (s *session) octets(from side, c *stream.Chunk, ack int64) {
	s.now = c.Time
	if s.turned {
		from = from.other()
	}
	if s.sealed {
		if s.passing {
			s.pass(from, c.Data)
		} else {
			s.encrypted(from, c.Data, c.Offset, ack)
		}
		return
	}
	data, offset := c.Data, c.Offset
	if s.outer != nil {
		if data, offset = s.unwrap(from, data, offset); len(data) == 0 {
			return
		}
	}
	first := !s.started[from]
	if first {
		var ok bool
		if data, offset, ok = s.begins(from, data, offset); !ok {
			return
		}
		if s.sniff(from, data) {
			s.encrypted(from, data, offset, ack)
			return
		}
	}
	s.clear(from, data, offset, ack, first)
}

// begins takes a side's first octets, until they tell what they are, and
// leaves out what a proxy put before them.
func (s *session) begins(from side, b []byte, offset int64) (data []byte, at int64, ok bool) {
	h := &s.head[from]
	if b, offset = h.join(b, offset); !s.enough(from, b) {
		h.keep(b, offset)
		return nil, 0, false
	}
	h.data = nil
	if from == client {
		n := s.proxyHeader(b)
		if b, offset = b[n:], offset+int64(n); s.outer == nil && s.beginsOuter(b) {
			b, offset = s.unwrap(from, b, offset)
		}
		if len(b) == 0 || !s.enough(from, b) {
			h.keep(b, offset)
			return nil, 0, false
		}
	}
	s.started[from], s.begin[from] = true, offset
	s.recognise(b)
	return b, offset, true
}

// clear takes octets of the dialog.
func (s *session) clear(from side, data []byte, offset, ack int64, first bool) {
	if from == client {
		s.seen = ack
		s.clientOctets(data, offset, first)
		return
	}
	s.acked = ack
	s.s.Feed(data, offset, s.now)
	s.pumpServer()
}

func (s *session) clientOctets(data []byte, offset int64, first bool) {
	if first && !s.greeted && !s.f.midway {
		s.early = true
	}
	s.c.Feed(data, offset)
	if s.mustGuess {
		s.guess()
	}
	s.pumpClient()
	s.c.Keep()
	if s.c.Overflowed() {
		s.anomaly(WaitingLimit, s.now, "")
		s.guess()
		s.pumpClient()
		s.c.Keep()
	}
}

// lose takes a gap.
func (s *session) lose(from side, c *stream.Chunk) {
	s.now = c.Time
	if s.turned {
		from = from.other()
	}
	if s.outer != nil {
		s.outer.over[from] = true
	}
	s.unsniffed(from)
	s.rec.Partial, s.lostAny = true, true
	if from == client {
		s.anomaly(ClientGap, s.now, "")
	} else {
		s.anomaly(ServerGap, s.now, "")
	}
	if s.sealed {
		s.encryptedGap(from, c)
		return
	}
	s.clearLost(from, c.Offset, c.Gap)
}

// clearLost takes a loss of n octets of the dialog at an offset.
func (s *session) clearLost(from side, offset, n int64) {
	if from == client {
		s.clientGap = offset + n
		if s.auth != nil {
			s.auth.ex.Lost()
		}
		s.c.Gap(n)
		s.pumpClient()
		s.c.Keep()
		return
	}
	s.s.Gap(n)
	s.s.Feed(nil, offset+n, s.now)
	s.pumpServer()
}

// inBulk says whether the client's octets are a message's body or inside TLS.
func (s *session) inBulk() bool {
	return s.sealed && s.secured || s.c.Mode() == smtp.InData && s.mail.content != nil && s.mail.content.reader.HeaderDone()
}

func (s *session) pumpClient() {
	for s.c.Next(s.tok) {
		s.clientToken(s.tok)
	}
}

func (s *session) pumpServer() {
	for s.s.Next(s.rep) {
		switch {
		case s.rep.Lost > 0:
			s.repliesLost(s.rep.End)
		case s.rep.Raw != nil:
			s.encrypted(server, s.rep.Raw, s.rep.End-int64(len(s.rep.Raw)), s.acked)
		default:
			s.reply(s.rep)
		}
		s.pumpClient()
		s.c.Keep()
	}
}

func (s *session) clientToken(t *smtp.Token) {
	switch t.Kind {
	case smtp.Command:
		s.command(t)
	case smtp.Response:
		s.respond(t)
	case smtp.Body:
		s.content(t.Data)
	case smtp.EndOfData:
		s.endOfData(t)
	case smtp.EndOfChunk:
		s.endOfChunk(t)
	case smtp.Lookalike:
		s.lookalike(t)
	case smtp.Lost:
		s.commandsLost(t)
	case smtp.Raw:
		s.encrypted(client, t.Data, t.Begin, s.seen)
	}
}

// command files a command until its reply comes.
func (s *session) command(t *smtp.Token) {
	if t.Flags&smtp.Headless != 0 && t.Verb == smtp.Unknown {
		return // the tail of a line that a gap has cut
	}
	s.commands[t.Verb]++
	s.oddities(t)
	c := command{verb: t.Verb, flags: t.Flags, begin: t.Begin, end: t.End, seen: s.seen, time: s.now}
	switch t.Verb {
	case smtp.RSET:
		s.dropContent()
		s.mail.chunks = false
	case smtp.MAIL, smtp.SEND, smtp.SOML, smtp.SAML: // RFC 821, 3.4: the same, to a terminal
		s.dropContent()
		s.mail.chunks = false
		a := s.address(t)
		c.verb, c.arg, c.params = smtp.MAIL, a.Mailbox, s.mailParams(&a)
	case smtp.RCPT:
		a := s.address(t)
		c.arg, c.rcpt = a.Mailbox, s.rcptParams(&a)
		c.fresh = s.chunksLeft()
	case smtp.DATA:
		c.fresh = s.chunksLeft()
	case smtp.HELO, smtp.EHLO, smtp.LHLO:
		c.arg = smtp.Text(t.Arg, 512)
		s.helo.given = Helo{Verb: t.Verb.String(), Name: c.arg}
		s.dropContent()
		s.mail.chunks = false
	case smtp.VRFY, smtp.EXPN:
		c.arg = smtp.Text(t.Arg, 512)
	case smtp.AUTH, smtp.XEXPS:
		c.verb = smtp.AUTH
		s.authBegins(t)
	case smtp.XCLIENT, smtp.XFORWARD:
		x := smtp.ParseXClient(t.Arg)
		c.proxy = &x
	case smtp.XEXCH50:
		c.size = t.Size
	case smtp.QUIT:
		s.quit = true
	case smtp.STARTTLS:
		s.rec.TLS.Requested = true
	case smtp.BDAT:
		s.chunkBegins(t)
	}
	s.file(c)
}

// chunksLeft says whether a message in chunks is left open where none may be:
// RCPT and DATA cannot follow BDAT (RFC 3030, 2). So its end was lost, and with
// it the MAIL of the next one.
func (s *session) chunksLeft() bool {
	if !s.mail.chunks || !s.lostAny {
		return false
	}
	s.mail.chunks = false
	s.dropContent()
	return true
}

func (s *session) oddities(t *smtp.Token) {
	switch {
	case t.Verb == smtp.Unknown && smtp.OtherProtocol(t.Line):
		s.anomaly(NotSMTP, s.now, "")
	case t.Verb == smtp.Unknown:
		s.anomaly(UnknownVerb, s.now, "")
	}
	if t.Flags&smtp.BareLF != 0 {
		s.anomaly(BareLF, s.now, "")
	}
	if t.Flags&smtp.NUL != 0 {
		s.anomaly(NULByte, s.now, "")
	}
	if t.Flags&smtp.LongLine != 0 {
		s.anomaly(LongLine, s.now, "")
	}
	if t.Flags&smtp.BadSize != 0 {
		s.anomaly(BadBDAT, s.now, "")
	}
}

func (s *session) file(c command) {
	if s.lostAny {
		s.purge(c.seen)
	}
	if len(s.pending) >= s.lim.Pending {
		s.anomaly(PendingLimit, s.now, "")
		s.shift()
	}
	s.wait(c)
}

// wait puts a command behind those that wait for their replies. The list begins
// anew where its memory does whenever it is empty.
func (s *session) wait(c command) {
	if len(s.pending) == 0 {
		s.pending = append(s.spare, c)
		s.spare = s.pending[:0]
		return
	}
	s.pending = append(s.pending, c)
}

func (s *session) shift() command {
	c := s.pending[0]
	s.pending[0] = command{} // append moves the rest now and then, not each reply
	s.pending = s.pending[1:]
	return c
}

func (s *session) in() In { return s.at(s.now) }

func (s *session) at(ns int64) In {
	in := s.f.in(ns)
	in.Origin = s.rec.Origin
	return in
}

// anomaly tells something odd; the record names each kind once.
func (s *session) anomaly(kind string, at int64, detail string) {
	if !slices.Contains(s.kinds, kind) {
		s.kinds = append(s.kinds, kind)
	}
	s.f.t.emit(&Anomaly{In: s.at(at), Kind: kind, Detail: detail})
}
