package main

import (
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
)

// What a receiver did not take in one run it gets in the next, once state_dir
// is set; without it the program says what that means, and what was lost.
func TestAlertsOutliveARun(t *testing.T) {
	capture, err := os.ReadFile(shipped("06_auth_login_clear_5fail"))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var bodies []string
	alive := false
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if body, _ := io.ReadAll(r.Body); alive {
			bodies = append(bodies, string(body))
		} else {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer hook.Close()
	config := writeTemp(t, fmt.Sprintf("alerts: {receivers: [{name: ops, webhook: {url: %q}}]}\nstop_timeout: 300ms\n", hook.URL))
	dir := filepath.Join(t.TempDir(), "state")
	watch := func(traffic string, more ...string) (int, string) {
		args := append([]string{"run", "--interface", "-", "--web.listen-address", "127.0.0.1:0", "--config", config, "--log.records.file", os.DevNull}, more...)
		status, _, stderr := call(traffic, args...)
		return status, stderr
	}
	const inMemory, kept = "set state_dir to keep them", "notifications wait in "

	status, stderr := watch(string(capture))
	if status != exitFailed || strings.Count(stderr, inMemory) != 1 || !strings.Contains(stderr, "notifications were not delivered before the end") {
		t.Errorf("in memory: status %d\n%s", status, stderr)
	}
	status, stderr = watch(string(capture), "--state-dir", dir)
	if status != exitDone || strings.Contains(stderr, inMemory) || !strings.Contains(stderr, kept+filepath.Join(dir, "outbox")) {
		t.Errorf("with an outbox: status %d\n%s", status, stderr)
	}
	mu.Lock()
	alive = true
	mu.Unlock()
	for range 2 { // the second time there is nothing left
		if status, stderr = watch(string(capture[:24]), "--state-dir", dir, "--stop_timeout", "20s"); status != exitDone || strings.Contains(stderr, kept) {
			t.Errorf("the next run: status %d\n%s", status, stderr)
		}
	}
	if !strings.Contains(strings.Join(bodies, "\n"), `"key":"10.20.0.10"`) {
		t.Errorf("AuthBruteForce did not come:\n%s", strings.Join(bodies, "\n"))
	}
	if slices.Sort(bodies); len(slices.Compact(bodies)) != len(bodies) {
		t.Error("what was delivered came again")
	}
}

// What a receiver refuses for good is lost, and the log says so.
func TestRefusedAlertsAreTold(t *testing.T) {
	for status, want := range map[int]string{
		http.StatusNotFound:           "a receiver refused an alert for good; it is not sent again",
		http.StatusServiceUnavailable: "a receiver does not take alerts; they wait and are tried again",
	} {
		hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		config := writeTemp(t, fmt.Sprintf("alerts: {receivers: [{name: ops, webhook: {url: %q}}]}\nstop_timeout: 300ms\n", hook.URL))
		_, _, stderr := call("", "read", "--config", config, shipped("06_auth_login_clear_5fail"))
		if !strings.Contains(stderr, want) || strings.Contains(stderr, "for good") != strings.Contains(want, "for good") {
			t.Errorf("%d: %s", status, stderr)
		}
		hook.Close()
	}
}
