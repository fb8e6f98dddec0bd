package tls

// Types of handshake messages (RFC 8446, 4; RFC 5246, 7.4).
const (
	messageClientHello         = 1
	messageServerHello         = 2
	messageNewSessionTicket    = 4
	messageEndOfEarlyData      = 5
	messageEncryptedExtensions = 8
	messageCertificate         = 11
	messageServerKeyExchange   = 12
	messageCertificateRequest  = 13
	messageServerHelloDone     = 14
	messageClientKeyExchange   = 16
	messageFinished            = 20
	messageKeyUpdate           = 24
	messageLast                = 25 // of those that are assigned: compressed_certificate
)

const messageHeader = 4

// messages puts the handshake messages of one direction together, either
// those in clear or those under encryption. They are cut into records, and
// records into segments, without regard to each other.
type messages struct {
	header  [messageHeader]byte
	nheader uint8
	left    int    // octets of the body still to come
	keep    bool   // the body is wanted
	fact    bool   // and tells of facts
	unsure  bool   // after a loss: what comes may be the middle of a message
	skip    bool   // and is, for the rest of this record
	buf     []byte // the body so far, where it is kept and came in parts
}

// handshake takes octets of handshake records in clear.
func (w *Watch) handshake(s *side, b []byte) { w.assemble(s, &s.messages, b) }

// inner takes the handshake octets of one record that was encrypted: of TLS
// 1.3 what follows the ServerHello, of older versions a later handshake. A
// record that cannot be decrypted is told by s.inner.restart.
func (w *Watch) inner(s *side, b []byte) {
	s.inner.skip = false
	w.assemble(s, &s.inner, b)
}

func (w *Watch) assemble(s *side, m *messages, b []byte) {
	for len(b) > 0 && !m.skip {
		if m.nheader < messageHeader {
			n := copy(m.header[m.nheader:], b)
			m.nheader += uint8(n)
			b = b[n:]
			if m.nheader == messageHeader {
				w.opening.transcribeHeader(&m.header)
				w.beginMessage(s, m)
			}
			continue
		}
		body := b[:min(m.left, len(b))]
		b = b[len(body):]
		m.left -= len(body)
		w.opening.transcribe(body)
		if m.keep && (m.left > 0 || len(m.buf) > 0) {
			m.buf = append(m.buf, body...)
			body = m.buf
		}
		if m.left == 0 {
			w.endMessage(s, m, body)
		}
	}
}

func (m *messages) length() int {
	return int(m.header[1])<<16 | int(m.header[2])<<8 | int(m.header[3])
}

func (w *Watch) beginMessage(s *side, m *messages) {
	length := m.length()
	limit := w.Options.maxHandshake()
	if m.unsure && (m.header[0] > messageLast || length > limit) {
		m.nheader, m.skip = 0, true
		return
	}
	m.unsure = false
	m.left = length
	m.buf = m.buf[:0]
	m.fact = w.wanted(s, m, m.header[0])
	m.keep = m.fact || w.keying(s, m, m.header[0])
	if m.keep && length > limit {
		m.keep = false
		w.facts.LimitReached = true
	}
	if length == 0 {
		w.endMessage(s, m, nil)
	}
}

// wanted says which messages are read, the first of each kind: the others are
// passed over. Behind the hellos TLS 1.3 has none in clear, and what older
// versions encrypt is no first handshake.
func (w *Watch) wanted(s *side, m *messages, kind byte) bool {
	f := &w.facts
	inPlace := (m == &s.inner) == (w.version >= version13)
	if s == &w.client {
		switch kind {
		case messageClientHello:
			return m == &s.messages && !f.ClientHello
		case messageCertificate:
			return inPlace && f.ClientCertificate == nil
		}
		return false
	}
	switch kind {
	case messageServerHello:
		return m == &s.messages && !f.ServerHello
	case messageEncryptedExtensions:
		return inPlace && m == &s.inner
	case messageCertificate:
		return inPlace && !w.full
	case messageCertificateRequest:
		return inPlace && !f.CertificateRequested
	}
	return false
}

func (w *Watch) endMessage(s *side, m *messages, body []byte) {
	m.nheader = 0
	kind := m.header[0]
	if m.keep && m.fact {
		w.message(s, kind, body)
	}
	if w.opening != nil {
		w.rekeyed(s, m, kind, body)
	}
	m.keep = false
	if s == &w.server && (kind == messageCertificate || kind == messageServerKeyExchange || kind == messageServerHelloDone) {
		w.full = true
	}
	if kind == messageFinished {
		m.buf = nil // nothing large follows
	}
}

func (w *Watch) message(s *side, kind byte, b []byte) {
	switch kind {
	case messageClientHello:
		w.clientHello(b)
	case messageServerHello:
		w.serverHello(b)
	case messageEncryptedExtensions:
		w.encryptedExtensions(b)
	case messageCertificate:
		w.certificate(s, b)
	case messageCertificateRequest:
		w.certificateRequest(b)
	}
}

// certificateRequest counts a request only where its fields fill it: after a
// loss other octets may look like its header.
func (w *Watch) certificateRequest(b []byte) {
	var ok bool
	switch {
	case w.version >= version13: // context, extensions (RFC 8446, 4.3.2)
		ok = filled(b, 1, 2)
	case w.version >= version12: // types, signature algorithms, authorities (RFC 5246, 7.4.4)
		ok = filled(b, 1, 2, 2)
	case w.version > 0:
		ok = filled(b, 1, 2)
	default:
		ok = filled(b, 1, 2) || filled(b, 1, 2, 2)
	}
	w.facts.CertificateRequested = ok
	w.facts.Damaged = w.facts.Damaged || !ok
}

// filled says whether vectors with lengths of so many octets make up b.
func filled(b []byte, lengths ...int) bool {
	r := reader{b: b}
	for _, octets := range lengths {
		r.vector(octets)
	}
	return r.spent()
}

// lose takes a loss inside a record. The message it falls into is passed
// over; one that it goes beyond leaves the place of the next unknown.
func (m *messages) lose(n int) {
	if m.nheader < messageHeader || n > m.left {
		m.restart()
		m.skip = true
		return
	}
	m.left -= n
	m.keep = false
	if m.left == 0 {
		m.nheader = 0
	}
}

// restart expects a message at the start of the next record, if anywhere.
func (m *messages) restart() {
	m.nheader, m.left = 0, 0
	m.keep, m.skip = false, false
	m.unsure = true
}

// release gives the memory back when the handshake in clear is over.
func (m *messages) release() { *m = messages{unsure: m.unsure} }
