package main

import (
	"log/slog"
	"time"
)

// mostLeft is how many of 65,536 new connections are left out where the whole buffer
// waits: some are always followed.
const mostLeft = 15 << 12

// backlogged is a source that knows how much of the kernel's buffer waits to be read,
// in percent.
type backlogged interface{ Waiting() int }

// backlog decides which part of the new connections of a puller is left out, by how
// much of its buffer waits. What is left out whole loses less than what the kernel
// would drop, which is some of every connection.
type backlog struct {
	limit  int  // percent of the buffer
	leaves bool // some were left out since news was asked
}

// share is how many of 65,536 new connections are left out.
func (b *backlog) share(waiting int) uint32 {
	if waiting <= b.limit {
		return 0
	}
	b.leaves = true
	return uint32((waiting - b.limit) * mostLeft / (100 - b.limit))
}

// news says whether some were left out since it was last asked.
func (b *backlog) news() bool {
	leaves := b.leaves
	b.leaves = false
	return leaves
}

// backlogQuiet is how long all new connections must have been followed until that is
// told.
const backlogQuiet = time.Minute

// backlogLog tells of a source, which may have several pullers, when it begins that
// some are left out and when it is over.
type backlogLog struct {
	told bool      // that it began
	last time.Time // when some were left out
}

func (l *backlogLog) tell(log *slog.Logger, source string, leaves bool, packets uint64, now time.Time) {
	switch {
	case leaves:
		if l.last = now; !l.told {
			l.told = true
			log.Warn("packets come faster than they are followed: a part of the new connections is left out", "source", source)
		}
	case l.told && now.Sub(l.last) >= backlogQuiet:
		l.told = false
		log.Info("all new connections are followed again", "source", source, "packets_left_out", packets)
	}
}
