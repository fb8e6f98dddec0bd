package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	nonceLength = 12
	typeData    = 23 // application_data
)

// aead opens records of GCM, CCM and ChaCha20-Poly1305.
type aead struct {
	cipher.AEAD
	vector   [nonceLength]byte
	explicit int  // octets of the nonce that a record begins with
	inner    bool // TLS 1.3: the header is authenticated and hides the content type

	nonce  [nonceLength]byte // of the record being opened
	header [13]byte          // what is authenticated with it
}

func newAEAD(p protection, version uint16, m material) *aead {
	a := &aead{inner: version == version13}
	copy(a.vector[:], m.vector)
	if p.algorithm != chacha20 && !a.inner {
		a.explicit = 8 // RFC 5288, 3
	}
	a.AEAD = newCipher(p, m.key)
	return a
}

// newCipher cannot fail: the sizes are those of the suite.
func newCipher(p protection, key []byte) cipher.AEAD {
	if p.algorithm == chacha20 {
		c, _ := chacha20poly1305.New(key)
		return c
	}
	block, _ := aes.NewCipher(key)
	switch p.algorithm {
	case aesCCM:
		return &ccm{block: block, tag: 16}
	case aesCCM8:
		return &ccm{block: block, tag: 8}
	}
	c, _ := cipher.NewGCM(block)
	return c
}

func (a *aead) open(dst []byte, number uint64, r Record) (plain []byte, inner byte, err error) {
	if a.inner && r.Type != typeData {
		return dst, 0, Unprotected
	}
	if len(r.Body) < a.explicit+a.Overhead() {
		return dst, 0, Malformed
	}
	sealed := r.Body[a.explicit:]
	a.nonce = a.vector
	if a.explicit > 0 {
		copy(a.nonce[nonceLength-a.explicit:], r.Body)
	} else { // RFC 8446, 5.3; RFC 7905, 2
		tail := a.nonce[nonceLength-8:]
		binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^number)
	}
	plain, err = a.AEAD.Open(dst, a.nonce[:], sealed, a.authenticated(number, r, len(sealed)))
	if err != nil {
		return dst, 0, NotAuthentic
	}
	if a.inner {
		return withoutPadding(plain, len(dst))
	}
	return plain, r.Type, nil
}

// authenticated is what is authenticated beside the text (RFC 5246, 6.2.3.3;
// RFC 8446, 5.2).
func (a *aead) authenticated(number uint64, r Record, sealed int) []byte {
	if a.inner {
		return putHeader(a.header[:0], r, len(r.Body))
	}
	binary.BigEndian.PutUint64(a.header[:], number)
	putHeader(a.header[:8], r, sealed-a.Overhead())
	return a.header[:]
}

func putHeader(b []byte, r Record, length int) []byte {
	return append(b, r.Type, byte(r.Version>>8), byte(r.Version), byte(length>>8), byte(length))
}

// withoutPadding cuts the padding and the content type before it off (RFC
// 8446, 5.4). A text of zeros alone has no content type.
func withoutPadding(plain []byte, start int) (text []byte, inner byte, err error) {
	for end := len(plain) - 1; end >= start; end-- {
		if plain[end] != 0 {
			return plain[:end], plain[end], nil
		}
	}
	return plain[:start], 0, Malformed
}

func (a *aead) pass(int, []byte) {}

func (a *aead) wipe() {
	clear(a.vector[:])
	clear(a.nonce[:])
	if c, ok := a.AEAD.(*ccm); ok {
		c.wipe()
	}
	a.AEAD = nil
}
