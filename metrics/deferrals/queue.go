package deferrals

import (
	"crypto/rand"
	"encoding/binary"
	"slices"
	"time"

	"github.com/dchest/siphash"

	"github.com/mailtap/mailtap/sessions"
)

// Outcomes of an attempt.
const (
	Accepted = "accepted"
	Deferred = "deferred"
	Rejected = "rejected"
)

// Observer is told what becomes of pairs that waited.
type Observer interface {
	// Retried says that a pair was tried again, and with what outcome.
	Retried(c *sessions.Conn, outcome string)
	// Delivered says how long it was from the first deferral to the acceptance.
	Delivered(c *sessions.Conn, after time.Duration)
}

// Options of a Queue. The zero value works.
type Options struct {
	Servers  []string      // configured names; all other servers count as one without a name
	Pairs    int           // that wait at most; default 200,000
	Expire   time.Duration // a pair that nobody tried for so long is forgotten; default 24 h
	Observer Observer      // nil: nobody asks
}

// Defaults of Options, and what a pair costs.
const (
	DefaultPairs  = 200_000
	DefaultExpire = 24 * time.Hour
	PairBytes     = 150 // octets of memory at most, with its share of the table; 100 mostly
	maxServers    = 1 << 15
)

func (o Options) withDefaults() Options {
	if o.Pairs <= 0 {
		o.Pairs = DefaultPairs
	}
	if o.Expire <= 0 {
		o.Expire = DefaultExpire
	}
	o.Servers = o.Servers[:min(len(o.Servers), maxServers)]
	return o
}

// Queue is the pairs that wait. One goroutine at a time may use it.
type Queue struct {
	options Options
	servers []string // the first one is the empty name
	seed    key
	clock   sessions.Clock
	now     int64 // of clock
	behind  int64 // now less packet time
	table   table
	scratch []byte

	expired, dropped uint64
}

// New makes an empty Queue.
func New(o Options) *Queue {
	q := &Queue{options: o.withDefaults(), servers: []string{""}}
	q.servers = append(q.servers, q.options.Servers...)
	q.table = newTable(len(q.servers))
	var seed [16]byte
	rand.Read(seed[:]) // never fails
	q.seed = key{binary.LittleEndian.Uint64(seed[:]), binary.LittleEndian.Uint64(seed[8:])}
	return q
}

// Handle implements sessions.Handler: it takes finished mails and nothing else.
func (q *Queue) Handle(e sessions.Event) {
	if done, ok := e.(*sessions.MailDone); ok {
		q.mail(done.Conn, done.Mail, done.Time)
	}
}

// Advance says that packet time has come to now.
func (q *Queue) Advance(now time.Time) {
	q.tick(now)
	q.table.grow(q.now)
	for i := q.table.byLast.oldest; i != none && q.table.pairs[i].last+int64(q.options.Expire) < q.now; i = q.table.byLast.oldest {
		q.table.remove(i)
		q.expired++
	}
}

func (q *Queue) tick(now time.Time) {
	ns := now.UnixNano()
	q.now = q.clock.At(ns)
	q.behind = q.now - ns
}

// mail takes what a transaction says of each of its recipients: those refused by
// the reply to RCPT, then those of the mail's own reply. A mail that was aborted
// says nothing of the latter.
func (q *Queue) mail(c *sessions.Conn, m *sessions.Mail, at time.Time) {
	if !m.FromKnown || len(q.table.index) == 0 && !defers(m) {
		return
	}
	q.tick(at)
	for i := range m.Rejected {
		q.attempt(c, m, m.Rejected[i].To, m.Rejected[i].Code)
	}
	for i, to := range m.To {
		q.attempt(c, m, to, codeOf(m, i))
	}
}

// defers says whether a mail leaves anything outstanding.
func defers(m *sessions.Mail) bool {
	isDeferral := func(code int) bool { return code/100 == 4 }
	return m.Result == sessions.MailDeferred || slices.ContainsFunc(m.RecipientCodes, isDeferral) ||
		slices.ContainsFunc(m.Rejected, func(r sessions.Rejection) bool { return isDeferral(r.Code) })
}

// codeOf is the last word about an accepted recipient. With LMTP and PRDR each has
// a code of its own, and a refusal of the mail as a whole is one of each.
func codeOf(m *sessions.Mail, i int) int {
	switch m.Result {
	case sessions.MailAccepted, sessions.MailDeferred, sessions.MailRejected:
	default:
		return 0
	}
	if i < len(m.RecipientCodes) && (m.RecipientCodes[i]/100 != 2 || m.Result == sessions.MailAccepted) {
		return m.RecipientCodes[i]
	}
	return m.Code
}

// attempt takes one outcome of one recipient.
func (q *Queue) attempt(c *sessions.Conn, m *sessions.Mail, to string, code int) {
	outcome := outcomeOf(code)
	if outcome == "" {
		return
	}
	k := q.keyOf(c, m.From, to)
	i, waits := q.table.index[k]
	if waits && q.options.Observer != nil {
		q.options.Observer.Retried(c, outcome)
	}
	switch {
	case outcome == Deferred && waits:
		q.table.again(i, q.server(c.ServerName), q.now)
	case outcome == Deferred:
		q.makeRoom()
		q.table.add(k, q.server(c.ServerName), q.now)
	case waits:
		if outcome == Accepted && q.options.Observer != nil {
			q.options.Observer.Delivered(c, time.Duration(q.now-q.table.pairs[i].first))
		}
		q.table.remove(i)
	}
}

// outcomeOf is empty where a code tells nothing of the recipient: a complaint of the
// syntax or the order of commands (RFC 5321, 4.2.4) is about the dialog.
func outcomeOf(code int) string {
	switch {
	case code >= 500 && code <= 504:
		return ""
	case code/100 == 2:
		return Accepted
	case code/100 == 4:
		return Deferred
	case code/100 == 5:
		return Rejected
	}
	return ""
}

func (q *Queue) makeRoom() {
	if len(q.table.index) >= q.options.Pairs {
		q.table.remove(q.table.byLast.oldest)
		q.dropped++
	}
}

// server is the place of a name; a site has few.
func (q *Queue) server(name string) uint16 {
	return uint16(max(0, slices.Index(q.servers, name)))
}

// keyOf hashes a pair with SipHash-2-4 (Aumasson, Bernstein 2012). The same mail may
// wait at two hops at once: direction and role tell these apart. Case does not tell
// mailboxes apart where mail is queued.
func (q *Queue) keyOf(c *sessions.Conn, from, to string) key {
	b := q.scratch[:0]
	b = append(append(b, c.Direction...), 0)
	b = append(append(b, c.Role...), 0)
	b = append(appendLower(b, from), 0)
	q.scratch = appendLower(b, to)
	x, y := siphash.Hash128(q.seed.a, q.seed.b, q.scratch)
	return key{x, y}
}

func appendLower(dst []byte, text string) []byte {
	for i := range len(text) {
		c := text[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// Waiting is how many pairs wait at a server, the last that deferred them.
type Waiting struct {
	Server string // its configured name, empty for all others together
	Ages   Ages
}

// Status is what a Queue has to tell at a time.
type Status struct {
	Waiting          []Waiting
	Oldest           time.Duration // since the first deferral of the oldest pair; 0: none waits
	Expired, Dropped uint64        // pairs forgotten: nobody tried for long, or the bound was reached
}

// Status tells what waits, at the time of the last Advance.
func (q *Queue) Status() Status {
	s := Status{Waiting: make([]Waiting, len(q.servers)), Expired: q.expired, Dropped: q.dropped}
	for i, name := range q.servers {
		s.Waiting[i] = Waiting{name, q.table.counts[i]}
	}
	if i := q.table.byFirst.oldest; i != none {
		s.Oldest = time.Duration(q.now - q.table.pairs[i].first)
	}
	return s
}
