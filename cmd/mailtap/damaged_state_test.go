package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Each file of state_dir is damaged in each way, or may not be read: the next start
// says so in one line, sets it aside, counts it, and works.
func TestDamagedStateIsSetAside(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short")
	}
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	t.Cleanup(away.Close)
	capture, err := os.ReadFile("testdata/demo.pcap")
	if err != nil {
		t.Fatal(err)
	}
	sound := filepath.Join(openDir(t), "state")
	program := copyOfSelf(t)
	mailtap := func(as []string, dir string) *exec.Cmd {
		argv := append(as, program, "run", "--interface", "-", "--sensor", "test", "--state-dir", dir, "--stop_timeout", "300ms", "--log.records.kinds", "alert",
			"--loki.url", away.URL, "--loki.batch_wait", "20ms", "--alerts.receivers", fmt.Sprintf(`[{name: ops, webhook: {url: %q}}]`, away.URL), "--web.listen-address", "127.0.0.1:0")
		c := exec.Command(argv[0], argv[1:]...)
		c.Env = append(os.Environ(), actAs+"=mailtap", "GORACE=atexit_sleep_ms=0")
		c.Dir = filepath.Dir(program)
		return c
	}
	first := mailtap(nil, sound)
	first.Stdin = bytes.NewReader(capture)
	if out, err := first.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	files := map[string]string{ // store by file
		"alerts.state": "alerts_state", "deferrals.state": "deferrals_state", "outbox/alerts.db": "outbox", "outbox/journal-0": "outbox", "loki-spool": "loki_spool",
	}
	ways := map[string]func(string) error{
		"cut": func(name string) error {
			info, err := os.Stat(name)
			must(t, err)
			return os.Truncate(name, info.Size()/3)
		},
		"nonsense": func(name string) error {
			return os.WriteFile(name, []byte(strings.Repeat("no state at all ", 1000)), 0o600)
		},
		"other version": func(name string) error {
			b, err := os.ReadFile(name)
			must(t, err)
			return os.WriteFile(name, append([]byte("v9"), b...), 0o600)
		},
		"not ours": func(name string) error { return os.Chmod(name, 0) },
	}
	for file, store := range files {
		for way, damage := range ways {
			t.Run(file+" "+way, func(t *testing.T) {
				t.Parallel() // each waits for a second to pass
				dir := filepath.Join(openDir(t), "state")
				must(t, os.CopyFS(dir, os.DirFS(sound)))
				name := filepath.Join(dir, file)
				if file == "loki-spool" {
					list, _ := filepath.Glob(filepath.Join(name, "*.records"))
					if len(list) == 0 {
						t.Fatal("nothing is in the spool")
					}
					name = list[0]
				}
				if info, err := os.Stat(name); err != nil || info.Size() == 0 { // the journal: the store has all of it
					must(t, os.WriteFile(name, []byte(strings.Repeat("x", 100)), 0o600))
				}
				must(t, damage(name))
				var as []string
				if way == "not ours" {
					as = unprivileged(t, dir)
				}
				c := mailtap(as, dir)
				in, err := c.StdinPipe()
				must(t, err)
				p := start(t, c)
				address := listening(t, p)
				want := `mailtap_storage_damaged_total{store="` + store + `"} 1`
				var metrics []byte
				if !within(30*time.Second, func() bool {
					metrics, _ = self("get", nil, "http://"+address+"/metrics").Output()
					return strings.Contains(string(metrics), want)
				}) {
					t.Errorf("no %s:\n%s", want, grepLines(string(metrics), "mailtap_storage_damaged"))
				}
				if _, err := in.Write(capture); err != nil {
					t.Error(err)
				}
				in.Close()
				<-p.done
				if status := p.cmd.ProcessState.ExitCode(); status != exitDone && file != "loki-spool" { // whose records are lost
					t.Errorf("status %d", status)
				}
				kept, _ := filepath.Glob(name + "*.damaged")
				said := strings.Count(p.err.String(), "cannot be used") + strings.Count(p.err.String(), "is not whole") + strings.Count(p.err.String(), "may not be read") + strings.Count(p.err.String(), "set aside")
				if len(kept) != 1 || said != 1 {
					t.Errorf("kept %v, said %d times", kept, said)
				}
				if t.Failed() {
					t.Log(p.err)
				}
			})
		}
	}
}

var listens = regexp.MustCompile(`metrics=http://([^/]+)/metrics`)

// listening waits until a program that chose its port is ready, and gives its address.
func listening(t *testing.T, p *process) (address string) {
	t.Helper()
	if !within(30*time.Second, func() bool {
		if m := listens.FindStringSubmatch(p.err.String()); m != nil {
			address = m[1]
		}
		return address != ""
	}) {
		t.Fatalf("it does not begin:\n%s", p.err)
	}
	return address
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// unprivileged gives the prefix of a command of another user, to whom a folder is
// given with all but the modes of its files.
func unprivileged(t *testing.T, dir string) []string {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil // as we are
	}
	if _, err := exec.LookPath("setpriv"); err != nil {
		leaveOut(t, "needs setpriv: apt-get install util-linux")
	}
	const nobody = 65534
	must(t, filepath.WalkDir(dir, func(name string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(name, nobody, nobody)
	}))
	return []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"}
}
