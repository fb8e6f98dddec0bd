package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// everySession raises an alert at the end of each session: its evidence is the
// whole session.
const everySession = `
rules:
  - name: EverySession
    event: session
    when: "true"
    group_by: [client.ip, client.port, server.ip]
    fire: each
    storm: 1000
    severity: info
    summary: "{client.ip}"
`

// recordsOf reads captures and gives the records, by kind.
func recordsOf(t *testing.T, args ...string) map[string][]map[string]any {
	t.Helper()
	status, stdout, stderr := call("", append([]string{"read", "--format", "json", "--sensor=test", "--home.domains=corp.test"}, args...)...)
	if status == 2 {
		t.Fatal(stderr)
	}
	out := map[string][]map[string]any{}
	for line := range strings.Lines(stdout) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		out[fmt.Sprint(r["event"])] = append(out[fmt.Sprint(r["event"])], r)
	}
	return out
}

// evidenceOf are the files that alerts of a rule name.
func evidenceOf(t *testing.T, alerts []map[string]any, rule string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, a := range alerts {
		if path, ok := a["evidence"].(string); ok && a["rule"] == rule {
			if !exists(path) {
				t.Fatalf("the record names %s, which is not there", path)
			}
			files[a["sessions"].([]any)[0].(string)] = path
		}
	}
	return files
}

// blankedFields are what a session's record lacks, or has otherwise, once the
// secrets are blanked: what stood in the responses, and how many packets came by
// the time of the alert.
func withoutBlanked(r map[string]any) string {
	for _, name := range []string{"packets", "retransmitted"} {
		delete(r, name)
	}
	for _, list := range []string{"auth", "mails"} {
		items, _ := r[list].([]any)
		for _, item := range items {
			for _, name := range []string{"username", "authzid", "login", "domain", "target", "workstation", "secret_exposed"} {
				delete(item.(map[string]any), name)
			}
		}
	}
	text, _ := json.Marshal(r)
	return badAuth.Replace(string(text))
}

// oneWay has the client's side alone: without the server's word a response is
// told from a command by its look, which stars have not.
const oneWay = "29j_only_client_direction"

// badAuth: stars are no base64.
var badAuth = strings.NewReplacer(`"anomalies":["bad_auth"],`, "", `"bad_auth",`, "", `,"bad_auth"`, "")

// The evidence of a session that is over is the session: read again it gives
// the same record, but for the secret.
func TestEvidenceIsTheSession(t *testing.T) {
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(rules, []byte(everySession), 0o600); err != nil {
		t.Fatal(err)
	}
	captures, _ := filepath.Glob("testdata/auth/*/capture.pcap*")
	sessions, same := 0, 0
	for _, file := range append(captures, corpus("*/capture.pcap*")...) {
		name := filepath.Base(filepath.Dir(file))
		args := []string{file}
		if keylog := filepath.Join(filepath.Dir(file), "keys.log"); exists(keylog) {
			args = append(args, "--tls.keylog="+keylog)
		}
		got := recordsOf(t, append(args, "--alerts.rules.files="+rules, "--alerts.evidence.session_size=4MiB", "--alerts.evidence.session_packets=20000",
			"--alerts.evidence.directory="+filepath.Join(t.TempDir(), "e"))...)
		files := evidenceOf(t, got["alert"], "EverySession")
		for _, want := range got["session"] {
			id := want["session"].(string)
			if files[id] == "" {
				if _, partial := want["partial"]; !partial {
					t.Errorf("%s: session %s has no evidence", name, id)
				}
				continue
			}
			args[0] = files[id]
			again := recordsOf(t, args...)["session"]
			sessions++
			wanted := withoutBlanked(want)
			if len(again) == 1 && withoutBlanked(again[0]) == wanted {
				same++
				continue
			}
			var lines []string
			for _, r := range again {
				lines = append(lines, withoutBlanked(r))
			}
			if name != oneWay {
				t.Errorf("%s: session %s\n%s\nwant\n%s", name, id, strings.Join(lines, "\n"), wanted)
			}
		}
	}
	if sessions < 50 {
		t.Errorf("only %d sessions had evidence", sessions)
	}
	t.Logf("%d sessions, %d are the same again", sessions, same)
}

// Live packets give the same evidence as those of a file, and a directory that
// cannot be used is an error before anything is captured.
func TestEvidenceLive(t *testing.T) {
	file := shipped("06_auth_login_clear_5fail")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "e")
	for _, shards := range []string{"1", "3"} {
		status, stdout, stderr := call(string(text), "run", "--interface=-", "--web.listen-address=127.0.0.1:0", "--shards="+shards, "--alerts.evidence.directory="+dir+shards)
		if status != 0 {
			t.Fatal(stderr)
		}
		live, _ := filepath.Glob(filepath.Join(dir+shards, "*.pcapng"))
		recordsOf(t, file, "--alerts.evidence.directory="+dir+"read"+shards, "--shards="+shards)
		read, _ := filepath.Glob(filepath.Join(dir+"read"+shards, "*.pcapng"))
		if len(live) != 9 || len(read) != 9 || strings.Count(stdout, `"evidence":"`+dir) != 9 {
			t.Fatalf("%d files live, %d read, records\n%s", len(live), len(read), stdout)
		}
		for i := range live {
			a, _ := os.ReadFile(live[i])
			b, _ := os.ReadFile(read[i])
			if filepath.Base(live[i]) != filepath.Base(read[i]) || !bytes.Equal(a, b) {
				t.Errorf("%s and %s are not the same", live[i], read[i])
			}
		}
	}
	for _, bad := range []string{file, file + "/below", "missing/below"} {
		status, _, stderr := call("", "read", "--alerts.evidence.directory="+bad, file)
		if status == 0 || !strings.Contains(stderr, "alerts.evidence.directory: ") || !strings.Contains(stderr, bad) {
			t.Errorf("%s: %d, %s", bad, status, stderr)
		}
	}
}

// Mistakes name their key.
func TestEvidenceConfiguration(t *testing.T) {
	for flag, want := range map[string]string{
		"memory=1KiB":           "alerts.evidence.memory: 1024 octets, allowed is 1MiB to 64GiB",
		"session_size=1GiB":     "alerts.evidence.session_size: 1073741824 octets are more than alerts.evidence.memory (67108864)",
		"session_packets=20001": "alerts.evidence.session_packets: 20001 packets, allowed is 1 to 20000",
		"severity=loud":         `alerts.evidence.severity: "loud"`,
		"keep_secrets=no way":   "alerts.evidence.keep_secrets: is the text",
	} {
		if _, err := loadFrom("", nil, "--alerts.evidence."+flag); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", flag, err)
		}
	}
}
