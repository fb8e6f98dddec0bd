package keys

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"slices"
)

// ccm is the counter with CBC-MAC mode of RFC 3610, with nonces of 12 octets
// and so lengths of 3. It only opens.
type ccm struct {
	block   cipher.Block
	tag     int
	sum     [16]byte // the MAC so far
	counter [16]byte
	stream  [16]byte
}

var errOpen = errors.New("message authentication failed")

func (c *ccm) NonceSize() int { return nonceLength }
func (c *ccm) Overhead() int  { return c.tag }

// Seal is there for cipher.AEAD: nothing here is ever sealed.
func (c *ccm) Seal(dst, _, _, _ []byte) []byte { return dst }

func (c *ccm) Open(dst, nonce, sealed, authenticated []byte) ([]byte, error) {
	text, tag := sealed[:len(sealed)-c.tag], sealed[len(sealed)-c.tag:]
	out := slices.Grow(dst, len(text))[:len(dst)+len(text)]
	plain := out[len(dst):]

	c.counter = [16]byte{2} // octets of the length, less one
	copy(c.counter[1:], nonce)
	c.block.Encrypt(c.stream[:], c.counter[:]) // block 0 hides the MAC
	hidden := c.stream
	c.crypt(plain, text)

	c.begin(nonce, authenticated, len(plain))
	c.add(plain)
	subtle.XORBytes(c.sum[:], c.sum[:], hidden[:])
	if subtle.ConstantTimeCompare(c.sum[:c.tag], tag) != 1 {
		clear(plain)
		return nil, errOpen
	}
	return out, nil
}

// crypt decrypts by the counter, from block 1 on.
func (c *ccm) crypt(plain, text []byte) {
	for n := uint16(1); len(text) > 0; n++ { // a record has some thousand blocks at most
		binary.BigEndian.PutUint16(c.counter[14:], n)
		c.block.Encrypt(c.stream[:], c.counter[:])
		done := subtle.XORBytes(plain, text, c.stream[:])
		plain, text = plain[done:], text[done:]
	}
}

// begin starts the MAC with the first block and what is authenticated beside
// the text, which is shorter than 2^16-2^8 octets (RFC 3610, 2.2).
func (c *ccm) begin(nonce, authenticated []byte, length int) {
	c.sum = [16]byte{1<<6 | byte(c.tag-2)/2<<3 | 2}
	copy(c.sum[1:], nonce)
	binary.BigEndian.PutUint16(c.sum[14:], uint16(length))
	c.block.Encrypt(c.sum[:], c.sum[:])
	// The length of two octets shifts the blocks; TLS has one of 5 or 13.
	var first [16]byte
	binary.BigEndian.PutUint16(first[:], uint16(len(authenticated)))
	n := copy(first[2:], authenticated)
	c.add(first[:])
	c.add(authenticated[n:])
}

func (c *ccm) add(b []byte) {
	for len(b) > 0 {
		n := subtle.XORBytes(c.sum[:], c.sum[:], b[:min(len(b), 16)])
		c.block.Encrypt(c.sum[:], c.sum[:])
		b = b[n:]
	}
}

func (c *ccm) wipe() { *c = ccm{} }
