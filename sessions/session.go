package sessions

import (
	"math"
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
	taken   int32  // how many replies, but 3xx, a stand-in for lost octets got
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
	f *flow

	seen  int64 // the client's acknowledgement in the chunk being read
	acked int64 // the server's acknowledgement in the chunk being read; -1 unknown
	now   int64 // packet time of the chunk being read

	sealed    bool    // TLS has begun
	passing   bool    // and nothing but the sizes of its records can be learned
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
	partial   bool // the start was missed, or octets were lost

	tlsMode                      tlsMode
	offered, requested, accepted bool   // STARTTLS
	lastCode                     uint16 // of the last reply

	c smtp.Client
	s smtp.Server

	mail    mailState
	pending []command
	room    *room // memory for pending, while there is any
	burst   int64 // what the client had seen when it sent the command answered last

	codes    codeCounts
	commands verbCounts

	tls *tlsState // nil before TLS began

	greeting   Banner
	helo       helo
	extensions []string
	mails      *mails // nil before the first
	recorded   int    // octets that they take, with the open one, beside what every mail does
	*rare
}

// helo is how the client named itself, and the last name that the server took.
// The verb is Unknown where there is none.
type helo struct {
	given, taken         string
	givenVerb, takenVerb smtp.Verb
}

// begin begins the dialog.
func (f *flow) begin() {
	f.talks = true
	s := &f.dialog
	*s = session{f: f, rare: &f.t.usual, acked: -1, helo: helo{givenVerb: smtp.Unknown, takenVerb: smtp.Unknown}}
	s.c.Options = &f.t.client
	s.s = s.newServer()
	if f.midway {
		s.anomaly(Midstream, f.start, "")
		s.c.Set(smtp.Tail)
	}
}

func (s *session) newServer() smtp.Server {
	return smtp.Server{Limit: uint32(min(s.f.t.opts.Limits.Reply, math.MaxUint32))}
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
		s.own().head[from].keep(b, offset)
		return nil, 0, false
	}
	h.data = nil
	if from == client {
		n := s.proxyHeader(b)
		if b, offset = b[n:], offset+int64(n); s.outer == nil && s.beginsOuter(b) {
			b, offset = s.unwrap(from, b, offset)
		}
		if len(b) == 0 || !s.enough(from, b) {
			s.own().head[from].keep(b, offset)
			return nil, 0, false
		}
	}
	if s.started[from] = true; offset != 0 {
		s.own().begin[from] = offset
	}
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
	s.partial, s.lostAny = true, true
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
		s.own().clientGap = offset + n
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
	for s.c.Next(&s.f.t.tok) {
		s.clientToken(&s.f.t.tok)
	}
}

func (s *session) pumpServer() {
	for r := &s.f.t.rep; s.s.Next(r); {
		switch {
		case r.Lost > 0:
			s.repliesLost(r.End)
		case r.Raw != nil:
			s.encrypted(server, r.Raw, r.End-int64(len(r.Raw)), s.acked)
		default:
			s.reply(r)
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
	s.commands.add(t.Verb)
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
		s.helo.given, s.helo.givenVerb = c.arg, t.Verb
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
		s.requested = true
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
	if len(s.pending) >= s.f.t.opts.Limits.Pending {
		s.anomaly(PendingLimit, s.now, "")
		s.shift()
	}
	s.wait(c)
}

func (s *session) in() In { return s.at(s.now) }

func (s *session) at(ns int64) In {
	in := s.f.in(ns)
	in.Origin = s.origin
	return in
}

// anomaly tells something odd; the record names each kind once.
func (s *session) anomaly(kind string, at int64, detail string) {
	if !slices.Contains(s.kinds, kind) {
		s.own().kinds = append(s.kinds, kind)
	}
	s.f.t.emit(&Anomaly{In: s.at(at), Kind: kind, Detail: detail})
}
