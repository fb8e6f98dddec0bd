package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/doctor"
)

// diagnose runs the doctor inside the test, without listening.
func diagnose(t *testing.T, args ...string) (r examination, status int, text string) {
	t.Helper()
	status, out, errs := call("", append([]string{"doctor", "--listen", "0s", "--web.listen-address", "127.0.0.1:0", "--format", "json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &r.report); err != nil {
		t.Fatalf("status %d, %v: %s%s", status, err, out, errs)
	}
	var b strings.Builder
	_ = r.report.Text(&b, false)
	return r, status, b.String()
}

// wants holds lines of the text against what must stand in one of them.
func wants(t *testing.T, text string, words ...string) {
	t.Helper()
	for line := range strings.SplitSeq(text, "\n") {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all {
			return
		}
	}
	t.Errorf("no line has %q:\n%s", words, text)
}

func TestDoctorWorksWithoutConfiguration(t *testing.T) {
	status, out, errs := call("", "doctor", "--listen", "0s", "--web.listen-address", "127.0.0.1:0")
	if status == exitUsage {
		t.Fatalf("status %d:\n%s%s", status, out, errs)
	}
	for _, word := range []string{"configuration", "privilege", "interface", "none is named", "clock", "checks,"} {
		if !strings.Contains(out, word) {
			t.Errorf("nothing of %s:\n%s", word, out)
		}
	}
	if strings.Contains(out, "\x1b") {
		t.Errorf("colours where there is no terminal:\n%q", out)
	}
}

// Receivers that are dead, unknown or not to be run are problems, those that
// listen are not, and of their addresses nothing secret is shown.
func TestDoctorTriesReceivers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	secret := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(secret, []byte("http://127.0.0.1:1/hooks/s3cret-path\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, status, text := diagnose(t, "--config", writeTemp(t, `
loki: {url: "http://127.0.0.1:1/loki/api/v1/push"}
syslog: {url: "udp://127.0.0.1:9"}
alerts:
  receivers:
    - {name: lives, webhook: {url: "http://`+l.Addr().String()+`/also-s3cret"}}
    - {name: dead, slack: {url_file: `+secret+`}}
    - {name: unknown, email: {server: "mail.nowhere.invalid:25", from: a@example.org, to: [b@example.org], insecure_without_tls: true}}
    - {name: script, command: {argv: [/nowhere/at/all]}}
`))
	if status != exitFailed {
		t.Errorf("status %d", status)
	}
	wants(t, text, "ok", "receiver", "lives: "+l.Addr().String()+": connected")
	wants(t, text, "problem", "receiver", "dead: 127.0.0.1:1: no connection", "refused")
	wants(t, text, "problem", "receiver", "unknown: mail.nowhere.invalid:25: its name is not found")
	wants(t, text, "problem", "receiver", "script: /nowhere/at/all cannot be run")
	wants(t, text, "problem", "loki", "127.0.0.1:1: no connection")
	wants(t, text, "ok", "syslog", "UDP tells nobody")
	if strings.Contains(text, "s3cret") {
		t.Errorf("a secret address is shown:\n%s", text)
	}
}

func TestDoctorLooksAtFolders(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, status, text := diagnose(t, "--config", writeTemp(t, `
state_dir: `+dir+`
log: {records: {file: `+dir+`/none/records.json}}
alerts: {evidence: {directory: `+dir+`/evidence}, receivers: [{name: f, file: {path: `+file+`/alerts}}]}
`))
	wants(t, text, "ok", "folder", "state_dir: "+dir, "free")
	wants(t, text, "problem", "folder", "log.records.file", "no such file")
	wants(t, text, "ok", "folder", "alerts.evidence.directory", "run makes it")
	wants(t, text, "problem", "folder", "receiver f", "is no folder")
	if status != exitFailed {
		t.Errorf("status %d", status)
	}
}

// A configuration that is wrong is one problem among the others; flags that are
// wrong are wrong usage.
func TestDoctorGoesOnWithABrokenConfiguration(t *testing.T) {
	r, status, text := diagnose(t, "--config", writeTemp(t, "home: {network: [192.0.2.0/24]}\nmemory: much\n"))
	wants(t, text, "problem", "configuration", "home.network: is no key, did you mean networks?")
	wants(t, text, "problem", "configuration", "memory")
	wants(t, text, "privilege")
	if !r.report.Has("configuration", doctor.Problem) || status != exitFailed {
		t.Errorf("status %d:\n%s", status, text)
	}
	_, _, text = diagnose(t, "--config", writeTemp(t, "alerts: {rules: {files: [/nowhere/rules.yaml]}}\n"))
	wants(t, text, "problem", "configuration", "alerts.rules.files[0]", "no such file")
	for _, args := range [][]string{{"--log.level", "loud"}, {"--listen", "2h"}, {"--format", "xml"}, {"argument"}} {
		if status, out, _ := call("", append([]string{"doctor"}, args...)...); status != exitUsage || out != "" {
			t.Errorf("%q: status %d, %s", args, status, out)
		}
	}
}

// An address that another program has is told before run fails.
func TestDoctorFindsTheListenerTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			_, _ = c.Write([]byte("500 no HTTP here\r\n"))
			c.Close()
		}
	}()
	status, out, _ := call("", "doctor", "--listen", "0s", "--web.listen-address", l.Addr().String())
	wants(t, out, "problem", "listener", l.Addr().String(), "another program has it")
	if status != exitFailed {
		t.Errorf("status %d", status)
	}
}
