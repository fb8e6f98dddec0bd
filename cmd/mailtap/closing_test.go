package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/dashboards/report"
)

// TestBeginAnew reads a capture of many open connections, all of one time, and then
// one of the day before: they end a part at a time, since what they leave is in memory
// until it is told.
func TestBeginAnew(t *testing.T) {
	const connections = 3 * closedTogether
	dir := t.TempDir()
	day := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixNano()
	files := make([]string, 2)
	for i, n := range []int{connections, 1} {
		c := newCapture()
		for client := range n {
			s := packet.Segment{Src: packet.Address{Lo: uint64(1 + client)}, Dst: packet.Address{Lo: 1 << 30}, SrcPort: 40000, DstPort: 25, Flags: packet.SYN, TTL: 64}
			c.frame(day-int64(i)*int64(24*time.Hour), ether(c.ipv4(&s)))
		}
		files[i] = filepath.Join(dir, string(rune('a'+i)))
		if err := os.WriteFile(files[i], c.file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	loads := func(shards int, files ...string) uint64 {
		cfg, err := loadFrom("", nil)
		if err != nil {
			t.Fatal(err)
		}
		out, err := wiring{cfg: &cfg, log: slog.New(slog.DiscardHandler), lines: io.Discard, offline: true}.outputs()
		if err != nil {
			t.Fatal(err)
		}
		r := &reading{program: &program{}, ctx: context.Background(), outputs: out, reports: &reports{gathered: new(report.Report)}}
		r.pipeline = newPipeline(&cfg, out, nil, shards)
		if err := r.run(files); err != nil {
			t.Fatal(err)
		}
		return r.pipeline.merged.Load()
	}
	for _, shards := range []int{1, 3} {
		one, both := loads(shards, files[0]), loads(shards, files...)
		if one < connections/closedTogether || both < one+1 {
			t.Errorf("%d shards: %d loads for one file, %d for both", shards, one, both)
		}
	}
}
