package capture

import (
	"testing"
	"time"
)

// What the stack has no use for was captured, and is no loss; a driver that
// begins anew at 0 takes nothing back.
func TestDeviceDrops(t *testing.T) {
	d := deviceDrops{last: deviceCounts{card: 10, stack: 100, backlog: 1000}}
	for _, step := range []struct {
		now  deviceCounts
		want uint64
	}{
		{deviceCounts{10, 100, 1000}, 0},
		{deviceCounts{13, 100, 1000}, 3},
		{deviceCounts{13, 900, 1000}, 3}, // frames without a use
		{deviceCounts{13, 900, 1700}, 3}, // another interface's backlog
		{deviceCounts{13, 905, 1705}, 8},
		{deviceCounts{13, 955, 1707}, 10},
		{deviceCounts{2, 1, 1707}, 10},
		{deviceCounts{4, 1, 1707}, 12},
	} {
		if d.add(step.now); d.total != step.want {
			t.Errorf("%+v: %d, want %d", step.now, d.total, step.want)
		}
	}
	gone := newDeviceDrops("no-such-if0")
	if n := gone.count(); n != 0 {
		t.Errorf("an interface that is gone: %d", n)
	}
	var none deviceDrops
	if n := none.count(); n != 0 {
		t.Errorf("no interface: %d", n)
	}
}

func TestBacklogDrops(t *testing.T) {
	const table = "013b441d 00000000 00000003 00000000\n0000a5b4 0000001f 00000002 00000000\n00000001 00000001 00000002 00000000\n"
	if n := backlogDrops(table); n != 32 {
		t.Errorf("%d, want 32", n)
	}
}

// TestOpenBlock is held open for half of the poll timeout by a ring, libpcap's for all
// of it.
func TestOpenBlock(t *testing.T) {
	for m, want := range map[Method]time.Duration{MethodRing: 50 * time.Millisecond, MethodPcap: 100 * time.Millisecond} {
		l := Live{opts: LiveOptions{Method: m}.withDefaults()}
		if got := l.OpenBlock(); got != want {
			t.Errorf("%s: %v, want %v", m, got, want)
		}
	}
}
