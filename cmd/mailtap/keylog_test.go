package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/decode/tls/keys"
)

// secret is a line of a key log.
func secret(client byte) string {
	return "CLIENT_RANDOM " + strings.Repeat(string("0123456789abcdef"[client]), 64) + " " + strings.Repeat("1f", 48) + "\n"
}

// TestFollowKeylog reads a key log that comes late, grows by half lines, is
// emptied, and is replaced by another file.
func TestFollowKeylog(t *testing.T) {
	name := filepath.Join(t.TempDir(), "keys.log")
	l := &keys.Log{}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		followKeylog(ctx, name, l, slog.New(slog.DiscardHandler))
		close(done)
	}()
	defer func() { stop(); <-done }()
	have := func(n uint64, what string) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); l.Stats().Secrets < n; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %+v, want %d secrets", what, l.Stats(), n)
			}
		}
	}
	put := func(file, text string, flags int) {
		t.Helper()
		f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY|flags, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	put(name, secret(1)+secret(2)[:40], os.O_APPEND)
	have(1, "it comes")
	put(name, secret(2)[40:], os.O_APPEND)
	have(2, "it grows")
	put(name, secret(3), os.O_TRUNC)
	have(3, "it was emptied")
	put(name+".new", secret(4)+secret(5), os.O_TRUNC)
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
	have(5, "it was replaced")
	if n := l.Stats().Malformed; n != 0 {
		t.Errorf("%d malformed lines", n)
	}
}
