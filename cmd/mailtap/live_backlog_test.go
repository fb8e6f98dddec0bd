package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestBacklogShare(t *testing.T) {
	for _, c := range []struct {
		limit, waiting int
		share          uint32
	}{
		{50, 0, 0}, {50, 50, 0}, {50, 75, mostLeft / 2}, {50, 100, mostLeft},
		{1, 100, mostLeft}, {99, 99, 0}, {99, 100, mostLeft}, {100, 100, 0},
	} {
		b := backlog{limit: c.limit}
		if got := b.share(c.waiting); got != c.share || b.news() != (got > 0) || b.news() {
			t.Errorf("%d %% wait, limit %d: %d left out, want %d", c.waiting, c.limit, got, c.share)
		}
	}
}

func TestBacklogIsTold(t *testing.T) {
	var out bytes.Buffer
	cfg := Default()
	log := newLogger(cfg.Log, &out)
	l, now := backlogLog{}, time.Unix(1767225600, 0)
	for _, step := range []struct {
		leaves bool
		pause  time.Duration
	}{{false, 1}, {true, 1}, {false, time.Second}, {true, backlogQuiet / 2}, {false, backlogQuiet / 2}, {false, 1}, {false, time.Hour}, {false, 1}} {
		l.tell(log, "eth1", step.leaves, 7, now)
		now = now.Add(step.pause)
	}
	if begins, over := strings.Count(out.String(), "level=WARN"), strings.Count(out.String(), "packets_left_out=7"); begins != 1 || over != 1 {
		t.Errorf("told %d times that it begins, %d that it is over:\n%s", begins, over, &out)
	}
}

// fullSource is a file whose packets come from a buffer that is full.
type fullSource struct{ *fileSource }

func (s fullSource) Waiting() int { return 100 }

// TestBacklogLeavesOutWhole sessions: those that are told are complete, and every
// packet of the others is counted as dropped. The log says so once, though two pullers
// have the source.
func TestBacklogLeavesOutWhole(t *testing.T) {
	const all = 60 + 4
	for name, c := range map[string]struct {
		limit       Percent
		most, lines int
	}{"above": {50, all / 2, 1}, "never": {100, all, 0}} {
		t.Run(name, func(t *testing.T) {
			cfg := Default()
			cfg.Capture.Backlog = c.limit
			var records, log bytes.Buffer
			many, few := openSource(t, shipped("20a_bruteforce_spray_one_source")), openSource(t, shipped(oneLogin))
			run, _ := watchOver(t, &cfg, &log, &records, 2, namedSource{"a", fullSource{many}}, namedSource{"a", fullSource{few}})
			if err := runUntilEnded(run, many, few); err != nil {
				t.Fatal(err)
			}
			if err := run.outputs.close(); err != nil {
				t.Fatal(err)
			}
			sessions, partial := strings.Count(records.String(), `"event":"session"`), strings.Count(records.String(), `"partial":true`)
			if sessions > c.most || partial != 0 {
				t.Errorf("%d sessions, %d of them partial", sessions, partial)
			}
			left := run.sum("a").DroppedQueue
			if s := run.pipeline.stats(); s.LeftPackets != left || int(s.Left)+sessions != all || (left == 0) != (sessions == all) {
				t.Errorf("%d packets of %d connections left out, %d counted, beside %d sessions", s.LeftPackets, s.Left, left, sessions)
			}
			if n := strings.Count(log.String(), "is left out"); n != c.lines {
				t.Errorf("told %d times, want %d:\n%s", n, c.lines, &log)
			}
		})
	}
}
