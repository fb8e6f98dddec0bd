package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// hooks is a server for receivers of every kind by HTTP: /500 fails.
func hooks(t *testing.T) (url string, got func(path string) []string) {
	t.Helper()
	var mu sync.Mutex
	all := map[string][]string{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		all[r.URL.Path] = append(all[r.URL.Path], r.Header.Get("X-Key")+string(body))
		if strings.HasPrefix(r.URL.Path, "/500") {
			w.WriteHeader(500)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, func(path string) []string {
		mu.Lock()
		defer mu.Unlock()
		return all[path]
	}
}

func secretFile(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAlertsTest(t *testing.T) {
	url, got := hooks(t)
	out := filepath.Join(t.TempDir(), "alerts.json")
	config := writeTemp(t, fmt.Sprintf(`
sensor: tap1
alerts:
  receivers:
    - {name: hook, severity: critical, webhook: {url_file: %s, header_files: {X-Key: %s}, secret_file: %s}}
    - {name: am, alertmanager: {urls: ["%s/am", "%s/500"]}}
    - {name: chat, send_resolved: false, slack: {url: "%s/slack", text: "{{.Rule}}!"}}
    - {name: team, teams: {url: "%s/teams"}}
    - {name: json, file: {path: %s}}
    - {name: run, command: {argv: ["true"]}}
    - {name: screen, stdout: {}}
`, secretFile(t, url+"/hook\n", 0o600), secretFile(t, "k3y\n", 0o644), secretFile(t, "s1gn", 0o640), url, url, url, url, out))
	status, stdout, stderr := call("", "alerts", "test", "--config", config)
	if status != exitDone {
		t.Errorf("status %d", status)
	}
	for _, want := range []string{
		`(?m)^RECEIVER +KIND +FIRING +RESOLVED +WHAT CAME BACK$`, `(?m)^hook +webhook +[0-9.]+.?s +[0-9.]+.?s +200 OK$`,
		`(?m)^am +alertmanager .* 1 of 2 instances took it$`, `(?m)^chat +slack +\S+ +not wanted +200 OK$`, `(?m)^team +teams .* 200 OK$`,
		`(?m)^json +file .* taken$`, `(?m)^run +command .* taken$`, `(?m)^screen +stdout .* taken$`,
	} {
		if !regexp.MustCompile(want).MatchString(stdout) {
			t.Errorf("%s is missing in\n%s", want, stdout)
		}
	}
	if h := got("/hook"); len(h) != 2 || !strings.HasPrefix(h[0], "k3y{") || !strings.Contains(h[0], `"alertname":"TestAlert"`) || !strings.Contains(h[1], `"status":"resolved"`) {
		t.Errorf("the webhook got %q", h)
	}
	if n := len(got("/slack")); n != 1 {
		t.Errorf("the chat got %d", n)
	}
	if text, _ := os.ReadFile(out); strings.Count(string(text), "\n") != 2 {
		t.Errorf("the file has %q", text)
	}
	if n := strings.Count(stderr, "can be read by everybody"); n != 1 { // the group of 0640 is the service
		t.Errorf("%d warnings of open files:\n%s", n, stderr)
	}
	if !strings.Contains(stderr, "RESOLVED info     TestAlert") || strings.Contains(stdout+stderr, "k3y") || strings.Contains(stdout+stderr, "s1gn") {
		t.Errorf("standard error:\n%s", stderr)
	}
}

func TestAlertsTestFails(t *testing.T) {
	url, _ := hooks(t)
	config := writeTemp(t, fmt.Sprintf(`
alerts:
  receivers:
    - {name: bad, webhook: {url: "%s/500/T0KEN"}}
    - {name: good, webhook: {url: "%s/"}}
`, url, url))
	status, stdout, stderr := call("", "alerts", "test", "--config", config)
	if status != exitFailed || !strings.Contains(stdout, "failed: "+url+" answered 500 Internal Server Error") || !strings.Contains(stdout, "200 OK") ||
		!strings.Contains(stderr, "mailtap: 1 of 2 receivers did not take the test alert") || strings.Contains(stdout+stderr, "T0KEN") {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
	status, _, stderr = call("", "alerts", "test")
	if status != exitUsage || stderr != "mailtap: alerts.receivers: there is none\n" {
		t.Errorf("status %d, %s", status, stderr)
	}
}

// What a file holds shows in no error.
func TestSecretFilesRefused(t *testing.T) {
	hook := "{name: ops, webhook: {%s}}"
	for name, c := range map[string]struct{ receiver, want string }{
		"two lines": {fmt.Sprintf(hook, "url_file: "+secretFile(t, "http://hunter2/\nx", 0o600)), "must hold one line"},
		"empty":     {fmt.Sprintf(hook, "url_file: "+secretFile(t, "\n", 0o600)), "is empty"},
		"no url":    {fmt.Sprintf(hook, "url_file: "+secretFile(t, "hunter2", 0o600)), "url must be http"},
		"missing":   {fmt.Sprintf(hook, `url: "http://x/", secret_file: /no/such/file`), "no such file"},
		"long":      {fmt.Sprintf(hook, `url: "http://x/", secret_file: `+secretFile(t, strings.Repeat("hunter2", 10_000), 0o600)), "too long"},
		"authority": {fmt.Sprintf(hook, `url: "https://x/", tls: {ca_file: `+secretFile(t, "hunter2", 0o600)+"}"), "CA cert"},
		"urls":      {"{name: ops, alertmanager: {urls_file: " + secretFile(t, "http://a/ hunter2", 0o600) + "}}", "is no address"},
		"program":   {"{name: ops, command: {argv: [/no/such/program]}}", "no such file"},
		"password":  {"{name: ops, email: {server: 'h:25', from: a@b.test, to: [c@b.test], username: u, password_file: /no/such/file}}", "no such file"},
	} {
		status, stdout, stderr := call("", "alerts", "test", "--config", writeTemp(t, "alerts: {receivers: ["+c.receiver+"]}"))
		if status != exitUsage || !strings.Contains(stderr, "receiver ops: ") || !strings.Contains(stderr, c.want) || strings.Contains(stdout+stderr, "hunter2") {
			t.Errorf("%s: status %d, %s%s", name, status, stdout, stderr)
		}
	}
}

// Every example of docs/receivers.md loads.
func TestDocumentedReceivers(t *testing.T) {
	text, err := os.ReadFile("../../docs/receivers.md")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for i, block := range regexp.MustCompile("(?m)(^    .*\n|^\n)+").FindAllString(string(text), -1) {
		if !strings.HasPrefix(strings.TrimSpace(block), "- name: ") && !strings.HasPrefix(strings.TrimSpace(block), "alerts:") {
			continue
		}
		if !strings.Contains(block, "alerts:") {
			block = "alerts:\n  receivers:\n" + block
		}
		cfg, err := loadFrom(writeTemp(t, block), nil)
		if err != nil {
			t.Errorf("example %d: %v\n%s", i, err, block)
		}
		for _, r := range cfg.Alerts.Receivers {
			kinds[r.kind()] = true
		}
	}
	for _, k := range (&Receiver{}).kinds() {
		if !kinds[k.name] {
			t.Errorf("no example of %s", k.name)
		}
		if !strings.Contains(string(text), "`"+k.name+"`") {
			t.Errorf("%s is not explained", k.name)
		}
	}
}
