//go:build unix

package main

import (
	"io"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"time"
)

// openWriter opens a named pipe for writing, once somebody reads it.
func openWriter(t *testing.T, path string) *os.File {
	t.Helper()
	var w *os.File
	if !within(20*time.Second, func() bool {
		var err error
		w, err = os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		return err == nil
	}) {
		t.Fatalf("nobody reads %s", path)
	}
	return w
}

// A writer that comes before the one before it is gone leaves no end between the
// two: it is one stream, with a header in it.
func TestPipeWritersAtOnce(t *testing.T) {
	text := []byte(textOf(shipped(oneLogin)))
	path := mkfifo(t)
	s, err := openPipe(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w := openWriter(t, path)
	for range 3 {
		next := openWriter(t, path)
		if _, err := w.Write(text); err != nil { // a pipe has room for it
			t.Fatal(err)
		}
		w.Close()
		w = next
		if n, err := takeFrom(t, s, 92); n != 92 || err != nil {
			t.Fatalf("%d packets, %v", n, err)
		}
	}
	w.Close()
}

// A writer that comes and goes after the end of the one before it was read, and
// before the pipe is opened anew, is not lost.
func TestPipeWriterBetweenTurns(t *testing.T) {
	text := []byte(textOf(shipped(oneLogin)))
	path := mkfifo(t)
	s := newPipeSource(path)
	s.again = true
	defer s.Close()
	failed := make(chan error, 1)
	opened := 0
	go s.run(func() (io.ReadCloser, error) {
		if opened++; opened == 2 {
			w, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
			if err == nil {
				_, err = w.Write(text)
				w.Close()
			}
			failed <- err
		}
		return openFifo(path)
	})
	w := openWriter(t, path)
	w.Write(text)
	w.Close()
	if n, err := takeFrom(t, s, 2*92); n != 2*92 || err != nil {
		t.Errorf("%d packets, %v", n, err)
	}
	if err := <-failed; err != nil {
		t.Error(err)
	}
}

// Writers that write nothing are no end and no hindrance.
func TestPipeWritersOfNothing(t *testing.T) {
	path := mkfifo(t)
	s, err := openPipe(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 3 {
		openWriter(t, path).Close()
	}
	w := openWriter(t, path)
	w.WriteString(textOf(shipped(oneLogin)))
	w.Close()
	if n, err := takeFrom(t, s, 92); n != 92 || err != nil {
		t.Errorf("%d packets, %v", n, err)
	}
}
