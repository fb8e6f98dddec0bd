package log

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// store is a Loki without a network: it is away until a time.
type store struct {
	back  time.Time
	lines []string
	tries int
}

func (s *store) push(batch []item, _ bool) []part {
	s.tries++
	if time.Now().Before(s.back) {
		time.Sleep(2 * time.Second)
		return []part{{len(batch), outcome{kind: failed, err: errors.New("away")}}}
	}
	for i := range batch {
		s.lines = append(s.lines, batch[i].line)
	}
	return []part{{len(batch), outcome{}}}
}

func (s *store) stop() {}

// Loki is away for an hour, in which ten records come a second.
func TestLokiAwayForAnHour(t *testing.T) { testLokiAway(t, time.Hour) }

// Loki is away for three days, in which eight records come a minute: what has no
// room in the spool is counted.
func TestLokiAwayForDays(t *testing.T) { testLokiAway(t, 72*time.Hour) }

func testLokiAway(t *testing.T, span time.Duration) {
	const n = 36_000
	for name, c := range map[string]struct {
		spool int64 // 0: none
		lost  bool
	}{"spool": {256 << 20, false}, "small spool": {1 << 20, true}, "memory": {0, true}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				s := &store{back: time.Now().Add(span)}
				o := LokiOptions{SpoolSize: c.spool, SpoolWait: span / 120}
				if c.spool > 0 {
					o.SpoolDir = dir
				}
				l, err := startLoki(o.withDefaults(), s)
				if err != nil {
					t.Fatal(err)
				}
				for i := range n {
					write(l, i, i+1)
					time.Sleep(span / n)
				}
				time.Sleep(5 * time.Minute)
				if got := l.Counts(); got.Waiting != 0 || got.Written+got.Dropped != n || c.lost != (got.Dropped > 0) || int(got.Written) != len(s.lines) {
					t.Errorf("counts %+v, %d arrived", got, len(s.lines))
				}
				if c.spool > 0 && s.lines[len(s.lines)-1] != line(n-1) { // in memory the oldest stay, in the spool the newest
					t.Errorf("the newest is %s", s.lines[len(s.lines)-1])
				}
				ordered(t, s.lines)
				if s.tries > 5000+int(span/(20*time.Second)) { // 30 s between them, less what is left to chance
					t.Errorf("%d tries", s.tries)
				}
				if err := l.Stop(context.Background()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// ordered holds that lines came in their order, each once.
func ordered(t *testing.T, lines []string) {
	t.Helper()
	before := -1
	for _, l := range lines {
		n := number0(l)
		if n <= before {
			t.Fatalf("%s came behind %d", l, before)
		}
		before = n
	}
}
