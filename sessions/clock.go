package sessions

// Clock makes of packet times one that never goes back: the clock of a capture
// may be set back, and what waits must still come to its end. Trackers that share
// a capture share its clock through the segments. The zero value works.
type Clock struct {
	newest int64 // nanoseconds since the Unix epoch, plus shift
	shift  int64
}

// disorder is how far packet times may go back for packets that are merely out
// of order, as in a merged capture; beyond it the clock was set.
const disorder = 5 * 60e9

// At takes the time of a packet and returns the clock's.
func (c *Clock) At(ns int64) int64 {
	t := ns + c.shift
	if t < c.newest-disorder {
		c.shift = c.newest - ns
		t = c.newest
	}
	c.newest = max(c.newest, t)
	return c.newest
}
