// Package prefetch asks the processor for memory before it is needed. With
// thousands of connections open nearly nothing of a packet's connection is in a
// cache, and each step to it waits for the one before; asked for some packets
// ahead, the memory has come when its turn is there. capture/packet and sessions
// call it on the way of a packet. It changes nothing, whatever the address.
package prefetch

import "unsafe"

// line is how much memory comes at once, in octets: the cache line of the
// processors that mailtap is built for.
const line = 64

// Size is how much a Group holds.
const Size = 8

// Group is what is asked for at once: calling the processor's instruction
// costs as much as a few of it. The zero value is empty.
type Group struct {
	at [Size]unsafe.Pointer
	n  int
}

// Add puts something into a group. Above Size it takes the place of what was
// first.
func Add[T any](g *Group, p *T) {
	g.at[uint(g.n)%Size] = unsafe.Pointer(p)
	g.n++
}

// Ask asks for the first octets of all in the group, in lines.
func (g *Group) Ask(lines int) { each(g.at[:min(g.n, Size)], lines) }

// Lines is how many lines a T has, where it begins with one.
func Lines[T any]() int {
	var v T
	return int((unsafe.Sizeof(v) + line - 1) / line)
}
