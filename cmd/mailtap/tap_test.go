//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailtap/mailtap/sessions/dialog"
)

// tap is mailtap watching what a test writes to its standard input.
type tap struct {
	*process
	t      *testing.T
	config string
	in     io.WriteCloser
	url    string
	file   *captureOf
	sent   int
}

// startTap starts one with a configuration; env is name=value. Records go to
// standard output.
func startTap(t *testing.T, config string, env ...string) *tap {
	t.Helper()
	a := &tap{t: t, config: filepath.Join(t.TempDir(), "mailtap.yaml"), file: newCapture()}
	a.configure(config)
	c := self("mailtap", nil, "run", "--interface", "-", "--config", a.config, "--web.listen-address", "127.0.0.1:0", "--sensor", "test")
	c.Env = append(c.Env, env...)
	var err error
	if a.in, err = c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	a.process = start(t, c)
	t.Cleanup(func() { // before start's own, which ends it
		a.stop(syscall.SIGTERM)
		if strings.Contains(a.err.String(), "DATA RACE") {
			t.Errorf("a race:\n%s", a.err)
		}
	})
	watching := regexp.MustCompile(`msg=watching .* metrics=(\S+)/metrics`)
	a.await("it watches", func() bool {
		found := watching.FindStringSubmatch(a.err.String())
		if found != nil {
			a.url = found[1]
		}
		return found != nil
	})
	a.flush()
	return a
}

func (a *tap) configure(text string) {
	a.t.Helper()
	if err := os.WriteFile(a.config, []byte(text), 0o600); err != nil {
		a.t.Fatal(err)
	}
}

// says waits for a text of the log: what was written may still be in the pipe.
func (a *tap) says(text string) {
	a.t.Helper()
	if !within(30*time.Second, func() bool { return strings.Contains(a.err.String(), text) }) {
		a.t.Fatalf("it does not say %q:\n%s", text, a.err)
	}
}

// await waits until something holds, for as long as a loaded machine may need.
func (a *tap) await(what string, holds func() bool) {
	a.t.Helper()
	if !within(60*time.Second, func() bool {
		if a.process != nil {
			select {
			case <-a.done:
				a.t.Fatalf("mailtap ended before %s:\n%s", what, a.err)
			default:
			}
		}
		return holds()
	}) {
		a.t.Fatalf("it never came that %s:\n%s", what, a.err)
	}
}

func (a *tap) flush() {
	a.t.Helper()
	if _, err := a.in.Write(a.file.file); err != nil {
		a.t.Fatal(err)
	}
	a.file.file = a.file.file[:0]
}

// talk gives mailtap packets first to last of a conversation; its client is the
// n-th. It returns how many there are.
func (a *tap) talk(text string, n, first, last int) int {
	a.t.Helper()
	client := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(1 + n%20)}), uint16(40000+n/20))
	list, err := dialog.Segments(text, dialog.Options{Client: client, Start: time.Unix(1_790_000_000+int64(n), 0)})
	if err != nil {
		a.t.Fatal(err)
	}
	if last < 0 {
		last = len(list)
	}
	for i := first; i < last; i++ {
		a.file.frame(list[i].Time, ether(a.file.ipv4(&list[i])))
		a.sent++
	}
	return len(list)
}

// seen waits until all that was sent has come through.
func (a *tap) seen() {
	a.t.Helper()
	a.flush()
	a.await(fmt.Sprint(a.sent, " packets are counted"), func() bool {
		return a.metric(`mailtap_capture_packets_total{source="-"}`) == float64(a.sent)
	})
}

// metric is the value of a series, -1 where it is not there.
func (a *tap) metric(series string) float64 {
	_, body := a.get("/metrics")
	for line := range strings.Lines(body) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			v, _ := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return v
		}
	}
	return -1
}

// heap is what the process holds once the collector has run; web.pprof must be on.
func (a *tap) heap() float64 {
	a.t.Helper()
	for range 2 { // what a finalizer held goes with the second
		if status, body := a.get("/debug/pprof/heap?gc=1"); status != http.StatusOK {
			a.t.Fatalf("%d %s", status, body)
		}
	}
	return a.metric("go_memstats_heap_alloc_bytes")
}

func (a *tap) get(path string) (int, string) { return a.request("GET", path) }

func (a *tap) request(method, path string) (int, string) {
	a.t.Helper()
	q, err := http.NewRequest(method, a.url+path, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		a.t.Fatalf("%v:\n%s", err, a.err)
	}
	defer r.Body.Close()
	body, _ := io.ReadAll(r.Body)
	return r.StatusCode, string(body)
}

// reload asks for it by SIGHUP, and waits until it is done.
func (a *tap) reload(config string) {
	a.t.Helper()
	a.configure(config)
	const done = "msg=\"the configuration was reloaded\""
	before := strings.Count(a.err.String(), done)
	if err := a.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		a.t.Fatal(err)
	}
	a.await("it is reloaded", func() bool { return strings.Count(a.err.String(), done) > before })
}

// recordsIn are the records of a kind.
func recordsIn(t *testing.T, text, kind string) (list []map[string]any) {
	t.Helper()
	for line := range strings.Lines(text) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if r["event"] == kind {
			list = append(list, r)
		}
	}
	return list
}

// guess is a login that fails; mail is a mail that is accepted.
const (
	guess = "S: 220 mx.home.test\nC: EHLO a\nS: 250-mx.home.test\nS: 250 AUTH PLAIN\nC: AUTH PLAIN AGEAYg==\nS: 535 5.7.8 no\nC: QUIT\nS: 221 bye\nclose C\nclose S\n"
	mail  = "S: 220 mx.home.test\nC: EHLO a\nS: 250 mx.home.test\nC: MAIL FROM:<a@far.test>\nS: 250 ok\nC: RCPT TO:<b@home.test>\nS: 250 ok\n" +
		"C: DATA\nS: 354 go\nC: Subject: hello\nC:\nC: text\nC: .\nS: 250 taken\nC: QUIT\nS: 221 bye\nclose C\nclose S\n"
)
