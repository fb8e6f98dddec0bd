package main

import (
	"log/slog"
	"time"
)

// mostLeft is how many of 65,536 new connections are left out where the whole buffer
// waits: some are always followed.
const mostLeft = 15 << 12

// backlogLog is how long all new connections must have been followed until that is
// told.
const backlogLog = time.Minute

// backlog decides which part of the new connections is left out, by how much of the
// kernel's buffer waits to be read. What is left out whole loses less than what the
// kernel would drop, which is some of every connection.
type backlog struct {
	limit  int       // percent of the buffer
	leaves bool      // since the log was told
	last   time.Time // when some were left out
	since  bool      // some were, since last was set
}

// share is how many of 65,536 new connections are left out.
func (b *backlog) share(waiting int) uint16 {
	if waiting <= b.limit {
		return 0
	}
	b.since = true
	return uint16((waiting - b.limit) * mostLeft / (100 - b.limit))
}

// tell logs when it begins and when it is over.
func (b *backlog) tell(log *slog.Logger, source string, left uint64, now time.Time) {
	if b.since {
		b.last, b.since = now, false
		if !b.leaves {
			b.leaves = true
			log.Warn("packets come faster than they are followed: a part of the new connections is left out", "source", source, "limit", b.limit)
		}
		return
	}
	if b.leaves && now.Sub(b.last) >= backlogLog {
		b.leaves = false
		log.Info("all new connections are followed again", "source", source, "packets_left_out", left)
	}
}
