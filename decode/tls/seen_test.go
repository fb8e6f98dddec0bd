package tls

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"
)

// TestSeen keeps the newest certificates, and no more than its limit.
func TestSeen(t *testing.T) {
	var s Certificates
	hash := func(i int) (sum [sha256.Size]byte) {
		binary.BigEndian.PutUint32(sum[:], uint32(i))
		return sum
	}
	for i := range 3 * maxSeen {
		s.put(hash(i), &Certificate{Serial: string(rune(i))})
	}
	if len(s.byHash) != maxSeen {
		t.Errorf("%d are kept", len(s.byHash))
	}
	if _, ok := s.get(hash(3*maxSeen - 1)); !ok {
		t.Error("the newest is gone")
	}
	if _, ok := s.get(hash(0)); ok {
		t.Error("the oldest stayed")
	}
	var none *Certificates
	none.put(hash(1), nil)
	if _, ok := none.get(hash(1)); ok {
		t.Error("nil remembers")
	}
}
