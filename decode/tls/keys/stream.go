package keys

import "crypto/rc4"

// stream opens records of RC4: text and MAC, enciphered by one stream over all
// records (RFC 5246, 6.2.3.1). An octet that is not known loses it for good.
type stream struct {
	mac
	cipher *rc4.Cipher
	trial  rc4.Cipher // used in its stead, until the record has authenticated
	lost   bool
}

func newStream(p protection, m material) *stream {
	c, _ := rc4.NewCipher(m.key) // fails by the size only
	return &stream{mac: newMAC(p, m.mac), cipher: c}
}

func (s *stream) open(dst []byte, number uint64, r Record) (plain []byte, inner byte, err error) {
	switch {
	case s.lost:
		return dst, 0, PlaceLost
	case len(r.Body) < s.Size():
		return dst, 0, Malformed
	}
	s.trial = *s.cipher
	plain = append(dst, r.Body...)
	text := plain[len(dst):]
	s.trial.XORKeyStream(text, text)
	n := len(text) - s.Size()
	if !s.verify(number, r, text[:n], text[n:]) {
		clear(text)
		return dst, 0, NotAuthentic
	}
	*s.cipher = s.trial
	return plain[:len(dst)+n], r.Type, nil
}

func (s *stream) pass(n int, last []byte) {
	if n != 1 || len(last) == 0 || s.lost {
		s.lost = true
		return
	}
	var unread [256]byte
	for left := len(last); left > 0; left -= len(unread) {
		part := unread[:min(left, len(unread))]
		s.cipher.XORKeyStream(part, part)
	}
	clear(unread[:])
}

func (s *stream) wipe() {
	*s.cipher, s.trial = rc4.Cipher{}, rc4.Cipher{}
	s.mac.wipe()
}
