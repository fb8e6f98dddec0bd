package main

import (
	"log/slog"
	"time"
)

// mostUnusable is how many writers of a pipe are told in tellEvery: one that is
// started again and again with the same mistake does not fill the log.
const mostUnusable = 10

// unusable tells of each writer of a pipe whose capture could not be read.
type unusable struct {
	since  time.Time // when the first of told was
	told   int
	untold int
}

func (u *unusable) tell(log *slog.Logger, source string, reason error, now time.Time) {
	if now.Sub(u.since) >= tellEvery {
		u.since, u.told = now, 0
	}
	if u.told == mostUnusable {
		u.untold++
		return
	}
	u.told++
	args := []any{"source", source, "reason", reason}
	if u.untold > 0 {
		args = append(args, "others_before", u.untold)
		u.untold = 0
	}
	if u.told == mostUnusable {
		args = append(args, "others_behind", "counted until "+u.since.Add(tellEvery).UTC().Format(time.TimeOnly)+", not told")
	}
	log.Warn("what was written into the pipe cannot be read", args...)
}
