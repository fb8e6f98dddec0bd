package tls

// Types of handshake messages (RFC 8446, 4; RFC 5246, 7.4).
const (
	messageClientHello       = 1
	messageServerHello       = 2
	messageCertificate       = 11
	messageServerKeyExchange = 12
	messageServerHelloDone   = 14
	messageLast              = 25 // of those that are assigned: compressed_certificate
)

const messageHeader = 4

// messages puts the handshake messages of one direction together. They are
// cut into records, and records into segments, without regard to each other.
type messages struct {
	header  [messageHeader]byte
	nheader uint8
	left    int    // octets of the body still to come
	keep    bool   // the body is wanted
	unsure  bool   // after a loss: what comes may be the middle of a message
	skip    bool   // and is, for the rest of this record
	buf     []byte // the body so far, where it is kept
}

// handshake takes octets of handshake records in clear.
func (w *Watch) handshake(s *side, b []byte) {
	m := &s.messages
	for len(b) > 0 && !m.skip {
		if m.nheader < messageHeader {
			n := copy(m.header[m.nheader:], b)
			m.nheader += uint8(n)
			b = b[n:]
			if m.nheader == messageHeader {
				w.beginMessage(s)
			}
			continue
		}
		n := min(m.left, len(b))
		if m.keep {
			m.buf = append(m.buf, b[:n]...)
		}
		m.left -= n
		b = b[n:]
		if m.left == 0 {
			w.endMessage(s)
		}
	}
}

func (m *messages) length() int {
	return int(m.header[1])<<16 | int(m.header[2])<<8 | int(m.header[3])
}

func (w *Watch) beginMessage(s *side) {
	m := &s.messages
	length := m.length()
	limit := w.Options.maxHandshake()
	if m.unsure && (m.header[0] > messageLast || length > limit) {
		m.nheader, m.skip = 0, true
		return
	}
	m.unsure = false
	m.left = length
	m.buf = m.buf[:0]
	m.keep = w.wanted(s, m.header[0])
	if m.keep && length > limit {
		m.keep = false
		w.facts.LimitReached = true
	}
	if length == 0 {
		w.endMessage(s)
	}
}

// wanted says which messages are read: the others are passed over.
func (w *Watch) wanted(s *side, kind byte) bool {
	if s == &w.client {
		return kind == messageClientHello && !w.facts.ClientHello
	}
	return kind == messageServerHello && !w.facts.ServerHello ||
		kind == messageCertificate && !w.full
}

func (w *Watch) endMessage(s *side) {
	m := &s.messages
	m.nheader = 0
	kind := m.header[0]
	if m.keep {
		m.keep = false
		w.message(kind, m.buf)
	}
	if s == &w.server && (kind == messageCertificate || kind == messageServerKeyExchange || kind == messageServerHelloDone) {
		w.full = true
	}
}

func (w *Watch) message(kind byte, b []byte) {
	switch kind {
	case messageClientHello:
		w.clientHello(b)
	case messageServerHello:
		w.serverHello(b)
	case messageCertificate:
		w.certificate(b)
	}
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
