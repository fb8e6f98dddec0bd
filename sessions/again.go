package sessions

import (
	"bytes"
	"slices"

	"github.com/mailtap/mailtap/decode/smtp"
	"github.com/mailtap/mailtap/decode/tls"
)

// This file decides whether a dialog goes on in clear where TLS must stand. The
// server decides: a device that ends TLS on the way and shows the inside answers
// in clear, and so does one that fakes it; a server that waits for TLS answers
// with an alert, or not at all.

// again is what a client said in clear where TLS must stand, until the server
// answers.
type again struct {
	data   []byte
	offset int64
	ack    int64
	time   int64
}

// goesOn takes more of the client's octets, up to a record of TLS; left is what
// it does not take: all where nothing waits, or too much would.
func (a *again) goesOn(b []byte, ack int64) (left []byte) {
	if len(a.data) == 0 || len(a.data)+len(b) > maxAgain {
		return b
	}
	begun := bytes.LastIndexByte(a.data, '\n') + 1 // a line whose end was not seen
	a.data, a.ack = append(a.data, b...), max(a.ack, ack)
	for at := begun; at < len(a.data); {
		if isTLS, _ := tls.LooksLikeRecord(a.data[at:]); isTLS {
			left, a.data = slices.Clone(a.data[at:]), a.data[:at]
			return left
		}
		line := firstLine(a.data[at:])
		at += len(line) + 1
	}
	return nil
}

// maxAgain bounds the octets that wait, for each connection.
const maxAgain = 16 << 10

// clearAgain takes a line in clear, of b at an offset; true where b was taken
// with it. The client's must be a command of one that knows the 220, the
// server's a reply to it.
func (s *session) clearAgain(from side, b, line []byte, offset, knew, ack int64) bool {
	a := &s.tls.again
	switch {
	case from == client && len(b) <= maxAgain && s.tlsMode == startTLS && knew >= s.tls.told && smtp.WellFormed(line):
		*a = again{data: slices.Clone(b), offset: offset, ack: knew, time: s.now}
		return true
	case from == server && len(a.data) > 0 && smtp.IsReply(line) && ack > a.offset:
		s.anomaly(ClearAfterStartTLS, s.now, "")
		s.tlsMode = noTLS
		s.backToClear(b, offset, ack)
		return true
	case from == server && s.tlsMode == implicitTLS && smtp.IsReply(line):
		// The client sent a hello to a server that speaks in clear.
		if s.f.conn.Role == RoleSubmissions {
			s.anomaly(ClearOnTLSPort, s.now, "")
		}
		s.tlsFacts()
		s.tlsMode = noTLS
		s.backToClear(b, offset, ack)
		return true
	}
	return false
}

// backToClear reads what the client said, and the server's answer to it.
func (s *session) backToClear(answer []byte, offset, ack int64) {
	a, now := s.tls.again, s.now
	s.tls, s.sealed, s.passing = nil, false, false
	s.s = s.newServer()
	s.c.Set(smtp.Commands)
	if len(a.data) > 0 {
		s.now, s.seen = a.time, a.ack
		s.clientOctets(a.data, a.offset, false)
		s.now = now
	}
	s.clear(server, slices.Clone(answer), offset, ack, false)
}

// notAgain gives up what waited. Commands in clear behind which TLS follows were
// put there by somebody: the server may read them as said inside (CVE-2011-0411).
func (s *session) notAgain(tlsFollows bool) {
	if len(s.tls.again.data) == 0 {
		return
	}
	s.tls.again = again{}
	if tlsFollows {
		s.anomaly(StartTLSInjection, s.now, "")
	} else {
		s.anomaly(BadTLS, s.now, "")
	}
}
