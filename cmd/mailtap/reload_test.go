//go:build unix

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// posts is a webhook that notes what it gets.
type posts struct {
	*httptest.Server
	mu   sync.Mutex
	all  strings.Builder
	away bool
}

func newPosts(t *testing.T) *posts {
	p := &posts{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.away {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		p.all.Write(append(body, '\n'))
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *posts) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all.String()
}

func (p *posts) leave(away bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = away
}

func hookTo(p *posts) string {
	return fmt.Sprintf("alerts: {receivers: [{name: ops, rules: [AuthBruteForce], webhook: {url: %q}}]}\nstop_timeout: 20s\n", p.URL)
}

// A session that spans reloads is one record, whole; it keeps the name that its
// server had when it began. What comes later has the new names.
func TestReloadSpansASession(t *testing.T) {
	a := startTap(t, "servers: [{name: old, addresses: [192.0.2.25]}]\n")
	n := a.talk(mail, 0, 0, 8)
	a.seen()
	a.reload("servers: [{name: new, addresses: [192.0.2.25]}]\nhome: {networks: [192.0.2.25/32]}\n")
	a.talk(mail, 0, 8, n)
	a.talk(mail, 1, 0, -1)
	a.seen()
	a.in.Close()
	<-a.done
	sessions, mails := recordsIn(t, a.out.String(), "session"), recordsIn(t, a.out.String(), "mail")
	if len(sessions) != 2 || len(mails) != 2 {
		t.Fatalf("%d sessions, %d mails, want 2 each:\n%s", len(sessions), len(mails), a.out)
	}
	for i, want := range []string{"old external", "new inbound"} {
		s := sessions[i]
		got := fmt.Sprint(s["server"].(map[string]any)["name"], " ", s["direction"])
		if i == 0 {
			got, want = strings.Split(got, " ")[0], "old"
		}
		if got != want || s["end"] != "quit" || s["partial"] != nil {
			t.Errorf("session %d: %s, %v", i, got, s)
		}
	}
	a.says("needs a restart: servers, for the label server of metrics")
}

// Rules that did not change go on with their windows and their alerts; those that
// did begin anew; a receiver of the same name is another one at once.
func TestReloadRulesAndReceivers(t *testing.T) {
	first, second := newPosts(t), newPosts(t)
	a := startTap(t, hookTo(first))
	for i := range 3 {
		a.talk(guess, 20*i, 0, -1) // one client, five minutes' window
	}
	a.seen()
	a.reload(hookTo(second))
	for i := range 2 {
		a.talk(guess, 20*(3+i), 0, -1)
	}
	a.seen()
	a.await("the second receiver has the alert", func() bool { return strings.Contains(second.String(), "AuthBruteForce") })
	if first.String() != "" {
		t.Errorf("the first receiver got %s", first)
	}
	if n := a.metric(`mailtap_alerts_firing{rule="AuthBruteForce",severity="warning"}`); n != 1 {
		t.Errorf("%v alerts fire before, want 1", n)
	}
	a.reload(hookTo(second) + "home: {scanners: [192.0.2.200]}\n")
	if n := a.metric(`mailtap_alerts_firing{rule="AuthBruteForce",severity="warning"}`); n != 1 {
		t.Errorf("%v alerts fire after a reload, want 1", n)
	}
	// A rule that is switched off lets go of its alert, and is silent.
	off := strings.Replace(hookTo(second), "alerts: {", "alerts: {rules: {override: [{name: AuthBruteForce, disabled: true}]}, ", 1)
	a.reload(off)
	for i := range 6 {
		a.talk(guess, 20*i+1, 0, -1) // another client
	}
	a.seen()
	a.await("the alert is resolved", func() bool { return strings.Contains(second.String(), `"status":"resolved"`) })
	a.reload(hookTo(second))
	for i := range 6 {
		a.talk(guess, 20*i+2, 0, -1)
	}
	a.seen()
	a.await("it fires for the third client", func() bool { return strings.Contains(second.String(), "192.0.2.3") })
	if strings.Contains(second.String(), "192.0.2.2\"") {
		t.Errorf("an alert of a rule that was off:\n%s", second)
	}
	if n := strings.Count(a.err.String(), "the configuration was not reloaded"); n > 0 {
		t.Errorf("a reload failed:\n%s", a.err)
	}
}

// A receiver that is gone gets its time; what it did not take is told and counted.
func TestReloadDismissesAReceiver(t *testing.T) {
	hook := newPosts(t)
	hook.leave(true)
	a := startTap(t, hookTo(hook)+"state_dir: "+filepath.Join(t.TempDir(), "state")+"\n")
	for i := range 5 {
		a.talk(guess, 20*i, 0, -1)
	}
	a.seen()
	a.await("it is tried", func() bool { return strings.Contains(a.err.String(), "a receiver does not take alerts") })
	a.reload("stop_timeout: 500ms\n")
	a.await("it is told", func() bool {
		return strings.Contains(a.err.String(), "1 notifications for ops, which is no longer configured, are dropped")
	})
	if n := a.metric(`mailtap_notifications_total{receiver="ops",result="dropped"}`); n != 1 {
		t.Errorf("%v are counted", n)
	}
	a.says("needs a restart: state_dir")
}

// A bad configuration changes nothing, and says what is wrong and where.
func TestBadReloadKeepsTheOld(t *testing.T) {
	hook := newPosts(t)
	good := hookTo(hook) + "web: {enable_reload: true}\n"
	missing := filepath.Join(t.TempDir(), "missing")
	a := startTap(t, good+"sandbox: {writable: ["+filepath.Dir(missing)+"]}\n") // else that is what refuses them
	if ok, at := a.metric("mailtap_config_last_reload_successful"), a.metric("mailtap_config_last_reload_success_timestamp_seconds"); ok != 1 || at <= 0 {
		t.Errorf("at the start: %v at %v", ok, at)
	}
	for _, c := range []struct {
		config string
		status int
		want   string
	}{
		{good + "alerts: {rulez: {}}\n", 400, "alerts"},
		{good + "memory: lots\n", 400, "mailtap.yaml:4: memory: "},
		{good + "home:\n  networks: [10.1]\n", 400, `mailtap.yaml:5: home.networks[0]: "10.1" is no network`},
		{"web: {enable_reload: true}\nalerts: {rules: {files: [" + missing + "]}}\n", 400, "mailtap.yaml:2: alerts.rules.files[0]: open " + missing},
		{"web: {enable_reload: true}\nalerts: {receivers: [{name: ops, webhook: {url_file: " + missing + "}}]}\n", 400, "receiver ops: open " + missing},
		{"web: {enable_reload: true}\nlog: {records: {file: " + missing + "/records}}\n", 500, "log.records.file: open " + missing},
	} {
		a.configure(c.config)
		status, body := a.request("POST", "/-/reload")
		if status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s\nis answered with %d %s", c.config, status, body)
		}
		a.says(`msg="the configuration was not reloaded, the old one stays"`)
		if a.metric("mailtap_config_last_reload_successful") != 0 {
			t.Error("the metric says that it succeeded")
		}
		if c.status == 400 && !strings.Contains(c.config, missing) {
			if status, _, _ := call("", "config", "check", "--config", a.config); status != exitUsage {
				t.Errorf("config check ends with %d", status)
			}
		}
	}
	for i := range 5 {
		a.talk(guess, 20*i, 0, -1)
	}
	a.seen()
	a.await("the old receiver has the alert", func() bool { return strings.Contains(hook.String(), "AuthBruteForce") })
	a.configure(good)
	if status, body := a.request("POST", "/-/reload"); status != 200 || a.metric("mailtap_config_last_reload_successful") != 1 {
		t.Errorf("the good one: %d %s", status, body)
	}
	if status, _ := a.get("/-/reload"); status != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", status)
	}
}

// What was decided when mailtap began is named where it differs, and stays.
func TestReloadNamesWhatNeedsARestart(t *testing.T) {
	a := startTap(t, "")
	a.reload("capture: {ports: {relay: [2525]}}\nshards: 3\nmemory: 1GiB\nmime: {attachments: false}\nlog: {level: debug}\nlimits: {line: 1KiB}\n")
	for _, key := range []string{"capture.ports", "shards", "memory", "mime.attachments", "limits.line"} {
		a.says(`"needs a restart: ` + key + `"`)
		if strings.Count(a.err.String(), `"needs a restart: `+key+`"`) != 1 {
			t.Errorf("%s is not named once:\n%s", key, a.err)
		}
	}
	if strings.Contains(a.err.String(), "restart: log.level") {
		t.Error("log.level needs none")
	}
	a.talk(mail, 0, 0, -1)
	a.seen()
	a.in.Close()
	<-a.done
	if len(recordsIn(t, a.out.String(), "mail")) != 1 {
		t.Errorf("port 25 is not watched any more:\n%s", a.out)
	}
	if status, body := startTap(t, "").request("POST", "/-/reload"); status != http.StatusForbidden || !strings.Contains(body, "web.enable_reload") {
		t.Errorf("where it is off: %d %s", status, body)
	}
}

// Hundreds of reloads while mail flows: each record comes once, wherever records
// go, and nothing piles up.
func TestManyReloadsUnderTraffic(t *testing.T) {
	dir := t.TempDir()
	hook := newPosts(t)
	files := []string{filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")}
	const web = "web: {enable_reload: true, pprof: true}\nstop_timeout: 300ms\n"
	hooked := strings.Replace(hookTo(hook), "stop_timeout: 20s\n", web, 1)
	configs := []string{
		"log: {records: {file: " + files[0] + "}}\n" + hooked,
		"log: {records: {file: " + files[1] + "}}\nservers: [{name: mx, addresses: [192.0.2.25]}]\n" + hooked,
		"log: {records: {file: " + files[1] + ", queue_size: 8MiB}}\nalerts: {rules: {override: [{name: AuthBruteForce, threshold: 7}]}}\n" + web,
		"log: {records: {kinds: [session, alert]}}\n" + "syslog: {url: \"unix://" + filepath.Join(dir, "nobody") + "\"}\n" + web,
	}
	reloads, rounds := 100, 4
	if raceDetector {
		reloads = 25 // compiling the rules takes ten times as long
	}
	a := startTap(t, configs[0])
	sessions := 0
	flow := func(n int) {
		for range n {
			a.talk(mail, sessions, 0, -1)
			sessions++
		}
	}
	held := func() (goroutines, descriptors, memory float64) {
		return a.metric("go_goroutines"), a.metric("process_open_fds"), a.heap()
	}
	again := func(i int) {
		a.configure(configs[i])
		if status, body := a.request("POST", "/-/reload"); status != 200 {
			t.Fatalf("%d %s", status, body)
		}
	}
	flow(10)
	for i := range rounds {
		again(i % len(configs)) // all kinds once
	}
	a.seen()
	again(0)
	time.Sleep(200 * time.Millisecond) // lets go what the last reload took away; no proof
	goroutines, descriptors, memory := held()
	for i := range reloads {
		flow(5)
		a.flush()
		again((i + 1) % len(configs))
	}
	a.seen()
	a.await("goroutines and descriptors are given back", func() bool {
		g, d, _ := held()
		return g <= goroutines+6 && d <= descriptors+4
	})
	if _, _, m := held(); m > memory+16<<20 {
		t.Errorf("memory grew from %.0f to %.0f MiB", memory/(1<<20), m/(1<<20))
	}
	if status := a.stop(syscall.SIGTERM); status == exitUsage {
		t.Errorf("status %d:\n%s", status, a.err)
	}
	all := a.out.String()
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all += string(text)
	}
	ids := map[any]int{}
	for _, s := range recordsIn(t, all, "session") {
		ids[s["session"]]++
		if s["end"] != "quit" {
			t.Errorf("a session ended by %v", s["end"])
		}
	}
	for id, n := range ids {
		if n != 1 {
			t.Errorf("session %v is told %d times", id, n)
		}
	}
	if len(ids) != sessions {
		t.Errorf("%d sessions are told, %d were held:\n%s", len(ids), sessions, tail(a.err.String(), 2000))
	}
}

// Records that wait for Loki, in memory and in its spool, go on with other keys of
// it: each is pushed, and none twice.
func TestReloadKeepsWhatWaitsForLoki(t *testing.T) {
	loki := newPosts(t)
	loki.leave(true)
	config := func(wait string) string {
		return fmt.Sprintf("loki: {url: %q, kinds: [session], batch_wait: %s, timeout: 5s}\nstate_dir: %s\nstop_timeout: 500ms\nweb: {enable_reload: true}\n", loki.URL, wait, filepath.Join(t.TempDir(), "state"))
	}
	first := config("100ms")
	a := startTap(t, first)
	for i := range 20 {
		a.talk(mail, i, 0, -1)
	}
	a.seen()
	a.await("they wait", func() bool { return a.metric(`mailtap_log_queue{sink="loki"}`) == 20 })
	a.reload(strings.Replace(first, "100ms", "200ms", 1))
	for i := range 20 {
		a.talk(mail, 20+i, 0, -1)
	}
	a.seen()
	a.await("all wait", func() bool { return a.metric(`mailtap_log_queue{sink="loki"}`) == 40 })
	loki.leave(false)
	a.await("all are written", func() bool { return a.metric(`mailtap_log_records_total{result="written",sink="loki"}`) == 40 })
	if n := a.metric(`mailtap_log_records_total{result="dropped",sink="loki"}`); n != 0 {
		t.Errorf("%v are dropped:\n%s", n, a.err)
	}
	if status := a.stop(syscall.SIGTERM); status != exitDone {
		t.Errorf("status %d:\n%s", status, a.err)
	}
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// Queues that a reload changes are in what the collector is told; what was fitted to a
// limit at the start is no difference to the file.
func TestReloadFitsMemory(t *testing.T) {
	const limit = `go_gc_gomemlimit_bytes`
	a := startTap(t, "")
	before := a.metric(limit)
	a.reload("log: {records: {queue_size: 64MiB}}\n")
	if more := a.metric(limit) - before; more != 48<<20 {
		t.Errorf("the limit is %.0f octets more, want 48 MiB", more)
	}
	a = startTap(t, "memory: 300MiB\n", "GOMEMLIMIT=200MiB")
	a.says("instead of 300 MiB: all together would be more than GOMEMLIMIT allows")
	a.reload("memory: 300MiB\n")
	if strings.Contains(a.err.String(), "needs a restart") || strings.Contains(a.err.String(), "too much for") {
		t.Errorf("nothing differs:\n%s", a.err)
	}
	a.reload("memory: 300MiB\nlog: {records: {queue_size: 64MiB}}\n")
	a.says("with the queues of this configuration 48 MiB are too much for GOMEMLIMIT")
}

// The first receiver may come by a reload, where nothing waits from before.
func TestReloadBringsTheFirstReceiver(t *testing.T) {
	hook := newPosts(t)
	a := startTap(t, "")
	a.reload(hookTo(hook))
	for i := range 5 {
		a.talk(guess, 20*i, 0, -1)
	}
	a.seen()
	a.await("it has the alert", func() bool { return strings.Contains(hook.String(), "AuthBruteForce") })
}
