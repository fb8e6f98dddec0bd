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

// usualMessage is the room that is made for a message that comes in parts, in
// octets: what it says of its length is not believed beyond it.
const usualMessage = 4 << 10

// handshake takes octets of handshake records in clear.
func (w *Watch) handshake(s *side, b []byte) { w.assemble(s, false, b) }

// inner takes the handshake octets of one record that was encrypted: of TLS
// 1.3 what follows the ServerHello, of older versions a later handshake. A
// record that cannot be decrypted is told by restart.
func (w *Watch) inner(s *side, b []byte) {
	if m := w.messages(s, true); m != nil {
		m.skip = false
	}
	w.assemble(s, true, b)
}

func (w *Watch) assemble(s *side, inner bool, b []byte) {
	here := messages{unsure: s.unsure && !inner}
	m := w.messages(s, inner)
	if m == nil {
		m = &here
	}
	for len(b) > 0 && !m.skip {
		if m.nheader < messageHeader {
			n := copy(m.header[m.nheader:], b)
			m.nheader += uint8(n)
			b = b[n:]
			if m.nheader == messageHeader {
				w.opening.transcribeHeader(&m.header)
				w.beginMessage(s, inner, m)
			}
			continue
		}
		body := b[:min(m.left, len(b))]
		b = b[len(body):]
		m.left -= len(body)
		w.opening.transcribe(body)
		if m.keep && (m.left > 0 || len(m.buf) > 0) {
			if m.buf == nil {
				m.buf = make([]byte, 0, min(m.length(), usualMessage))
			}
			m.buf = append(m.buf, body...)
			body = m.buf
		}
		if m.left == 0 {
			w.endMessage(s, inner, m, body)
		}
	}
	switch {
	case m != &here:
	case here.nheader > 0 || here.skip:
		*w.assembling(s, inner) = here
	default: // they ended with the octets: nothing is left
		s.unsure = s.unsure && (inner || here.unsure)
	}
}

func (w *Watch) beginMessage(s *side, inner bool, m *messages) {
	length := m.length()
	limit := w.Options.maxHandshake()
	if m.unsure && (m.header[0] > messageLast || length > limit) {
		m.nheader, m.skip = 0, true
		return
	}
	m.unsure = false
	m.left = length
	m.buf = m.buf[:0]
	m.fact = w.wanted(s, inner, m.header[0])
	m.keep = m.fact || w.keying(s, inner, m.header[0])
	if m.keep && length > limit {
		m.keep = false
		w.told().LimitReached = true
	}
	if length == 0 {
		w.endMessage(s, inner, m, nil)
	}
}

// wanted says which messages are read, the first of each kind: the others are
// passed over. Behind the hellos TLS 1.3 has none in clear, and what older
// versions encrypt is no first handshake.
func (w *Watch) wanted(s *side, inner bool, kind byte) bool {
	f := w.told()
	inPlace := inner == (w.version >= version13)
	if s == &w.client {
		switch kind {
		case messageClientHello:
			return !inner && !f.ClientHello
		case messageCertificate:
			return inPlace && f.ClientCertificate == nil
		}
		return false
	}
	switch kind {
	case messageServerHello:
		return !inner && !f.ServerHello
	case messageEncryptedExtensions:
		return inPlace && inner
	case messageCertificate:
		return inPlace && !w.full
	case messageCertificateRequest:
		return inPlace && !f.CertificateRequested
	}
	return false
}

func (w *Watch) endMessage(s *side, inner bool, m *messages, body []byte) {
	m.nheader = 0
	kind := m.header[0]
	if m.keep && m.fact {
		w.message(s, kind, body)
	}
	if w.opening != nil {
		w.rekeyed(s, inner, m, kind, body)
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
	w.told().CertificateRequested = ok
	w.told().Damaged = w.told().Damaged || !ok
}

// filled says whether vectors with lengths of so many octets make up b.
func filled(b []byte, lengths ...int) bool {
	r := reader{b: b}
	for _, octets := range lengths {
		r.vector(octets)
	}
	return r.spent()
}
