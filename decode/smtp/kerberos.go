package smtp

import (
	"bytes"
	"encoding/binary"
)

// krb5Request stands before the AP-REQ: the OID of Kerberos 5 and the token id
// (RFC 4121, 4.1), also inside SPNEGO (RFC 4178).
const krb5Request = "\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01\x00"

// kerberos reads for which service a ticket is: that stands in clear (RFC 4120,
// 5.3). Who the client is, is encrypted; whom it wants to be, is not.
func (e *Exchange) kerberos(token []byte) {
	i := bytes.Index(token, []byte(krb5Request))
	if i < 0 {
		e.name(&e.Authzid, wrappedAuthzid(token))
		return
	}
	request := der(token[i+len(krb5Request):]).in(0x6e).in(0x30) // AP-REQ, 5.5.1
	ticket := request.in(0xa3).in(0x61).in(0x30)
	realm := ticket.in(0xa1).in(generalString)
	parts := ticket.in(0xa2).in(0x30).in(0xa1).in(0x30)
	var name []byte
	for len(parts) > 0 && len(name) < maxIdentity {
		tag, part, rest, ok := parts.next()
		if !ok || tag != generalString {
			return
		}
		if len(name) > 0 {
			name = append(name, '/')
		}
		name, parts = append(name, part[:min(len(part), maxIdentity)]...), rest
	}
	if len(name) == 0 {
		return
	}
	if len(realm) > 0 {
		name = append(append(name, '@'), realm[:min(len(realm), maxIdentity)]...)
	}
	e.name(&e.Target, name)
}

const generalString = 0x1b

// wrappedAuthzid reads the client's last message: the security layer, a size of
// three octets, the identity (RFC 4752, 3.1), in a token that is signed and not
// sealed (RFC 4121, 4.2.6.2). Behind the text stands a checksum; both together
// are rotated to the right.
func wrappedAuthzid(token []byte) []byte {
	const head, sealed = 16, 2
	if len(token) < head || token[0] != 5 || token[1] != 4 || token[2]&sealed != 0 || token[3] != 0xff {
		return nil
	}
	checksum, rotated := int(binary.BigEndian.Uint16(token[4:])), int(binary.BigEndian.Uint16(token[6:]))
	data := token[head:]
	if len(data) < checksum+4 {
		return nil
	}
	rotated %= len(data)
	text := append(bytes.Clone(data[rotated:]), data[:rotated]...)[:len(data)-checksum]
	if layer := text[0]; layer != 1 && layer != 2 && layer != 4 {
		return nil
	}
	return text[4:]
}

// der is a run of elements in the encoding of X.690.
type der []byte

// in returns the content of the first element with a tag; nil where there is
// none.
func (d der) in(want byte) der {
	for len(d) > 0 {
		tag, body, rest, ok := d.next()
		if !ok {
			return nil
		}
		if tag == want {
			return body
		}
		d = rest
	}
	return nil
}

// next takes the first element off; ok is false where it is not whole.
func (d der) next() (tag byte, body, rest der, ok bool) {
	if len(d) < 2 {
		return 0, nil, nil, false
	}
	size, at := int(d[1]), 2
	if size >= 0x80 {
		n := size & 0x7f
		if n == 0 || n > 3 || len(d) < 2+n {
			return 0, nil, nil, false
		}
		size = 0
		for _, c := range d[2 : 2+n] {
			size = size<<8 | int(c)
		}
		at += n
	}
	if len(d) < at+size {
		return 0, nil, nil, false
	}
	return d[0], d[at : at+size], d[at+size:], true
}
