package sessions

import (
	"strconv"

	"github.com/mailtap/mailtap/capture/stream"
	"github.com/mailtap/mailtap/decode/smtp"
)

// parking gives back the flows of connections of which only the greeting was
// heard: a million that hold their connection and say nothing then cost little
// more than their entries. A parked connection that talks has its greeting read
// again, and is where it was.
type parking struct {
	greetings greetings
	parked    int

	latest []uint32 // from first on, entries that were greeted latest: most of them talk soon
	first  int
	behind int  // parkBehind, but in tests
	muted  bool // a greeting is being read again
}

// parkBehind is how many more connections have to be greeted before one is parked,
// at least, and parkShare which part of those that talk: the more there are, the
// more are greeted before the first of them answers.
const (
	parkBehind = 1024
	parkShare  = 4
)

// parkedMark is set in entry.talker where the rest is the number of a greeting.
const parkedMark = 1 << 31

// greeting is what servers have greeted with.
type greeting struct {
	text string
	code int
}

// greetings numbers the greetings of parked connections.
type greetings struct {
	all    []greeting
	used   []int
	number map[greeting]uint32
	unused []uint32
}

// greeted notes a connection that was greeted, and parks those that were so long
// ago.
func (t *Tracker) greeted(e *entry) {
	p := &t.parking
	most := 0
	if p.behind > 0 {
		most = max(p.behind, t.talkers.inUse()/parkShare)
	}
	p.latest = append(p.latest, e.id)
	for range 2 { // two, so that they become fewer where fewer talk than before
		if len(p.latest)-p.first > most {
			t.parkEntry(p.latest[p.first])
			p.first++
		}
	}
	if p.first > len(p.latest)/2 {
		n := copy(p.latest, p.latest[p.first:])
		p.latest, p.first = p.latest[:n], 0
	}
}

func (t *Tracker) parkEntry(id uint32) {
	if e := t.flows.at(id); id != 0 && e.filed && e.talks() {
		t.park(t.talkers.of(e))
	}
}

// park gives back a flow of which nothing but a plain greeting is known.
func (t *Tracker) park(f *flow) {
	s := &f.dialog
	e := f.entry
	if !f.talks || !f.plain() || !s.onlyGreeted() || e.link == tooManyLinks { // of those only the flow knows the way
		return
	}
	b := s.greeting
	t.talkers.retire(f)
	e.talker = t.parking.greetings.put(greeting{b.Text, b.Code}) | parkedMark
	e.setDelay(int64(b.Delay))
	t.parking.parked++
}

// plain says whether a flow has nothing beside its entry and its session.
func (f *flow) plain() bool {
	if f.done || f.midway || f.kept.octets > 0 || f.state != established || f.rst != nil || f.newISN != nil || f.holding() ||
		len(f.suspects[client])+len(f.suspects[server]) > 0 {
		return false
	}
	for s := range f.half {
		if !f.half[s].Plain() || !f.sentKnown[s] || f.sent[s] != f.half[s].NextSeq() || f.owed[s].since != 0 || uint64(f.half[s].Offset()) != f.octets[s] {
			return false
		}
	}
	return true
}

// onlyGreeted says whether a session is what its greeting alone makes of it: one
// line, of which the text is all.
func (s *session) onlyGreeted() bool {
	b := &s.greeting
	return s.greeted && !s.started[client] && len(s.head[client].data) == 0 && len(s.pending) == 0 && len(s.kinds) == 0 &&
		s.codes.once() && !s.sealed && s.outer == nil && s.c.Mode() == smtp.Commands && !s.s.Partial() &&
		b.Code >= 100 && len(b.Text) > 0 && s.f.octets[server] == uint64(len(b.Text)+len("220 \r\n")) && s.f.octets[client] == 0
}

// unpark makes a parked connection talk again.
func (t *Tracker) unpark(e *entry) *flow {
	g := t.parking.greetings.take(e.talker &^ parkedMark)
	at := e.start + e.delay()
	e.talker = 0
	e.sent = [2]uint32{e.half[client].NextSeq(), e.half[server].NextSeq()}
	t.parking.parked--
	f := t.talks(e, t.connOf(e, e.isn[client]))
	f.begin()
	t.parking.muted = true
	line := append(strconv.AppendInt(make([]byte, 0, len(g.text)+8), int64(g.code), 10), ' ')
	line = append(append(line, g.text...), "\r\n"...)
	f.dialog.octets(server, &stream.Chunk{Data: line, Time: at}, 0)
	t.parking.muted = false
	return f
}

// delay is from a parked connection's start to its greeting. It stands where a
// connection that talks keeps how far its sides have sent: parked ones have
// sent as far as they were read.
func (e *entry) delay() int64 { return int64(uint64(e.sent[client])<<32 | uint64(e.sent[server])) }

func (e *entry) setDelay(d int64) {
	e.sent = [2]uint32{client: uint32(uint64(d) >> 32), server: uint32(uint64(d))}
}

func (g *greetings) put(of greeting) uint32 {
	number, ok := g.number[of]
	switch n := len(g.unused); {
	case ok:
	case n > 0:
		number = g.unused[n-1]
		g.unused = g.unused[:n-1]
		g.all[number] = of
	default:
		number = uint32(len(g.all))
		g.all, g.used = append(g.all, of), append(g.used, 0)
	}
	if g.number == nil {
		g.number = map[greeting]uint32{}
	}
	g.number[of] = number
	g.used[number]++
	return number
}

func (g *greetings) take(number uint32) greeting {
	of := g.all[number]
	if g.used[number]--; g.used[number] == 0 {
		delete(g.number, of)
		g.all[number] = greeting{}
		g.unused = append(g.unused, number)
	}
	return of
}
