//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// fullConfig has all that is written on one disk, and nobody who takes it.
const fullConfig = `
sensor: test
state_dir: %[1]s/state
log: {level: info, records: {file: %[1]s/records.json}}
loki: {url: %[2]q, batch_wait: 100ms, batch_size: 64KiB, queue_size: 128KiB}
alerts:
  receivers: [{name: ops, webhook: {url: %[2]q}}]
  evidence: {directory: %[1]s/evidence, max_size: 2MiB}
  rules: {files: [%[3]q]}
stop_timeout: 30s
`

// takers are Loki and a webhook in one, both away at first.
type takers struct {
	back   atomic.Bool
	mu     sync.Mutex
	alerts map[string]bool // that the webhook got
}

func (s *takers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.back.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var m struct {
		Alerts []struct {
			Labels, Annotations map[string]string
		}
	}
	if json.NewDecoder(r.Body).Decode(&m) == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, a := range m.Alerts {
			s.alerts[a.Labels["alertname"]+" "+a.Annotations["key"]] = true
		}
	}
}

// A disk runs full while records, spool, outbox and evidence are written to it, and
// has room again: packets go on all the time, each failure is counted, is one line
// when it begins and one when it ends, and no alert is lost.
func TestDiskRunsFull(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short")
	}
	if os.Geteuid() != 0 {
		leaveOut(t, "needs root, to mount a small disk: sudo make test")
	}
	t.Parallel() // it waits for most of its time
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=24m"); err != nil {
		leaveOut(t, "needs to mount (a container may forbid it): "+err.Error())
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	stub := &takers{alerts: map[string]bool{}}
	server := httptest.NewServer(stub)
	defer server.Close()
	var traffic bytes.Buffer
	if err := (flood{logins: 900, sources: 300, users: 1 << 30, seed: 5}).write(&traffic); err != nil {
		t.Fatal(err)
	}
	capture := filepath.Join(t.TempDir(), "flood.pcap")
	if err := os.WriteFile(capture, traffic.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	rules := writeTemp(t, "rules: [{name: Login, event: auth, group_by: auth.username, storm: 1000, summary: '{auth.username}'}]\n")
	c := self("mailtap", nil, "run", "--config", writeTemp(t, fmt.Sprintf(fullConfig, dir, server.URL, rules)), "--interface", "-", "--web.listen-address", "127.0.0.1:0")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	tap := start(t, c)
	address := listening(t, tap)
	send := func(part int) {
		t.Helper()
		from, to := traffic.Len()*part/10, traffic.Len()*(part+1)/10
		if _, err := in.Write(traffic.Bytes()[from:to]); err != nil {
			t.Fatal(err)
		}
	}
	says := func(what string, holds func(metrics string) bool) string {
		t.Helper()
		var metrics []byte
		if !within(time.Minute, func() bool {
			metrics, _ = self("get", nil, "http://"+address+"/metrics").Output()
			return holds(string(metrics))
		}) {
			t.Fatalf("%s: not so\n%s\n%s", what, tap.err, grepLines(string(metrics), "mailtap_storage", "mailtap_log", "mailtap_notification"))
		}
		return string(metrics)
	}
	stores := []string{"records", "loki_spool", "outbox", "evidence"}
	part := 0
	send(part)
	says("all is written", func(m string) bool {
		return strings.Contains(m, `mailtap_log_records_total{result="written",sink="file"}`) && !strings.Contains(m, `mailtap_log_records_total{result="written",sink="file"} 0`)
	})

	fill := filepath.Join(dir, "filler")
	fillUp(t, fill)
	before := says("packets", func(string) bool { return true })
	says("each store fails", func(m string) bool {
		if part < 6 {
			part++
			send(part)
		}
		fillUp(t, fill) // what was on its way gave room back
		for _, s := range stores {
			if !strings.Contains(m, `mailtap_storage_failing{store="`+s+`"} 1`) || strings.Contains(m, `mailtap_storage_errors_total{store="`+s+`"} 0`) {
				return false
			}
		}
		return true
	})
	count := func(m string) (n float64) {
		for _, line := range strings.Split(grepLines(m, "mailtap_capture_packets_total"), "\n") {
			fmt.Sscan(line[strings.LastIndex(line, " ")+1:], &n)
		}
		return n
	}
	says("packets go on", func(m string) bool { return count(m) > count(before)+100 })

	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	says("each store heals", func(m string) bool {
		if part < 9 {
			part++
			send(part)
		}
		return !strings.Contains(grepLines(m, "mailtap_storage_failing"), "} 1")
	})
	for ; part < 9; part++ {
		send(part + 1)
	}
	stub.back.Store(true)
	in.Close()
	<-tap.done
	log := tap.err.String()
	for text, times := range map[string]int{
		"records are lost: the file does not take them": 1, "records are written again": 1,
		"the outbox does not take alerts": 1, "the outbox takes alerts again": 1,
		"the spool of records for Loki takes nothing": 1, "the spool of records for Loki works again": 1,
		"evidence of alerts is not written": 1, "evidence of alerts is written again": 1,
	} {
		if n := strings.Count(log, text); n != times {
			t.Errorf("%q stands %d times in the log", text, n)
		}
	}
	if t.Failed() {
		t.Log(log)
	}
	_, records, _ := call("", "read", "--format", "json", "--alerts.rules.files", rules, "--log.level", "error", capture)
	want := 0
	for line := range strings.Lines(records) {
		var a struct {
			Event, Rule, Key, Status string
			InhibitedBy              string `json:"inhibited_by"`
		}
		if json.Unmarshal([]byte(line), &a) == nil && a.Event == "alert" && a.Status == "firing" && a.InhibitedBy == "" {
			if want++; !stub.alerts[a.Rule+" "+a.Key] {
				t.Errorf("the alert %s of %s was not delivered", a.Rule, a.Key)
			}
		}
	}
	if want < 900 {
		t.Errorf("only %d alerts", want)
	}
}

func fillUp(t *testing.T, name string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 4 {
		for err = nil; err == nil; _, err = f.Write(make([]byte, size)) {
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

// A state that the disk did not take is saved soon, and both are said once.
func TestStateIsSavedAgainAfterAFullDisk(t *testing.T) {
	var log safeBuffer
	disk := newStorage(slog.New(slog.NewTextHandler(&log, nil)), nil)
	var full atomic.Bool
	full.Store(true)
	disk.fault = func() error {
		if full.Load() {
			return syscall.ENOSPC
		}
		return nil
	}
	dir := t.TempDir()
	s, err := openState(dir, (&outputs{engine: newGuesser(t).engine}).keptRules(), time.Millisecond, disk)
	if err != nil {
		t.Fatal(err)
	}
	if !within(30*time.Second, func() bool { s.save(); return strings.Contains(log.String(), "was not saved") }) {
		t.Fatal("nothing is said")
	}
	for range 5 {
		s.save()
	}
	full.Store(false)
	if !within(30*time.Second, func() bool { s.save(); _, err := os.Stat(s.path); return err == nil }) {
		t.Fatal("never saved")
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	disk.tick(time.Now().Add(healed + time.Second))
	if text := log.String(); strings.Count(text, "was not saved") != 1 || strings.Count(text, "is saved again") != 1 {
		t.Error(text)
	}
}
