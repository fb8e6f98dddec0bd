package sessions

import "math/bits"

// hoarders are the connections that keep a lot, by how much in powers of two: where
// memory runs out because of them, letting one go makes the room of many others.
type hoarders [32 - 13 + 1][]*flow

// hoard is what makes one of a connection, in octets.
const hoard = 8 << 10

// keptShare is the part of the memory that may be kept before hoarders go first:
// with less it is their number that connections fill it by.
const keptShare = 4

// rank is where a connection stands that keeps n octets; 0: nowhere.
func (h *hoarders) rank(n uint32) int { return bits.Len32(n / hoard) }

// move files a connection by what it keeps from now on.
func (h *hoarders) move(f *flow, n uint32) {
	was, now := h.rank(f.kept), h.rank(n)
	if was == now {
		return
	}
	if was > 0 {
		list := h[was]
		last := len(list) - 1
		list[f.seat] = list[last]
		list[f.seat].seat = f.seat
		list[last] = nil
		h[was] = list[:last]
	}
	if now > 0 {
		f.seat = uint32(len(h[now]))
		h[now] = append(h[now], f)
	}
}

// largest is one that keeps at least half of what any other does, nil where there is
// none.
func (h *hoarders) largest() *flow {
	for rank := len(h) - 1; rank > 0; rank-- {
		if len(h[rank]) > 0 {
			return h[rank][0]
		}
	}
	return nil
}
