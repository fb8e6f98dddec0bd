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
		(&collected{}).again()
	}
}

func limitMemory(memory int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memory)
	}
}

// collected is unreachable: the collector tells when it has found out.
type collected struct{ percent int }

func (c *collected) again() { runtime.SetFinalizer(c, (*collected).tune) }

func (c *collected) tune() {
	heap := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/heap:bytes"}}
	metrics.Read(heap)
	percent := collectorMost
	if live, scanned := heap[0].Value.Uint64(), heap[1].Value.Uint64(); live > 0 {
		room := max(collectorRoom-min(live/8*3, collectorRoom-collectorLeast), scanned)
		percent = int(min(max(room*100/live, collectorLess), collectorMost))
	}
	if percent != c.percent {
		debug.SetGCPercent(percent)
		c.percent = percent
	}
	c.again()
}
