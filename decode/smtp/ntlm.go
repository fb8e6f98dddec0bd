package smtp

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
)

const ntlmSignature = "NTLMSSP\x00"

const (
	ntlmChallenge    = 2
	ntlmAuthenticate = 3
	ntlmUnicode      = 1 // NTLMSSP_NEGOTIATE_UNICODE
)

// ntlm reads the client's NTLM message ([MS-NLMP], 2.2.1), bare or inside
// SPNEGO; false where there is none. The responses are made of hashes and a
// challenge: no secret that can be used again as it stands.
func (e *Exchange) ntlm(token []byte) (found bool) {
	m, found := ntlmIn(token)
	switch {
	case !found:
	case len(m) < 12:
		e.Odd = true
	case m.long(8) == ntlmAuthenticate:
		e.ntlmNames(m)
	}
	return found
}

// ntlmTarget reads the server's message: for what the login is.
func (e *Exchange) ntlmTarget(challenge []byte) {
	if m, _ := ntlmIn(challenge); m.long(8) == ntlmChallenge {
		e.name(&e.Target, m.text(12, m.long(20)&ntlmUnicode != 0))
	}
}

func ntlmIn(token []byte) (m ntlmMessage, found bool) {
	i := bytes.Index(token, []byte(ntlmSignature))
	if i < 0 {
		return nil, false
	}
	return token[i:], true
}

func (e *Exchange) ntlmNames(m ntlmMessage) {
	if len(m) < 52 {
		e.Odd = true
		return
	}
	unicode := m.unicode()
	domain, user := m.text(28, unicode), m.text(36, unicode)
	e.name(&e.Workstation, m.text(44, unicode))
	if len(user) == 0 {
		return // anonymous
	}
	e.name(&e.Domain, domain)
	e.name(&e.Username, user)
}

type ntlmMessage []byte

// long reads a number; 0 behind the end.
func (m ntlmMessage) long(at int) uint32 {
	if len(m) < at+4 {
		return 0
	}
	return binary.LittleEndian.Uint32(m[at:])
}

// unicode says how the names of an AUTHENTICATE message are written. Old
// clients send no flags: then their user name tells, by its NUL octets.
func (m ntlmMessage) unicode() bool {
	if payload := m.long(32); len(m) >= 64 && payload >= 64 {
		return m.long(60)&ntlmUnicode != 0
	}
	user := m.field(36)
	return len(user) > 1 && len(user)%2 == 0 && user[1] == 0
}

// field reads the octets that the length and the offset at a place tell; nil
// where they are not inside the message.
func (m ntlmMessage) field(at int) []byte {
	if len(m) < at+8 {
		return nil
	}
	size, begin := int64(binary.LittleEndian.Uint16(m[at:])), int64(m.long(at+4))
	if begin+size > int64(len(m)) {
		return nil
	}
	return m[begin : begin+size]
}

// text copies a field as UTF-8, or as its octets where it is in the client's
// code page.
func (m ntlmMessage) text(at int, unicode bool) []byte {
	b := m.field(at)
	if !unicode {
		return bytes.Clone(b[:min(len(b), maxIdentity)])
	}
	b = b[:min(len(b), 2*maxIdentity)]
	units := make([]uint16, 0, len(b)/2)
	for ; len(b) > 1; b = b[2:] {
		units = append(units, binary.LittleEndian.Uint16(b))
	}
	return []byte(string(utf16.Decode(units)))
}
