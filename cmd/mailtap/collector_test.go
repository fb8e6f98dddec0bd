package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

// TestCollectorIsTuned has small values in use made before and after what tells
// of a collection: they may share its piece of memory, and would keep it alive.
func TestCollectorIsTuned(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "off") // the test's own stays
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	percent := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	inUse := make([]*int64, 64)
	for i := range inUse {
		if i == len(inUse)/2 {
			tuneCollector(1 << 40)
		}
		inUse[i] = new(int64)
	}
	lives := make([]byte, 4*collectorRoom)
	for deadline := time.Now().Add(30 * time.Second); ; runtime.GC() {
		metrics.Read(percent)
		if percent[0].Value.Uint64() < 100 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d octets live, and as much as %d %% of them may pile up", len(lives), percent[0].Value.Uint64())
		}
	}
	runtime.KeepAlive(lives)
	runtime.KeepAlive(inUse)
}
