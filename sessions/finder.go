package sessions

import (
	"time"

	"github.com/mailtap/mailtap/capture/packet"
)

// Finder finds mail on ports of which nobody said that they carry any: by a
// dialog whose server begins with 220 and whose client answers with EHLO, HELO or
// LHLO. It takes the segments of all such ports, before they are given to
// trackers, and says which are to be followed; where it finds a connection it
// gives back what that began with. Of all other traffic it keeps nothing but
// the latest openings, in a table of a fixed size: most segments cost a look at
// a bitmap and at their first octets. It belongs to one goroutine.
//
// Where the client speaks first (PROXY) the session begins with the greeting, as
// one whose start was missed. TLS from the first octet, SOCKS, octets in a SYN and
// what begins behind the greeting are not found: for those the port is configured.
type Finder struct {
	opts     FinderOptions
	ports    portUses // servers' ports of those below
	openings openings
	greeted  map[flowKey]*greetedConn // the server has greeted, the client has not answered
	order    [maxGreeted]flowKey      // of them, the oldest at next
	next     int
	followed map[flowKey]*followedConn
	due      int64 // of the next look for those that are over
}

// FinderOptions says how long connections are followed. The zero value works.
type FinderOptions struct {
	Copies        *packet.Copies // asked about what is kept or followed; nil: nobody
	IdleTimeout   time.Duration  // without a packet; default that of Limits
	LingerTimeout time.Duration  // an ended connection; default that of Limits
}

const (
	maxGreeted  = 1024  // connections that wait for their client; the oldest is forgotten
	maxFollowed = 65536 // connections; further ones are not followed
	sweepEvery  = int64(10 * time.Second)
)

// followedConn is a connection that speaks SMTP.
type followedConn struct {
	server uint16
	active int64 // by the clock of the segments
	fin    [2]bool
	rst    bool
}

func (c *followedConn) over() bool { return c.rst || c.fin[0] && c.fin[1] }

// NewFinder returns a finder that has seen nothing.
func NewFinder(o FinderOptions) *Finder {
	l := Limits{IdleTimeout: o.IdleTimeout, LingerTimeout: o.LingerTimeout}.withDefaults()
	o.IdleTimeout, o.LingerTimeout = l.IdleTimeout, l.LingerTimeout
	return &Finder{opts: o, greeted: map[flowKey]*greetedConn{}, followed: map[flowKey]*followedConn{}}
}

// Segment takes the next segment of a port that nobody named, and says whether
// it belongs to a mail session. Where it shows one, before is what that session
// began with, oldest first: it is the caller's, and has the number and the
// clock of s.
func (f *Finder) Segment(s *packet.Segment) (before []packet.Segment, follow bool) {
	if !f.ports.has(s.SrcPort) && !f.ports.has(s.DstPort) {
		f.stranger(s)
		return nil, false
	}
	key, fromA := keyOf(s)
	if c := f.followed[key]; c != nil && !f.reopens(c, s, key) {
		s.Copy = f.opts.copy(s)
		c.takes(s, fromA)
		return nil, true
	}
	if c := f.greeted[key]; c != nil && !c.reopens(s) {
		return f.answer(c, s, key, fromA)
	}
	f.stranger(s)
	return nil, false
}

// Advance says that the clock of the segments has come to now: what has ended
// is forgotten.
func (f *Finder) Advance(now int64) {
	if now < f.due {
		return
	}
	f.due = now + sweepEvery
	for key, c := range f.followed {
		patience := f.opts.IdleTimeout
		if c.over() {
			patience = f.opts.LingerTimeout
		}
		if now-c.active > int64(patience) {
			f.leave(key, c)
		}
	}
}

// Forget forgets all that was seen: another capture begins.
func (f *Finder) Forget() { *f = *NewFinder(f.opts) }

func (o *FinderOptions) copy(s *packet.Segment) bool { return o.Copies != nil && o.Copies.Has(s) }

// stranger takes a segment of a connection of which nothing but its opening may
// be known.
func (f *Finder) stranger(s *packet.Segment) {
	switch {
	case s.Flags&packet.SYN != 0:
		if !f.opts.copy(s) {
			f.openings.syn(s)
		}
	case s.Length == 0:
		f.openings.ack(s)
	case greets(s.Payload):
		f.greets(s)
	}
}

func (f *Finder) leave(key flowKey, c *followedConn) {
	delete(f.followed, key)
	f.ports.drop(c.server)
}

// reopens says whether a SYN takes the addresses of a connection that is over.
func (f *Finder) reopens(c *followedConn, s *packet.Segment, key flowKey) bool {
	if s.Flags&(packet.SYN|packet.ACK) != packet.SYN || !c.over() {
		return false
	}
	f.leave(key, c)
	return true
}

func (c *followedConn) takes(s *packet.Segment, fromA bool) {
	c.active = s.Clock
	from := 0
	if fromA {
		from = 1
	}
	c.fin[from] = c.fin[from] || s.Flags&packet.FIN != 0
	c.rst = c.rst || s.Flags&packet.RST != 0
}

// portUses counts how often a port is in use. It is asked for each packet, of
// which nearly none has such a port.
type portUses struct {
	set   [1 << 16 / 64]uint64
	times map[uint16]int
}

func (u *portUses) has(port uint16) bool { return u.set[port>>6]&(1<<(port&63)) != 0 }

func (u *portUses) add(port uint16) {
	if u.times == nil {
		u.times = map[uint16]int{}
	}
	u.times[port]++
	u.set[port>>6] |= 1 << (port & 63)
}

func (u *portUses) drop(port uint16) {
	if u.times[port]--; u.times[port] <= 0 {
		delete(u.times, port)
		u.set[port>>6] &^= 1 << (port & 63)
	}
}
