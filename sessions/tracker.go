// Package sessions is the waist of mailtap: segments go in, facts come out. Its
// Tracker owns the table of connections and their time; a session pairs both
// directions by acknowledgement order, runs the dialog through one state
// table, and pushes events to a Handler. cmd/mailtap feeds it; metrics, alerts
// and sessions/log handle its events. It reads no clock, does no I/O and
// starts no goroutine: the same segments give the same events.
package sessions

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/capture/stream"
	"github.com/mailtap/mailtap/decode/smtp"
	"github.com/mailtap/mailtap/decode/tls"
)

// Tracker follows connections. It belongs to one goroutine.
type Tracker struct {
	opts    Options
	ident   identifier
	handler Handler
	flows   flowTable
	last    *flow // of the latest segment: trains of segments are common
	wheel   wheel
	pool    stream.Pool
	chunk   stream.Chunk
	stats   Stats
	held    int // early octets in all connections
	waiting map[*flow]struct{}
	clock   clock
	now     int64 // by the clock
	tok     smtp.Token
	rep     smtp.Reply

	certificates tls.Certificates // seen so far, for all connections
}

// NewTracker returns a tracker that pushes its events to h.
func NewTracker(o Options, h Handler) *Tracker {
	o.Limits = o.Limits.withDefaults()
	if len(o.Ports) == 0 {
		o.Ports = DefaultPorts()
	}
	return &Tracker{opts: o, ident: newIdentifier(o), handler: h, flows: newFlowTable(randomSeed())}
}

// flowKey is the same for both directions: the lower address and port first.
// It is words, so that it is hashed and compared in a few instructions.
type flowKey struct {
	aHi, aLo, bHi, bLo uint64
	ports              uint32
	family             uint8
}

// is compares word by word: the compiler would call memequal.
func (k *flowKey) is(o *flowKey) bool {
	return k.aLo == o.aLo && k.bLo == o.bLo && k.ports == o.ports && k.aHi == o.aHi && k.bHi == o.bHi && k.family == o.family
}

func keyOf(s *packet.Segment) (k flowKey, fromA bool) {
	srcHi, srcLo, family := words(s.Src.Addr())
	dstHi, dstLo, _ := words(s.Dst.Addr())
	src, dst := s.Src.Port(), s.Dst.Port()
	if srcLo < dstLo || srcLo == dstLo && (srcHi < dstHi || srcHi == dstHi && src <= dst) {
		return flowKey{srcHi, srcLo, dstHi, dstLo, uint32(src)<<16 | uint32(dst), family}, true
	}
	return flowKey{dstHi, dstLo, srcHi, srcLo, uint32(dst)<<16 | uint32(src), family}, false
}

func words(a netip.Addr) (hi, lo uint64, family uint8) {
	if a.Is4() {
		b := a.As4()
		return 0, uint64(binary.BigEndian.Uint32(b[:])), 4
	}
	b := a.As16()
	return binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:]), 6
}

// Segment takes the next segment of the capture. What it points to is borrowed.
func (t *Tracker) Segment(s *packet.Segment) {
	t.now = t.clock.at(s.Time)
	key, fromA := keyOf(s)
	f := t.last
	if f == nil || !f.key.is(&key) {
		f = t.flows.get(key)
	}
	if f != nil && t.replaces(f, s, fromA) {
		t.remove(f)
		f = nil
	}
	if f == nil {
		if f = t.open(key, s, fromA); f == nil {
			return
		}
	}
	t.last = f
	if !f.done {
		f.last, f.active = max(f.last, s.Time), t.now
	}
	f.segment(s, f.sideOf(fromA))
}

// replaces says whether a SYN begins a new connection on the addresses of an
// old one. On a live one the server must have agreed: a forged SYN changes
// nothing (RFC 5961, 4).
func (t *Tracker) replaces(f *flow, s *packet.Segment, fromA bool) bool {
	if s.Flags&packet.SYN == 0 {
		return false
	}
	side := f.sideOf(fromA)
	if f.rst != nil && f.isn[side] != s.Seq {
		f.over(EndReset)
	}
	if s.Flags&packet.ACK != 0 {
		if f.done && side == server && f.isnKnown[server] && f.isn[server] != s.Seq {
			return true // the SYN before it was lost by the tap
		}
		if f.newISN == nil || side != server || s.Ack != *f.newISN+1 || f.isn[client] == *f.newISN {
			return false
		}
		f.finish(f.endNow(EndClosed))
		return true
	}
	if f.isnKnown[side] && f.isn[side] == s.Seq {
		return false
	}
	if f.done {
		return true
	}
	if f.state == opening && !f.half[server].Started() {
		f.finish(EndUnanswered)
		return true
	}
	isn := s.Seq
	f.newISN = &isn
	return false
}

// open begins a connection where a segment is worth one: a SYN, or octets in
// mid-stream. What else arrives late for a forgotten connection is left out.
func (t *Tracker) open(key flowKey, s *packet.Segment, fromA bool) *flow {
	if s.Flags&packet.RST != 0 || s.Flags&packet.SYN == 0 && s.Length == 0 {
		return nil
	}
	if t.flows.count >= t.opts.Limits.Connections {
		t.evictOldest()
	}
	f := newFlow(t, key, s, fromA)
	t.flows.put(f)
	t.wheel.add(f, f.due())
	return f
}

// evictOldest makes room: the connection that is due first goes.
func (t *Tracker) evictOldest() {
	f := t.wheel.first()
	if f == nil {
		return
	}
	t.stats.EvictedTable++
	f.finish(EndEvicted)
	t.remove(f)
}

func (t *Tracker) remove(f *flow) {
	f.free()
	t.wheel.remove(f)
	t.flows.remove(f)
	delete(t.waiting, f)
	if t.last == f {
		t.last = nil
	}
}

// Advance tells the tracker that packet time has come to now, nanoseconds
// since the Unix epoch: what was idle for too long ends. Once a second is
// often enough.
func (t *Tracker) Advance(now int64) {
	now = t.clock.at(now)
	t.now = now
	for _, f := range t.waitingInOrder() {
		f.patience(now)
	}
	t.wheel.expire(now, func(f *flow) {
		if due := f.due(); due > now {
			t.wheel.add(f, due)
			return
		}
		if !f.done {
			t.stats.EvictedIdle++
			f.over(EndTimeout)
		}
		t.remove(f)
	})
}

// Close ends all connections that are left: the input ended. The tracker is
// empty then.
func (t *Tracker) Close() {
	for _, f := range t.inOrder() {
		f.over(EndRunning)
		t.remove(f)
	}
}

// Stats returns what was counted so far.
func (t *Tracker) Stats() Stats {
	s := t.stats
	s.HeldBytes = t.held
	return s
}

func (t *Tracker) emit(e Event) { t.handler.Handle(e) }

func timeOf(ns int64) time.Time { return time.Unix(0, ns).UTC() }
