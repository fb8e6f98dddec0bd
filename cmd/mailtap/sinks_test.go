package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grafana/loki/pkg/push"
	"github.com/klauspost/compress/snappy"

	"github.com/mailtap/mailtap/metrics"
	recordlog "github.com/mailtap/mailtap/sessions/log"
)

// lokiServer keeps the lines that it gets while it is alive.
type lokiServer struct {
	*httptest.Server
	mu    sync.Mutex
	alive bool
	lines []string
}

func startLokiServer(t *testing.T) *lokiServer {
	s := &lokiServer{}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *lokiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	var req push.PushRequest
	plain, err := snappy.Decode(nil, body)
	if err == nil {
		err = req.Unmarshal(plain)
	}
	if err != nil || !s.alive {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	for _, stream := range req.Streams {
		for _, e := range stream.Entries {
			s.lines = append(s.lines, e.Line)
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *lokiServer) setAlive(alive bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alive = alive
}

// What Loki did not take in one run it gets in the next, each record once.
func TestRecordsForLokiOutliveARun(t *testing.T) {
	capture, err := os.ReadFile(shipped(oneLogin))
	if err != nil {
		t.Fatal(err)
	}
	loki := startLokiServer(t)
	dir := filepath.Join(t.TempDir(), "state")
	watch := func(traffic []byte, more ...string) (status int, stdout, stderr string) {
		return call(string(traffic), append([]string{"run", "--interface", "-", "--web.listen-address", "127.0.0.1:0",
			"--stop_timeout", "20s", "--loki.url", loki.URL}, more...)...)
	}
	status, _, stderr := watch(capture, "--stop_timeout", "300ms")
	if status != exitFailed || !strings.Contains(stderr, "set state_dir to keep them") || !strings.Contains(stderr, "records were not delivered: ") {
		t.Errorf("in memory: status %d\n%s", status, stderr)
	}
	status, records, stderr := watch(capture, "--state-dir", dir)
	if status != exitDone || !strings.Contains(stderr, "records wait for Loki until mailtap runs again") || strings.Contains(stderr, "set state_dir to keep them") {
		t.Errorf("with a spool: status %d\n%s", status, stderr)
	}
	loki.setAlive(true)
	for range 2 { // the second time there is nothing left
		if status, _, stderr = watch(capture[:24], "--state-dir", dir); status != exitDone || strings.Contains(stderr, "records wait for Loki") {
			t.Errorf("the next run: status %d\n%s", status, stderr)
		}
	}
	want := strings.Split(strings.TrimSpace(records), "\n")
	if slices.Sort(want); len(want) < 8 {
		t.Fatalf("only %d records", len(want))
	}
	if slices.Sort(loki.lines); !slices.Equal(loki.lines, want) {
		t.Errorf("%d records came, %d were made", len(loki.lines), len(want))
	}
}

func TestEachSinkHasItsKinds(t *testing.T) {
	loki := startLokiServer(t)
	loki.setAlive(true)
	status, stdout, stderr := call("", "read", "--format", "json", "--loki.url", loki.URL, "--loki.kinds", "auth",
		"--log.records.kinds", "session,alert", shipped(oneLogin))
	if status != exitDone || strings.Contains(stdout, `{"event":"auth"`) || !strings.Contains(stdout, `{"event":"session"`) || !strings.Contains(stdout, `{"event":"alert"`) {
		t.Errorf("status %d\n%s\n%s", status, stdout, stderr)
	}
	for _, line := range loki.lines {
		if !strings.HasPrefix(line, `{"event":"auth"`) {
			t.Errorf("Loki got %s", line)
		}
	}
	if len(loki.lines) == 0 {
		t.Error("Loki got nothing")
	}
}

// tellLost says how many were dropped at once, and then now and then.
func TestDroppedRecordsAreToldNowAndThen(t *testing.T) {
	var text bytes.Buffer
	s := sinks{log: newLogger(LogConfig{Level: "info", Format: "logfmt"}, &text)}
	now := time.Unix(0, 0)
	for i := range 601 {
		s.tellLost("loki", recordlog.Counts{Dropped: uint64(i)}, now.Add(time.Duration(i)*time.Second))
	}
	if got := strings.Count(text.String(), "records were dropped"); got != 2 {
		t.Errorf("told %d times\n%s", got, text.String())
	}
	text.Reset()
	for i := range 10 {
		var err error
		if i%5 > 1 {
			err = fmt.Errorf("failure %d", i)
		}
		s.watch("it fails", "it works again", err)
	}
	if got := text.String(); strings.Count(got, "it fails") != 2 || strings.Count(got, "it works again") != 1 {
		t.Errorf("told\n%s", got)
	}
}

// notThere is a sink of which nothing is known.
type notThere struct{ nowhere }

// Counts implements counting.
func (notThere) Counts() (c recordlog.Counts) { return c }

// What was wrong with a sink is over when a reload takes it away, and is told anew of
// the next one.
func TestASinkThatIsGoneHasNoTrouble(t *testing.T) {
	var text bytes.Buffer
	log := newLogger(LogConfig{Level: "info", Format: "logfmt"}, &text)
	s := sinks{log: log, disk: newStorage(log, nil)}
	fails := func() {
		s.watch(lokiTrouble, "Loki takes records again", io.ErrUnexpectedEOF)
		s.disk.poll(metrics.StoreSpool, "the spool fails", "it works", 3, io.ErrUnexpectedEOF)
	}
	fails()
	s.adopt(&sinkChange{parts: []sinkPart{{name: lokiSink, leaves: notThere{}}}}, time.Second)
	s.leaving.Wait()
	if len(s.disk.troubles) != 0 || len(s.said) != 0 {
		t.Errorf("what is gone is still wrong: %v, %v", s.disk.troubles, s.said)
	}
	fails()
	if strings.Count(text.String(), lokiTrouble) != 2 || strings.Count(text.String(), "the spool fails") != 2 {
		t.Errorf("told\n%s", text.String())
	}
}
