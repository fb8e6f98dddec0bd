package tls

import (
	"testing"
	"unsafe"
)

// TestSize: a watch is held for each connection as long as it lasts. Behind
// the handshake it holds its facts and nothing else.
func TestSize(t *testing.T) {
	if n := unsafe.Sizeof(Watch{}); n > 128 {
		t.Errorf("a Watch has %d octets", n)
	}
	for _, c := range conversations {
		for _, chunks := range [][]chunk{conversation(t, c.name), octets(conversation(t, c.name))} {
			if w := watch(chunks); w.Established() && (w.assembly != nil || w.opening != nil) {
				t.Errorf("%s: parts of messages are held behind the handshake", c.name)
			}
		}
	}
}
