package keys

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"testing"
)

// chunk is what one side of a connection sent.
type chunk struct {
	from Sender
	b    []byte
}

// follower does with a connection what package tls does: it frames records,
// reads hellos, and gives each direction its keys in time.
type follower struct {
	t     testing.TB
	log   *Log
	hello Handshake
	early uint16 // suite of early data
	sides [2]followed

	transcript []byte // handshake messages up to the client's key exchange

	suites   []uint16 // chosen, one a handshake
	versions []uint16
	updates  int
	etm      bool
}

type followed struct {
	d        Direction
	octets   []byte // of a record that is not whole
	messages []byte // of the handshake, likewise
	text     bytes.Buffer
	opened   int
	failed   []error
	records  []Record // that were protected
}

const (
	typeChange    = 20
	typeAlert     = 21
	typeHandshake = 22
)

func follow(t testing.TB, log *Log, chunks []chunk) *follower {
	t.Helper()
	f := &follower{t: t, log: log}
	for _, c := range chunks {
		f.feed(c)
	}
	return f
}

func (f *follower) feed(c chunk) {
	s := &f.sides[c.from]
	s.octets = append(s.octets, c.b...)
	for len(s.octets) >= 5 {
		n := int(binary.BigEndian.Uint16(s.octets[3:]))
		if len(s.octets) < 5+n {
			return
		}
		f.record(c.from, Record{s.octets[0], binary.BigEndian.Uint16(s.octets[1:]), s.octets[5 : 5+n]})
		s.octets = s.octets[5+n:]
	}
}

func (f *follower) record(from Sender, r Record) {
	s := &f.sides[from]
	old := f.hello.Version < version13
	if r.Type == typeChange {
		if old && f.hello.Version != 0 { // else that of a HelloRetryRequest
			f.rekey(from, Application)
		}
		return
	}
	text, inner := r.Body, r.Type
	if s.d.Keyed() && (old || r.Type == typeData) {
		s.records = append(s.records, Record{r.Type, r.Version, bytes.Clone(r.Body)})
		var err error
		if text, inner, err = s.d.Open(nil, r); err != nil {
			s.failed = append(s.failed, err)
			return
		}
		s.opened++
	}
	switch inner {
	case typeHandshake:
		s.messages = append(s.messages, text...)
		f.handshake(from)
	case typeData:
		s.text.Write(text)
	}
}

func (f *follower) rekey(from Sender, epoch Epoch) {
	f.t.Helper()
	if err := f.sides[from].d.Rekey(f.log, &f.hello, from, epoch); err != nil {
		f.t.Errorf("keys of sender %d, epoch %d, suite %04x: %v", from, epoch, f.hello.Suite, err)
	}
}

func (f *follower) handshake(from Sender) {
	s := &f.sides[from]
	for len(s.messages) >= 4 {
		n := int(binary.BigEndian.Uint32(s.messages) & 0xffffff)
		if len(s.messages) < 4+n {
			return
		}
		kind, body := s.messages[0], s.messages[4:4+n]
		f.transcript = append(f.transcript, s.messages[:4+n]...)
		s.messages = s.messages[4+n:]
		f.message(from, kind, body)
	}
}

func (f *follower) message(from Sender, kind byte, body []byte) {
	tls13 := f.hello.Version == version13
	switch {
	case kind == 1:
		f.clientHello(body)
	case kind == 2:
		f.serverHello(body)
	case kind == 16 && len(body) > 2:
		f.hello.PreMaster = bytes.Clone(body[2:])
		f.hello.Ticket = nil // a full handshake: it was declined
		sum := sha256.Sum256(f.transcript)
		f.hello.SessionHash = sum[:]
	case kind == 4 && !tls13:
		if err := f.log.Remember(&f.hello, body[6:]); err != nil {
			f.t.Error(err)
		}
	case kind == 5:
		f.rekey(from, HandshakeMessages)
	case kind == 20 && tls13:
		f.rekey(from, Application)
	case kind == 24:
		f.updates++
		if err := f.sides[from].d.Update(); err != nil {
			f.t.Error(err)
		}
	}
}

func (f *follower) clientHello(body []byte) {
	copy(f.hello.ClientRandom[:], body[2:])
	b := body[34:]
	b = b[1+int(b[0]):]
	b = b[2+int(binary.BigEndian.Uint16(b)):]
	extensions(b[1+int(b[0]):], func(kind uint16, value []byte) {
		if kind == 35 {
			f.hello.Ticket = bytes.Clone(value)
		}
		if kind == 42 && f.early != 0 {
			f.hello.Version, f.hello.Suite = version13, f.early
			f.rekey(Client, EarlyData)
		}
	})
}

func (f *follower) serverHello(body []byte) {
	retry := [4]byte{0xcf, 0x21, 0xad, 0x74} // RFC 8446, 4.1.3
	if bytes.HasPrefix(body[2:], retry[:]) {
		return
	}
	h := &f.hello
	h.Version = binary.BigEndian.Uint16(body)
	copy(h.ServerRandom[:], body[2:])
	b := body[34:]
	h.SessionID = bytes.Clone(b[1 : 1+int(b[0])])
	b = b[1+int(b[0]):]
	h.Suite = binary.BigEndian.Uint16(b)
	h.EncryptThenMAC, h.ExtendedMaster = false, false
	extensions(b[3:], func(kind uint16, value []byte) {
		switch kind {
		case 22:
			h.EncryptThenMAC = true
		case 23:
			h.ExtendedMaster = true
		case 43:
			h.Version = binary.BigEndian.Uint16(value)
		}
	})
	f.suites, f.versions = append(f.suites, h.Suite), append(f.versions, h.Version)
	f.etm = h.EncryptThenMAC
	if h.Version == version13 {
		f.rekey(Server, HandshakeMessages)
		if f.early == 0 {
			f.rekey(Client, HandshakeMessages)
		}
	}
}

func extensions(b []byte, each func(kind uint16, value []byte)) {
	if len(b) < 2 {
		return
	}
	for b = b[2:]; len(b) >= 4; {
		n := int(binary.BigEndian.Uint16(b[2:]))
		each(binary.BigEndian.Uint16(b), b[4:4+n])
		b = b[4+n:]
	}
}

// whole demands that every protected record was opened.
func (f *follower) whole() {
	f.t.Helper()
	for from := range f.sides {
		s := &f.sides[from]
		if s.opened == 0 || len(s.failed) > 0 || len(s.octets) > 0 || len(s.messages) > 0 {
			f.t.Errorf("sender %d: %d records opened, %v, %d octets and %d of messages left", from, s.opened, s.failed, len(s.octets), len(s.messages))
		}
	}
}

func logOf(t testing.TB, text []byte) *Log {
	l := new(Log)
	if n, err := l.Write(text); n != len(text) || err != nil {
		t.Fatal(n, err)
	}
	return l
}
