package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mailtap/mailtap/sandbox"
)

const nobody = 65534

// asNobody starts a program as another user, with cap_net_raw and no other.
func asNobody() []string {
	return []string{"setpriv", "--reuid=" + strconv.Itoa(nobody), "--regid=" + strconv.Itoa(nobody), "--clear-groups", "--inh-caps=-all,+net_raw", "--ambient-caps=-all,+net_raw"}
}

// given is a folder of another user's.
func given(t *testing.T, parent, name string) string {
	t.Helper()
	dir := filepath.Join(parent, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	return dir
}

func needRoot(t *testing.T, programs ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short")
	}
	if os.Geteuid() != 0 {
		leaveOut(t, "needs root, for network namespaces and the capture: sudo make test")
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			leaveOut(t, "needs "+p+": .ci/install.sh test")
		}
	}
}

// privileges is what the kernel says of each thread of a process, alike ones once.
func privileges(t *testing.T, pid int) []string {
	t.Helper()
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	var all []string
	for _, name := range tasks {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // the thread ended
		}
		var kept []string
		for line := range strings.Lines(string(text)) {
			if field, _, _ := strings.Cut(line, ":"); slices.Contains([]string{"Uid", "CapInh", "CapPrm", "CapEff", "CapAmb", "NoNewPrivs", "Seccomp"}, field) {
				kept = append(kept, strings.Join(strings.Fields(line), " "))
			}
		}
		all = append(all, strings.Join(kept, "; "))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

const noPrivileges = "CapInh: 0000000000000000; CapPrm: 0000000000000000; CapEff: 0000000000000000; CapAmb: 0000000000000000; NoNewPrivs: 1; Seccomp: 2"

// A sensor as it is meant to run: another user with cap_net_raw, which is gone once
// the interface is open. Then all that it is there for goes on, over interfaces that
// are made anew: records with rotation and for logrotate, state, and a webhook, a
// file and a command that hear of an alert.
func TestRunWithoutPrivileges(t *testing.T) {
	needRoot(t, "ip", "setpriv")
	replay := filepath.Join(t.TempDir(), "replay")
	if out, err := exec.Command("go", "build", "-o", replay, "../../.ci/replay").CombinedOutput(); err != nil {
		leaveOut(t, fmt.Sprintf("needs Linux and a sender of frames: %s", out))
	}
	server, client := namespaces(t)
	program := copyOfSelf(t)
	dir := openDir(t)
	logs, state, told := given(t, dir, "log"), given(t, dir, "state"), given(t, dir, "told")
	records := filepath.Join(logs, "records.json")
	script := filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nenv | grep ^MAILTAP_RULE= >>"+told+"/command\ncat >/dev/null\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "mailtap.yaml")
	if err := os.WriteFile(config, []byte(`
sensor: test
log: {records: {file: `+records+`, rotate_size: 1MiB}}
state_dir: `+state+`
alerts:
  receivers:
    - {name: hook, webhook: {url: "http://localhost:9099/"}}
    - {name: file, file: {path: `+told+`/file}}
    - {name: command, command: {argv: [`+script+`]}}
sandbox: {mode: required, writable: [`+told+`]}
`), 0o644); err != nil {
		t.Fatal(err)
	}
	hook := start(t, self("webhook", server, webhookAt))
	argv := slices.Concat(server, asNobody(), []string{program, "run", "--config", config, "--interface", watched})
	c := exec.Command(argv[0], argv[1:]...)
	c.Env = append(os.Environ(), actAs+"=mailtap", "GORACE=atexit_sleep_ms=0", "MAILTAP_SANDBOX_ALLOW_ROOT=")
	tap := start(t, c)
	await(t, tap, server, "http://"+page+"/-/ready")
	user := fmt.Sprintf("Uid: %[1]d %[1]d %[1]d %[1]d; ", nobody)
	if got := privileges(t, tap.cmd.Process.Pid); len(got) != 1 || got[0] != user+noPrivileges {
		t.Errorf("privileges: %q", got)
	}
	if !strings.Contains(tap.err.String(), `msg="privileges given up" capabilities=none no_new_privs=on landlock="abi `) {
		t.Errorf("not told:\n%s", tap.err)
	}

	file := filepath.Join(t.TempDir(), "many.pcap")
	sees := func(round int, all bool) {
		t.Helper()
		text, sessions := manyConversations(t, round)
		if !all { // the second ring joins behind the first, and nothing tells of it
			sessions = 1
		}
		sessions += countOf(t, logs, `"event":"session"`)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		argv := append(slices.Clone(client), replay, "-interface", "eth0", "-rate", "20000", file)
		if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		if !within(60*time.Second, func() bool { return countOf(t, logs, `"event":"session"`) >= sessions }) {
			t.Fatalf("%d sessions are written, %d are wanted\n%s", countOf(t, logs, `"event":"session"`), sessions, tap.err)
		}
	}
	sees(0, true)
	sees(1, true)
	sees(2, true)
	if err := os.Rename(records, records+".moved"); err != nil {
		t.Fatal(err)
	}
	tap.cmd.Process.Signal(syscall.SIGHUP)
	if !within(30*time.Second, func() bool { return exists(records) }) {
		t.Fatalf("SIGHUP opened no new file\n%s", tap.err)
	}
	for round := range 2 {
		back := strings.Count(tap.err.String(), "packets can come again")
		for _, line := range []string{
			"-n " + server[3] + " link del " + watched, "link add " + watched + " netns " + server[3] + " type veth peer name eth0 netns " + client[3],
			"-n " + server[3] + " link set " + watched + " up", "-n " + client[3] + " link set eth0 up",
		} {
			if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
				t.Fatalf("ip %s: %s", line, out)
			}
		}
		if !within(30*time.Second, func() bool { return strings.Count(tap.err.String(), "packets can come again") > back }) {
			t.Fatalf("the interface that was made anew is not seen\n%s", tap.err)
		}
		sees(3+round, false)
	}
	// What the kernel forgets when memory is short is still allowed when it is asked for anew.
	_ = os.WriteFile("/proc/sys/vm/drop_caches", []byte("2"), 0)
	if text, err := self("get", server, "http://"+page+"/metrics").Output(); err != nil || !bytes.Contains(text, []byte("\nprocess_cpu_seconds_total ")) {
		t.Errorf("the process's own metrics are gone: %v", err)
	}
	if rotated, _ := filepath.Glob(logs + "/*.gz"); len(rotated) == 0 {
		t.Error("the file of records was not rotated")
	}
	for what, heard := range map[string]func() bool{
		"webhook": func() bool { return strings.Contains(hook.out.String(), "PlaintextCredentials") },
		"file":    func() bool { return strings.Contains(textOf(told+"/file"), "PlaintextCredentials") },
		"command": func() bool { return strings.Contains(textOf(told+"/command"), "MAILTAP_RULE=PlaintextCredentials") },
	} {
		if !within(30*time.Second, heard) {
			t.Errorf("the %s did not hear of the alert\n%s", what, tap.err)
		}
	}
	if status := tap.stop(syscall.SIGTERM); status != exitDone || strings.Contains(tap.err.String(), "permi") {
		t.Errorf("status %d\n%s", status, tap.err)
	}
	if saved, _ := filepath.Glob(state + "/*.state"); len(saved) != 2 {
		t.Errorf("state: %q", saved)
	}
}

// manyConversations is a capture of some 400 kB of records, of connections that no
// other round has.
func manyConversations(t *testing.T, round int) (text string, sessions int) {
	t.Helper()
	list := bareOf(t, shipped(oneLogin))
	out := newCapture()
	const copies = 80
	for n := range copies {
		for _, p := range list {
			out.frame(p.time, []byte(etherFrame(otherEnds(p.ip, round*copies+n))))
		}
	}
	return string(out.file), copies * 4
}

// countOf counts a word in all files of a folder, compressed ones too.
func countOf(t *testing.T, dir, word string) (n int) {
	t.Helper()
	files, _ := filepath.Glob(dir + "/*")
	for _, f := range files {
		if strings.HasSuffix(f, ".gz") {
			text, err := exec.Command("gzip", "-dc", f).Output()
			if err == nil {
				n += bytes.Count(text, []byte(word))
			}
			continue
		}
		n += strings.Count(textOf(f), word)
	}
	return n
}

func textOf(file string) string {
	text, _ := os.ReadFile(file)
	return string(text)
}

// Where root starts it, run becomes the user that is named; what that one cannot
// use is told at once.
func TestRunAsAnotherUser(t *testing.T) {
	needRoot(t, "ip")
	server, _ := namespaces(t)
	dir := openDir(t)
	state := given(t, dir, "state")
	args := []string{"run", "--interface", watched, "--sandbox.user", strconv.Itoa(nobody), "--sandbox.allow_root=false"}
	tap := start(t, self("mailtap", server, append(args, "--state-dir", state)...))
	await(t, tap, server, "http://"+page+"/-/ready")
	user := fmt.Sprintf("Uid: %[1]d %[1]d %[1]d %[1]d; ", nobody)
	if got := privileges(t, tap.cmd.Process.Pid); len(got) != 1 || got[0] != user+noPrivileges {
		t.Errorf("privileges: %q", got)
	}
	if status := tap.stop(syscall.SIGTERM); status != exitDone {
		t.Errorf("status %d\n%s", status, tap.err)
	}
	for _, c := range []struct{ flag, path, what string }{
		{"--state-dir", filepath.Join(dir, "roots"), "written"},
		{"--tls.keylog", filepath.Join(dir, "secret"), "read"},
	} {
		if c.what == "read" {
			os.WriteFile(c.path, nil, 0o600)
		} else {
			os.Mkdir(c.path, 0o700)
		}
		p := start(t, self("mailtap", server, append(args, "--log.level", "error", c.flag, c.path)...))
		<-p.done
		if want := "mailtap: " + c.path + " cannot be " + c.what + " by the user that mailtap runs as\n"; p.err.String() != want || p.cmd.ProcessState.ExitCode() != exitFailed {
			t.Errorf("status %d, %q, want %q", p.cmd.ProcessState.ExitCode(), p.err, want)
		}
	}
}

func TestRunRefusesRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be refused")
	}
	status, _, stderr := call("", "run", "--interface", "-", "--sandbox.allow_root=false")
	if status != exitUsage || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "run is not for root") || !strings.Contains(stderr, "setcap cap_net_raw+ep") || !strings.Contains(stderr, "--sandbox.allow_root=true") {
		t.Errorf("status %d, %q", status, stderr)
	}
	p := start(t, self("mailtap", nil, "run", "--interface", "-", "--sandbox.allow_root=false", "--sandbox.user", "nosuchuser", "--web.listen-address", "127.0.0.1:0"))
	<-p.done
	if want := "mailtap: sandbox.user: there is no user nosuchuser\n"; p.err.String() != want || p.cmd.ProcessState.ExitCode() != exitUsage {
		t.Errorf("status %d, %q, want %q", p.cmd.ProcessState.ExitCode(), p.err, want)
	}
}

// read opens the named files and what it writes, and nothing else; its output says
// nothing of it.
func TestReadWithoutPrivileges(t *testing.T) {
	var posts atomic.Int64
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { posts.Add(1) }))
	defer hook.Close()
	dir := openDir(t)
	capture := filepath.Join(dir, "capture.pcap")
	text, err := os.ReadFile(shipped(oneLogin))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(capture, text, 0o644); err != nil {
		t.Fatal(err)
	}
	html := filepath.Join(dir, "report.html")
	receiver := `[{name: a, webhook: {url: "` + hook.URL + `"}}, {name: b, command: {argv: [/bin/sh, -c, "cat >` + dir + `/out/command"]}}]`
	os.Mkdir(filepath.Join(dir, "out"), 0o755)
	c := self("mailtap", nil, "read", "--format", "json", "--log.level", "warn", "--html", html, "--log.records.file", filepath.Join(dir, "out", "records.json"), "--alerts.receivers", receiver,
		"--sandbox.mode", "required", capture, filepath.Join(dir, "missing.pcap"), "/dev/stdin")
	c.Stdin = bytes.NewReader(text)
	p := start(t, c)
	<-p.done
	want := "mailtap: " + filepath.Join(dir, "missing.pcap") + ": no such file or directory\n"
	if status := p.cmd.ProcessState.ExitCode(); status != exitFailed || p.err.String() != want {
		t.Errorf("status %d, %q, want %q", status, p.err, want)
	}
	if n := strings.Count(textOf(filepath.Join(dir, "out", "records.json")), `"event":"session"`); n != 4 || posts.Load() == 0 || !exists(filepath.Join(dir, "out", "command")) || len(textOf(html)) == 0 {
		t.Errorf("%d sessions, %d posts, page of %d octets", n, posts.Load(), len(textOf(html)))
	}
}

// A configuration that a reload brings is held against the sandbox of the start.
func TestNewPathsAreOutside(t *testing.T) {
	p := &program{sandbox: &sandbox.Sandbox{Status: sandbox.Status{Landlock: 1, Seccomp: true}}}
	rules := writeTemp(t, "rules: []\n")
	cfg := Default()
	if err := p.outside(&cfg); err != nil {
		t.Error(err)
	}
	cfg.Alerts.Rules.Files = []Path{Path(rules)}
	cfg.Log.Records.File = "/nosuch/records.json"
	cfg.TLS.Keylog = "/nosuch/keys"
	cfg.Alerts.Receivers = []Receiver{{Name: "a", Command: &CommandConfig{Argv: []string{"/bin/sh"}}}}
	err := p.outside(&cfg)
	if err == nil || strings.Count(err.Error(), "restart mailtap") != 3 || strings.Contains(err.Error(), "/nosuch/keys") || !strings.Contains(err.Error(), rules+" is outside of what the sandbox allows") {
		t.Errorf("%v", err)
	}
	p.sandbox = nil
	if err := p.outside(&cfg); err != nil {
		t.Error(err)
	}
}

// Every key that names a path is in the sandbox, with what the listener's file names.
func TestSandboxHasEveryPath(t *testing.T) {
	p := &program{configFile: "/etc/mailtap/mailtap.yaml"}
	cfg, err := withSite(Default(), everyKey())
	if err != nil {
		t.Fatal(err)
	}
	web := writeTemp(t, "tls_server_config: {cert_file: web.crt, key_file: /keys/web.key}\n")
	cfg.Web.Config.File = Path(web)
	cfg.Capture.Interfaces = []Interface{"eth1", "/run/mailtap/tap"}
	o := p.sandboxOptions(&cfg)
	for _, want := range []string{"/etc/mailtap/mailtap.yaml", "/etc/mailtap/rules.yaml", "/etc/mailtap/loki-password", "/etc/mailtap/client.key", "keys.log", web, filepath.Join(filepath.Dir(web), "web.crt"), "/keys/web.key", "/run/mailtap/tap"} {
		if !slices.Contains(o.Files, want) {
			t.Errorf("%s cannot be read, only %q", want, o.Files)
		}
	}
	if want := []string{"/var/log/mailtap/records.json"}; !slices.Equal(o.Written, want) {
		t.Errorf("written: %q, want %q", o.Written, want)
	}
	if want := []string{"/srv/mailtap/out", "/var/lib/mailtap", "/var/lib/mailtap/evidence"}; !slices.Equal(o.Writable, want) {
		t.Errorf("writable: %q, want %q", o.Writable, want)
	}
}
