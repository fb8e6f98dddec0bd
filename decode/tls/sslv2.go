package tls

// Message types of SSL 2.0, whose hello newer clients sent too (RFC 5246, E.2).
const (
	sslv2ClientHello = 1
	sslv2ServerHello = 4
)

// sslv2Hello knows a two-octet header and a message type; the client's is
// followed by a version, 0.2 or 3.x.
func sslv2Hello(b []byte, kind byte) (yes, need bool) {
	switch {
	case len(b) > 0 && b[0]&0x80 == 0,
		len(b) > 2 && b[2] != kind,
		len(b) > 4 && kind == sslv2ClientHello && !(b[3] == 3 && b[4] <= 4 || b[3] == 0 && b[4] == 2),
		len(b) > 4 && sslv2Length(b) < 9:
		return false, false
	}
	return len(b) >= recordHeader, len(b) < recordHeader
}

func sslv2Length(b []byte) int { return int(b[0]&0x7f)<<8 | int(b[1]) }

// sslv2Refusal knows the error that a server sends for its hello: a header,
// the type and a number.
func sslv2Refusal(b []byte) (yes, need bool) {
	const header = "\x80\x03\x00"
	n := min(len(b), len(header))
	if string(b[:n]) != header[:n] {
		return false, false
	}
	return len(b) >= recordHeader, len(b) < recordHeader
}

// old takes what SSL 2.0 sends first, if it is that.
func (w *Watch) old(s *side, head []byte) bool {
	if s == &w.client {
		return w.oldClient(s, head)
	}
	return w.sslv2 && w.oldServer(head)
}

func (w *Watch) oldClient(s *side, head []byte) bool {
	yes, need := sslv2Hello(head, sslv2ClientHello)
	if yes {
		w.sslv2 = true
		s.nheader = 0
		s.state = framed
		w.begin(s, typeSSLv2, sslv2Length(head)-3)
	}
	return yes || need
}

// oldServer ends the reading: another record layer follows, with nothing that
// is looked for here.
func (w *Watch) oldServer(head []byte) bool {
	hello, needHello := sslv2Hello(head, sslv2ServerHello)
	refusal, needRefusal := sslv2Refusal(head)
	switch {
	case hello:
		w.told().Version, w.told().ServerHello = versionName(version2), true
	case refusal:
		w.fatal = true
		w.told().AlertFrom = fromServer
	default:
		return needHello || needRefusal
	}
	w.client.state, w.server.state = abandoned, abandoned
	return true
}

// oldOffer ends the client's hello. Its version stands in what was taken for
// a record header.
func (w *Watch) oldOffer(s *side) {
	if s.lost {
		return
	}
	w.told().ClientHello = true
	w.told().OfferedVersion = versionName(uint16(s.header[3])<<8 | uint16(s.header[4]))
}
