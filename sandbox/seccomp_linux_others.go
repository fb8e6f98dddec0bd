//go:build linux && !amd64

package sandbox

// refusedHere are calls that not every architecture has.
var refusedHere []uint32
