//go:build unix

package receivers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
)

func script(t *testing.T, text string, args ...string) (*Command, string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "script")
	if err := os.WriteFile(file, []byte("#!/bin/sh\ncd "+dir+"\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	c, err := NewCommand(CommandOptions{Argv: append([]string{file}, args...), Timeout: 20 * time.Second, Sensor: "tap1"})
	if err != nil {
		t.Fatal(err)
	}
	return c, dir
}

func content(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestCommand(t *testing.T) {
	t.Setenv("MAILTAP_SECRET", "hunter2")
	c, dir := script(t, `cat >>stdin; env >>env; printf '%s\n' "$@" >>args; printf '%s' "$MAILTAP_SUMMARY" >summary`, "a b", "$(touch evil)", "{{.Rule}}")
	a := sample(1, alerts.Firing)
	a.Summary = "$(touch evil2); `touch evil3`\x00"
	sends(t, c, []alerts.Alert{a})
	var got alerts.Alert
	if err := json.Unmarshal([]byte(content(t, dir+"/stdin")), &got); err != nil || got.Fingerprint != a.Fingerprint || got.Labels.Get("client_ip") != "192.0.2.1" {
		t.Errorf("%v: %+v", err, got)
	}
	if args := content(t, dir+"/args"); args != "a b\n$(touch evil)\n{{.Rule}}\n" {
		t.Errorf("arguments %q", args)
	}
	env := content(t, dir+"/env")
	for _, want := range []string{"MAILTAP_RULE=R\n", "MAILTAP_STATUS=firing\n", "MAILTAP_LABEL_CLIENT_IP=192.0.2.1\n", "MAILTAP_SENSOR=tap1\n", "MAILTAP_STARTED=2026-11-23T12:00:00Z\n"} {
		if !strings.Contains(env, want) {
			t.Errorf("the environment lacks %q", want)
		}
	}
	if strings.Contains(env, "hunter2") || content(t, dir+"/summary") != "$(touch evil2); `touch evil3`?" {
		t.Errorf("environment:\n%s", env)
	}
	if evil, _ := filepath.Glob(dir + "/evil*"); len(evil) > 0 {
		t.Errorf("a shell read what came from traffic: %v", evil)
	}
}

func TestCommandFailures(t *testing.T) {
	for text, c := range map[string]struct {
		final bool
		words string
	}{
		"echo hunter2 >&2; exit 1": {false, "exit status 1"},
		"exit 65":                  {true, "exit status 65"},
		"kill -9 $$":               {false, "killed"},
	} {
		r, _ := script(t, text)
		if how := fails(t, r, "hunter2"); how.Final != c.final || !strings.Contains(how.What, c.words) {
			t.Errorf("%s: %+v", text, how)
		}
	}
	for _, argv := range [][]string{nil, {"/no/such/program"}, {"/etc/passwd"}} {
		if _, err := NewCommand(CommandOptions{Argv: argv}); err == nil {
			t.Errorf("%q is taken", argv)
		}
	}
	// What it prints without end is not read, and input that is not read is no fault.
	r, _ := script(t, "i=0; while [ $i -lt 2000 ]; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; i=$((i+1)); done")
	a := sample(1, alerts.Firing)
	for range 5000 {
		a.Sessions = append(a.Sessions, strings.Repeat("s", 100))
	}
	sends(t, r, []alerts.Alert{a})
}

// A command that hangs is killed, and its children with it.
func TestCommandIsKilled(t *testing.T) {
	r, dir := script(t, "sleep 1000 & echo $! >child; wait")
	r.options.Timeout = 300 * time.Millisecond
	begin := time.Now()
	how := fails(t, r)
	if how.Final || !strings.Contains(how.What, "was killed") || time.Since(begin) > 15*time.Second {
		t.Errorf("%+v after %s", how, time.Since(begin))
	}
	pid, err := strconv.Atoi(strings.TrimSpace(content(t, dir+"/child")))
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); alive(pid); {
		if time.Now().After(end) {
			t.Fatal("the child lives on")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// alive leaves out zombies, whose parent is no more.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || !strings.Contains(string(stat), ") Z ")
}

// A batch that failed in its middle runs the rest only.
func TestCommandGoesOn(t *testing.T) {
	r, dir := script(t, `echo $MAILTAP_KEY >>ran; [ $MAILTAP_KEY != 2 ] || [ -e ok ]`)
	batch := []alerts.Alert{sample(1, alerts.Firing), sample(2, alerts.Firing), sample(3, alerts.Firing)}
	if err := r.Send(t.Context(), batch); err == nil {
		t.Fatal("sent")
	}
	os.WriteFile(dir+"/ok", nil, 0o600)
	sends(t, r, batch)
	if ran := content(t, dir+"/ran"); ran != "1\n2\n2\n3\n" {
		t.Errorf("ran %q", ran)
	}
}
