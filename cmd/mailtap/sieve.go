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

func newSieve(cfg *Config) *sieve {
	v := &sieve{copies: packet.Copies{Window: time.Duration(cfg.Capture.DuplicateWindow), Seed: rand.Uint64()}}
	if cfg.Capture.AllPorts {
		v.finder = sessions.NewFinder(sessions.FinderOptions{
			Copies: &v.copies, IdleTimeout: time.Duration(cfg.Limits.IdleTimeout), LingerTimeout: time.Duration(cfg.Limits.LingerTimeout),
		})
	}
	return v
}

// sift leaves of a list, from a place on, the segments that go on, each behind
// what goes before it.
func (v *sieve) sift(list []packet.Segment, from int) []packet.Segment {
	v.copies.Mark(list[from:])
	to := from
	for i := from; i < len(list); i++ {
		if list[i].Other {
			before, ok := v.stranger(&list[i])
			if !ok {
				continue
			}
			if n := len(before); n > 0 { // the list goes on where it lies
				list = slices.Replace(list, to, i, before...)
				to += n
				i = to
			}
		}
		if to != i {
			list[to] = list[i]
		}
		to++
	}
	return list[:to]
}

// stranger says whether a segment of a port that nobody named goes on, and what
// goes before it.
func (v *sieve) stranger(s *packet.Segment) (before []packet.Segment, ok bool) {
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
