package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailtap/mailtap/capture"
)

func TestBacklogShare(t *testing.T) {
	for _, c := range []struct {
		limit, waiting int
		share          uint16
	}{
		{50, 0, 0}, {50, 50, 0}, {50, 75, mostLeft / 2}, {50, 100, mostLeft},
		{1, 100, mostLeft}, {99, 99, 0}, {99, 100, mostLeft}, {100, 100, 0},
	} {
		if got := (&backlog{limit: c.limit}).share(c.waiting); got != c.share {
			t.Errorf("%d %% wait, limit %d: %d left out, want %d", c.waiting, c.limit, got, c.share)
		}
	}
}

func TestBacklogIsTold(t *testing.T) {
	var out bytes.Buffer
	log := newLogger(LogConfig{Level: "info", Format: "logfmt"}, &out)
	b, now := backlog{limit: 50}, time.Unix(1767225600, 0)
	for _, waiting := range []int{10, 80, 10, 90, 10, 10} { // a second, or two minutes
		b.share(waiting)
		b.tell(log, "eth1", 7, now)
		if now = now.Add(time.Second); waiting == 90 {
			now = now.Add(2 * backlogLog)
		}
	}
	if begins, over := strings.Count(out.String(), "level=WARN"), strings.Count(out.String(), "packets_left_out=7"); begins != 1 || over != 1 {
		t.Errorf("told %d times that it begins, %d that it is over:\n%s", begins, over, &out)
	}
}

// fullSource is a file whose packets come from a buffer that is full.
type fullSource struct{ *fileSource }

func (s fullSource) Waiting() int { return 100 }

func (s fullSource) NextBatch(batch []capture.Packet) (int, error) {
	if n, err := s.fileSource.NextBatch(batch); err != capture.ErrTimeout {
		return n, err
	}
	return 0, io.EOF
}

// TestBacklogLeavesOutWhole sessions: those that are told are complete, and every
// packet of the others is counted as dropped.
func TestBacklogLeavesOutWhole(t *testing.T) {
	for name, c := range map[string]struct {
		limit Percent
		most  int
	}{"above": {50, 30}, "never": {100, 60}} {
		t.Run(name, func(t *testing.T) {
			cfg := Default()
			cfg.Capture.Backlog = c.limit
			var records bytes.Buffer
			registry := prometheus.NewRegistry()
			w := wiring{cfg: &cfg, log: newLogger(LogConfig{Level: "error", Format: "logfmt"}, io.Discard), records: &records, lines: io.Discard, registry: registry, sources: []string{"a"}}
			o, err := w.outputs()
			if err != nil {
				t.Fatal(err)
			}
			run := &watch{pipeline: newPipeline(&cfg, o, nil, 2), outputs: o}
			run.addPuller(namedSource{"a", fullSource{openSource(t, shipped("20a_bruteforce_spray_one_source"))}}, &cfg, o.log)
			if err := run.run(context.Background()); err != nil {
				t.Fatal(err)
			}
			if err := o.close(); err != nil {
				t.Fatal(err)
			}
			sessions, partial := strings.Count(records.String(), `"event":"session"`), strings.Count(records.String(), `"partial":true`)
			if sessions > c.most || partial != 0 {
				t.Errorf("%d sessions, %d of them partial", sessions, partial)
			}
			left := run.pullers[0].counts.DroppedQueue
			if s := run.pipeline.stats(); s.LeftPackets != left || int(s.Left)+sessions != 60 || (left == 0) != (sessions == 60) {
				t.Errorf("%d packets of %d connections left out, %d counted, beside %d sessions", s.LeftPackets, s.Left, left, sessions)
			}
		})
	}
}
