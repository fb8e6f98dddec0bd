//go:build unix

package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailtap/mailtap/sandbox"
)

// anew puts another pipe in the place of one.
func anew(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A pipe that is made anew while it waits for a writer is read.
func TestPipeMadeAnew(t *testing.T) {
	path := mkfifo(t)
	s := newPipeSource(path)
	s.again, s.log = true, slog.New(slog.DiscardHandler)
	defer s.Close()
	opened := make(chan struct{}, 100)
	go s.run(func() (io.ReadCloser, error) {
		defer func() { opened <- struct{}{} }()
		return openFifo(path)
	})
	for round := range 3 {
		<-opened
		anew(t, path)
		w := openWriter(t, path)
		w.WriteString(textOf(shipped(oneLogin)))
		if n, err := takeFrom(t, s, 92); n != 92 || err != nil {
			t.Fatalf("pipe %d: %d packets, %v", round, n, err)
		}
		<-opened
		w.Close()
	}
}

// What takes a pipe's place and is none is told, and not read.
func TestPipeReplaced(t *testing.T) {
	path := mkfifo(t)
	s, err := openPipe(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	openWriter(t, path).Close()
	os.Remove(path)
	if err := os.WriteFile(path, []byte(textOf(shipped(oneLogin))), 0o600); err != nil {
		t.Fatal(err)
	}
	if !within(20*time.Second, func() bool { return strings.Contains(fmt.Sprint(s.Problem()), "is no named pipe any more") }) {
		t.Errorf("problem: %v", s.Problem())
	}
	anew(t, path)
	w := openWriter(t, path)
	defer w.Close()
	w.WriteString(textOf(shipped(oneLogin)))
	if n, err := takeFrom(t, s, 92); n != 92 || err != nil || s.count != 92 {
		t.Errorf("%d packets, %v", n, err)
	}
}

// In a folder of its own a pipe that is made anew is within the sandbox. In one that
// everybody shares it is not, and one line says what to do.
func TestPipeMadeAnewInSandbox(t *testing.T) {
	if sandbox.Supported().Landlock == 0 {
		leaveOut(t, "needs Landlock")
	}
	for name, c := range map[string]struct {
		mode  os.FileMode
		lines int
	}{"own": {0o755, 0}, "shared": {0o777 | os.ModeSticky, 1}} {
		t.Run(name, func(t *testing.T) {
			path := mkfifo(t)
			if err := os.Chmod(filepath.Dir(path), c.mode); err != nil {
				t.Fatal(err)
			}
			tap := start(t, self("mailtap", nil, "run", "--interface", path, "--web.listen-address", "127.0.0.1:0", "--sandbox.allow_root=true"))
			says := func(line string, times int) {
				t.Helper()
				if !within(30*time.Second, func() bool { return strings.Count(tap.err.String(), line) == times }) {
					t.Fatalf("%q is not there %d times\n%s", line, times, tap.err)
				}
			}
			says(errNoWriter.Error(), 1)
			anew(t, path)
			if c.lines == 0 {
				w := openWriter(t, path)
				w.WriteString(textOf(shipped(oneLogin)))
				says("packets can come again", 1)
				w.Close()
				says(errNoWriter.Error(), 2) // all was taken
			} else {
				says("the sandbox does not allow a pipe that was made anew here: restart mailtap", 1)
			}
			status := tap.stop(syscall.SIGTERM)
			sessions := strings.Count(tap.out.String(), `"event":"session"`)
			if n := strings.Count(tap.err.String(), "restart mailtap"); status != exitDone || n != c.lines || sessions != 4*(1-c.lines) {
				t.Errorf("status %d, %d lines, %d sessions\n%s", status, n, sessions, tap.err)
			}
		})
	}
}
