//go:build faults

package stream

import "sync/atomic"

var failing atomic.Pointer[func() bool]

// FailPages has f say whether there is no page for early octets.
func FailPages(f func() bool) { failing.Store(&f) }

func pageFails() bool {
	f := failing.Load()
	return f != nil && (*f)()
}
