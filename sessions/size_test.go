package sessions

import (
	"testing"
	"unsafe"
)

// A million connections may talk: what one takes is a size class of the allocator.
func TestFlowIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(flow{}); n > 512 {
		t.Errorf("a flow is %d octets, want at most 512", n)
	}
	if n := unsafe.Sizeof(entry{}); n > 176 {
		t.Errorf("an entry is %d octets, want at most 176", n)
	}
}
