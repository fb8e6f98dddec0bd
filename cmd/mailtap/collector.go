package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// What the collector may let pile up before it runs. A share of the heap alone
// would let a million idle connections, which are a third of a gigabyte that
// nothing points out of, double; and would run it all the time on a small heap.
const (
	collectorRoom = 32 << 20 // octets beside what lives
	collectorMost = 400      // percent of what lives
	collectorLess = 8
)

// tuneCollector bounds what piles up beside what lives, now and after every
// collection, and all of it by the memory that was configured. GOGC and
// GOMEMLIMIT in the environment come first.
func tuneCollector(memory int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memory)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectorMost)
		(&collected{}).again()
	}
}

// collected is unreachable: the collector tells when it has found out.
type collected struct{ percent int }

func (c *collected) again() { runtime.SetFinalizer(c, (*collected).tune) }

func (c *collected) tune() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	percent := collectorMost
	if n := live[0].Value.Uint64(); n > 0 {
		percent = int(min(max(collectorRoom*100/n, collectorLess), collectorMost))
	}
	if percent != c.percent {
		debug.SetGCPercent(percent)
		c.percent = percent
	}
	c.again()
}
