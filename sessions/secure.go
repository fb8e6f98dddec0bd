package sessions

import (
	"slices"
	"time"

	"github.com/mailtap/mailtap/capture/stream"
	"github.com/mailtap/mailtap/decode/smtp"
	"github.com/mailtap/mailtap/decode/tls"
)

// tlsState is what the wire tells once a connection is encrypted.
type tlsState struct {
	watch *tls.Watch
	start int64     // packet time of the first octet inside
	begun [2]bool   // TLS octets of a side were seen
	line  [2][]byte // the begin of a line in clear before them
	knew  [2]int64  // what the sender of that line had seen of the other side
	base  [2]int64  // offset of a side's first TLS octet
	told  int64     // offset behind the 220 to STARTTLS
	inner inner
	again again // said in clear where TLS must stand

	hopeless bool // its secrets are waited for no longer
}

// isInside says whether the dialog is read inside TLS.
func (s *session) isInside() bool { return s.sealed && s.tls.inner.open }

// secretsTime is how long octets wait for a key log that is written late.
const secretsTime = 10e9

// head keeps the first octets of a side while they are too few to tell TLS from
// text.
type head struct {
	data   []byte
	offset int64
}

func (h *head) join(b []byte, offset int64) ([]byte, int64) {
	if len(h.data) == 0 {
		return b, offset
	}
	return append(h.data, b...), h.offset
}

// enough says whether a side's first octets tell what they are.
func (s *session) enough(from side, b []byte) bool {
	_, tlsNeeds := tls.LooksLikeRecord(b)
	_, textNeeds := smtp.Recognise(b)
	if from == client && !s.proxied && !s.greeted && !s.f.midway {
		if _, _, state := smtp.ParseProxy(b); state == smtp.ProxyMore {
			return false
		}
	}
	return !tlsNeeds && !textNeeds
}

// recognise names another protocol by a side's first octets.
func (s *session) recognise(b []byte) {
	if name, _ := smtp.Recognise(b); name != "" && name != smtp.ProtoTLS && !s.f.midway {
		s.anomaly(NotSMTP, s.now, name)
	}
}

func (h *head) keep(b []byte, offset int64) {
	h.data, h.offset = append(h.data[:0:0], b...), offset
}

// unsniffed takes octets for text that a loss or the end kept too few to tell.
func (s *session) unsniffed(from side) {
	h := &s.head[from]
	if s.started[from] || len(h.data) == 0 {
		return
	}
	data := h.data
	h.data, s.started[from] = nil, true
	s.recognise(data)
	s.clear(from, data, h.offset, -1, true)
}

// sniff looks at a side's first octets. TLS from the first octet is what 465
// is for; it is met on other ports too.
func (s *session) sniff(from side, b []byte) bool {
	implicit := s.f.conn.Role == RoleSubmissions
	isTLS, _ := tls.LooksLikeRecord(b)
	switch {
	case isTLS && s.sealed:
		return true
	case isTLS && !s.greeted && (from == client || !s.started[client] && implicit):
		s.tlsMode = implicitTLS
		switch {
		case implicit:
		case s.f.midway:
			s.tlsMode = startTLS // before the capture began
		default:
			s.anomaly(TLSOnClearPort, s.now, "")
		}
		s.tlsBegins()
		return true
	case implicit && !isTLS && !s.f.midway && len(b) > 0:
		s.anomaly(ClearOnTLSPort, s.now, "")
	}
	return false
}

// tlsBegins makes both directions opaque.
func (s *session) tlsBegins() {
	s.tls = &tlsState{watch: &tls.Watch{Options: &s.f.t.tls}, start: s.now}
	if s.sealed, s.passing = true, false; s.security == nil {
		s.own().security = &TLS{}
	}
	if s.f.midway {
		s.tls.watch.ClientGap(0) // the handshake may be over
		s.tls.watch.ServerGap(0)
	}
	s.c.Set(smtp.Opaque)
	s.s.SetRaw()
}

// tlsTaken is the 220 to STARTTLS (RFC 3207, 4).
func (s *session) tlsTaken(c *command, r *smtp.Reply) {
	if r.Code != 220 || s.sealed { // RFC 3207, 4.2: not inside TLS
		s.goOn(c, r)
		return
	}
	s.accepted = true
	s.tlsMode = startTLS
	s.mailAborted() // RFC 3207, 4.2: the client's knowledge is discarded
	s.tlsBegins()
	s.tls.told = r.End
}

func (s *session) tlsRefused(c *command, r *smtp.Reply) { s.goOn(c, r) }

// encrypted feeds TLS octets of a side. What stands in clear behind STARTTLS
// before TLS was injected: commands by the client's side (CVE-2011-0411),
// replies by the server's.
//
// ack is what the sender had seen of the other side.
func (s *session) encrypted(from side, b []byte, offset, ack int64) {
	if !s.tls.begun[from] {
		end := offset + int64(len(b))
		if from == client {
			if b = s.tls.again.goesOn(b, ack); len(b) == 0 {
				return
			}
		}
		b = s.skipInjected(from, b, end, ack)
		if len(b) == 0 {
			return
		}
		s.notAgain(from == client)
		s.tls.begun[from] = true
		s.tls.base[from] = end - int64(len(b))
		if from == client {
			s.tls.start = s.now
		}
	}
	s.tls.watch.Mark = ack
	if from == client {
		s.tls.watch.Client(b)
	} else {
		s.tls.watch.Server(b)
	}
	s.handshake()
	s.readInside()
	if !s.tls.inner.open && !s.tls.hopeless && s.now-s.tls.start > secretsTime {
		s.tls.hopeless = true
		s.tls.watch.Close()
	}
	s.passing = s.secured && s.security.Handshake != 0 && s.tls.begun[client] && s.tls.begun[server] && !s.tls.inner.open &&
		(s.tls.hopeless || s.f.t.opts.Keys == nil)
}

// pass feeds TLS octets of which nothing but the sizes of the records can be
// learned any more.
func (s *session) pass(from side, b []byte) {
	if from == client {
		s.tls.watch.Client(b)
	} else {
		s.tls.watch.Server(b)
	}
}

// handshake tells how the handshake went as soon as it is known.
func (s *session) handshake() {
	if s.security.Handshake == 0 && s.tls.watch.Established() {
		s.security.Handshake = time.Duration(max(s.now-s.tls.start, 0))
	}
	if !s.secured && s.tls.watch.Settled() {
		s.tellSecured()
	}
}

// skipInjected leaves out lines in clear before the first record.
func (s *session) skipInjected(from side, b []byte, end, ack int64) []byte {
	knew := ack
	if part := s.tls.line[from]; len(part) > 0 {
		b, knew = append(part, b...), s.tls.knew[from]
		s.tls.line[from] = nil
	}
	for len(b) > 0 {
		isTLS, need := tls.LooksLikeRecord(b)
		line := firstLine(b)
		switch {
		case isTLS:
			return b
		case need || len(line) == len(b) && len(b) < s.f.t.opts.Limits.Line:
			s.tls.line[from], s.tls.knew[from] = slices.Clone(b), knew
			return nil
		}
		if at := end - int64(len(b)); s.clearAgain(from, b, line, at, knew, ack) {
			return nil
		}
		s.inClear(from, line, knew)
		knew = ack
		b = b[min(len(line)+1, len(b)):]
	}
	return nil
}

// inClear names a line that stands where TLS must. What a client sent that knew
// the 220 was not injected: it gives up, and says QUIT at most.
func (s *session) inClear(from side, line []byte, knew int64) {
	kind := BadTLS
	if verb, _ := smtp.Parse(line); from == client && verb != smtp.Unknown && s.tlsMode == startTLS && knew < s.tls.told {
		kind = StartTLSInjection
	}
	s.anomaly(kind, s.now, "")
}

func (s *session) encryptedGap(from side, c *stream.Chunk) {
	if !s.tls.begun[from] {
		s.tls.begun[from] = true
		s.tls.base[from] = c.Offset
	}
	if from == client {
		s.tls.watch.ClientGap(c.Gap)
	} else {
		s.tls.watch.ServerGap(c.Gap)
	}
	s.readInside()
}

// tellSecured pushes how the encryption went, once.
func (s *session) tellSecured() {
	if s.secured {
		return
	}
	s.secured = true
	s.tlsFacts()
	tell(s.f.t, &s.f.t.events.secured, Secured{In: s.in(), TLS: s.tlsNow()})
}

// tlsFacts copies what the handshake told into the record.
func (s *session) tlsFacts() {
	if s.sealed {
		f, t := s.tls.watch.Facts(), s.security
		t.Established, t.Version, t.Cipher, t.SNI, t.ALPN, t.Resumed = f.Established, f.Version, f.Cipher, f.SNI, f.ALPN, f.Resumed
		t.AlertFrom, t.AlertName = f.AlertFrom, f.AlertName
		t.OfferedVersion, t.JA3, t.JA3S, t.JA4, t.Retried = f.OfferedVersion, f.JA3, f.JA3S, f.JA4, f.Retried
		t.ClientCertificateRequested = f.CertificateRequested
		if t.Certificate == nil { // told once; a later look finds the same
			t.Certificate = s.certificate(f.Certificate, f.SNI)
		}
		if t.ClientCertificate == nil {
			t.ClientCertificate = s.certificate(f.ClientCertificate, "")
		}
		if f.WaitingLimit && !slices.Contains(s.kinds, TLSWaitingLimit) {
			s.anomaly(TLSWaitingLimit, s.now, "")
		}
		if f.LimitReached && !slices.Contains(s.kinds, TLSLimit) {
			s.anomaly(TLSLimit, s.now, "")
		}
	}
}

// tlsNow is what is known of encryption.
func (s *session) tlsNow() TLS {
	t := TLS{}
	if s.security != nil {
		t = *s.security
	}
	t.Mode, t.Offered, t.Requested, t.Accepted = s.tlsMode.String(), s.offered, s.requested, s.accepted
	t.Outcome = s.tlsOutcome(&t)
	return t
}

// certificate judges a certificate by the time and the name of this session.
func (s *session) certificate(c *tls.Certificate, name string) *Certificate {
	if c == nil {
		return nil
	}
	out := &Certificate{
		Subject: c.Subject, Issuer: c.Issuer, Serial: c.Serial, NotBefore: c.NotBefore, NotAfter: c.NotAfter,
		Names: c.Names, SHA256: c.SHA256, SelfSigned: c.SelfSigned, Key: c.Key, SignatureAlgorithm: c.SignatureAlgorithm,
		Problems: c.Problems(timeOf(s.tls.start), name),
	}
	for _, i := range c.Chain {
		out.Chain = append(out.Chain, Intermediate(i))
	}
	return out
}

func (s *session) tlsOutcome(t *TLS) string {
	switch {
	case t.Established:
		return TLSEstablished
	case s.sealed && s.tls.watch.Facts().Incomplete && !s.tls.watch.Facts().Failed:
		return "" // too little was seen to tell
	case t.Accepted || t.Mode != TLSNone:
		return TLSFailed
	case t.Requested && t.Offered:
		return TLSRefused
	case s.masked:
		return TLSStripped
	case t.Offered:
		return TLSNotUsed
	}
	return TLSNotOffered
}

func firstLine(b []byte) []byte {
	for i, c := range b {
		if c == '\n' {
			return b[:i]
		}
	}
	return b
}
