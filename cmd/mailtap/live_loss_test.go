package main

import (
	"testing"

	"github.com/mailtap/mailtap/alerts"
)

// TestLastMinute holds that a loss is told for a minute and then no more, that
// sources are apart, and that a counter that begins anew loses nothing.
func TestLastMinute(t *testing.T) {
	l := losses{}
	total := alerts.Capture{Source: "eth1"}
	for second := 1; second <= 200; second++ {
		total.Packets += 10
		if second == 30 {
			total.Dropped = 7
		}
		want := alerts.Capture{Source: "eth1", Packets: uint64(10 * min(second, 60))}
		if second >= 30 && second < 30+60 {
			want.Dropped = 7
		}
		if got := l.lastMinute(total); got != want {
			t.Fatalf("second %d: %+v, want %+v", second, got, want)
		}
	}
	if got := l.lastMinute(alerts.Capture{Source: "eth2", Dropped: 3}); got.Dropped != 3 {
		t.Errorf("another source: %+v", got)
	}
	if got := l.lastMinute(alerts.Capture{Source: "eth1", Packets: 5}); got.Packets != 0 || got.Dropped != 0 {
		t.Errorf("counters that went back: %+v", got)
	}
}
