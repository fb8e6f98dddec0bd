package tls

// Content types of records (RFC 8446, 5.1; RFC 6520 for heartbeat).
const (
	typeChangeCipherSpec = 20
	typeAlert            = 21
	typeHandshake        = 22
	typeApplicationData  = 23
	typeHeartbeat        = 24
	typeSSLv2            = 0 // ours: the client's hello in the format of SSL 2.0
)

const (
	recordHeader = 5
	maxRecord    = 1<<14 + 2048 // RFC 5246, 6.2.3
)

// state of a direction.
type state uint8

const (
	starting  state = iota // nothing but the first header is expected
	framed                 // records follow each other
	resyncing              // after a loss: a header is hoped for
	abandoned              // no header where one must be: nothing more is read
)

// side reads the records of one direction.
type side struct {
	header  [recordHeader]byte
	nheader uint8
	state   state
	kind    uint8  // content type of the record being read
	length  uint16 // octets of its body
	left    uint16 // octets of its body still to come
	first   uint16 // body of the first application_data record, in octets
	records uint8  // application_data records without early data, at most 255

	alert  [alertLength]byte
	nalert uint8

	clear    bool // the record being read holds handshake messages in clear
	unsure   bool // after a loss: what comes in clear may be the middle of a message
	changed  bool // ChangeCipherSpec was sent
	finished bool // and an encrypted handshake message after it
	lost     bool // octets of this direction were lost
}

// LooksLikeRecord says whether b begins with a plausible TLS record header:
// type 20 to 23, version 3.0 to 3.4, at most 2^14+2048 octets. need is true
// where b is too short to tell and speaks for it so far.
func LooksLikeRecord(b []byte) (yes, need bool) {
	return plausible(b, typeApplicationData)
}

func plausible(b []byte, last byte) (yes, need bool) {
	switch {
	case len(b) > 0 && (b[0] < typeChangeCipherSpec || b[0] > last),
		len(b) > 1 && b[1] != 3,
		len(b) > 2 && b[2] > 4,
		len(b) > 4 && bodyLength(b) > maxRecord:
		return false, false
	}
	return len(b) >= recordHeader, len(b) < recordHeader
}

func bodyLength(b []byte) int { return int(b[3])<<8 | int(b[4]) }

// LooksLikeClientHello says whether b begins with a client's hello: a
// handshake record that starts with one, or the hello of SSL 2.0. At least 6
// octets are needed.
func LooksLikeClientHello(b []byte) bool {
	if len(b) < recordHeader+1 {
		return false
	}
	if yes, _ := sslv2Hello(b, sslv2ClientHello); yes {
		return true
	}
	yes, _ := LooksLikeRecord(b)
	return yes && b[0] == typeHandshake && b[recordHeader] == messageClientHello
}

// header takes octets of a record header and returns what follows them.
func (w *Watch) header(s *side, b []byte) []byte {
	n := copy(s.header[s.nheader:], b)
	s.nheader += uint8(n)
	if w.opening != nil {
		w.opening.sides[w.sender(s)].fed += int64(n)
	}
	head := s.header[:s.nheader]
	yes, need := s.plausible(head)
	switch {
	case yes:
		s.nheader = 0
		s.state = framed
		w.begin(s, head[0], bodyLength(head))
	case need:
	case s.state == starting && w.old(s, head):
	default:
		w.abandon(s)
	}
	return b[n:]
}

func (s *side) plausible(head []byte) (yes, need bool) {
	if s.state == framed {
		return plausible(head, typeHeartbeat)
	}
	return LooksLikeRecord(head)
}

func (w *Watch) abandon(s *side) {
	if s.state == starting {
		w.told().NotTLS = true
	} else {
		w.told().Damaged = true
		w.missed(s, 0)
	}
	s.state = abandoned
	w.release(s)
	if w.opening != nil {
		w.opening.sides[w.sender(s)].part = nil
	}
}

// begin starts a record, which may have no body (RFC 5246, 6.2.1).
func (w *Watch) begin(s *side, kind byte, length int) {
	s.kind, s.length, s.left = kind, uint16(length), uint16(length)
	s.nalert = 0
	if m := w.messages(s, false); m != nil {
		m.skip = false
	}
	// After a HelloRetryRequest hellos in clear follow the ChangeCipherSpec
	// of middlebox compatibility (RFC 8446, D.4).
	s.clear = kind == typeHandshake && (!s.changed || w.retry)
	if w.opening != nil {
		w.opening.begin(w, s)
	}
	if length == 0 {
		w.end(s)
	}
}

func (w *Watch) body(s *side, b []byte) {
	if w.opening != nil {
		w.opening.sides[w.sender(s)].collect(int(s.length), b)
	}
	switch {
	case s.clear:
		w.handshake(s, b)
	case s.kind == typeAlert && s.length == alertLength:
		s.nalert += uint8(copy(s.alert[s.nalert:], b))
	}
}

// end acts on a record that has passed whole.
func (w *Watch) end(s *side) {
	switch s.kind {
	case typeApplicationData:
		w.application(s)
	case typeHandshake:
		s.finished = s.finished || !s.clear && s.changed
	case typeChangeCipherSpec:
		w.changeCipher(s)
	case typeAlert:
		w.alerted(s)
	case typeSSLv2:
		w.oldOffer(s)
	}
	if w.opening != nil {
		w.completed(s)
		w.opening.sides[w.sender(s)].letGo(int(s.length))
	}
}

func (w *Watch) changeCipher(s *side) {
	if s == &w.server && !s.changed && w.told().ServerHello && w.version < version13 {
		w.told().Resumed = !w.full && !s.lost
	}
	s.changed = true
	if !w.retry {
		w.release(s)
	}
}

// alerted takes an alert of the handshake. One of two octets is in clear; a
// longer one is encrypted and tells nothing but that it came: after a loss it
// may be the goodbye of a connection whose Finished was lost.
func (w *Watch) alerted(s *side) {
	switch {
	case w.fatal || w.Established():
	case s.nalert == alertLength && endsHandshake(s.alert):
		w.fatal = true
		w.told().AlertFrom = w.name(s)
		w.told().AlertName = alertName(s.alert[1])
	case s.length != alertLength && !w.lost():
		w.fatal, w.inside.guessed = true, true
		w.told().AlertFrom = w.name(s)
	}
}

// endsHandshake: warnings other than close_notify do not, servers send
// unrecognized_name and go on (RFC 5246, 7.2.2; RFC 6066, 3).
func endsHandshake(alert [alertLength]byte) bool {
	return alert[0] == levelFatal || alert[1] == closeNotify
}

func (w *Watch) name(s *side) string {
	if s == &w.server {
		return fromServer
	}
	return fromClient
}

func (w *Watch) lost() bool { return w.client.lost || w.server.lost }

// resync hopes for a record header in the octets after a loss.
func (w *Watch) resync(s *side) {
	s.state = resyncing
	s.nheader, s.left = 0, 0
	s.unsure = true
	if m := w.messages(s, false); m != nil {
		m.restart()
	}
	if w.opening != nil {
		w.opening.sides[w.sender(s)].giveUp()
	}
}

// losePart takes a loss that ends inside the body of the record being read,
// or with it: the framing of records survives.
func (w *Watch) losePart(s *side, n int) {
	if w.opening != nil {
		w.opening.sides[w.sender(s)].spoilt = true
	}
	if s.clear {
		w.assembling(s, false).lose(n)
	}
}
