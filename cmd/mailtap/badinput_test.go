package main

import (
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Bad input gives one clear line or a counted degradation, the right exit
// status, and what was read before it.
func TestBadCaptures(t *testing.T) {
	for _, c := range []struct {
		file, want string
		records    bool // some were written before the mistake
	}{
		{"testdata/bad/empty.pcap", "mailtap: testdata/bad/empty.pcap: is empty", false},
		{"testdata/bad/text.txt", "mailtap: testdata/bad/text.txt: is no capture", false},
		{"testdata/bad/truncated.pcap", "mailtap: testdata/bad/truncated.pcap: damaged at byte ", true},
		{"testdata/bad", "mailtap: testdata/bad: is a directory", false},
		{"testdata/bad/missing.pcap", "mailtap: testdata/bad/missing.pcap: no such file or directory", false},
	} {
		status, stdout, stderr := call("", "read", "--log.level", "warn", "--format", "json", c.file)
		if status != 1 || !strings.HasPrefix(stderr, c.want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: status %d, %q; want 1, %q and no more lines", c.file, status, stderr, c.want)
		}
		if got := strings.Contains(stdout, `"event":"session"`); got != c.records {
			t.Errorf("%s: records %v, want %v", c.file, got, c.records)
		}
		if _, report, _ := call("", "read", "--log.level", "warn", c.file); !strings.Contains(report, "not read") {
			t.Errorf("%s: the report does not say what was not read:\n%s", c.file, report)
		}
	}
}

// One bad file costs only itself.
func TestBadFileAmongGoodOnes(t *testing.T) {
	status, stdout, stderr := call("", "read", "--log.level", "warn", "--format", "json", "testdata/bad/missing.pcap", shipped(oneLogin))
	if status != 1 || strings.Count(stdout, `"event":"session"`) != 4 || strings.Count(stderr, "\n") != 1 {
		t.Errorf("status %d, %d sessions, %q", status, strings.Count(stdout, `"event":"session"`), stderr)
	}
}

func TestMissingInterface(t *testing.T) {
	status, stdout, stderr := call("", "run", "--log.level", "warn", "--web.listen-address", "127.0.0.1:0", "--interface", "nosuch0")
	if status != 1 || stdout != "" || !strings.HasPrefix(stderr, "mailtap: capture on nosuch0: no such interface, there are ") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("status %d, %q", status, stderr)
	}
}

// The port is found taken before anything is captured.
func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, command := range [][]string{{"run", "--interface", "nosuch0"}, {"demo"}} {
		status, _, stderr := call("", append(command, "--log.level", "warn", "--web.listen-address", l.Addr().String())...)
		want := "mailtap: web.listen-address: listen tcp " + l.Addr().String() + ": bind: address already in use\n"
		if status != 1 || stderr != want {
			t.Errorf("%v: status %d, %q, want %q", command, status, stderr, want)
		}
	}
}

func TestBadWebConfigFile(t *testing.T) {
	status, _, stderr := call("", "demo", "--log.level", "warn", "--web.listen-address", "127.0.0.1:0", "--web.config.file", "testdata/none.yaml")
	if status != 1 || !strings.HasPrefix(stderr, "mailtap: web.config.file testdata/none.yaml: ") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("status %d, %q", status, stderr)
	}
}

func TestMissingPrivileges(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to give it up: run the tests as root")
	}
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skip("needs setpriv: apt-get install util-linux")
	}
	program := copyOfSelf(t)
	c := exec.Command("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
		program, "run", "--log.level", "warn", "--web.listen-address", "127.0.0.1:0", "--interface", "lo")
	c.Dir = filepath.Dir(program)
	c.Env = append(os.Environ(), actAs+"=mailtap")
	var stderr bytes.Buffer
	c.Stderr = &stderr
	err := c.Run()
	want := "mailtap: capture on lo: missing privilege cap_net_raw: give it once: sudo setcap cap_net_raw+ep " + program + "\n"
	if c.ProcessState.ExitCode() != 1 || stderr.String() != want {
		t.Errorf("%v, %q, want %q", err, stderr.String(), want)
	}
}

// copyOfSelf is this binary where another user may run it.
func copyOfSelf(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	name := filepath.Join(openDir(t), "mailtap")
	to, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(to, from); err != nil {
		t.Fatal(err)
	}
	if err := to.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

// closedPort is an address of this machine where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestUnreachableLoki(t *testing.T) {
	start := time.Now()
	status, stdout, stderr := call("", "read", "--log.level", "error", "--format", "json", "--stop_timeout", "300ms",
		"--loki.url", "http://"+closedPort(t), shipped(oneLogin))
	if status != 1 || !strings.Contains(stderr, "mailtap: log: Loki: ") || !strings.Contains(stderr, "records were not delivered") {
		t.Errorf("status %d, %q", status, stderr)
	}
	if strings.Count(stdout, `"event":"session"`) != 4 {
		t.Error("records are missing on standard output")
	}
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestUnreachableWebhook(t *testing.T) {
	status, stdout, stderr := call("", "read", "--log.level", "error", "--format", "json", "--stop_timeout", "300ms",
		"--alerts.receivers", `[{name: ops, webhook: {url: "http://`+closedPort(t)+`/secret-token"}}]`, shipped(oneLogin))
	if status != 1 || !strings.Contains(stderr, "notifications were not delivered before the end") {
		t.Errorf("status %d, %q", status, stderr)
	}
	if strings.Contains(stderr, "secret-token") {
		t.Errorf("the webhook's address is shown: %q", stderr)
	}
	if strings.Count(stdout, `"event":"alert"`) == 0 {
		t.Error("alerts are missing on standard output")
	}
}

// A disk that is full ends the reading with a clear line.
func TestStandardOutputFails(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("needs /dev/full")
	}
	defer full.Close()
	var stderr bytes.Buffer
	status := run([]string{"read", "--log.level", "warn", "--format", "json", shipped(oneLogin)}, nil, full, &stderr)
	if status != 1 || !strings.Contains(stderr.String(), "no space left on device") || strings.Count(stderr.String(), "\n") != 1 {
		t.Errorf("status %d, %q", status, stderr.String())
	}
}

func TestRecordsFileCannotBeWritten(t *testing.T) {
	status, _, stderr := call("", "read", "--log.records.file", "testdata/none/records.json", shipped(oneLogin))
	if status != 1 || !strings.HasPrefix(stderr, "mailtap: log.records.file: open testdata/none/records.json: no such file") {
		t.Errorf("status %d, %q", status, stderr)
	}
}
