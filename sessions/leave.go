package sessions

import "github.com/mailtap/mailtap/capture/packet"

// Where packets come faster than they can be followed the kernel drops some of
// every connection, and what is then told is wrong in all of them: a mail of which a
// packet is missing costs more time than a whole one. So a part of the new
// connections is left out, each as a whole, and the others are followed to their end.
// Which ones the seeded hash tells: who floods is left out as others are, and nobody
// can choose not to be.

// Leave says how many of 65,536 new connections are left out from here on.
func (t *Tracker) Leave(share uint32) { t.leave = share }

// left is what is remembered of a connection that is left out, so that the rest of
// it does not begin a new one.
type left uint8

const (
	leftOut left = 1 << iota
	leftByClient
	leftByServer
	leftAndOver = leftOut | leftByClient | leftByServer
)

// leaveOut makes of an entry one that only swallows what comes.
func (t *Tracker) leaveOut(e *entry, s *packet.Segment, from side) {
	e.done, e.left = true, leftOut
	if s.Flags&packet.SYN != 0 { // sent again it is not a new connection
		e.isn[from], e.isnKnown[from] = s.Seq, true
	}
	t.stats.Left++
	t.wheel.add(e, e.due(&t.opts.Limits))
}

// swallow takes a segment of a connection that is left out.
func (t *Tracker) swallow(e *entry, s *packet.Segment, from side) {
	t.stats.LeftPackets++
	e.active = t.now
	switch {
	case s.Flags&packet.RST != 0:
		e.left = leftAndOver
	case s.Flags&packet.FIN != 0 && from == client:
		e.left |= leftByClient
	case s.Flags&packet.FIN != 0:
		e.left |= leftByServer
	}
}
