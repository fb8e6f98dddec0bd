package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/sessions/privacy"
)

// keyFile is a file with a key, as `mailtap privacy key` makes it.
func keyFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "privacy.key")
	if err := os.WriteFile(file, []byte(privacy.NewKey().Text()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// hiding are the flags that hide all in one way.
func hiding(key, mode string) []string {
	return []string{
		"--privacy.key_file=" + key, "--privacy.addresses=" + mode, "--privacy.users=" + mode, "--privacy.subjects=" + mode,
		"--privacy.file_names=" + mode, "--privacy.clients=" + mode, "--metrics.top.clients=10", "--metrics.top.sender_domains=10",
	}
}

// personal are the values of a capture that privacy hides.
type personal struct {
	values map[string]bool
	free   map[string]bool // words that stand elsewhere: names of hosts, what mailtap itself says
}

var anAddress = regexp.MustCompile(`[^\s<>,;:"()]+@[^\s<>,;:"()]+`)

// tooFew is how many letters a word without an @ has that is not looked for: such
// words stand in hashes and in other words by chance.
const tooFew = 4

func (p *personal) add(s string) {
	s = strings.ToLower(strings.TrimSpace(s))
	s = strings.ReplaceAll(s, `"`, `\"`) // as JSON has it
	if len(s) > tooFew && !p.free[s] && strings.Trim(s, "0123456789") != "" {
		p.values[s] = true
	}
}

// mailbox adds an address and its local part.
func (p *personal) mailbox(s string) {
	for _, a := range anAddress.FindAllString(s, -1) {
		p.add(a)
		p.add(a[:strings.LastIndexByte(a, '@')])
	}
}

// name adds a login name, or an address where one should stand.
func (p *personal) name(s string) {
	if p.mailbox(s); !strings.Contains(s, "@") {
		p.add(s)
	}
}

// learn walks through the records of a run that hides nothing.
func (p *personal) learn(key string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if k == "server" || k == "labels" { // a server's address stays
				continue
			}
			p.learn(k, x)
		}
	case []any:
		for _, x := range v {
			p.learn(key, x)
		}
	case string:
		switch key {
		case "from", "to", "unanswered", "orcpt", "header_from", "header_to", "header_cc", "header_sender", "header_reply_to", "return_path",
			"final", "original", "message_id", "in_reply_to", "original_message_id":
			if key == "from" || key == "to" || key == "unanswered" {
				p.name(v)
			} else {
				p.mailbox(v)
			}
			if a, err := netmail.ParseAddress(v); err == nil && strings.Contains(a.Name, " ") {
				p.add(a.Name)
			}
		case "username", "authzid", "workstation":
			p.name(v)
		case "subject", "filename", "names", "file":
			p.add(v)
		case "ip", "originating_ip", "source_ip":
			p.add(v)
		}
	}
}

// exempt takes out what stands where nothing is hidden.
func (p *personal) exempt(key string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if k == "server" || k == "helo" || k == "banner" || k == "hops" || k == "certificate" {
				p.words(x)
			}
			p.exempt(k, x)
		}
	case []any:
		for _, x := range v {
			p.exempt(key, x)
		}
	case string:
		if key == "sni" || key == "by" || key == "queue_id" {
			p.words(v)
		}
	}
}

var inWords = regexp.MustCompile(`[\pL\pN._-]+|\pL+`)

func (p *personal) words(v any) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			if k != "client" {
				p.words(x)
			}
		}
	case []any:
		for _, x := range v {
			p.words(x)
		}
	case string:
		if v = strings.ToLower(v); isClientAddress(v) {
			return
		}
		p.free[v] = true
		for _, w := range inWords.FindAllString(v, -1) {
			p.free[w] = true
			for part := range strings.FieldsFuncSeq(w, func(r rune) bool { return r == '.' || r == '-' || r == '_' }) {
				p.free[part] = true
			}
		}
	}
}

// isClientAddress says that a name is an address literal: those are hidden.
func isClientAddress(s string) bool { return strings.HasPrefix(s, "[") }

// personalOf gathers what a run that hides nothing tells of persons.
func personalOf(t *testing.T, file string, more ...string) personal {
	t.Helper()
	p := personal{values: make(map[string]bool), free: make(map[string]bool)}
	for _, own := range []string{"../../docs/records.schema.json", "../../alerts/builtin.yaml", "../../dashboards/report/page.html", "../../docs/anomalies.md", "default.yaml"} {
		text, err := os.ReadFile(own)
		if err != nil {
			t.Fatal(err)
		}
		p.words(string(text))
	}
	_, out, _ := call("", append([]string{"read", "--format=json", "--log.records.kinds=session", file}, more...)...)
	var records []any
	for line := range strings.Lines(out) {
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		records = append(records, v)
	}
	p.exempt("", records)
	p.servers(records)
	p.learn("", records)
	return p
}

// servers takes out addresses of servers: a client may be one elsewhere.
func (p *personal) servers(records []any) {
	for _, r := range records {
		server := r.(map[string]any)["server"].(map[string]any)
		p.free[server["ip"].(string)] = true
	}
}

// leaks names the values that stand in what mailtap said, as words of their own.
func (p *personal) leaks(said *spoken) (found []string) {
	for where, text := range said.text {
		lower := bytes.ToLower(text.Bytes())
		there := make(map[string]bool)
		for _, w := range bytes.FieldsFunc(lower, between) {
			there[string(w)] = true
		}
		for v := range p.values {
			if slices.ContainsFunc(strings.FieldsFunc(v, between), func(w string) bool { return !there[w] }) {
				continue // most are not
			}
			if at := wordAt(lower, v); at >= 0 {
				found = append(found, where+" tells "+v+": …"+string(lower[max(0, at-60):min(len(lower), at+len(v)+40)])+"…")
			}
		}
	}
	slices.Sort(found)
	return found
}

func wordAt(text []byte, word string) int {
	for from := 0; ; {
		at := bytes.Index(text[from:], []byte(word))
		if at < 0 {
			return -1
		}
		at += from
		if !letterAt(text, at-1) && !letterAt(text, at+len(word)) {
			return at
		}
		from = at + 1
	}
}

// between says that a rune is no part of a word.
func between(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r < 0x80
}

func letterAt(text []byte, at int) bool {
	return at >= 0 && at < len(text) && (text[at] >= 'a' && text[at] <= 'z' || text[at] >= '0' && text[at] <= '9' || text[at] >= 0x80)
}

// privateCases are the shipped captures and, where it is beside the checkout, the
// whole corpus.
func privateCases(t *testing.T) []string {
	t.Helper()
	files, _ := filepath.Glob("testdata/auth/*/capture.pcap*")
	more, _ := filepath.Glob("../../../shared/corpus/*/capture.pcap*")
	if len(files) == 0 {
		t.Fatal("testdata/auth is empty")
	}
	if raceDetector { // what the shipped ones do not race the others do not either
		more = nil
	}
	return append(append(files, "testdata/demo.pcap"), more...)
}

// No output tells a value that privacy hides: every form of records, the report, its
// page, the live page, alerts, metrics, Loki, syslog, the program's own log.
func TestNothingHiddenIsTold(t *testing.T) {
	key := keyFile(t)
	for _, file := range privateCases(t) {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			var keylog []string
			if keys := filepath.Join(filepath.Dir(file), "keys.log"); exists(keys) {
				keylog = []string{"--tls-keylog=" + keys}
			}
			p := personalOf(t, file, keylog...)
			for _, leak := range p.leaks(everything(t, file, hiding(key, "pseudonym")...)) {
				t.Error(leak)
			}
		})
	}
}

// The search can fail: without privacy each of these outputs tells values.
func TestSearchForHiddenValuesCanFail(t *testing.T) {
	p := personalOf(t, "testdata/demo.pcap")
	if len(p.values) < 20 {
		t.Errorf("only %d values are searched for: %v", len(p.values), slices.Sorted(maps.Keys(p.values)))
	}
	told := strings.Join(p.leaks(everything(t, "testdata/demo.pcap")), "\n")
	for _, where := range []string{"records", "loki", "syslog", "webhook", "screen", "report", "html page", "page", "ladder", "ecs", "ocsf", "eve", "zeek"} {
		if !strings.Contains("\n"+told, "\n"+where+" tells ") {
			t.Errorf("the %s tells nothing: it was not searched", where)
		}
	}
}

// Other modes hide as much of their own.
func TestModesHideWhatTheySay(t *testing.T) {
	p := personalOf(t, "testdata/demo.pcap")
	flags := append(hiding(keyFile(t), "none"), "--loki.privacy={addresses: domain, users: domain, file_names: extension, clients: prefix}",
		"--web.privacy={addresses: account, users: account}", "--privacy.texts=none")
	for _, leak := range p.leaks(everything(t, "testdata/demo.pcap", flags...)) {
		t.Error(leak)
	}
}

// With nothing hidden every record is what it was.
func TestFullShowsEverythingAsItWas(t *testing.T) {
	for _, format := range []string{"json", "text", "ecs"} {
		args := []string{"read", "--sensor=x", "--format=" + format, "testdata/demo.pcap"}
		_, plain, _ := call("", args...)
		_, full, _ := call("", append(args, hiding(keyFile(t), "full")[:6]...)...)
		if plain != full || plain == "" {
			t.Errorf("%s differs", format)
		}
	}
}

// The same capture gives the same pseudonyms with the same key, and others with
// another; during a rotation both can be found.
func TestPseudonymsFollowTheKey(t *testing.T) {
	first, second := keyFile(t), keyFile(t)
	read := func(key string) string {
		status, out, errs := call("", append([]string{"read", "--sensor=x", "--format=json", "testdata/demo.pcap"}, hiding(key, "pseudonym")...)...)
		if status != 0 {
			t.Fatal(errs)
		}
		return out
	}
	one, again, other := read(first), read(first), read(second)
	if one != again {
		t.Error("the same key gives other records")
	}
	_, plain, _ := call("", "read", "--sensor=x", "--format=json", "testdata/demo.pcap")
	sender := regexp.MustCompile(`"from":"([^"]+@[^"]+)"`).FindStringSubmatch(plain)[1]
	status, found, errs := call("", "privacy", "find", "--privacy.key_file="+second, "--privacy.previous_key_file="+first, sender)
	if status != 0 {
		t.Fatal(errs)
	}
	words := strings.Fields(found) // value, pseudonym, which key; twice
	if len(words) != 6 || words[2] != "key_file" || words[5] != "previous_key_file" {
		t.Fatalf("privacy find says %q", found)
	}
	if !strings.Contains(one, words[4]) || strings.Contains(one, words[1]) || !strings.Contains(other, words[1]) || strings.Contains(other, words[4]) {
		t.Errorf("the pseudonyms of %s are %s and then %s: not those of the records", sender, words[4], words[1])
	}
}

// Each output hides what it was told to hide, and the rules see all.
func TestEachOutputHasItsOwnPrivacy(t *testing.T) {
	key := keyFile(t)
	said := everything(t, shipped("06_auth_login_clear_5fail"), "--privacy.key_file="+key, "--loki.privacy={users: pseudonym, addresses: account}",
		"--syslog.privacy={users: none, addresses: none}", "--alerts.privacy={users: domain}", "--web.privacy={users: none, addresses: domain}")
	for where, told := range map[string]bool{"records": true, "report": true, "loki": false, "syslog": false, "webhook": false, "screen": false, "page": false} {
		if got := wordAt(bytes.ToLower(said.text[where].Bytes()), "bob") >= 0; got != told {
			t.Errorf("the %s names bob: %v, want %v", where, got, told)
		}
	}
	for _, where := range []string{"records", "loki", "syslog"} {
		if !strings.Contains(said.text[where].String(), "AuthBruteForce") {
			t.Errorf("the %s has no alert", where)
		}
	}
}

func TestAWrongPrivacyIsRefusedInALine(t *testing.T) {
	open := keyFile(t)
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	short := writeTemp(t, "secret")
	for _, c := range []struct{ args, want string }{
		{"--privacy.addresses=pseudonym", "pseudonyms need privacy.key_file"},
		{"--loki.privacy={users: account}", "loki.privacy: pseudonyms need privacy.key_file"},
		{"--privacy.subjects=domain", `privacy.subjects: "domain" is no way to show subjects, allowed is full, pseudonym, none`},
		{"--loki.privacy={clients: domain}", `loki.privacy.clients: "domain" is no way to show clients, allowed is full, prefix, pseudonym, none`},
		{"--loki.privacy={client: none}", "loki.privacy"},
		{"--privacy.key_file=" + open, "can be read or changed by everybody"},
		{"--privacy.key_file=" + short, "holds no key, it must be 64 to 128 hexadecimal digits"},
		{"--privacy.key_file=/nowhere/key", "privacy.key_file: /nowhere/key: no such file or directory"},
		{"--privacy.client_prefix_v4=33", "allowed is 1 to 32"},
		{"--privacy.users=none --alerts.evidence.directory=x", "alerts.evidence.despite_privacy"},
	} {
		var args []string
		for _, a := range strings.Split(c.args, " --") {
			args = append(args, "--"+strings.TrimPrefix(a, "--"))
		}
		_, err := loadFrom("", nil, args...)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %q", c.args, err, c.want)
		}
	}
}

// What waits on the disk for receivers is hidden already, and what fires is known
// again after a restart.
func TestOutboxHoldsPseudonyms(t *testing.T) {
	capture, err := os.ReadFile(shipped("06_auth_login_clear_5fail"))
	if err != nil {
		t.Fatal(err)
	}
	down := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer down.Close()
	dir := t.TempDir()
	args := append(hiding(keyFile(t), "pseudonym"), "run", "--interface=-", "--web.listen-address=127.0.0.1:0", "--state_dir="+dir, "--stop_timeout=100ms",
		"--log.records.file="+filepath.Join(dir, "records.json"), `--alerts.receivers=[{name: ops, webhook: {url: "`+down.URL+`"}}]`)
	_, _, errs := call(string(capture), args...)
	p := personalOf(t, shipped("06_auth_login_clear_5fail"))
	p.values["bob"] = true
	said := &spoken{text: make(map[string]*bytes.Buffer)}
	for _, name := range []string{"outbox/alerts.db", "outbox/journal-0", "outbox/journal-1", "records.json"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err, errs)
		}
		said.Write(name, text)
	}
	if !strings.Contains(said.text["outbox/alerts.db"].String(), "AuthBruteForce") {
		t.Errorf("the outbox holds no alert: %s", errs)
	}
	for _, leak := range p.leaks(said) {
		t.Error(leak)
	}
}

// Evidence holds mail: where anything is hidden it must be asked for, and its name
// tells nothing.
func TestEvidenceDespitePrivacy(t *testing.T) {
	dir := t.TempDir()
	args := []string{"read", "--format=json", "--log.records.kinds=alert", "--alerts.evidence.directory=" + dir, shipped("06_auth_login_clear_5fail")}
	evidence := regexp.MustCompile(`"rule":"AuthBruteForce".*"evidence":"[^"]*-([0-9a-f]+)\.pcapng"`)
	_, plain, _ := call("", args...)
	hide := append(args, hiding(keyFile(t), "pseudonym")[:6]...)
	if status, _, errs := call("", hide...); status != 2 || !strings.Contains(errs, "despite_privacy") {
		t.Errorf("exit status %d: %s", status, errs)
	}
	status, hidden, errs := call("", append(hide, "--alerts.evidence.despite_privacy=true")...)
	a, b := evidence.FindStringSubmatch(plain), evidence.FindStringSubmatch(hidden)
	if status != 0 || a == nil || b == nil || a[1] == b[1] {
		t.Errorf("exit status %d, %q and %q: %s", status, a, b, errs)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*"+b[1]+".pcapng")); len(files) == 0 {
		t.Error("there is no file of that name")
	}
}
