package sessions

import (
	"bytes"

	"github.com/mailtap/mailtap/capture/packet"
)

// What is kept of a connection while its client is silent. Greetings are
// shorter; what has a longer one is no mail.
const (
	maxGreeting     = 2048 // octets
	maxGreetingPart = 12   // segments, acknowledgements among them
)

// greetedConn is a connection whose server said 220: FTP does too, so that only
// the client's answer tells.
type greetedConn struct {
	slot     int  // its place in the order
	serverA  bool // the server is a
	port     uint16
	first    uint32 // the server's first number
	opening  begun
	opened   bool             // opening is known
	segments []packet.Segment // from the greeting on
	octets   int
	next     uint32 // number of the client's next octet
	said     [5]byte
	n        int // octets of said
}

// greets says whether a payload may be the beginning of a greeting.
func greets(p []byte) bool {
	const code = "220"
	if len(p) <= len(code) {
		return len(p) > 0 && string(p) == code[:len(p)]
	}
	return string(p[:3]) == code && (p[3] == ' ' || p[3] == '-')
}

// greets begins to wait for a client's answer.
func (f *Finder) greets(s *packet.Segment) {
	key, fromA := keyOf(s)
	c := &greetedConn{slot: f.next, serverA: fromA, port: s.SrcPort, first: s.Seq, next: s.Ack}
	o := f.openings.of(s, &key)
	if o != nil && (o.clientA == fromA || o.time[1] != 0 && o.isn[server]+1 != s.Seq) {
		return // not the server's first octets
	}
	if c.opened = o != nil && o.isn[client]+1 == s.Ack; c.opened {
		c.opening = *o
	}
	if !c.opened && len(s.Payload) < 4 || s.Flags&packet.ACK == 0 || f.opts.copy(s) || !c.keep(s) {
		return
	}
	if old, ok := f.greeted[f.order[f.next]]; ok && old.slot == f.next {
		f.forget(f.order[f.next], old)
	}
	f.order[f.next] = key
	f.next = (f.next + 1) % maxGreeted
	f.greeted[key] = c
	f.ports.add(c.port)
}

func (f *Finder) forget(key flowKey, c *greetedConn) {
	delete(f.greeted, key)
	f.ports.drop(c.port)
}

// reopens says whether a segment is of another connection with the same
// addresses.
func (c *greetedConn) reopens(s *packet.Segment) bool {
	return s.Flags&(packet.SYN|packet.ACK) == packet.SYN && (!c.opened || s.Seq != c.opening.isn[client])
}

// keep takes a copy; false where there is no room.
func (c *greetedConn) keep(s *packet.Segment) bool {
	if c.octets += len(s.Payload); c.octets > maxGreeting || len(c.segments) == maxGreetingPart {
		return false
	}
	kept := *s
	kept.Keep()
	c.segments = append(c.segments, kept)
	return true
}

// answer takes a segment of a connection that was greeted.
func (f *Finder) answer(c *greetedConn, s *packet.Segment, key flowKey, fromA bool) (before []packet.Segment, follow bool) {
	switch {
	case s.Flags&packet.SYN != 0 || f.opts.copy(s):
		return nil, false
	case s.Flags&(packet.RST|packet.FIN) != 0:
		f.forget(key, c)
		return nil, false
	case fromA != c.serverA && s.Length > 0 && s.Seq == c.next:
		c.next += uint32(s.Length)
		c.n += copy(c.said[c.n:], s.Payload)
		if !isHello(c.said[:c.n]) || len(s.Payload) != s.Length && c.n < len(c.said) {
			f.forget(key, c)
			return nil, false
		}
		if c.n == len(c.said) && len(f.followed) < maxFollowed {
			return f.found(c, s, key, fromA), true
		}
	}
	if !c.keep(s) {
		f.forget(key, c)
	}
	return nil, false
}

// isHello says whether a client's first octets are, or may become, the command
// that a dialog begins with.
func isHello(p []byte) bool {
	end := min(len(p), 4)
	for _, verb := range [...]string{"EHLO", "HELO", "LHLO"} {
		if bytes.EqualFold(p[:end], []byte(verb[:end])) {
			return len(p) < 5 || p[4] == ' ' || p[4] == '\t' || p[4] == '\r' || p[4] == '\n'
		}
	}
	return false
}

// found begins to follow a connection: it gives all that came before s.
func (f *Finder) found(c *greetedConn, s *packet.Segment, key flowKey, fromA bool) []packet.Segment {
	f.forget(key, c)
	f.ports.add(c.port)
	w := &followedConn{server: c.port}
	w.takes(s, fromA)
	f.followed[key] = w
	var all []packet.Segment
	if c.opened {
		all = c.opening.segments(s)
	}
	all = append(all, c.segments...)
	for i := range all {
		all[i].Number, all[i].Clock = s.Number, s.Clock
	}
	return all
}
