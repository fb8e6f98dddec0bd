package main

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
)

// sieve says of each segment whether the capture has it twice, and which of the
// ports that nobody named belong to mail. It stands where all packets of a
// connection pass in order. Reading files that is the intake: what tables of a fixed
// size hold is the same then for any number of shards. Live it is the shard,
// because two sources may bring a packet each, or a direction each.
type sieve struct {
	copies    packet.Copies
	finder    *sessions.Finder // nil: other ports are not looked at
	strangers uint64           // packets of other ports that are left out
	owed      uint64           // of them, those that a session was found to begin with
}

// siftAhead is how many segments ahead the memory of their copies is asked for.
const siftAhead = 8

func newSieve(cfg *Config) *sieve {
	v := &sieve{copies: packet.Copies{Window: time.Duration(cfg.Capture.DuplicateWindow), Seed: rand.Uint64()}}
	if cfg.Capture.AllPorts {
		v.finder = sessions.NewFinder(sessions.FinderOptions{
			Copies: &v.copies, IdleTimeout: time.Duration(cfg.Limits.IdleTimeout), LingerTimeout: time.Duration(cfg.Limits.LingerTimeout),
		})
	}
	return v
}

// pass says whether a segment goes on, and what goes before it.
func (v *sieve) pass(s *packet.Segment) (before []packet.Segment, ok bool) {
	if !s.Other {
		s.Copy = v.copies.Has(s)
		return nil, true
	}
	if v.finder != nil {
		if before, ok = v.finder.Segment(s); ok {
			v.owed += uint64(len(before))
			return before, true
		}
	}
	if v.owed > 0 { // counters do not go back
		v.owed--
	} else {
		v.strangers++
	}
	return nil, false
}

// sift leaves of a list, from a place on, the segments that go on, each behind what
// goes before it. Every segment passes in its turn: what a table of a fixed size
// holds must not depend on how a capture is cut into lists.
func (v *sieve) sift(list []packet.Segment, from int) []packet.Segment {
	to := from
	for i := from; i < len(list); i++ {
		v.ahead(list, i)
		before, ok := v.pass(&list[i])
		if !ok {
			continue
		}
		if n := len(before); n > 0 { // the list goes on where it lies
			list = slices.Replace(list, to, i, before...)
			to += n
			i = to
		}
		if to != i {
			list[to] = list[i]
		}
		to++
	}
	return list[:to]
}

// ahead asks, now and then, for what the segments of a list behind the next few
// will need.
func (v *sieve) ahead(list []packet.Segment, i int) {
	if i%siftAhead == 0 {
		n := len(list)
		v.copies.Expect(list[min(i+siftAhead, n):min(i+2*siftAhead, n)])
	}
}

func (v *sieve) advance(clock int64) {
	if v.finder != nil {
		v.finder.Advance(clock)
	}
}

// forget begins anew: another story follows, or none.
func (v *sieve) forget() {
	v.strangers -= min(v.owed, v.strangers)
	v.owed = 0
	v.copies.Forget()
	if v.finder != nil {
		v.finder.Forget()
	}
}
