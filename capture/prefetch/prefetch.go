// Package prefetch asks the processor for memory before it is needed. With
// thousands of connections open nearly nothing of a packet's connection is in a
// cache, and each step to it waits for the one before; asked for some packets
// ahead, the memory has come when its turn is there. capture/packet and sessions
// call it on the way of a packet. It changes nothing, whatever the address.
package prefetch

import "unsafe"

// line is how much memory comes at once: the cache line of the processors that
// mailtap is built for.
const line = 64

// Lines is how many lines an object of so many octets touches at most, where it
// begins at a line.
func Lines(size uintptr) int { return int((size + line - 1) / line) }

// Each asks for that many lines from each address on. There may be nil among
// them; it costs as much.
func Each(at []unsafe.Pointer, lines int) { each(at, lines) }
