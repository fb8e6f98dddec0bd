package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"slices"
)

// cbcMode is what the standard library's CBC decrypters are.
type cbcMode interface {
	cipher.BlockMode
	SetIV([]byte)
}

// block opens records of CBC suites: the vector, and text, MAC and padding
// encrypted together; or with the MAC behind the encrypted text (RFC 7366).
type block struct {
	mac
	mode           cbcMode
	size           int  // of a block
	explicit       bool // a record begins with its vector (RFC 4346, 6.2.3.2)
	encryptThenMAC bool

	vector [aes.BlockSize]byte // the last block of the record before, where none is sent
	lost   bool                // it is not known
}

func newBlock(p protection, hello *Handshake, m material) *block {
	var c cipher.Block // the sizes are those of the suite: nothing can fail
	switch p.algorithm {
	case desCBC:
		c, _ = des.NewCipher(m.key)
	case tripleDES:
		c, _ = des.NewTripleDESCipher(m.key)
	default:
		c, _ = aes.NewCipher(m.key)
	}
	b := &block{
		mac:            newMAC(p, m.mac),
		mode:           cipher.NewCBCDecrypter(c, m.vector).(cbcMode),
		size:           c.BlockSize(),
		explicit:       hello.Version >= version11,
		encryptThenMAC: hello.EncryptThenMAC,
	}
	copy(b.vector[:], m.vector)
	return b
}

func (b *block) open(dst []byte, number uint64, r Record) (plain []byte, inner byte, err error) {
	if b.lost {
		return dst, 0, PlaceLost
	}
	body := r.Body
	if b.encryptThenMAC {
		if len(body) < b.Size() {
			return dst, 0, Malformed
		}
		body = body[:len(body)-b.Size()]
		if !b.verify(number, r, body, r.Body[len(body):]) {
			return dst, 0, NotAuthentic
		}
	}
	vector, sealed := b.split(body)
	if len(sealed) == 0 || len(sealed)%b.size != 0 {
		return dst, 0, Malformed
	}
	out := slices.Grow(dst, len(sealed))[:len(dst)+len(sealed)]
	text := out[len(dst):]
	b.mode.SetIV(vector)
	b.mode.CryptBlocks(text, sealed)
	n, ok := b.textLength(number, r, text)
	if !ok {
		clear(text)
		return dst, 0, NotAuthentic
	}
	if !b.explicit {
		copy(b.vector[:], sealed[len(sealed)-b.size:])
	}
	return out[:len(dst)+n], r.Type, nil
}

// split parts the vector from what it starts.
func (b *block) split(body []byte) (vector, sealed []byte) {
	switch {
	case !b.explicit:
		return b.vector[:b.size], body
	case len(body) < b.size:
		return nil, nil
	}
	return body[:b.size], body[b.size:]
}

// textLength is what remains without padding and MAC. That a bad padding and
// a bad MAC take different times tells nobody anything: no answer goes out.
func (b *block) textLength(number uint64, r Record, text []byte) (n int, ok bool) {
	padding := int(text[len(text)-1])
	n = len(text) - 1 - padding
	if n < 0 {
		return 0, false
	}
	for _, octet := range text[n:] {
		if int(octet) != padding { // RFC 5246, 6.2.3.2
			return 0, false
		}
	}
	if b.encryptThenMAC {
		return n, true
	}
	n -= b.Size()
	return n, n >= 0 && b.verify(number, r, text[:n], text[n:n+b.Size()])
}

func (b *block) pass(_ int, last []byte) {
	if b.explicit {
		return
	}
	if b.encryptThenMAC {
		last = last[:max(0, len(last)-b.Size())]
	}
	b.lost = len(last) < b.size
	if !b.lost {
		copy(b.vector[:], last[len(last)-b.size:])
	}
}

func (b *block) wipe() {
	clear(b.vector[:])
	b.mode = nil
	b.mac.wipe()
}
