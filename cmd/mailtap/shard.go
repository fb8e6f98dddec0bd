package main

import (
	"sync"

	"github.com/mailtap/mailtap/alerts/evidence"
	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/metrics"
	"github.com/mailtap/mailtap/sessions"
)

// shard follows the connections of its part of all traffic. Who carries a load
// works in it while it holds the shard's turn.
type shard struct {
	turn    turn
	index   int
	options sessions.Options
	tracker *sessions.Tracker
	outputs *outputs
	sieve   *sieve         // nil: the intake has one
	counts  *metrics.Shard // nil where nobody scrapes
	ring    *evidence.Ring // nil where no evidence is kept
	load    *load          // being taken
	kept    bool           // the last event
	terms   *terms         // nil: those of the start
	rules   wanter
	phase   phase
	first   uint64         // packet number of the stretch
	past    sessions.Stats // of the trackers before

	mu    sync.Mutex // of shown
	shown sessions.Stats
}

// phase orders what the same packet brings about: what its time ends comes
// before what it says.
type phase uint8

const (
	givenUp phase = iota
	expired
	seen
)

// told is an event, and where it stands among those of all shards.
type told struct {
	number uint64
	phase  phase
	event  sessions.Event
	rec    int // place of its first record in the load, from 1; 0: it has none
}

func newShard(index int, o sessions.Options, out *outputs) *shard {
	s := &shard{index: index, options: o, outputs: out, rules: out.engine}
	s.turn.init()
	s.tracker = sessions.NewTracker(o, s)
	if out.metrics != nil {
		s.counts = out.metrics.Shard()
	}
	return s
}

// take follows the segments of a load that are the shard's.
func (s *shard) take(l *load) {
	s.load = l
	if l.change != nil {
		s.adopt(l.change.terms)
	}
	l.terms = s.terms
	list := l.lists[s.index]
	left := s.stats().LeftPackets
	s.tracker.Leave(l.leave)
	at := 0
	for i := range l.runs {
		r := &l.runs[i]
		s.before(r)
		s.phase = seen
		s.follow(list[at:r.ends[s.index]])
		at = r.ends[s.index]
	}
	l.left += s.stats().LeftPackets - left
	s.load = nil
}

// follow gives segments to the tracker.
func (s *shard) follow(list []packet.Segment) {
	if s.sieve == nil {
		s.keep(list)
		s.tracker.Segments(list)
		return
	}
	from := 0
	for i := range list {
		s.sieve.ahead(list, i)
		before, ok := s.sieve.pass(&list[i])
		if ok && len(before) == 0 {
			continue
		}
		s.keep(list[from:i])
		s.tracker.Segments(list[from:i])
		s.keepMade(before)
		s.tracker.Segments(before)
		if from = i; !ok {
			from++
		}
	}
	s.keep(list[from:])
	s.tracker.Segments(list[from:])
}

// before does what the time of a stretch brings about.
func (s *shard) before(r *stretch) {
	s.phase, s.first = givenUp, r.first
	switch {
	case r.closes != nil:
		s.tracker.CloseUntil(r.closes)
	case r.anew:
		s.tracker.Close()
		s.past = s.stats()
		s.tracker = sessions.NewTracker(s.options, s)
		if s.sieve != nil {
			s.sieve.forget()
		}
	case r.advance != 0:
		s.tracker.GiveUp(r.clock)
		s.phase = expired
		s.tracker.Expire(r.clock)
		if s.sieve != nil {
			s.sieve.advance(r.clock)
		}
	}
	if r.anew || r.advance != 0 {
		if s.counts != nil {
			s.counts.Publish()
		}
		now := s.stats()
		s.mu.Lock()
		s.shown = now
		s.mu.Unlock()
	}
}

// latest is what the shard's trackers had counted when packet time last went on.
func (s *shard) latest() sessions.Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown
}

// stats is what the shard's trackers counted.
func (s *shard) stats() sessions.Stats {
	sum := s.past
	sum.Add(s.tracker.Stats())
	if s.sieve != nil {
		sum.Strangers = s.sieve.strangers
	}
	return sum
}

// Handle implements sessions.Handler.
func (s *shard) Handle(e sessions.Event) {
	if s.counts != nil {
		s.counts.Handle(e)
	}
	if s.kept = s.outputs.wants(e, s.rules); !s.kept {
		return
	}
	number := s.first
	if s.phase == seen {
		number = s.tracker.Number()
	}
	s.load.told[s.index] = append(s.load.told[s.index], told{number: number, phase: s.phase, event: e})
}

// Kept implements sessions.Keeper.
func (s *shard) Kept() bool { return s.kept }

// turn lets loads through in the order of their tickets.
type turn struct {
	mu   sync.Mutex
	next uint64
	came *sync.Cond
}

func (t *turn) init() { t.came = sync.NewCond(&t.mu) }

// wait returns with the turn of a ticket.
func (t *turn) wait(ticket uint64) {
	t.mu.Lock()
	for t.next != ticket {
		t.came.Wait()
	}
	t.mu.Unlock()
}

// pass gives the turn to the next ticket.
func (t *turn) pass() {
	t.mu.Lock()
	t.next++
	t.mu.Unlock()
	t.came.Broadcast()
}
