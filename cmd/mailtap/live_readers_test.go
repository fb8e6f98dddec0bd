package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestRunTellsOfFewerReaders than there are shards.
func TestRunTellsOfFewerReaders(t *testing.T) {
	if os.Geteuid() != 0 {
		leaveOut(t, "needs root, for network namespaces and the capture: sudo make test")
	}
	server, _ := namespaces(t)
	tap := start(t, self("mailtap", server, "run", "--interface", watched, "--capture.buffer", "2MiB", "--shards", "64"))
	await(t, tap, server, "http://"+page+"/-/ready")
	if status := tap.stop(syscall.SIGTERM); status != exitDone {
		t.Errorf("status %d", status)
	}
	want := "fewer readers are used\" interface=" + watched + " shards=64 readers=8 buffer=2097152 needed=16777216\n"
	if strings.Count(tap.err.String(), "level=WARN") != 1 || !strings.Contains(tap.err.String(), want) {
		t.Errorf("the log lacks %s:\n%s", want, tap.err)
	}
}
