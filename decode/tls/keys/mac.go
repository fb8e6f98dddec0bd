package keys

import (
	"crypto/hmac"
	"encoding/binary"
	"hash"
)

// mac authenticates records by HMAC (RFC 5246, 6.2.3.1).
type mac struct {
	hash.Hash
	header [13]byte
	sum    []byte
}

func newMAC(p protection, key []byte) mac {
	return mac{Hash: hmac.New(p.mac.New, key), sum: make([]byte, 0, p.mac.Size())}
}

func (m *mac) verify(number uint64, r Record, text, want []byte) bool {
	m.Reset()
	binary.BigEndian.PutUint64(m.header[:], number)
	putHeader(m.header[:8], r, len(text))
	m.Write(m.header[:])
	m.Write(text)
	return hmac.Equal(m.Sum(m.sum), want)
}

func (m *mac) wipe() {
	clear(m.sum[:cap(m.sum)])
	m.Hash = nil
}
