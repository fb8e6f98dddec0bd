package main

import (
	"encoding/json"
	"os"
	"runtime"
	"strings"
	"testing"
)

// TestFlagsAreDescribed wherever they are shown.
func TestFlagsAreDescribed(t *testing.T) {
	what := descriptions()["log.format"]
	for _, args := range [][]string{{"help"}, {"run", "--help"}, {"__complete", "read", "--log.form"}} {
		if _, stdout, _ := call("", args...); what == "" || !strings.Contains(stdout, what) {
			t.Errorf("%q does not say %q", args, what)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args   []string
		status int
		stderr string // begins with
	}{
		{[]string{"help"}, 0, ""},
		{[]string{}, 0, ""},
		{[]string{"version"}, 0, ""},
		{[]string{"config", "print"}, 0, ""},
		{[]string{"config", "check"}, 0, ""},
		{[]string{"completion", "bash"}, 0, ""},
		{[]string{"rules"}, 0, ""},
		{[]string{"rules", "list"}, 0, ""},
		{[]string{"rules", "print"}, 0, ""},
		{[]string{"rules", "check"}, 0, ""},
		{[]string{"rules", "list", "--format", "xml"}, 2, `mailtap: flag --format: "xml" is no form of the output, allowed is text, json`},
		{[]string{"rules", "test"}, 2, "mailtap: requires at least 1 arg"},
		{[]string{"rules", "test", "none.yaml"}, 2, "mailtap: open none.yaml: no such file"},
		{[]string{"rules", "check", "testdata/rules/broken.yaml"}, 2, "mailtap: testdata/rules/broken.yaml:"},
		{[]string{"nonsense"}, 2, `mailtap: unknown command "nonsense"`},
		{[]string{"read"}, 2, "mailtap: requires at least 1 arg"},
		{[]string{"read", "--format", "xml", "x.pcap"}, 2, `mailtap: flag --format: "xml" is no form of the output, allowed is text, json, zeek, eve, ecs, ocsf`},
		{[]string{"read", "--format", "ecs", "--loki.url", "http://127.0.0.1:1", "x.pcap"}, 2, `mailtap: flag --format: Loki takes json, not ecs`},
		{[]string{"read", "--html", "testdata/none/page.html", "x.pcap"}, 1, `mailtap: flag --html: open testdata/none/page.html: no such file`},
		{[]string{"read", "--nonsense", "x.pcap"}, 2, "mailtap: unknown flag: --nonsense"},
		{[]string{"config", "check", "--config", "testdata/config/port_70000.yaml"}, 2, "mailtap: testdata/config/port_70000.yaml:3: capture.ports.relay[1]: "},
		{[]string{"config", "check", "--config.file", "testdata/config/none.yaml"}, 2, "mailtap: configuration: open testdata/config/none.yaml: no such file"},
		{[]string{"read", "--log.level", "loud", "x.pcap"}, 2, `mailtap: flag --log.level: log.level: "loud" is no log level`},
		{[]string{"run"}, 2, "mailtap: capture.interfaces: name 1 to 64 interfaces"},
		{[]string{"run", "extra"}, 2, `mailtap: unknown command "extra"`},
		{[]string{"demo", "--speed", "0"}, 2, "mailtap: flag --speed: 0, allowed is 0.1 to 100"},
	} {
		status, stdout, stderr := call("", c.args...)
		if status != c.status || !strings.HasPrefix(stderr, c.stderr) || (stderr == "") != (c.stderr == "") {
			t.Errorf("mailtap %v: status %d, stderr %q; want %d, %q", c.args, status, stderr, c.status, c.stderr)
		}
		if status == 0 && stdout == "" {
			t.Errorf("mailtap %v says nothing", c.args)
		}
		if status != 0 && strings.Count(stderr, "\n") != 1 {
			t.Errorf("mailtap %v: more than one line: %q", c.args, stderr)
		}
	}
}

func TestVersionSaysWhatIsBuiltIn(t *testing.T) {
	_, stdout, _ := call("", "version")
	_, methods, _ := strings.Cut(stdout, "\nlive capture: ")
	if has := strings.HasPrefix(methods, "ring"); has != (runtime.GOOS == "linux") {
		t.Errorf("the ring is Linux's: %q", stdout)
	}
	if strings.Contains(methods, "pcap (libpcap") {
		t.Skip("libpcap is built in: only CGO_ENABLED=0 go test refuses it")
	}
	status, _, stderr := call("", "run", "--interface", "lo", "--capture.method", "pcap", "--web.listen-address", "127.0.0.1:0", "--log.level", "error")
	if want := "mailtap: capture on lo: this program was built without live capture through libpcap (CGO_ENABLED=0); built in: "; status != 1 || !strings.HasPrefix(stderr, want) {
		t.Errorf("status %d: %s", status, stderr)
	}
}

func TestConfigPrintGivesTheFile(t *testing.T) {
	if _, stdout, _ := call("", "config", "print"); stdout != defaultFile {
		t.Error("config print does not give default.yaml")
	}
}

func TestReadGivesTheSameRecordsEachTime(t *testing.T) {
	args := []string{"read", "--format", "json", "--sensor", "test", shipped("06_auth_login_clear_5fail")}
	_, first, _ := call("", args...)
	_, second, _ := call("", args...)
	if first == "" || first != second {
		t.Errorf("two readings differ, or give nothing (%d and %d octets)", len(first), len(second))
	}
	kinds := make(map[string]int)
	for line := range strings.SplitSeq(strings.TrimSpace(first), "\n") {
		var r struct{ Event string }
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		kinds[r.Event]++
	}
	// What its clients did: 8 connections, 13 logins, 2 mails.
	if kinds["session"] != 8 || kinds["auth"] != 13 || kinds["mail"] != 2 || kinds["alert"] == 0 {
		t.Errorf("kinds of records: %v", kinds)
	}
}

func TestReadStandardInput(t *testing.T) {
	capture, err := os.ReadFile(shipped(oneLogin))
	if err != nil {
		t.Fatal(err)
	}
	_, fromFile, _ := call("", "read", "--format", "json", "--sensor", "test", shipped(oneLogin))
	status, fromStdin, stderr := call(string(capture), "read", "--format", "json", "--sensor", "test", "-")
	if status != 0 || fromStdin != fromFile {
		t.Errorf("status %d, %s; %d octets of records from standard input, %d from the file", status, stderr, len(fromStdin), len(fromFile))
	}
}

// A capture in pieces is one capture: a connection goes over the border.
func TestFilesAreOneCapture(t *testing.T) {
	whole, err := os.ReadFile(shipped(oneLogin))
	if err != nil {
		t.Fatal(err)
	}
	cut := 24 // behind the file header; then whole records of 16 octets and their length
	for range 40 {
		length := int(whole[cut+8]) | int(whole[cut+9])<<8 | int(whole[cut+10])<<16
		cut += 16 + length
	}
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		if err := os.WriteFile(dir+"/"+name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return dir + "/" + name
	}
	one := write("1.pcap", whole[:cut])
	two := write("2.pcap", append(append([]byte(nil), whole[:24]...), whole[cut:]...))
	_, want, _ := call("", "read", "--format", "json", "--sensor", "test", shipped(oneLogin))
	if _, got, _ := call("", "read", "--format", "json", "--sensor", "test", one, two); got != want {
		t.Errorf("two pieces give other records than the whole:\n%s\n%s", got, want)
	}
	// The earlier piece behind the later one by more than reordering begins anew, and loses nothing that is told.
	if status, got, stderr := call("", "read", "--format", "json", shipped("20a_bruteforce_spray_one_source"), shipped(oneLogin)); status != 0 ||
		strings.Count(got, `"event":"session"`) != 64 {
		t.Errorf("status %d, %s: %d sessions, want 60 and 4", status, stderr, strings.Count(got, `"event":"session"`))
	}
}

func TestTextReport(t *testing.T) {
	status, stdout, stderr := call("", "read", "--home.networks", "10.20.0.24/29", "--home.domains", "corp.test", "--home.mail_servers", "10.20.0.27", shipped("06_auth_login_clear_5fail"))
	if status != 0 || stderr != "" {
		t.Errorf("status %d, %s", status, stderr)
	}
	golden(t, "testdata/report.txt", stdout)
}

// TestKeylog reads inside TLS where a key log opens it, and shows no secret of it.
func TestKeylog(t *testing.T) {
	dir := "../../decode/tls/keys/testdata/"
	name := "04b_465_tls12_aes128gcm_keylog"
	status, stdout, stderr := call("", "read", "--format", "json", "--tls-keylog", dir+name+".keys", dir+name+".pcap")
	if status != 0 || strings.Contains(stderr, "keylog") {
		t.Fatalf("status %d, %q", status, stderr)
	}
	for _, want := range []string{`"decrypted":true`, `"encrypted":true`, `"result":"accepted"`, `"username":"alice"`} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(stdout, `"secret_exposed":true`) {
		t.Error("a password inside TLS is called exposed")
	}
	for name, want := range map[string]string{
		"no.log":     "mailtap: tls.keylog: open no.log: no such file or directory\n",
		"command.go": "mailtap: tls.keylog: command.go holds no secret in the NSS key log format\n",
	} {
		status, _, stderr := call("", "read", "--tls-keylog", name, shipped(oneLogin))
		if status == 0 || !strings.HasSuffix(stderr, want) {
			t.Errorf("%s: status %d, %q", name, status, stderr)
		}
	}
}
