package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// killRules tell of each login alone: a thousand alerts.
const killRules = `
alerts:
  receivers: [{name: ops, webhook: {url: %q}}]
  rules:
    files: [%q]
stop_timeout: 30s
`

// TestKilledProgramLosesNoAlert kills the whole program (kill -9) in the middle
// of a thousand alerts, to a receiver that fails each third time: what it had
// told in a record is delivered by the next start.
func TestKilledProgramLosesNoAlert(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	var capture bytes.Buffer
	if err := (flood{logins: 1002, sources: 334, users: 1 << 30, seed: 1}).write(&capture); err != nil {
		t.Fatal(err)
	}
	rules := writeTemp(t, "rules: [{name: Login, event: auth, group_by: auth.username, storm: 1000, summary: '{auth.username}'}]\n")
	for range 3 {
		book := &keysTaken{seen: map[string]int{}}
		hook := httptest.NewServer(book)
		config := writeTemp(t, fmt.Sprintf(killRules, hook.URL, rules))
		state := filepath.Join(t.TempDir(), "state")
		args := []string{"run", "--config", config, "--interface", "-", "--web.listen-address", "127.0.0.1:0", "--state-dir", state}
		told := killedAt(t, capture.Bytes(), 50+random.IntN(500), append(args, "--log.records.kinds", "alert")...)
		if status, _, stderr := call(capture.String()[:24], args...); status != exitDone {
			t.Errorf("the next start: status %d\n%s", status, stderr)
		}
		hook.Close()
		lost := 0
		for _, key := range told {
			if book.seen[key] == 0 {
				lost++
			}
		}
		if lost > 0 {
			t.Errorf("%d of %d alerts were lost", lost, len(told))
		}
		t.Logf("killed after %d alerts, %d were delivered", len(told), len(book.seen))
	}
}

// killedAt runs the program until it told of so many alerts of the rule Login,
// kills it, and returns the keys of all that it had told.
func killedAt(t *testing.T, capture []byte, most int, args ...string) (told []string) {
	t.Helper()
	c := self("mailtap", nil, args...)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { // slowly, so that much is still to come when it dies
		defer in.Close()
		for piece := range slices.Chunk(capture, len(capture)/300) {
			if _, err := in.Write(piece); err != nil {
				return // it is dead
			}
			time.Sleep(3 * time.Millisecond)
		}
	}()
	killed := false
	for lines := bufio.NewScanner(out); lines.Scan(); { // what it had said until it died is read to the end
		var a struct{ Rule, Key string }
		if json.Unmarshal(lines.Bytes(), &a) != nil || a.Rule != "Login" {
			continue
		}
		if told = append(told, a.Key); len(told) >= most && !killed {
			killed = true
			c.Process.Kill()
		}
	}
	c.Wait()
	if !killed {
		t.Fatalf("it ended with %d alerts\n%s", len(told), stderr.String())
	}
	return told
}

// keysTaken is a webhook that fails each third time and knows what it took.
type keysTaken struct {
	mu   sync.Mutex
	n    int
	seen map[string]int
}

func (k *keysTaken) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Alerts []struct{ Labels, Annotations map[string]string }
	}
	if json.NewDecoder(r.Body).Decode(&m) != nil {
		w.WriteHeader(http.StatusInternalServerError) // its sender was killed
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.n++; k.n%3 == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	for _, a := range m.Alerts {
		if strings.HasPrefix(a.Labels["alertname"], "Login") {
			k.seen[a.Annotations["key"]]++
		}
	}
}
