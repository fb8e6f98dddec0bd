//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// hidden is a configuration whose outputs hide all by pseudonyms of a key.
func hidden(key string) string {
	return "privacy: {addresses: pseudonym, users: pseudonym, subjects: pseudonym, clients: pseudonym, key_file: " + key + "}\n"
}

// shows is what the listener tells: the page's sessions, what fires, metrics.
func (a *tap) shows() string {
	var all strings.Builder
	for _, path := range []string{"/api/v1/sessions", "/api/v1/status", "/api/v1/alerts", "/metrics"} {
		status, body := a.get(path)
		if status != 200 {
			a.t.Errorf("%s: %d", path, status)
		}
		all.WriteString(body)
	}
	return all.String()
}

// newKey is a file with a key beside the configuration, where the sandbox lets it be read.
func (a *tap) newKey() string {
	a.t.Helper()
	file := filepath.Join(filepath.Dir(a.config), "privacy.key")
	if err := os.Rename(keyFile(a.t), file); err != nil {
		a.t.Fatal(err)
	}
	return file
}

// Privacy that a reload switches on holds for all that is told from then on, wherever
// it goes: before it values are in full, after it none is, and nothing is lost. What
// fires goes on, and ends under the name that its receiver knows.
func TestReloadHides(t *testing.T) {
	for _, durable := range []bool{false, true} {
		t.Run(fmt.Sprint("durable=", durable), func(t *testing.T) {
			hook, dir := newPosts(t), t.TempDir()
			records := filepath.Join(dir, "records.json")
			config := hookTo(hook) + "web: {page: true}\nmetrics: {top: {clients: 10, sender_domains: 10}}\nlog: {records: {file: " + records + "}}\nshards: 2\n"
			if durable {
				config += "state_dir: " + filepath.Join(dir, "state") + "\n"
			}
			a := startTap(t, config)
			for i := range 5 {
				a.talk(guess, 20*i, 0, -1)
				a.talk(mail, 20*i+1, 0, -1)
			}
			half := a.talk(mail, 7, 0, 8)
			a.seen()
			a.await("the alert is told", func() bool { return strings.Contains(hook.String(), "AuthBruteForce") })
			before, shown := hook.String(), a.shows()
			for where, text := range map[string]string{"webhook": before, "listener": shown} {
				if !strings.Contains(text, "192.0.2.1") {
					t.Errorf("the %s tells nothing in full before:\n%s", where, text)
				}
			}
			a.await("records are written", func() bool { return strings.Count(textOf(records), `"event":"session"`) == 10 })
			full := textOf(records)
			a.reload(config + hidden(a.newKey()))
			if strings.Contains(a.shows(), "192.0.2.1\"") || strings.Contains(a.shows(), "192.0.2.2:") {
				t.Errorf("what was in full is still shown:\n%s", a.shows())
			}
			if !strings.Contains(a.shows(), "AuthBruteForce") {
				t.Error("what fires is shown no more")
			}
			a.talk(mail, 7, 8, half)
			for i := range 5 {
				a.talk(guess, 20*i+3, 0, -1)
				a.talk(mail, 20*i+4, 0, -1)
			}
			a.seen()
			firing := a.shows()
			if strings.Count(firing, `"alertname":"AuthBruteForce"`) != 2 {
				t.Errorf("two should fire now:\n%s", firing)
			}
			a.talk(mail, 2000, 0, -1) // the windows are clean
			a.seen()
			a.await("all is over", func() bool {
				return strings.Count(hook.String(), `"status":"resolved"`) >= 2 && a.metric(`mailtap_alerts_firing{rule="AuthBruteForce",severity="warning"}`) == 0
			})
			if _, body := a.get("/api/v1/alerts"); strings.Contains(body, "AuthBruteForce") {
				t.Errorf("it is over and still shown:\n%s", body)
			}
			after := firing + a.shows() + hook.String()[len(before):]
			a.in.Close()
			<-a.done
			if !strings.Contains(after, "mailtap_top_messages{") {
				t.Error("the busiest are not listed any more")
			}
			all := textOf(records)
			after += all[len(full):] + a.err.String()
			for _, word := range []string{"192.0.2.", "a@far", "far.test", "b@home", "home.test>", `"subject":"hello"`} {
				if word == "192.0.2." { // the server's stays
					after = strings.ReplaceAll(after, "192.0.2.25", "")
				}
				if at := strings.Index(after, word); at >= 0 {
					t.Errorf("%q is told after the reload: …%s…", word, after[max(0, at-200):min(len(after), at+100)])
				}
			}
			if n := len(recordsIn(t, all, "session")); n != 22 {
				t.Errorf("%d sessions, want 22", n)
			}
			prints := map[string]int{}
			for _, text := range strings.SplitAfter(hook.String(), `"fingerprint":"`)[1:] {
				prints[text[:16]]++
			}
			for print, n := range prints {
				if n < 2 {
					t.Errorf("%s is told once: it has no end:\n%s", print, hook)
				}
			}
		})
	}
}

// A new key in place of the old one: what is told from then on has other pseudonyms.
func TestReloadRotatesTheKey(t *testing.T) {
	first := keyFile(t)
	a := startTap(t, hidden(first))
	second := a.newKey()
	a.talk(mail, 0, 0, -1)
	a.seen()
	a.reload(hidden(second))
	a.talk(mail, 1, 0, -1)
	a.seen()
	text, err := os.ReadFile(first) // another key in the same file
	if err == nil {
		err = os.WriteFile(second, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	a.reload(hidden(second))
	a.talk(mail, 2, 0, -1)
	a.seen()
	a.in.Close()
	<-a.done
	mails := recordsIn(t, a.out.String(), "mail")
	if len(mails) != 3 || mails[0]["from"] == mails[1]["from"] || mails[0]["from"] != mails[2]["from"] {
		t.Errorf("senders are %v", mails)
	}
}

// Evidence that is kept already may not go on when a reload hides values, unless that
// is allowed: its folder stays until a restart, though the file names none any more.
func TestReloadKeepsNoEvidenceOfWhatIsHidden(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "evidence")
	a := startTap(t, "web: {enable_reload: true}\nalerts: {evidence: {directory: "+dir+"}}\n")
	key := a.newKey()
	a.configure("web: {enable_reload: true}\n" + hidden(key))
	if status, body := a.request("POST", "/-/reload"); status != 400 || strings.Count(body, "\n") != 1 || !strings.Contains(body, "alerts.evidence.directory: its files hold packets as they are") {
		t.Errorf("%d %s", status, body)
	}
	a.configure("web: {enable_reload: true}\nalerts: {evidence: {directory: " + dir + ", despite_privacy: true}}\n" + hidden(key))
	if status, body := a.request("POST", "/-/reload"); status != 200 {
		t.Errorf("%d %s", status, body)
	}
}

// What the sandbox of the start does not reach refuses a reload, in a line that says so;
// beside what it does reach new files are found.
func TestReloadWithinTheSandbox(t *testing.T) {
	logs, outside := t.TempDir(), writeTemp(t, "rules: []\n")
	key := keyFile(t)
	config := func(more string) string {
		return "web: {enable_reload: true}\nstate_dir: " + filepath.Join(logs, "state") + "\n" + more
	}
	a := startTap(t, config("log: {records: {file: "+filepath.Join(logs, "a.json")+"}}\n"))
	if !strings.Contains(a.err.String(), `landlock="abi`) {
		leaveOut(t, "needs a kernel with Landlock")
	}
	for _, c := range []struct{ config, path string }{
		{config("alerts: {rules: {files: [" + outside + "]}}\n"), outside},
		{config(hidden(key)), key},
		{config("log: {records: {file: " + outside + ".json}}\n"), outside + ".json"},
		{config(`alerts: {receivers: [{name: a, command: {argv: [/bin/true]}}]}` + "\n"), "/bin/true"},
	} {
		a.configure(c.config)
		status, body := a.request("POST", "/-/reload")
		if status != 500 && status != 400 || strings.Count(body, "\n") != 1 || !strings.Contains(body, c.path+" is outside of what the sandbox allows") || a.metric("mailtap_config_last_reload_successful") != 0 {
			t.Errorf("%s\nis answered with %d %s", c.config, status, body)
		}
	}
	rules := filepath.Join(filepath.Dir(a.config), "more.yaml")
	if err := os.WriteFile(rules, []byte("rules: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.configure(config("alerts: {rules: {files: [" + rules + "]}}\nlog: {records: {file: " + filepath.Join(logs, "b.json") + "}}\n"))
	if status, body := a.request("POST", "/-/reload"); status != 200 {
		t.Errorf("beside the old ones: %d %s", status, body)
	}
	a.configure("web: {enable_reload: true}\nstate_dir: " + filepath.Join(t.TempDir(), "other") + "\n")
	if status, body := a.request("POST", "/-/reload"); status != 200 {
		t.Errorf("what needs a restart: %d %s", status, body)
	}
	a.says("needs a restart: state_dir")
}
