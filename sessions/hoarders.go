package sessions

import "math/bits"

// hoarders are the connections that keep a lot of something, by how much in powers of
// two: where memory runs out because of them, one of them makes the room of many others.
type hoarders struct {
	by [32 - 12 + 1][]*flow
	of func(*flow) *share
}

// share is what a connection keeps, when it was reckoned last.
type share struct {
	octets uint32
	seat   uint32 // among the hoarders that keep as much
}

// hoard is what makes one of a connection, in octets: two early segments do.
const hoard = 4 << 10

// keptShare is the part of the memory that may be kept before hoarders go first:
// with less it is their number that connections fill it by.
const keptShare = 4

// rank is where a connection stands that keeps n octets; 0: nowhere.
func rank(n uint32) int { return bits.Len32(n / hoard) }

// move files a connection by what it keeps from now on.
func (h *hoarders) move(f *flow, n uint32) {
	s := h.of(f)
	was, now := rank(s.octets), rank(n)
	s.octets = n
	if was == now {
		return
	}
	if was > 0 {
		list := h.by[was]
		last := len(list) - 1
		list[s.seat] = list[last]
		h.of(list[last]).seat = s.seat
		list[last] = nil
		h.by[was] = list[:last]
	}
	if now > 0 {
		s.seat = uint32(len(h.by[now]))
		h.by[now] = append(h.by[now], f)
	}
}

// largest is one that keeps at least half of what any other does, nil where there is
// none.
func (h *hoarders) largest() *flow {
	for rank := len(h.by) - 1; rank > 0; rank-- {
		if len(h.by[rank]) > 0 {
			return h.by[rank][0]
		}
	}
	return nil
}
