package tls

import (
	"crypto/sha256"
	"encoding/binary"
)

// certificate reads a Certificate message (RFC 5246, 7.4.2; RFC 8446, 4.4.2).
func (w *Watch) certificate(s *side, b []byte) {
	var room [4][]byte
	shown, whole := w.entries(room[:0], b)
	f := w.told()
	f.Damaged = f.Damaged || !whole
	if len(shown) == 0 {
		return // a client that has none says so (RFC 5246, 7.4.6)
	}
	if len(shown[0]) > w.Options.maxCertificate() {
		f.LimitReached = true
		return
	}
	c := w.certified(shown)
	if c == nil {
		f.Damaged = true
		return
	}
	f.LimitReached = f.LimitReached || c.cut
	f.Damaged = f.Damaged || c.damaged
	if s == &w.client {
		f.ClientCertificate = c
	} else {
		f.Certificate = c
	}
}

// entries lists the certificates of a message, the leaf first, and one more
// than are kept, to tell that there were more.
func (w *Watch) entries(shown [][]byte, b []byte) (list [][]byte, whole bool) {
	r := reader{b: b}
	if w.version >= version13 {
		r.vector(1) // certificate_request_context
	}
	entries := r.list(3)
	for entries.more() && len(shown) < w.Options.maxChain()+2 {
		der := entries.vector(3)
		if w.version >= version13 {
			entries.vector(2) // extensions: a stapled OCSP answer and the like
		}
		if entries.short || len(der) == 0 {
			return shown, false
		}
		shown = append(shown, der)
	}
	return shown, r.spent()
}

// certified reads the leaf with its chain, or remembers what was read of them.
func (w *Watch) certified(shown [][]byte) *Certificate {
	var sum [sha256.Size]byte
	seen := w.Options.given().Seen
	if seen != nil {
		sum = sumOf(shown)
	}
	c, known := seen.get(sum)
	if !known {
		c = w.leaf(shown[0])
		if c != nil {
			w.chain(c, shown[1:])
		}
		seen.put(sum, c)
	}
	return c
}

// sumOf is a hash over each certificate and its length: without that the
// octets of one could be dealt out over two.
func sumOf(shown [][]byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	var length [4]byte
	for _, der := range shown {
		binary.BigEndian.PutUint32(length[:], uint32(len(der)))
		h.Write(length[:])
		h.Write(der)
	}
	h.Sum(sum[:0])
	return sum
}

// chain adds the certificates behind the leaf. One that cannot be read is left
// out.
func (w *Watch) chain(leaf *Certificate, shown [][]byte) {
	if limit := w.Options.maxChain(); len(shown) > limit {
		shown = shown[:limit]
		leaf.cut = true
	}
	for _, der := range shown {
		if len(der) > w.Options.maxCertificate() {
			leaf.cut = true
			continue
		}
		i, weak, ok := intermediate(der)
		if !ok {
			leaf.damaged = true
			continue
		}
		leaf.Chain = append(leaf.Chain, i)
		leaf.weakSignature = leaf.weakSignature || weak
	}
}
