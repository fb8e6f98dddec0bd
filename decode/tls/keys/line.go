package keys

import (
	"bytes"
	"encoding/hex"
)

// line is what was read of a line whose end has not come.
type line struct {
	b    []byte
	long bool // it is longer than allowed; only its start is in b
}

func (p *line) reset() {
	clear(p.b)
	p.b, p.long = p.b[:0], false
}

// Write takes the next octets of a key log, cut anywhere; it never fails. A
// line counts when its end has come: after the last octet of a file that ends
// without one, write "\n". Nothing of b is kept but what a secret is.
func (l *Log) Write(b []byte) (n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n = len(b)
	if l.line == nil {
		l.line = &line{b: make([]byte, 0, l.Options.maxLine())}
	}
	for len(b) > 0 {
		text, rest, ended := bytes.Cut(b, []byte{'\n'})
		l.part(text, ended)
		b = rest
	}
	return n, nil
}

// part takes a part of a line, or all of it.
func (l *Log) part(text []byte, ended bool) {
	p := l.line
	if ended && len(p.b) == 0 && len(text) <= cap(p.b) {
		l.read(text)
		return
	}
	fits := min(len(text), cap(p.b)-len(p.b))
	p.b = append(p.b, text[:fits]...)
	p.long = p.long || fits < len(text)
	if !ended {
		return
	}
	switch {
	case !p.long:
		l.read(p.b)
	case p.b[0] == '#':
		l.stats.Comments++
	default:
		l.stats.Malformed++
	}
	p.reset()
}

// read takes one line: a label, the name of the connection, the secret.
func (l *Log) read(text []byte) {
	text = bytes.TrimRight(text, " \t\r")
	if len(text) == 0 || text[0] == '#' {
		l.stats.Comments++
		return
	}
	kind, rest, spaced := bytes.Cut(text, []byte{' '})
	if !spaced || !isLabel(kind) {
		l.stats.Malformed++
		return
	}
	var s secret
	defer s.wipe()
	named, which, verdict := parse(kind, rest, &s)
	switch verdict {
	case good:
		l.put(named, which, &s)
	case unused:
		l.stats.Unused++
	default:
		l.stats.Malformed++
	}
}

func isLabel(b []byte) bool {
	for _, c := range b {
		if !('A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_') {
			return false
		}
	}
	return len(b) > 0
}

type verdict uint8

const (
	bad verdict = iota
	good
	unused
)

// parse reads what follows a label. The labels are those of RFC 9850 and of
// NSS, which also names a connection by the encrypted pre-master secret.
func parse(kind, rest []byte, s *secret) (named id, which label, v verdict) {
	by, size, lengths := byRandom, maxName, [2]int{32, 48} // SHA-256 and SHA-384
	switch string(kind) {
	case "CLIENT_RANDOM":
		which, lengths = master, [2]int{masterLength, masterLength}
	case "CLIENT_HANDSHAKE_TRAFFIC_SECRET":
		which = clientHandshake
	case "SERVER_HANDSHAKE_TRAFFIC_SECRET":
		which = serverHandshake
	case "CLIENT_TRAFFIC_SECRET_0":
		which = clientTraffic
	case "SERVER_TRAFFIC_SECRET_0":
		which = serverTraffic
	case "CLIENT_EARLY_TRAFFIC_SECRET":
		which = clientEarly
	case "RSA":
		if session, ok := bytes.CutPrefix(rest, []byte("Session-ID:")); ok {
			return parseSession(session, s)
		}
		by, size, lengths = byPreMaster, preMasterName, [2]int{masterLength, masterLength}
	default:
		return id{}, 0, unused
	}
	first, second, _ := bytes.Cut(rest, []byte{' '})
	if len(first) != hex.EncodedLen(size) || !readName(&named, by, first) || !s.read(second) {
		return id{}, 0, bad
	}
	if n := int(s.n); n != lengths[0] && n != lengths[1] {
		return id{}, 0, bad
	}
	return named, which, good
}

// parseSession reads the form in which OpenSSL prints a session:
// "RSA Session-ID:… Master-Key:…".
func parseSession(rest []byte, s *secret) (named id, which label, v verdict) {
	first, second, _ := bytes.Cut(rest, []byte(" Master-Key:"))
	if !readName(&named, bySession, first) || !s.read(second) || s.n != masterLength {
		return id{}, 0, bad
	}
	return named, master, good
}

func readName(named *id, by naming, text []byte) bool {
	if len(text) == 0 || len(text) > hex.EncodedLen(maxName) {
		return false
	}
	named.naming = by
	n, err := hex.Decode(named.b[:], text)
	named.n = uint8(n)
	return err == nil
}

func (s *secret) read(text []byte) bool {
	if len(text) == 0 || len(text) > hex.EncodedLen(masterLength) {
		return false
	}
	n, err := hex.Decode(s.b[:], text)
	s.n = uint8(n)
	return err == nil
}
