// Package sessions is the waist of mailtap: segments go in, facts come out. Its
// Tracker owns the table of connections and their time; a session pairs both
// directions by acknowledgement order, runs the dialog through one state
// table, and pushes events to a Handler. cmd/mailtap feeds it; metrics, alerts
// and sessions/log handle its events. It reads no clock, does no I/O and
// starts no goroutine: the same segments give the same events.
package sessions

import (
	"time"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/capture/stream"
	"github.com/mailtap/mailtap/decode/smtp"
	"github.com/mailtap/mailtap/decode/tls"
)

// Tracker follows connections. It belongs to one goroutine.
type Tracker struct {
	opts     Options
	ident    identifier
	handler  Handler
	keeper   Keeper // the handler, where it is one
	flows    flowTable
	talkers  talkers
	links    links
	wheel    wheel
	pool     stream.Pool
	chunk    stream.Chunk
	stats    Stats
	held     int      // early octets in all connections
	kept     int      // octets that sessions keep beside their fixed size
	hoarders hoarders // of what is kept
	holders  hoarders // of what is held
	waiting  map[*flow]struct{}
	clock    Clock
	now      int64 // by the clock
	number   uint64
	near     approach
	events   events
	texts    texts
	readers  readers
	rooms    rooms
	parking  parking
	recent   []recent // by the number of the entry
	mails    int      // in the records of open sessions
	leave    uint32   // of so many of 65,536 new connections nothing is told
	closing  []uint32 // numbers of the entries that are left, while the tracker is being closed
	hand     uint32   // of the search for connections to let go
	barren   uint32   // how many entries it has passed since it saw one of less use than a session that talks
	heard    *flow    // was greeted by the segment that is being taken
	answered command  // by the reply that is being taken
	tok      smtp.Token
	rep      smtp.Reply

	regular irregular // of all connections that have nothing irregular
	usual   rare      // of all sessions that have nothing rare

	client       smtp.ClientOptions // of all sessions
	tls          tls.Options        // of all connections
	certificates tls.Certificates   // seen so far
	hellos       tls.Hellos         // likewise
}

// NewTracker returns a tracker that pushes its events to h.
func NewTracker(o Options, h Handler) *Tracker {
	o.Limits = o.Limits.withDefaults()
	orDefault(&o.Memory, 320<<20)
	if len(o.Ports) == 0 {
		o.Ports = DefaultPorts()
	}
	t := &Tracker{opts: o, ident: newIdentifier(o), handler: h, flows: newFlowTable(randomSeed()), readers: newReaders(&o)}
	t.keeper, _ = h.(Keeper)
	t.wheel.flows = &t.flows
	t.client = smtp.ClientOptions{Line: o.Limits.Line, Waiting: o.Limits.Waiting}
	t.tls = tls.Options{Seen: &t.certificates, Hellos: &t.hellos, Keys: o.Keys, MaxWaiting: o.Limits.TLSWaiting}
	t.parking.behind = parkBehind
	t.hoarders.of = func(f *flow) *share { return &f.kept }
	t.holders.of = func(f *flow) *share { return &f.held }
	return t
}

// Segment takes the next segment of the capture. What it points to is borrowed.
func (t *Tracker) Segment(s *packet.Segment) { t.segment(s, t.flows.hashOf(s), nil) }

// segment takes a segment, with its hash and the entry that it most likely has.
func (t *Tracker) segment(s *packet.Segment, hash uint64, e *entry) {
	fromA, ok := false, false
	if e != nil {
		fromA, ok = e.key.holds(s)
	}
	if !ok {
		e, fromA = t.flows.find(s, hash)
	}
	if s.Copy && e != nil && !t.suspects(e, e.sideOf(fromA)) {
		t.stats.Copies++
		return
	}
	t.number = s.Number
	if t.now = s.Clock; t.now == 0 {
		t.now = t.clock.At(s.Time)
	}
	if e != nil && s.Flags&packet.SYN != 0 && t.replaces(e, s, e.sideOf(fromA)) {
		t.remove(e)
		e = nil
	}
	if e == nil {
		if e, fromA = t.open(s, hash); e == nil {
			return
		}
	}
	if !e.done {
		e.last, e.active = max(e.last, s.Time), t.now
	}
	from := e.sideOf(fromA)
	if t.talkers.of(e) == nil && t.silent(e, s, from) {
		return
	}
	if t.talkers.of(e) == nil {
		t.makeRoom(e)
	}
	f := t.flowOf(e)
	f.segment(s, from)
	more := f.mayKeep(s, from) && t.weigh(f, from)
	heard := t.heard == f
	t.heard = nil
	switch {
	case e.done:
		t.talkers.retire(f)
	case heard:
		t.greeted(e)
	}
	if more {
		t.payHeld(f)
		t.makeRoom(e)
	}
}

// suspects says whether something of a side is kept aside: then a copy may be
// the real packet, of which the one before was forged.
func (t *Tracker) suspects(e *entry, from side) bool {
	f := t.talkers.of(e)
	return f != nil && len(f.suspects[from]) > 0
}

// replaces says whether a SYN begins a new connection on the addresses of an
// old one. On a live one the server must have agreed: a forged SYN changes
// nothing (RFC 5961, 4).
func (t *Tracker) replaces(e *entry, s *packet.Segment, from side) bool {
	f := t.talkers.of(e)
	if f != nil && f.rst != nil && e.isn[from] != s.Seq && !e.agrees(s, from) {
		f.over(EndReset)
	}
	if s.Flags&packet.ACK != 0 {
		if e.done && from == server && e.isnKnown[server] && e.isn[server] != s.Seq {
			return true // the SYN before it was lost by the tap
		}
		if f == nil || f.newISN == nil || from != server || s.Ack != *f.newISN+1 || e.isn[client] == *f.newISN {
			return false
		}
		f.finish(f.endNow(EndClosed))
		return true
	}
	if e.isnKnown[from] && e.isn[from] == s.Seq {
		return false
	}
	if e.done {
		return true
	}
	f = t.flowOf(e)
	if e.state == opening && !e.half[server].Started() {
		f.finish(EndUnanswered)
		return true
	}
	isn := s.Seq
	f.own().newISN = &isn
	return false
}

// agrees says whether a SYN/ACK is the one of this connection that was not seen
// yet: where each direction has its own tap it may come behind the client's RST.
func (e *entry) agrees(s *packet.Segment, from side) bool {
	return s.Flags&packet.ACK != 0 && from == server && !e.isnKnown[server] && (!e.isnKnown[client] || s.Ack == e.isn[client]+1)
}

// open begins a connection where a segment is worth one: a SYN, or octets in
// mid-stream. What else arrives late for a forgotten connection is left out.
func (t *Tracker) open(s *packet.Segment, hash uint64) (e *entry, fromA bool) {
	if s.Flags&packet.RST != 0 || s.Flags&packet.SYN == 0 && s.Length == 0 {
		return nil, false
	}
	t.makeRoom(nil)
	key, fromA := keyOf(s)
	e = t.flows.put(&key, hash)
	e.start, e.last, e.active = s.Time, s.Time, t.now
	from := t.guessSide(s)
	e.aIs = from
	if !fromA {
		e.aIs = from.other()
	}
	if uint32(uint16(hash)) < t.leave {
		t.leaveOut(e, s, from)
		return e, fromA
	}
	e.link = t.links.of(s)
	t.stats.Opening++
	if s.Flags&packet.SYN == 0 {
		e.midway = true
		t.setState(e, established)
	}
	t.wheel.add(e, e.due(&t.opts.Limits))
	if plain := s.Flags&handshake == packet.SYN && s.Length == 0; !plain || e.link == tooManyLinks {
		t.begin(e, s)
	}
	return e, fromA
}

func (t *Tracker) remove(e *entry) {
	if f := t.talkers.of(e); f != nil {
		f.free()
		t.talkers.retire(f)
	}
	t.wheel.remove(e)
	t.flows.remove(e)
}

// Number is the packet's of the segment that is being taken, or was last.
func (t *Tracker) Number() uint64 { return t.number }

// Advance tells the tracker that packet time has come to now, nanoseconds
// since the Unix epoch: what is late is given up, and what was idle for too long
// ends. Once a second is often enough.
func (t *Tracker) Advance(now int64) {
	t.GiveUp(now)
	t.Expire(now)
}

// GiveUp is the first half of Advance: octets that are late for too long count
// as lost. Connections come in the order of their start.
func (t *Tracker) GiveUp(now int64) {
	t.now = t.clock.At(now)
	for _, f := range t.outOfPatience() {
		f.patience(t.now)
		t.reckon(f)
		t.holds(f)
		if f.done {
			t.talkers.retire(f)
		}
	}
}

// expiredAtOnce is which part of the connections may expire in one call: the end
// of each leaves events, and a flood of attempts is due in the same second.
const expiredAtOnce = 16

// Expire is the second half of Advance: what was idle for too long ends, in the
// order in which it began.
func (t *Tracker) Expire(now int64) {
	now = t.clock.At(now)
	t.now = now
	t.wheel.expire(now, max(t.opts.Limits.Connections/expiredAtOnce, 1), func(e *entry) {
		if due := t.due(e); due > now {
			t.wheel.add(e, due)
			return
		}
		if !e.done {
			t.stats.EvictedIdle++
			t.flowOf(e).over(EndTimeout)
		}
		t.remove(e)
	})
}

func (t *Tracker) due(e *entry) int64 {
	if f := t.talkers.of(e); f != nil {
		return f.due()
	}
	return e.due(&t.opts.Limits)
}

// Stats returns what was counted so far.
func (t *Tracker) Stats() Stats {
	s := t.stats
	s.HeldBytes = t.held
	return s
}

func (t *Tracker) setState(e *entry, s flowState) {
	if s == e.state {
		return
	}
	t.count(e, -1)
	e.state = s
	t.count(e, 1)
}

func (t *Tracker) count(e *entry, n int) {
	switch e.state {
	case opening:
		t.stats.Opening += n
	case established:
		t.stats.Established += n
	case closing:
		t.stats.Closing += n
	}
}

func (t *Tracker) emit(e Event) {
	if !t.parking.muted {
		t.handler.Handle(e)
	}
}

func timeOf(ns int64) time.Time { return time.Unix(0, ns).UTC() }
