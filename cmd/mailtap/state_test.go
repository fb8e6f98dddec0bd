package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/sessions"
)

// guesser fails logins of one client, one a second.
type guesser struct {
	engine *alerts.Engine
	told   []alerts.Alert
	second int
}

func newGuesser(t *testing.T) *guesser {
	g := &guesser{}
	var err error
	g.engine, err = alerts.NewEngine(alerts.Builtin(), alerts.Options{Sink: alerts.SinkFunc(func(a alerts.Alert) { g.told = append(g.told, a) })})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *guesser) fail(n int) {
	for range n {
		g.second++
		c := &sessions.Conn{ID: fmt.Sprint("s", g.second), Client: netip.MustParseAddrPort("192.0.2.1:30000"), Server: netip.MustParseAddrPort("192.0.2.2:25")}
		at := time.Date(2026, 11, 23, 12, 0, g.second, 0, time.UTC)
		g.engine.Handle(&sessions.Authenticated{In: sessions.In{Conn: c, Time: at}, Auth: sessions.Auth{Username: "u", Result: "failure", Denied: true}})
	}
}

func TestStateOutlivesARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "anew")
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	first := newGuesser(t)
	s, err := openState(dir, (&outputs{engine: first.engine}).keptRules(), time.Hour, newStorage(logger, nil))
	if err != nil {
		t.Fatal(err)
	}
	first.fail(3)
	s.save() // it is not time
	if len(s.jobs) > 0 {
		t.Error("saved too early")
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	second := newGuesser(t)
	second.second = first.second
	if s, err = openState(dir, (&outputs{engine: second.engine}).keptRules(), time.Hour, newStorage(logger, nil)); err != nil {
		t.Fatal(err)
	}
	second.fail(2)
	if len(second.told) != 1 || second.told[0].Rule != "AuthBruteForce" || log.Len() > 0 {
		t.Errorf("%v, log %s", second.told, log.String())
	}
	s.due.Store(true)
	s.save()
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	files, _ := os.ReadDir(dir)
	info, err := os.Stat(s.path)
	if err != nil || info.Mode().Perm() != 0o600 || len(files) != 1 {
		t.Errorf("%v, %v, files %v", info, err, files)
	}
	damaged, _ := os.ReadFile(s.path)
	damaged[len(damaged)/2] ^= 1
	if err := os.WriteFile(s.path, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	third := newGuesser(t)
	s, err = openState(dir, (&outputs{engine: third.engine}).keptRules(), time.Hour, newStorage(logger, nil))
	if err != nil {
		t.Fatal(err)
	}
	third.fail(4)
	if len(third.told) > 0 || strings.Count(log.String(), "begin anew") != 1 {
		t.Errorf("%v, log %s", third.told, log.String())
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
}

// TestStateIsSavedNowAndThen has the ticker and the writer at work.
func TestStateIsSavedNowAndThen(t *testing.T) {
	dir := t.TempDir()
	g := newGuesser(t)
	s, err := openState(dir, (&outputs{engine: g.engine}).keptRules(), time.Millisecond, newStorage(slog.New(slog.DiscardHandler), nil))
	if err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		g.fail(1)
		s.save()
		if _, err := os.Stat(s.path); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("never saved")
		}
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
}

func TestStateDirMustBeWritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openState(file, (&outputs{engine: newGuesser(t).engine}).keptRules(), time.Hour, newStorage(slog.New(slog.DiscardHandler), nil)); err == nil || !strings.Contains(err.Error(), "state_dir") {
		t.Error(err)
	}
}
