//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

const unusableLine = "what was written into the pipe cannot be read"

// watchPipe runs a watch over a named pipe until the returned function is called.
func watchPipe(t *testing.T, path string, log *safeBuffer) (up func(int) bool, end func()) {
	t.Helper()
	cfg := Default()
	s, err := openPipe(path, newLogger(cfg.Log, log))
	if err != nil {
		t.Fatal(err)
	}
	run, registry := watchOver(t, &cfg, log, nil, 1, namedSource{path, s})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- run.run(ctx) }()
	up = func(want int) bool {
		text := fmt.Sprintf("# HELP mailtap_capture_up 1 while packets can come from a source, 0 while it is down or gone.\n# TYPE mailtap_capture_up gauge\nmailtap_capture_up{source=%q} %d\n", path, want)
		return within(20*time.Second, func() bool {
			return testutil.GatherAndCompare(registry, strings.NewReader(text), "mailtap_capture_up") == nil
		})
	}
	return up, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		run.outputs.close()
	}
}

// Each writer whose capture cannot be read is one line, whatever came before it; the
// source is up only while a capture is read.
func TestPipeUnusable(t *testing.T) {
	text := textOf(shipped(oneLogin))
	path := mkfifo(t)
	var log safeBuffer
	up, end := watchPipe(t, path, &log)
	if !up(0) {
		t.Error("up without a writer")
	}
	for i, c := range []struct{ text, reason string }{
		{"ssh: connect to host tap port 22: Connection refused\n", `is no capture: begins with \"ssh:\"`},
		{"ssh: connect to host tap port 22: Connection refused\n", `is no capture: begins with \"ssh:\"`},
		{strings.Repeat("\x00", 200_000), `is no capture: begins with \"\\x00`},
		{text[:10], "damaged at byte 0: cut: file header has 10 of 24 bytes"},
		{text[:10], "damaged at byte 0: cut: file header has 10 of 24 bytes"},
	} {
		before := log.String()
		if err := os.WriteFile(path, []byte(c.text), 0); err != nil && !errors.Is(err, syscall.EPIPE) {
			t.Fatal(err)
		}
		if !within(20*time.Second, func() bool { return strings.Count(log.String(), unusableLine) > i }) {
			t.Fatalf("writer %d is not told:\n%s", i, &log)
		}
		if line := strings.TrimPrefix(log.String(), before); !strings.Contains(line, "source="+path) || !strings.Contains(line, c.reason) {
			t.Errorf("writer %d: %s", i, line)
		}
	}
	w := openWriter(t, path)
	w.WriteString(text[:len(text)-7])
	if !up(1) {
		t.Errorf("not up while a capture is read\n%s", &log)
	}
	w.Close()
	if !up(0) {
		t.Errorf("up without a writer\n%s", &log)
	}
	end()
	all := log.String()
	for line, times := range map[string]int{unusableLine: 6, "damaged at byte 105": 1, "packets can come again": 1, "no packets can come": 2, "for another reason": 0} {
		if n := strings.Count(all, line); n != times {
			t.Errorf("%q is there %d times, want %d:\n%s", line, n, times, all)
		}
	}
}

func TestUnusableIsLimited(t *testing.T) {
	var out bytes.Buffer
	var u unusable
	now := time.Now()
	tell := func(writers int) string {
		out.Reset()
		for range writers {
			now = now.Add(time.Second)
			u.tell(slog.New(slog.NewTextHandler(&out, nil)), "/tap", errors.New("nonsense"), now)
		}
		return out.String()
	}
	if got := tell(mostUnusable - 1); strings.Count(got, "\n") != mostUnusable-1 || strings.Contains(got, "others") {
		t.Errorf("the first ones:\n%s", got)
	}
	if got := tell(100); strings.Count(got, "\n") != 1 || !strings.Contains(got, "others_behind=") {
		t.Errorf("too many:\n%s", got)
	}
	now = now.Add(tellEvery)
	if got := tell(2); strings.Count(got, "\n") != 2 || strings.Count(got, "others_before=99") != 1 {
		t.Errorf("later:\n%s", got)
	}
}
