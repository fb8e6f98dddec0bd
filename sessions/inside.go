package sessions

import (
	"slices"

	"github.com/mailtap/mailtap/decode/smtp"
	"github.com/mailtap/mailtap/decode/tls"
)

// inner is the dialog inside TLS, where a key log opens it. It is read by the
// same state table, and counts octets of its own: its places are not those of
// the TCP stream, and acknowledgements are translated.
type inner struct {
	open bool
	got  [2]int64  // octets of a side handed on
	ends [2][]mark // ends of a side's records that the other side has not acknowledged yet
	seen [2]int64  // octets of a side that the other side is known to have acknowledged
}

// mark is the end of a record: on the wire, and in what it carried.
type mark struct{ wire, plain int64 }

// maxMarks bounds the records of a side that wait for an acknowledgement. The
// oldest go first: then an acknowledgement of them says less than it could.
const maxMarks = 1024

// readInside hands on what the key log opens.
func (s *session) readInside() {
	var p tls.Plain
	for s.tls.watch.Next(&p) {
		s.inside(&p)
	}
}

func (s *session) inside(p *tls.Plain) {
	in := &s.tls.inner
	if !in.open {
		s.opensInside()
	}
	from := server
	if p.FromClient {
		from = client
	}
	if p.Lost > 0 {
		at := in.got[from]
		in.got[from] += p.Lost
		s.clearLost(from, at, p.Lost)
	}
	if len(p.Data) == 0 {
		return
	}
	first := in.got[from] == 0
	at := in.got[from]
	in.got[from] += int64(len(p.Data))
	if len(in.ends[from]) == maxMarks {
		in.ends[from] = slices.Delete(in.ends[from], 0, maxMarks/2)
	}
	in.ends[from] = append(in.ends[from], mark{s.tls.base[from] + p.End, in.got[from]})
	s.clear(from, p.Data, at, in.acknowledged(from.other(), p.Mark), first)
}

// acknowledged translates an acknowledgement of a side's octets on the wire.
func (in *inner) acknowledged(s side, wire int64) int64 {
	if wire < 0 {
		return -1
	}
	n := 0
	for n < len(in.ends[s]) && in.ends[s][n].wire <= wire {
		in.seen[s] = in.ends[s][n].plain
		n++
	}
	in.ends[s] = slices.Delete(in.ends[s], 0, n)
	return in.seen[s]
}

// opensInside begins the dialog inside TLS. Behind STARTTLS all that was said
// before is forgotten and no greeting follows (RFC 3207, 4.2); where TLS is
// from the first octet on, the greeting is the first thing inside.
func (s *session) opensInside() {
	s.tls.inner.open = true
	s.security.Decrypted = true
	for len(s.pending) > 0 {
		s.unanswered(s.shift())
	}
	s.anew()
	s.greeted = s.tlsMode == startTLS
}

// anew begins another dialog on the connection, with places of its own.
func (s *session) anew() {
	s.c = smtp.Client{Options: s.c.Options}
	s.s = s.newServer()
	s.seen, s.acked, s.burst, s.clientGap, s.drifting = 0, -1, 0, 0, 0
	s.greeted, s.mustGuess = false, false
}
