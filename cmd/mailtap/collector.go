package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// What the collector may let pile up before it runs: as much as it has to look
// through, so that its work stays in proportion, and on a small heap enough not to
// run all the time. A share of all that lives would let a million idle connections
// double, which are a fifth of a gigabyte without a pointer: they cost the collector
// nothing, so the more of them there are the sooner it runs.
const (
	collectorRoom  = 56 << 20 // octets, less three eighths of what lives
	collectorLeast = 8 << 20  // octets
	collectorMost  = 800      // percent of what lives
	collectorLess  = 3
)

// tuneCollector bounds what piles up beside what lives, now and after every
// collection, and all of it by the memory that was configured. GOGC and
// GOMEMLIMIT in the environment come first.
func tuneCollector(memory int64) {
	limitMemory(memory)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectorMost)
		(&collected{heap: []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/heap:bytes"}}}).again()
	}
}

func limitMemory(memory int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memory)
	}
}

// collected is unreachable: the collector tells when it has found out. What it
// points to matters beside what it says: the runtime puts small values without
// pointers together in one piece of memory, and none of them is found
// unreachable while one is in use.
type collected struct {
	heap    []metrics.Sample
	percent int
}

func (c *collected) again() { runtime.SetFinalizer(c, (*collected).tune) }

func (c *collected) tune() {
	metrics.Read(c.heap)
	percent := collectorMost
	if live, scanned := c.heap[0].Value.Uint64(), c.heap[1].Value.Uint64(); live > 0 {
		room := max(collectorRoom-min(live/8*3, collectorRoom-collectorLeast), scanned)
		percent = int(min(max(room*100/live, collectorLess), collectorMost))
	}
	if percent != c.percent {
		debug.SetGCPercent(percent)
		c.percent = percent
	}
	c.again()
}
