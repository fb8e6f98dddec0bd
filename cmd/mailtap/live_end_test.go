package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/mailtap/mailtap/capture"
)

// endedAtOnce runs a watch whose end is asked for before anything was taken.
func endedAtOnce(t *testing.T, cfg *Config, s source) (w *watch, records string, scraped string) {
	t.Helper()
	var out bytes.Buffer
	w, registry := watchOver(t, cfg, io.Discard, &out, 1, namedSource{"a", s})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := w.run(ctx); err != nil {
		t.Error(err)
	}
	if err := w.outputs.close(); err != nil {
		t.Error(err)
	}
	dropped, err := testutil.GatherAndLint(registry, "mailtap_capture_dropped_total")
	if err != nil || len(dropped) > 0 {
		t.Error(dropped, err)
	}
	return w, out.String(), scrape(t, registry)
}

// TestEndTakesWhatWaits before it closes a source.
func TestEndTakesWhatWaits(t *testing.T) {
	cfg := Default()
	cfg.Sensor = "test"
	s := openSource(t, shipped(oneLogin))
	w, records, _ := endedAtOnce(t, &cfg, s)
	if n := strings.Count(records, `"event":"session"`); n != 4 || w.givenUp() != 0 || !s.closed {
		t.Errorf("%d sessions of 4, %d packets given up, closed %v:\n%s", n, w.givenUp(), s.closed, records)
	}
}

// TestEndCounts what it has no time to follow.
func TestEndCounts(t *testing.T) {
	cfg := Default()
	cfg.Sensor = "test"
	cfg.StopTimeout = 0
	w, records, scraped := endedAtOnce(t, &cfg, openSource(t, shipped(oneLogin)))
	want := `mailtap_capture_dropped_total{reason="queue",source="a"} 92`
	if w.givenUp() != 92 || !strings.Contains(scraped, want) || strings.Contains(records, `"event":"session"`) {
		t.Errorf("%d packets given up, want 92 and %s:\n%s\n%s", w.givenUp(), want, scraped, records)
	}
	var log bytes.Buffer
	(&liveRun{log: newLogger(cfg.Log, &log)}).tellStopped(w)
	if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "packets_dropped=92") {
		t.Errorf("the last line does not tell: %s", &log)
	}
}

// endless is a source that always has a packet, of the time that it is asked, or of
// long ago.
type endless struct {
	awaySource
	old   bool
	given int
}

func (s *endless) NextBatch(batch []capture.Packet) (int, error) {
	at := time.Now().UnixNano()
	if s.old {
		at = 1
	}
	batch[0] = capture.Packet{Time: at, Link: capture.LinkEthernet}
	s.given++
	return 1, nil
}

func (s *endless) Problem() error { return nil }

// TestEndComes though packets go on coming. Those of a time after it was asked for
// are not waited for, and are no loss.
func TestEndComes(t *testing.T) {
	cfg := Default()
	for range 20 {
		s := &endless{}
		if w, _, _ := endedAtOnce(t, &cfg, s); s.given > 3 || w.givenUp() != 0 { // two clocks may be the same
			t.Fatalf("it took %d packets of after the end, gave %d up", s.given, w.givenUp())
		}
	}
	cfg.StopTimeout = Duration(time.Millisecond)
	if w, _, _ := endedAtOnce(t, &cfg, &endless{old: true}); w.givenUp() == 0 {
		t.Error("packets that came when stop_timeout was over are not told")
	}
}

// TestEndingIsOver where the kernel's open block cannot hold anything any more.
func TestEndingIsOver(t *testing.T) {
	asked := time.Unix(1767225600, 0)
	before, after := []capture.Packet{{Time: asked.UnixNano()}}, []capture.Packet{{Time: asked.UnixNano()}, {Time: asked.UnixNano() + 1}}
	const block = 50 * time.Millisecond
	kernel, pipe := ending{asked, block, asked.Add(5 * time.Second), true}, ending{asked, 0, asked.Add(5 * time.Second), false}
	for name, c := range map[string]struct {
		of      ending
		since   time.Duration
		packets []capture.Packet
		over    bool
	}{
		"silence of a moment":      {kernel, block - 1, nil, false},
		"silence of a block":       {kernel, block, nil, true},
		"from before":              {kernel, time.Second, before, false},
		"from after":               {kernel, 0, after, true},
		"a remote clock is ahead":  {pipe, time.Second, after, false},
		"time to count":            {kernel, 5*time.Second + countingTime, before, false},
		"not even time to count":   {kernel, 5*time.Second + countingTime + 1, before, true},
		"a pipe that is not ended": {pipe, 5*time.Second + countingTime + 1, after, true},
	} {
		if got := c.of.over(asked.Add(c.since), c.packets); got != c.over {
			t.Errorf("%s: over %v", name, got)
		}
	}
}

// heldInput is an input that was read and whose writer then neither writes nor ends.
type heldInput struct {
	text   []byte
	read   chan struct{}
	closed chan struct{}
	once   sync.Once
}

func (r *heldInput) Read(b []byte) (int, error) {
	if len(r.text) == 0 {
		<-r.closed
		return 0, os.ErrClosed
	}
	n := copy(b, r.text)
	if r.text = r.text[n:]; len(r.text) == 0 {
		close(r.read)
	}
	return n, nil
}

func (r *heldInput) Close() error {
	r.once.Do(func() { close(r.closed) })
	return nil
}

// TestEndTakesWhatWasReadOfAPipe, though its writer does not end.
func TestEndTakesWhatWasReadOfAPipe(t *testing.T) {
	cfg := Default()
	cfg.Sensor = "test"
	text, err := os.ReadFile(shipped(oneLogin))
	if err != nil {
		t.Fatal(err)
	}
	in := &heldInput{text: text, read: make(chan struct{}), closed: make(chan struct{})}
	s := newPipeSource("a")
	go s.run(func() (io.ReadCloser, error) { return in, nil })
	<-in.read
	_, records, _ := endedAtOnce(t, &cfg, s)
	if n := strings.Count(records, `"event":"session"`); n != 4 {
		t.Errorf("%d sessions of 4:\n%s", n, records)
	}
}

// TestStopLetsAPipeBeRead to the end of what was taken from it, more than its queue
// holds, and Close ends what nobody reads.
func TestStopLetsAPipeBeRead(t *testing.T) {
	text, err := os.ReadFile(shipped("20a_bruteforce_spray_one_source"))
	if err != nil {
		t.Fatal(err)
	}
	s := newInputSource(bytes.NewReader(text))
	if n, err := takeFrom(t, s, 1); n == 0 || err != nil {
		t.Fatal(n, err)
	}
	s.Stop()
	if _, err := takeFrom(t, s, 1<<20); err != io.EOF {
		t.Error(err)
	}
	if n, _, _, _ := s.Stats(); n != 1082 {
		t.Errorf("%d packets of 1,082", n)
	}
}
