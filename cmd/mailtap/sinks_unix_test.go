//go:build unix

package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// logrotate moves the file and sends SIGHUP: what comes then is in a new file,
// and no record is lost or in both.
func TestHangupOpensTheFileAnew(t *testing.T) {
	capture, err := os.ReadFile(shipped(oneLogin))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "records.json")
	r, w := io.Pipe()
	ended := make(chan int, 1)
	var out, errs strings.Builder
	go func() {
		ended <- run([]string{"run", "--interface", "-", "--web.listen-address", "127.0.0.1:0", "--log.records.file", name}, r, &out, &errs)
	}()
	text := func(file string) string {
		b, _ := os.ReadFile(file)
		return string(b)
	}
	if _, err := w.Write(capture); err != nil {
		t.Fatal(err)
	}
	if !within(20*time.Second, func() bool { return strings.Contains(text(name), `"event":"auth"`) }) {
		t.Fatalf("no record comes\n%s", errs.String())
	}
	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if !within(20*time.Second, func() bool { return exists(name) }) {
		t.Fatal("no new file")
	}
	w.Close()
	if status := <-ended; status != exitDone {
		t.Errorf("status %d\n%s", status, errs.String())
	}
	_, want, _ := call(string(capture), "run", "--interface", "-", "--web.listen-address", "127.0.0.1:0")
	if got := text(name+".1") + text(name); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the new file: %v, %v", info, err)
	}
}
