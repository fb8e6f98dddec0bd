package log

import "github.com/mailtap/mailtap/sessions"

// The kinds of records, as the field event names them.
const (
	KindSession = "session"
	KindMail    = "mail"
	KindAuth    = "auth"
	KindAlert   = "alert"
)

// Kinds lists every kind of record.
var Kinds = [...]string{KindSession, KindMail, KindAuth, KindAlert}

// Encoder appends records to a buffer of the caller: one JSON object, without
// a line end. The zero value works.
type Encoder struct {
	Sensor string // configured name of this tap; left out where empty

	known *connLines // a Writer's own; nil: nothing is remembered
}

// Append encodes the record of an event, and appends nothing for an event that
// has none.
func (e Encoder) Append(b []byte, event sessions.Event) []byte {
	switch ev := event.(type) {
	case *sessions.Closed:
		return e.session(b, ev)
	case *sessions.MailDone:
		return e.mail(b, ev)
	case *sessions.Authenticated:
		return e.auth(b, ev)
	}
	return b
}

func (e Encoder) session(b []byte, ev *sessions.Closed) []byte {
	s := ev.Session
	b = open(b, `{"event":"session",`)
	b = instant(b, `"time":`, ev.Conn.Start)
	b = e.lastConn(b, ev.Conn)
	b = seconds(b, `"duration":`, s.Duration)
	b = text(b, `"end":`, s.End)
	b = appendOrigin(b, s.Origin)
	b = text(b, `"outer":`, s.Outer)
	b = appendLink(b, ev.Conn)
	b = appendBanner(b, s.Banner)
	b = appendHelo(b, s.Helo)
	b = texts(b, `"extensions":`, s.Extensions)
	b = appendTLS(b, &s.TLS)
	b = appendAuths(b, s.Auth)
	b = appendMails(b, s.Mails)
	b = appendCounts(b, `"commands":{`, s.Commands)
	b = appendCounts(b, `"replies":{`, s.Replies)
	b = texts(b, `"anomalies":`, s.Anomalies)
	b = appendSides(b, `"bytes":{`, s.Bytes)
	b = appendSides(b, `"packets":{`, s.Packets)
	b = appendLosses(b, `"lost":{`, s.Lost)
	b = appendLosses(b, `"retransmitted":{`, s.Retransmitted)
	b = truth(b, `"partial":`, s.Partial)
	return end(b, '}')
}

func (e Encoder) mail(b []byte, ev *sessions.MailDone) []byte {
	b = open(b, `{"event":"mail",`)
	b = instant(b, `"time":`, ev.Mail.Time)
	b = e.conn(b, ev.Conn)
	b = text(b, `"tls_mode":`, ev.TLSMode)
	b = appendMail(b, ev.Mail)
	return end(b, '}')
}

func (e Encoder) auth(b []byte, ev *sessions.Authenticated) []byte {
	b = open(b, `{"event":"auth",`)
	b = instant(b, `"time":`, ev.Auth.Time)
	b = e.conn(b, ev.Conn)
	b = text(b, `"tls_mode":`, ev.TLSMode)
	b = appendAuth(b, &ev.Auth)
	return end(b, '}')
}

func appendCounts(b []byte, key string, counts []sessions.Count) []byte {
	if len(counts) == 0 {
		return b
	}
	b = open(b, key)
	for _, c := range counts {
		b = appendString(b, c.Name)
		b = append(b, ':')
		b = append(appendInt(b, int64(c.N)), ',')
	}
	return append(end(b, '}'), ',')
}

func appendSides(b []byte, key string, s sessions.Sides) []byte {
	b = open(b, key)
	b = append(b, `"client":`...)
	b = appendUint(b, s.Client)
	b = append(b, `,"server":`...)
	b = appendUint(b, s.Server)
	return append(b, '}', ',')
}

// appendLosses leaves the ordinary case out: nothing was lost.
func appendLosses(b []byte, key string, s sessions.Sides) []byte {
	if s == (sessions.Sides{}) {
		return b
	}
	return appendSides(b, key, s)
}
