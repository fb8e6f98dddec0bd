package sessions

import (
	"bytes"

	"github.com/mailtap/mailtap/decode/smtp"
)

// outer is a proxy's protocol that a client speaks before SMTP: SOCKS 5 (RFC
// 1928) or HTTP's CONNECT (RFC 9110, 9.3.6). Once the proxy agrees, the octets
// of both sides are another server's.
type outer struct {
	kind string
	data [2][]byte // octets of a side that are not complete
	step [2]int    // messages of a side that were read
	over [2]bool   // what follows of a side is SMTP
	user bool      // the proxy asked for a name and a password (RFC 1929)
}

// maxOuter bounds one message of such a protocol, in octets.
const maxOuter = 8 << 10

// beginsOuter says whether a client's first octets are a proxy's protocol.
func (s *session) beginsOuter(b []byte) bool {
	name, _ := smtp.Recognise(b)
	if name == smtp.ProtoSOCKS5 || name == smtp.ProtoHTTP && bytes.HasPrefix(b, []byte("CONNECT ")) {
		s.own().outer = &outer{kind: name}
		return true
	}
	return false
}

// unwrap returns the octets of a side that are SMTP, and where they stand.
func (s *session) unwrap(from side, b []byte, offset int64) ([]byte, int64) {
	end := offset + int64(len(b))
	b = s.outer.unwrap(from, b)
	return b, end - int64(len(b))
}

// unwrap takes octets of a side and returns those that are SMTP.
func (o *outer) unwrap(from side, b []byte) []byte {
	if o.over[from] {
		return b
	}
	b = append(o.data[from], b...)
	o.data[from] = nil
	for !o.over[from] {
		n, last := o.message(from, b)
		if n == 0 && len(b) < maxOuter {
			o.data[from] = b
			return nil
		}
		o.step[from]++
		o.over[from] = last || n == 0
		b = b[n:]
	}
	return b
}

// message finds the end of the next message; 0 where more octets are needed.
func (o *outer) message(from side, b []byte) (n int, last bool) {
	if o.kind == smtp.ProtoHTTP {
		if i := bytes.Index(b, []byte("\r\n\r\n")); i >= 0 {
			return i + 4, true
		}
		return 0, false
	}
	return o.socks(from, b)
}

// socks finds the end of a message of SOCKS 5: the methods, a name and a
// password where the proxy chose them, the request.
func (o *outer) socks(from side, b []byte) (n int, last bool) {
	asked := o.step[from] == 1 && o.user
	switch {
	case o.step[from] > 0 && !asked:
		return socksAddress(b), true
	case len(b) < 2:
		return 0, false
	case from == server:
		o.user = o.user || o.step[from] == 0 && b[1] == 2
		return 2, false
	case asked:
		return socksPassword(b), false
	case len(b) < 2+int(b[1]):
		return 0, false
	}
	return 2 + int(b[1]), false
}

// socksPassword is the length of a name and a password (RFC 1929, 2).
func socksPassword(b []byte) int {
	name := 2 + int(b[1])
	if len(b) <= name || len(b) < name+1+int(b[name]) {
		return 0
	}
	return name + 1 + int(b[name])
}

// socksAddress is the length of a request or reply (RFC 1928, 4 and 6).
func socksAddress(b []byte) int {
	if len(b) < 5 {
		return 0
	}
	n := 0
	switch b[3] {
	case 1:
		n = 4 + 4 + 2
	case 3:
		n = 4 + 1 + int(b[4]) + 2
	case 4:
		n = 4 + 16 + 2
	}
	if len(b) < n {
		return 0
	}
	return n
}
