package main

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/decode/tls/keys"
	"github.com/mailtap/mailtap/sessions"
)

// pipeline is the packet path behind the sources. Loads go through its stages
// in the order of their tickets: the intake, each shard, then those who listen.
// Several goroutines carry loads, each one load at a time through all stages, so
// that they are in different stages at once and nothing is handed over.
type pipeline struct {
	intake  intake
	shards  []*shard
	last    turn // of the merge
	outputs *outputs
	mu      sync.Mutex // of tickets
	tickets uint64
	own     *load         // of what happens without packets
	merged  atomic.Uint64 // loads that came through
	behind  int           // times in a row that advance was told of a time far back
}

// setBack is how many times. Of two remote taps one clock may be far behind the
// other for good.
const setBack = 30

// newPipeline makes one; secrets open TLS, where there are some.
func newPipeline(cfg *Config, o *outputs, secrets *keys.Log, shards int) *pipeline {
	p := &pipeline{intake: newIntake(cfg), outputs: o, own: newLoad(shards, o.encoders())}
	p.last.init()
	options := cfg.trackerOptions()
	options.Keys = secrets
	options.Limits = shareOf(options.Limits, shards)
	options.Memory = int(cfg.Memory) / shards * trackedShare / 100
	// Early octets of a few must not push out the connections of all others.
	options.Limits.HeldTotal = min(options.Limits.HeldTotal, max(options.Memory/3, 1))
	for i := range shards {
		s := newShard(i, options, o)
		s.sieve = newSieve(cfg)
		if o.evidence != nil {
			s.ring = o.evidence.Ring(shards)
		}
		p.shards = append(p.shards, s)
	}
	return p
}

// sievedFirst has the sieve before the shards: all packets come through the one
// intake.
func (p *pipeline) sievedFirst(cfg *Config) {
	p.intake.sieve = newSieve(cfg)
	for _, s := range p.shards {
		s.sieve = nil
	}
}

// trackedShare is the part of the memory, in percent, that connections may fill.
// The rest is for what is made and dropped beside them.
const trackedShare = 60

// shareOf splits what is a limit of the whole process.
func shareOf(l sessions.Limits, shards int) sessions.Limits {
	l.Connections = max(l.Connections/shards, 1)
	l.HeldTotal = max(l.HeldTotal/shards, 1)
	return l
}

// ticket gives a load its place. Who fills a load asks for it before anyone else
// fills the next.
func (p *pipeline) ticket(l *load) {
	p.mu.Lock()
	l.ticket = p.tickets
	p.tickets++
	p.mu.Unlock()
}

// carry takes a load through the stages behind the intake.
func (p *pipeline) carry(l *load) {
	for _, s := range p.shards {
		s.turn.wait(l.ticket)
		s.take(l)
		s.turn.pass()
	}
	l.encode()
	p.last.wait(l.ticket)
	p.outputs.merge(l)
	p.merged.Add(1)
	p.last.pass()
}

// advance tells all shards that packet time has come to now where no packet
// said so, and has the rules judge what the sources lost by then. It is false
// where packets have said more.
func (p *pipeline) advance(now time.Time, captures []alerts.Capture) bool {
	ns := now.UnixNano()
	if p.behind++; ns >= p.intake.newest-maxStepBack {
		p.behind = 0
	}
	if ns > p.intake.newest || p.behind >= setBack {
		p.own.reset()
		p.own.begin(p.intake.advance(ns))
		p.own.end()
		p.own.captures = captures
		p.ticket(p.own)
		p.carry(p.own)
		return true
	}
	return false
}

// beat carries an empty load: it comes through where the path turns.
func (p *pipeline) beat() {
	p.own.reset()
	p.ticket(p.own)
	p.carry(p.own)
}

// close ends all connections: the input ended.
func (p *pipeline) close() {
	p.intake.decoder.Advance(math.MaxInt64, p.intake.ignored)
	p.closeOpen()
	p.own.reset()
	p.intake.anew(p.own)
	p.ticket(p.own)
	p.carry(p.own)
}

// closeOpen ends all connections, some at a time. The loads that have a ticket come
// through first.
func (p *pipeline) closeOpen() {
	p.mu.Lock()
	next := p.tickets
	p.mu.Unlock()
	p.last.wait(next)
	for b := p.oldest(); b != nil; b = p.oldest() {
		p.own.reset()
		p.own.begin(stretch{first: p.intake.number + 1, closes: b})
		p.own.end()
		p.ticket(p.own)
		p.carry(p.own)
	}
}

// closedTogether is how many connections of a shard end in one load, about: what
// they leave is in memory until it is told.
const closedTogether = 1024

// oldest is the border behind that many connections of some shard, nil where none is
// left.
func (p *pipeline) oldest() *sessions.Border {
	var first *sessions.Border
	for _, s := range p.shards {
		if b, left := s.tracker.Oldest(closedTogether); left && (first == nil || b.Before(first)) {
			first = &b
		}
	}
	return first
}

// stats sums what the trackers counted.
func (p *pipeline) stats() sessions.Stats {
	var sum sessions.Stats
	for _, s := range p.shards {
		sum.Add(s.latest())
	}
	return sum
}

// leftOut adds what shards left out to what an intake did, by reason less one.
// Copies are left out by the trackers, which know whether their first may be forged.
func leftOut(intake []uint64, s sessions.Stats) []uint64 {
	counts := slices.Clone(intake)
	counts[packet.Duplicate-1] += s.Copies
	counts[packet.OtherPort-1] += s.Strangers
	return counts
}

// total sums what the trackers counted, where nobody carries a load.
func (p *pipeline) total() sessions.Stats {
	var sum sessions.Stats
	for _, s := range p.shards {
		sum.Add(s.stats())
	}
	if p.intake.sieve != nil {
		sum.Strangers += p.intake.sieve.strangers
	}
	return sum
}

// left gives the number of packets that were left out, by reason less one.
func (p *pipeline) left() []uint64 { return leftOut(p.intake.ignored, p.total()) }
