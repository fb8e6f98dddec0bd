//go:build !faults

package stream

// pageFails is true in a build that makes faults only.
func pageFails() bool { return false }
