//go:build unix

package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailtap/mailtap/capture"
)

// takeFrom reads a source until n packets came or it ended.
func takeFrom(t *testing.T, s source, n int) (took int, err error) {
	t.Helper()
	batch := make([]capture.Packet, 16)
	for end := time.Now().Add(20 * time.Second); took < n; {
		var k int
		k, err = s.NextBatch(batch)
		took += k
		if err != nil && err != capture.ErrTimeout {
			return took, err
		}
		if time.Now().After(end) {
			t.Fatalf("%d of %d packets came", took, n)
		}
	}
	return took, nil
}

// run --interface - takes a capture from a remote tap and ends with it.
func TestRunStandardInput(t *testing.T) {
	text, err := os.ReadFile(shipped(oneLogin))
	if err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := call(string(text), "run", "--interface", "-", "--web.listen-address", "127.0.0.1:0")
	if status != exitDone || strings.Count(stdout, `"event":"session"`) != 4 {
		t.Errorf("status %d, records\n%s\n%s", status, stdout, stderr)
	}
	status, stdout, stderr = call(string(text[:len(text)-7]), "run", "--interface", "-", "--web.listen-address", "127.0.0.1:0")
	if status != exitFailed || strings.Count(stdout, `"event":"session"`) != 4 || !strings.Contains(stderr, "standard input: damaged at byte") {
		t.Errorf("cut input: status %d, records\n%s\n%s", status, stdout, stderr)
	}
}

// What a tap wrote comes at once, not when it writes more; while it is silent
// nothing spins and nothing ends.
func TestPipeAsItComes(t *testing.T) {
	text, err := os.ReadFile(shipped(oneLogin))
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	s := newInputSource(r)
	defer s.Close()
	batch := make([]capture.Packet, 16)
	if n, err := s.NextBatch(batch); n != 0 || err != capture.ErrTimeout {
		t.Fatalf("before the first octet: %d, %v", n, err)
	}
	at := 24
	w.Write(text[:at])
	for packets := range 20 {
		end := at + 16 + int(text[at+8]) + int(text[at+9])<<8 // its captured length
		w.Write(text[at : at+11])
		w.Write(text[at+11 : end])
		at = end
		if n, err := takeFrom(t, s, 1); n != 1 || err != nil {
			t.Fatalf("packet %d: %d, %v", packets, n, err)
		}
	}
	if n, err := s.NextBatch(batch); n != 0 || err != capture.ErrTimeout {
		t.Fatalf("a silent tap: %d, %v", n, err)
	}
	w.Write(text[at:])
	w.Close()
	n, err := takeFrom(t, s, 1000)
	if n != 92-20 || err != io.EOF {
		t.Errorf("%d packets, %v", n, err)
	}
	if received, _, _, _ := s.Stats(); received != 92 {
		t.Errorf("%d counted", received)
	}
}

func mkfifo(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tap")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A named pipe has one writer after the other; one that ends in the middle of
// a packet is no end either.
func TestNamedPipe(t *testing.T) {
	text, err := os.ReadFile(shipped(oneLogin))
	if err != nil {
		t.Fatal(err)
	}
	path := mkfifo(t)
	var log safeBuffer
	s, err := openPipe(path, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(s.Problem(), errNoWriter) {
		t.Errorf("without a writer: %v", s.Problem())
	}
	for round, c := range []struct {
		text    []byte
		packets int
		told    string // by the end of it, of all before too
	}{
		{text, 92, ""},
		{text[:len(text)-7], 91, "damaged at byte"},
		{text, 92, "damaged at byte"},
		{[]byte("no capture"), 0, "is no capture"},
		{text, 92, "is no capture"},
	} {
		wrote := make(chan error)
		go func() { wrote <- os.WriteFile(path, c.text, 0) }()
		if n, err := takeFrom(t, s, c.packets); n != c.packets || err != nil {
			t.Fatalf("writer %d: %d packets, %v", round, n, err)
		}
		if err := <-wrote; err != nil && !errors.Is(err, syscall.EPIPE) {
			t.Error(err)
		}
		if !within(20*time.Second, func() bool { return errors.Is(s.Problem(), errNoWriter) && strings.Contains(log.String(), c.told) }) {
			t.Errorf("writer %d: problem %v, told\n%s", round, s.Problem(), &log)
		}
	}
	s.Close()
	if _, err := s.NextBatch(make([]capture.Packet, 1)); err != io.EOF {
		t.Errorf("after Close: %v", err)
	}
	select {
	case <-s.full:
	case <-time.After(20 * time.Second):
		t.Error("the reader goes on after Close")
	}
}

// Close ends a reader that waits for a writer's next octet, or for room.
func TestPipeClose(t *testing.T) {
	text, err := os.ReadFile(shipped("20a_bruteforce_spray_one_source"))
	if err != nil {
		t.Fatal(err)
	}
	for _, octets := range []int{30, len(text)} {
		path := mkfifo(t)
		var log safeBuffer
		s, err := openPipe(path, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		w, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		go w.Write(text[:octets])
		if !within(20*time.Second, func() bool { return s.Problem() == nil }) {
			t.Fatal(s.Problem())
		}
		s.Close()
		if !within(20*time.Second, func() bool {
			select {
			case _, more := <-s.full:
				return !more
			default:
				return false
			}
		}) {
			t.Errorf("%d octets: the reader goes on after Close", octets)
		}
		if log.String() != "" { // the writer did nothing wrong
			t.Errorf("%d octets: %s", octets, &log)
		}
		w.Close()
	}
}

func TestPipeRefused(t *testing.T) {
	file := writeTemp(t, "x")
	for path, want := range map[string]string{
		file:                       fmt.Sprintf("capture from %s: is no named pipe (mkfifo); files are read by `mailtap read`", file),
		filepath.Dir(file):         fmt.Sprintf("capture from %s: is no named pipe (mkfifo); files are read by `mailtap read`", filepath.Dir(file)),
		filepath.Dir(file) + "/no": fmt.Sprintf("capture from %s/no: no such file or directory", filepath.Dir(file)),
	} {
		status, _, stderr := call("", "run", "--interface", path, "--web.listen-address", "127.0.0.1:0")
		if status != exitFailed || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, %s", path, status, stderr)
		}
	}
}

// A tap's clock may be another one: time goes on from its packets.
func TestPacketClock(t *testing.T) {
	var c packetClock
	now := time.Now()
	if _, ok := c.at(now); ok {
		t.Error("time is known before the first packet")
	}
	old := now.Add(-1000 * time.Hour)
	c = packetClock{old, now}
	if at, ok := c.at(now.Add(3 * time.Second)); !ok || !at.Equal(old.Add(3*time.Second)) {
		t.Errorf("3 s later it is %v, want %v", at, old.Add(3*time.Second))
	}
}
