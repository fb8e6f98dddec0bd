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
	places []place
	free   []uint32
	texts  []greeting
	byText map[string]uint32
	unused []uint32 // texts that nobody has

	latest []uint32 // entries that were greeted latest: most of them talk soon
	next   int
	behind int  // parkBehind, but in tests
	muted  bool // a greeting is being read again
}

// parkBehind is how many more connections have to be greeted before one is parked.
const parkBehind = 4096

// parkedMark is set in entry.talker where the rest is a parking place.
const parkedMark = 1 << 31

// place is what is kept of a greeting.
type place struct {
	delay int64 // from the connection's start
	text  uint32
	code  uint16
}

// greeting is a text that servers have greeted with.
type greeting struct {
	text string
	used int
}

// greeted notes a connection that was greeted, and parks one that was so long
// ago.
func (t *Tracker) greeted(e *entry) {
	p := &t.parking
	id := e.id
	if len(p.latest) < p.behind {
		p.latest = append(p.latest, id)
		return
	}
	if p.behind > 0 {
		id, p.latest[p.next] = p.latest[p.next], id
		p.next = (p.next + 1) % p.behind
	}
	if old := t.flows.at(id); id != 0 && old.filed && t.talkers.of(old) != nil {
		t.park(t.talkers.of(old))
	}
}

// park gives back a flow of which nothing but a plain greeting is known.
func (t *Tracker) park(f *flow) {
	s := f.session
	if !f.plain() || !s.onlyGreeted() {
		return
	}
	e := f.entry
	number := t.parking.put(place{delay: int64(s.rec.Banner.Delay), code: uint16(s.rec.Banner.Code)}, s.rec.Banner.Text)
	t.talkers.retire(f)
	e.talker = number | parkedMark
}

// plain says whether a flow has nothing beside its entry and its session.
func (f *flow) plain() bool {
	if f.done || f.midway || f.state != established || f.rst != nil || f.newISN != nil || f.holding() ||
		len(f.suspects[client])+len(f.suspects[server]) > 0 {
		return false
	}
	for s := range f.half {
		if !f.half[s].Plain() || f.owed[s].since != 0 || uint64(f.half[s].Offset()) != f.octets[s] {
			return false
		}
	}
	return true
}

// onlyGreeted says whether a session is what its greeting alone makes of it: one
// line, of which the text is all.
func (s *session) onlyGreeted() bool {
	b := &s.rec.Banner
	return s != nil && s.greeted && !s.started[client] && len(s.head[client].data) == 0 && len(s.pending) == 0 && len(s.kinds) == 0 &&
		len(s.codes) == 1 && s.codes[0].n == 1 && s.tls.watch == nil && s.outer == nil && s.c.Mode() == smtp.Commands && !s.s.Partial() &&
		b.Code >= 100 && len(b.Text) > 0 && s.f.octets[server] == uint64(len(b.Text)+len("220 \r\n")) && s.f.octets[client] == 0
}

// unpark makes a parked connection talk again.
func (t *Tracker) unpark(e *entry) *flow {
	p, text := t.parking.take(e.talker &^ parkedMark)
	e.talker = 0
	f := t.talks(e, t.connOf(e, e.isn[client]))
	f.session = newSession(f)
	t.parking.muted = true
	line := append(strconv.AppendUint(make([]byte, 0, len(text)+8), uint64(p.code), 10), ' ')
	line = append(append(line, text...), "\r\n"...)
	f.session.octets(server, &stream.Chunk{Data: line, Time: e.start + p.delay}, 0)
	t.parking.muted = false
	return f
}

func (k *parking) put(p place, text string) uint32 {
	p.text = k.textOf(text)
	if n := len(k.free); n > 0 {
		number := k.free[n-1]
		k.free = k.free[:n-1]
		k.places[number] = p
		return number
	}
	k.places = append(k.places, p)
	return uint32(len(k.places) - 1)
}

func (k *parking) textOf(text string) uint32 {
	number, ok := k.byText[text]
	switch n := len(k.unused); {
	case ok:
	case n > 0:
		number = k.unused[n-1]
		k.unused = k.unused[:n-1]
		k.texts[number] = greeting{text: text}
	default:
		number = uint32(len(k.texts))
		k.texts = append(k.texts, greeting{text: text})
	}
	if !ok {
		if k.byText == nil {
			k.byText = map[string]uint32{}
		}
		k.byText[text] = number
	}
	k.texts[number].used++
	return number
}

// take empties a place.
func (k *parking) take(number uint32) (place, string) {
	p := k.places[number]
	k.free = append(k.free, number)
	g := &k.texts[p.text]
	text := g.text
	if g.used--; g.used == 0 {
		delete(k.byText, text)
		g.text = ""
		k.unused = append(k.unused, p.text)
	}
	return p, text
}
