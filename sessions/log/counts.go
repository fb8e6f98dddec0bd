package log

import (
	"fmt"
	"strings"
)

// Counts is what became of a sink's records since its start. What was given
// to Write, and what the start found in a spool, is always Written + Dropped +
// Waiting.
type Counts struct {
	Written uint64 // left the process: the file or the server took it, or Loki said 2xx
	Dropped uint64 // given up, for the reasons below
	Retried uint64 // sent once more
	Unsure  uint64 // of Retried: there was no clear answer, so the server may have it twice
	Waiting int    // in memory, under way or in the spool
	Reasons Reasons
}

// Reason says why a record was dropped.
type Reason uint8

// The reasons.
const (
	QueueFull Reason = iota // no room in memory
	SpoolFull               // the oldest of the spool gave way
	Damaged                 // the spool's file was damaged
	TooOld                  // Loki takes none of its age
	TooLong                 // the server takes none of its length
	Refused                 // Loki refused it for another reason
	Unwritten               // the file took it not
	Outlived                // it waited in the spool for too long
	TimeOver                // the time to stop was over
	numReasons
)

var reasonNames = [numReasons]string{"queue full", "spool full", "spool damaged", "too old for Loki", "too long", "refused by Loki", "not written", "waited too long", "no time left"}

// String names a reason.
func (r Reason) String() string { return reasonNames[r] }

// Reasons counts dropped records by reason.
type Reasons [numReasons]uint64

// String lists the reasons that there were.
func (r Reasons) String() string {
	var parts []string
	for i, n := range r {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, Reason(i)))
		}
	}
	return strings.Join(parts, ", ")
}

func (c *Counts) drop(reason Reason, n int) {
	c.Dropped += uint64(n)
	c.Reasons[reason] += uint64(n)
}
