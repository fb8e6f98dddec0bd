package sessions

import "github.com/mailtap/mailtap/capture/packet"

// talkers are the flows of the connections that talk, and some that are kept
// for the next ones: their memory is warm.
type talkers struct {
	all   []*flow  // by number; the first is nobody's
	spare []uint32 // numbers of flows that nobody uses
}

// maxSpare is how many flows are kept while fewer are in use.
const maxSpare = 1024

// of returns the flow of an entry, nil where it does not talk.
func (l *talkers) of(e *entry) *flow {
	if !e.talks() {
		return nil
	}
	return l.all[e.talker]
}

// talks says whether the entry has a flow.
func (e *entry) talks() bool { return e.talker != 0 && e.talker&parkedMark == 0 }

// inUse is how many connections talk.
func (l *talkers) inUse() int { return max(len(l.all)-1, 0) - len(l.spare) }

func (l *talkers) take() *flow {
	if n := len(l.spare); n > 0 {
		number := l.spare[n-1]
		l.spare = l.spare[:n-1]
		if l.all[number] == nil {
			l.all[number] = &flow{number: number}
		}
		return l.all[number]
	}
	if len(l.all) == 0 {
		l.all = append(l.all, nil)
	}
	f := &flow{number: uint32(len(l.all))}
	l.all = append(l.all, f)
	return f
}

// retire takes a flow from its entry: nothing of it is in use any more.
func (l *talkers) retire(f *flow) {
	f.entry.talker = 0
	if len(l.spare) > max(maxSpare, l.inUse()) {
		l.all[f.number] = nil
	} else {
		f.clear()
	}
	l.spare = append(l.spare, f.number)
}

func (f *flow) clear() {
	f.entry, f.conn, f.irregular, f.talks, f.odd = nil, nil, nil, false, false
	f.dialog = session{}
}

// flowOf makes a connection talk that has not yet. It began with a SYN of its
// client: any other has had a flow from its first segment on.
func (t *Tracker) flowOf(e *entry) *flow {
	if f := t.talkers.of(e); f != nil {
		return f
	}
	if e.talker != 0 {
		return t.unpark(e)
	}
	return t.talks(e, t.connOf(e, e.isn[client]))
}

// begin makes a connection talk with its first segment.
func (t *Tracker) begin(e *entry, s *packet.Segment) {
	isn := s.Seq
	if s.Flags&(packet.SYN|packet.ACK) == packet.SYN|packet.ACK {
		isn = s.Ack - 1 // the client's, whose SYN was missed
		e.isn[client] = isn
	}
	conn := t.connOf(e, isn)
	if e.link == tooManyLinks {
		l := linkOf(s)
		conn.VLANs, conn.Tunnels = l.vlans, l.tunnels
	}
	t.talks(e, conn)
}

func (t *Tracker) talks(e *entry, c *Conn) *flow {
	f := t.talkers.take()
	e.talker = f.number
	f.entry, f.t, f.conn, f.irregular = e, t, c, &t.regular
	return f
}

// maxRecent is how many identities are remembered from a connection's opening to
// its greeting, where they are needed again. A power of two.
const maxRecent = 2048

// recent is an identity that was made for an entry. What tells whose it is stands
// beside it: an identity of another is not looked at.
type recent struct {
	id    uint32
	start int64
	conn  *Conn
}

// opened returns the identity of a connection that has just opened.
func (t *Tracker) opened(e *entry) *Conn {
	c := t.connOf(e, e.isn[client])
	if t.recent == nil {
		t.recent = make([]recent, maxRecent)
	}
	t.recent[e.id%maxRecent] = recent{e.id, e.start, c}
	return c
}

// connOf is the identity of a connection that began with the sequence number
// isn.
func (t *Tracker) connOf(e *entry, isn uint32) *Conn {
	c, v := e.ends()
	if t.recent != nil {
		at := &t.recent[e.id%maxRecent]
		if r := *at; r.id == e.id && r.start == e.start && r.conn.Client == c && r.conn.Server == v {
			*at = recent{}
			return r.conn
		}
	}
	conn := t.ident.conn(c, v, e.start, isn)
	if l := t.links.get(e.link); l != nil {
		conn.VLANs, conn.Tunnels = l.vlans, l.tunnels
	}
	return conn
}

// handshake are the flags that open and close a connection.
const handshake = packet.FIN | packet.SYN | packet.RST | packet.ACK

// silent takes the segments of a connection that has not talked yet, or that
// has ended: its handshake, as it should be, and acknowledgements. It says the
// same as the flow would. false: the segment is for a flow.
func (t *Tracker) silent(e *entry, s *packet.Segment, from side) bool {
	if e.done {
		e.seen(s, from)
		if e.left != 0 {
			t.swallow(e, s, from)
		}
		return true
	}
	if s.Length > 0 {
		return false
	}
	switch s.Flags & handshake {
	case packet.ACK:
		return t.silentACK(e, s, from)
	case packet.SYN:
		if from != client || e.state != opening || e.isnKnown[client] && e.isn[client] != s.Seq || !e.sums(s, client) {
			return false
		}
	case packet.SYN | packet.ACK:
		if from != server || e.state != opening || e.isnKnown[server] || !e.isnKnown[client] || s.Ack != e.half[client].NextSeq() || !e.sums(s, server) {
			return false
		}
	default:
		return false
	}
	e.seen(s, from)
	e.shows(s, from)
	if e.ttl[from][0] == 0 {
		e.ttl[from][0] = s.TTL
	}
	e.isn[from], e.isnKnown[from] = s.Seq, true
	e.half[from].Start(s.Seq + 1)
	if from == server {
		t.setState(e, established)
		e.attempt = true
		tell(t, &t.events.attempt, Attempt{In: In{Conn: t.opened(e), Time: timeOf(e.last)}, Result: "established"})
	}
	return true
}

func (t *Tracker) silentACK(e *entry, s *packet.Segment, from side) bool {
	peer := &e.half[from.other()]
	if e.state != established || !e.isnKnown[client] || !e.isnKnown[server] || peer.NextSeq() != s.Ack {
		return false
	}
	e.seen(s, from)
	e.shows(s, from)
	return true
}

// sums notes a right checksum; false where it is wrong in a direction that has
// shown right ones.
func (e *entry) sums(s *packet.Segment, from side) bool {
	switch s.Checksum() {
	case packet.ChecksumGood:
		e.sound[from] = true
	case packet.ChecksumBad:
		return !e.sound[from]
	}
	return true
}
