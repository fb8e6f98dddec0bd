package alerts

import (
	"strings"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// reads says which costly facts the expressions of a kind may ask for; the
// others are left empty. An expression can reach a fact only by naming it.
type reads struct {
	addresses, rejected, files, auth, mails, counts bool

	noHeader sessions.Header // of mails without content
}

func (r *reads) note(source string) {
	any := strings.Contains(source, "$env")
	has := func(word string) bool { return any || strings.Contains(source, word) }
	r.addresses = r.addresses || has("client") || has("server") || has("source") || has("origin")
	r.rejected = r.rejected || has("rejected")
	r.files = r.files || has("attachments")
	r.auth = r.auth || has("auth")
	r.mails = r.mails || has("mails")
	r.counts = r.counts || has("commands") || has("replies")
}

// facts holds one environment a kind for the expression machine, which few
// events need: an environment is filled when the machine first asks.
type facts struct {
	envs  [kinds]any
	reads [kinds]reads

	event  sessions.Event // at hand
	filled bool

	conn *sessions.Conn // whose address texts are kept
	ips  [2]string

	cur *ConnFacts // of the event at hand
}

func newFacts() *facts {
	f := &facts{}
	for k := range kinds {
		f.envs[k] = newEnv(k)
	}
	return f
}

func (f *facts) take(ev sessions.Event) { f.event, f.filled = ev, false }

// env is the environment that tells the event at hand.
func (f *facts) env(k kind) any {
	if !f.filled {
		f.filled = true
		f.fill(k, f.event)
	}
	return f.envs[k]
}

// kindOf sorts an event; ok is false for those that no rule can read.
func kindOf(ev sessions.Event) (k kind, ok bool) {
	switch ev.(type) {
	case *sessions.Attempt:
		return kindAttempt, true
	case *sessions.Closed:
		return kindSession, true
	case *sessions.Replied:
		return kindCommand, true
	case *sessions.Authenticated:
		return kindAuth, true
	case *sessions.MailDone:
		return kindMail, true
	case *sessions.Secured:
		return kindTLS, true
	case *sessions.Anomaly:
		return kindAnomaly, true
	case *captured:
		return kindCapture, true
	}
	return 0, false
}

// fill makes the environment of the event's kind tell the event.
func (f *facts) fill(k kind, ev sessions.Event) {
	r := &f.reads[k]
	switch ev := ev.(type) {
	case *sessions.Attempt:
		env := f.envs[k].(*attemptEnv)
		f.cur = &env.ConnFacts
		env.Attempt.Result = ev.Result
	case *sessions.Closed:
		env := f.envs[k].(*sessionEnv)
		f.cur = &env.ConnFacts
		env.fill(ev.Session, r)
	case *sessions.Replied:
		env := f.envs[k].(*commandEnv)
		f.cur = &env.ConnFacts
		env.Command = commandFacts{ev.Verb, ev.Code, ev.Enhanced, ev.Text, ev.Delay.Seconds(), ev.Argument}
	case *sessions.Authenticated:
		env := f.envs[k].(*authEnv)
		f.cur = &env.ConnFacts
		env.Auth.fill(&ev.Auth)
	case *sessions.MailDone:
		env := f.envs[k].(*mailEnv)
		f.cur = &env.ConnFacts
		env.TLSMode = ev.TLSMode
		env.Mail.fill(ev.Mail, r)
	case *sessions.Secured:
		env := f.envs[k].(*tlsEnv)
		f.cur = &env.ConnFacts
		env.TLS.fill(&ev.TLS)
	case *sessions.Anomaly:
		env := f.envs[k].(*anomalyEnv)
		f.cur = &env.ConnFacts
		env.Anomaly = anomalyFacts{ev.Kind, ev.Detail}
	case *captured:
		f.envs[k].(*captureEnv).fill(&ev.Capture)
		return
	}
	f.fillConn(ev.Of(), ev.At())
	if r.addresses {
		f.fillAddresses(ev.Of())
		f.fillOrigin(ev)
	}
}

func (f *facts) fillConn(c *sessions.Conn, at time.Time) {
	f.cur.Session, f.cur.Time = c.ID, at
	f.cur.Role, f.cur.Direction = c.Role, c.Direction
	f.cur.Client.Port = int(c.Client.Port())
	f.cur.Server.Port, f.cur.Server.Name = int(c.Server.Port()), c.ServerName
}

// fillAddresses writes the addresses as text, once for the events of a
// connection that follow each other.
func (f *facts) fillAddresses(c *sessions.Conn) {
	if f.conn != c {
		f.conn = c
		f.ips = [2]string{c.Client.Addr().String(), c.Server.Addr().String()}
	}
	f.cur.Client.IP, f.cur.Server.IP = f.ips[0], f.ips[1]
}

// fillOrigin tells whom a proxy spoke for.
func (f *facts) fillOrigin(ev sessions.Event) {
	f.cur.Origin, f.cur.Source.IP = originFacts{}, f.cur.Client.IP
	o := ev.Behind()
	if o == nil {
		return
	}
	f.cur.Origin = originFacts{o.Client.Addr().String(), o.Via}
	if a := sourceOf(ev); a != ev.Of().Client.Addr() {
		f.cur.Source.IP = a.String()
	}
}

func (a *authFacts) fill(s *sessions.Auth) {
	*a = authFacts{s.Mechanism, s.Username, s.Authzid, s.Result, s.Code, s.Enhanced, s.Encrypted, s.SecretExposed, s.Denied}
}

func (m *mailFacts) fill(s *sessions.Mail, r *reads) {
	rejected := m.Rejected[:0]
	if r.rejected {
		for _, x := range s.Rejected {
			rejected = append(rejected, rejectionFacts(x))
		}
	}
	files := m.Attachments[:0]
	if r.files {
		for i := range s.Attachments {
			files = append(files, fileFacts{})
			files[i].fill(&s.Attachments[i])
		}
	}
	h := s.Header
	if h == nil {
		h = &r.noHeader
	}
	verdicts := m.Verdicts[:0]
	for i := range h.Verdicts {
		verdicts = append(verdicts, verdictFacts{h.Verdicts[i].Method, h.Verdicts[i].Result})
	}
	*m = mailFacts{
		FromAddresses: h.FromAddresses, Verdicts: verdicts, Attachments: files, Malformed: s.Malformed,
		Duration: s.Duration.Seconds(), From: s.From, FromKnown: s.FromKnown, To: s.To, Rejected: rejected, Recipient: recipientOf(s),
		Result: s.Result, Code: s.Code, Enhanced: s.Enhanced, Reply: s.Reply, QueueID: s.QueueID,
		Size: int(s.Size), DeclaredSize: int(s.DeclaredSize), Body: s.Body, SMTPUTF8: s.SMTPUTF8, Chunking: s.Chunking,
		Subject: h.Subject, HeaderFrom: h.From, HeaderTo: h.To, MessageID: h.MessageID,
		Date: h.Date, UserAgent: h.UserAgent, Received: h.Received,
		HopDelay: h.HopDelay.Seconds(), AuthResults: h.AuthResults, DKIMDomains: h.DKIMDomains,
		Truncated: s.Truncated, Smuggled: s.Smuggled, Login: s.Login, Authenticated: s.Authenticated, Encrypted: s.Encrypted,
	}
}

func (f *fileFacts) fill(s *sessions.Attachment) {
	*f = fileFacts{
		Filename: s.Filename, ContentType: s.ContentType, Sniffed: s.Sniffed, Disposition: s.Disposition,
		Size: int(s.Size), SHA256: s.SHA256, Truncated: s.Truncated, Names: s.Names, Encrypted: s.Encrypted,
	}
	for _, d := range s.Danger {
		f.Danger = append(f.Danger, dangerFacts(d))
	}
}

func (t *tlsFacts) fill(s *sessions.TLS) {
	*t = tlsFacts{
		Mode: s.Mode, Outcome: s.Outcome, Offered: s.Offered, Requested: s.Requested, Accepted: s.Accepted,
		Established: s.Established, OfferedVersion: s.OfferedVersion, Version: s.Version, Cipher: s.Cipher, SNI: s.SNI, ALPN: s.ALPN, Resumed: s.Resumed, JA3: s.JA3, JA3S: s.JA3S, JA4: s.JA4, Decrypted: s.Decrypted,
		Alert: tlsAlertFacts{s.AlertFrom, s.AlertName},
	}
	if c := s.Certificate; c != nil {
		t.Certificate = certificateFacts{
			c.Subject, c.Issuer, c.Serial, c.NotBefore, c.NotAfter, c.Names, c.SHA256, c.SelfSigned, c.Key, c.SignatureAlgorithm, c.Problems,
		}
	}
}

func (e *sessionEnv) fill(s *sessions.Session, r *reads) {
	e.Duration, e.End, e.Partial = s.Duration.Seconds(), s.End, s.Partial
	e.Banner = bannerFacts{s.Banner.Code, s.Banner.Text, s.Banner.Delay.Seconds()}
	e.Helo = heloFacts(s.Helo)
	e.Extensions, e.Anomalies = s.Extensions, s.Anomalies
	e.TLS.fill(&s.TLS)
	e.Bytes, e.Packets = sides(s.Bytes), sides(s.Packets)
	e.Lost, e.Retransmitted = sides(s.Lost), sides(s.Retransmitted)
	e.Auth = e.Auth[:0]
	if r.auth {
		for i := range s.Auth {
			e.Auth = append(e.Auth, authFacts{})
			e.Auth[i].fill(&s.Auth[i])
		}
	}
	e.Mails = e.Mails[:0]
	if r.mails {
		for i, m := range s.Mails {
			e.Mails = append(e.Mails, mailFacts{})
			e.Mails[i].fill(m, r)
		}
	}
	if r.counts {
		e.Commands, e.Replies = counts(e.Commands, s.Commands), counts(e.Replies, s.Replies)
	}
}

func sides(s sessions.Sides) sidesFacts { return sidesFacts{int(s.Client), int(s.Server)} }

func counts(into map[string]int, from []sessions.Count) map[string]int {
	if into == nil {
		into = make(map[string]int, len(from))
	}
	clear(into)
	for _, c := range from {
		into[c.Name] = c.N
	}
	return into
}
