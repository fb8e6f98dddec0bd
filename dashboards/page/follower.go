package page

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/ladder"
)

// follower makes ladders of connections and keeps the last of those that ended.
type follower struct {
	limits Options
	open   map[*sessions.Conn]*ladder.Ladder
	last   []*session // oldest first
	number uint64     // of the newest of them
	octets int        // of all ladders
	began  int        // connections in this second
}

// session is one that ended. It never changes; its forms for readers are made when
// the first of them asks, off the packet path.
type session struct {
	number uint64
	conn   *sessions.Conn
	ladder *ladder.Ladder
	facts  row // all but what conn says
	octets int

	made sync.Once
	row  json.RawMessage
	text string // what a search looks through, in lower case
}

func newFollower(o Options) follower {
	return follower{limits: o, open: make(map[*sessions.Conn]*ladder.Ladder)}
}

// take takes an event of a connection that is chosen, and how it is shown, and
// returns how many have begun in this second. A ladder has its first step: a connection that is met
// later is left out.
func (f *follower) take(e, shown sessions.Event, mask uint32) int {
	c := e.Of()
	l := f.open[c]
	if l == nil {
		if !begins(e, mask) {
			return f.began
		}
		f.began++
		if len(f.open) >= f.limits.Open {
			return f.limits.Rate + 1 // fewer are to be chosen
		}
		l = &ladder.Ladder{Options: ladder.Options{Steps: f.limits.Steps}}
		f.open[c] = l
	}
	before := l.Octets()
	l.Handle(shown)
	f.octets += l.Octets() - before
	if closed, ok := shown.(*sessions.Closed); ok {
		delete(f.open, c)
		f.ended(l, closed)
	}
	f.forget()
	if f.octets > f.limits.Octets && f.open[c] != nil { // it alone, or all that are open, hold too much
		f.drop(c)
	}
	return f.began
}

// begins says whether an event is the first of its connection.
func begins(e sessions.Event, mask uint32) bool {
	switch e := e.(type) {
	case *sessions.Attempt:
		return e.Result == "established"
	case *sessions.Opened:
		return true
	case *sessions.Anomaly:
		return e.Kind == sessions.Midstream
	case *sessions.Closed: // nothing came before it; of a scan or a flood none is followed
		return mask == 0 && (e.Session.End == sessions.EndRefused || e.Session.End == sessions.EndUnanswered)
	}
	return false
}

func (f *follower) ended(l *ladder.Ladder, e *sessions.Closed) {
	f.number++
	s := &session{number: f.number, conn: e.Conn, ladder: l, facts: factsOf(e)}
	s.octets = 2 * l.Octets() // with its text for searches
	f.octets += l.Octets()
	f.last = append(f.last, s)
}

// make makes the session's forms, once.
func (s *session) make() {
	s.made.Do(func() {
		r, c := s.facts, s.conn
		r.Number, r.Session, r.Time, r.Client, r.Server = s.number, c.ID, c.Start.UTC(), c.Client.String(), c.Server.String()
		r.ServerName, r.Role, r.Direction = c.ServerName, c.Role, c.Direction
		s.row, _ = json.Marshal(r) // strings and numbers: it cannot fail
		s.text = searchText(&r, s.ladder.Steps())
	})
}

// forget leaves out the oldest sessions where there are too many, or too large ones.
func (f *follower) forget() {
	n := max(len(f.last)-f.limits.Sessions, 0)
	for _, s := range f.last[:n] {
		f.octets -= s.octets
	}
	for ; n < len(f.last) && f.octets > f.limits.Octets; n++ {
		f.octets -= f.last[n].octets
	}
	clear(f.last[:n]) // not to be held by the list's memory
	f.last = f.last[n:]
}

// forgetAll leaves out all of them, and what is open.
func (f *follower) forgetAll() {
	clear(f.open)
	f.last, f.octets = nil, 0
}

func (f *follower) drop(c *sessions.Conn) {
	f.octets -= f.open[c].Octets()
	delete(f.open, c)
}

// keep gives up what is open and is not chosen any more.
func (f *follower) keep(mask uint32) {
	f.began = min(f.began, f.limits.Rate*3/4) // the next step comes sooner
	for c := range f.open {
		if !chosen(c, mask) {
			f.drop(c)
		}
	}
}

// second begins the next one, and says how many connections began in the last.
func (f *follower) second() int {
	n := f.began
	f.began = 0
	return n
}

// row is a session in the list.
type row struct {
	Number     uint64         `json:"number"` // grows with each that ends
	Session    string         `json:"session"`
	Time       time.Time      `json:"time"`
	Duration   ladder.Seconds `json:"duration"`
	Client     string         `json:"client"`
	Origin     string         `json:"origin,omitempty"` // the real client, behind a proxy
	Server     string         `json:"server"`
	ServerName string         `json:"server_name,omitempty"`
	Role       string         `json:"role"`
	Direction  string         `json:"direction"`
	End        string         `json:"end"`
	Helo       string         `json:"helo,omitempty"`
	TLS        string         `json:"tls,omitempty"` // the version, or how it failed
	Logins     []rowLogin     `json:"logins,omitempty"`
	Failed     int            `json:"logins_failed,omitempty"`
	Mails      []rowMail      `json:"mails,omitempty"`
	MailCount  int            `json:"mail_count"`
	Anomalies  []string       `json:"anomalies,omitempty"`
	Partial    bool           `json:"partial,omitempty"`
}

type (
	rowLogin struct {
		User   string `json:"user"`
		Result string `json:"result"`
	}
	rowMail struct {
		From    string   `json:"from"`
		To      []string `json:"to,omitempty"`
		More    int      `json:"more,omitempty"` // recipients beside them
		Result  string   `json:"result"`
		Code    int      `json:"code,omitempty"`
		Subject string   `json:"subject,omitempty"`
	}
)

// Bounds of a row: the ladder has the rest.
const (
	rowMails  = 3
	rowLogins = 3
	rowNames  = 3
	rowText   = 200 // octets
)

func factsOf(e *sessions.Closed) row {
	s := e.Session
	r := row{
		Duration: ladder.Seconds(s.Duration), End: s.End, Helo: ladder.Clean(s.Helo.Name, rowText),
		TLS: tlsOf(&s.TLS), MailCount: len(s.Mails), Partial: s.Partial, Anomalies: s.Anomalies[:min(len(s.Anomalies), 8)],
	}
	if s.Origin != nil {
		r.Origin = s.Origin.Client.Addr().String()
	}
	for i := range s.Auth {
		if s.Auth[i].Result == sessions.AuthFailure {
			r.Failed++
		}
		if i < rowLogins {
			r.Logins = append(r.Logins, rowLogin{ladder.Clean(s.Auth[i].Username, rowText), s.Auth[i].Result})
		}
	}
	for _, m := range s.Mails[:min(len(s.Mails), rowMails)] {
		r.Mails = append(r.Mails, mailOf(m))
	}
	return r
}

func tlsOf(t *sessions.TLS) string {
	switch t.Outcome {
	case sessions.TLSEstablished:
		return t.Version
	case sessions.TLSRefused, sessions.TLSFailed, sessions.TLSStripped:
		return t.Outcome
	}
	return ""
}

func mailOf(m *sessions.Mail) rowMail {
	r := rowMail{From: ladder.Clean(m.From, rowText), Result: outcome(m), Code: m.Code}
	if r.Code == 0 && len(m.Rejected) > 0 && r.Result != m.Result {
		r.Code = m.Rejected[0].Code
	}
	for i := range m.Rejected {
		if i < rowNames {
			r.To = append(r.To, ladder.Clean(m.Rejected[i].To, rowText))
		}
	}
	for _, to := range m.To {
		if len(r.To) < rowNames {
			r.To = append(r.To, ladder.Clean(to, rowText))
		}
	}
	r.More = len(m.To) + len(m.Rejected) - len(r.To)
	if m.Header != nil {
		r.Subject = ladder.Clean(m.Header.Subject, rowText)
	}
	return r
}

func searchText(r *row, steps []ladder.Step) string {
	var b strings.Builder
	line := func(words ...string) {
		for _, w := range words {
			b.WriteString(w)
			b.WriteByte('\n')
		}
	}
	line(r.Session, r.Client, r.Origin, r.Server, r.ServerName, r.Role, r.Direction, r.End, r.Helo, r.TLS)
	line(r.Anomalies...)
	for i := range steps {
		s := &steps[i]
		line(s.Line(), s.Result, s.Enhanced)
		line(s.More...)
	}
	return strings.ToLower(b.String())
}

// matches says whether a text has all words of a query, numbers as whole words: a
// reply code is not to be found in a port.
func matches(text string, words []string) bool {
	return !slices.ContainsFunc(words, func(w string) bool { return !has(text, w) })
}

func has(text, word string) bool {
	if _, err := strconv.ParseUint(word, 10, 64); err != nil {
		return strings.Contains(text, word)
	}
	for from := 0; ; {
		at := strings.Index(text[from:], word)
		if at < 0 {
			return false
		}
		at += from
		if (at == 0 || !alphanumeric(text[at-1])) && (at+len(word) == len(text) || !alphanumeric(text[at+len(word)])) {
			return true
		}
		from = at + 1
	}
}

func alphanumeric(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' }
