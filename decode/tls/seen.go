package tls

import "crypto/sha256"

// maxSeen is how many certificates are remembered: servers of a site and
// their peers, at some 2 kB each, and hostile ones at some 50 kB.
const maxSeen = 1024

// Certificates remembers what was read of certificates, by a SHA-256 of the
// leaf and what was shown behind it: the parse and the check of a signature cost more than all the rest of a
// handshake. The newest stay. The zero value is ready; it belongs to one
// goroutine. What it returns is never changed.
type Certificates struct {
	byHash map[[sha256.Size]byte]*Certificate
	order  [maxSeen][sha256.Size]byte
	next   int
}

func (s *Certificates) get(sum [sha256.Size]byte) (c *Certificate, known bool) {
	if s == nil {
		return nil, false
	}
	c, known = s.byHash[sum]
	return c, known
}

func (s *Certificates) put(sum [sha256.Size]byte, c *Certificate) {
	if s == nil {
		return
	}
	if s.byHash == nil {
		s.byHash = make(map[[sha256.Size]byte]*Certificate)
	}
	if len(s.byHash) >= maxSeen {
		delete(s.byHash, s.order[s.next])
	}
	s.byHash[sum] = c
	s.order[s.next] = sum
	s.next = (s.next + 1) % maxSeen
}
