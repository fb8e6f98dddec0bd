package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/snappy"

	"github.com/mailtap/mailtap/dashboards/report"
	"github.com/mailtap/mailtap/sessions/ladder"
	recordlog "github.com/mailtap/mailtap/sessions/log"
)

// No secret leaves the decoder: everything that mailtap says about captures
// with logins is searched for the passwords that their clients sent.
//
// The passwords are learned from client.log beside each capture, which is what
// the clients sent and read on their own sockets, never from mailtap or the
// capture: options of swaks, curl and msmtp, the third part of AUTH PLAIN, the
// answer to "Password:" of AUTH LOGIN, and the bearer tokens of XOAUTH2.

// known collects what a log of a client tells.
type known struct{ secrets, users map[string]bool }

// tooShort is what would be found by chance.
const tooShort = 6

func (k *known) secret(s string) {
	if len(s) >= tooShort {
		k.secrets[s] = true
	}
}

var (
	options  = regexp.MustCompile(`(?:--auth-password|-ap|--password)[ =]'?([^\s']+)`)
	curlUser = regexp.MustCompile(`(?:--user|-u) '?([^\s:']+):([^\s']+)`)
	fromLine = regexp.MustCompile(`^(?:[Cc]:| ->|>) ?`)
	toLine   = regexp.MustCompile(`^(?:[Ss]:|<- |<~ |<) ?`)
)

// learn reads one client.log, in each of the forms of the clients that wrote it.
func (k *known) learn(log string) {
	for _, m := range options.FindAllStringSubmatch(log, -1) {
		k.secret(m[1])
	}
	for _, m := range curlUser.FindAllStringSubmatch(log, -1) {
		k.secret(m[2])
	}
	prompt, plain := "", false
	for line := range strings.SplitSeq(log, "\n") {
		line = strings.TrimSuffix(strings.TrimSuffix(strings.TrimRight(line, "\r"), `\n`), `\r`)
		if rest := strings.TrimSpace(toLine.ReplaceAllString(line, "")); strings.HasPrefix(rest, "334") {
			prompt = decode64(strings.TrimSpace(rest[3:]))
			continue
		}
		sent := strings.TrimSpace(fromLine.ReplaceAllString(line, ""))
		words := strings.Fields(sent)
		if len(words) >= 2 && strings.EqualFold(words[0], "AUTH") {
			plain = strings.EqualFold(words[1], "PLAIN") || strings.HasPrefix(strings.ToUpper(words[1]), "X") || strings.EqualFold(words[1], "OAUTHBEARER")
			if len(words) == 3 {
				k.exchange(words[2], plain)
			}
			continue
		}
		switch {
		case strings.HasPrefix(strings.ToLower(prompt), "password"):
			k.secret(decode64(sent))
		case strings.HasPrefix(strings.ToLower(prompt), "user"):
			k.users[decode64(sent)] = true
		case plain:
			k.exchange(sent, plain)
		}
		prompt, plain = "", false
	}
}

// learnKeys reads a key log: label, client's random, secret.
func (k *known) learnKeys(log string) {
	for line := range strings.Lines(log) {
		if words := strings.Fields(line); len(words) == 3 && !strings.HasPrefix(line, "#") {
			k.secret(words[2])
		}
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// exchange reads the response of PLAIN or a bearer token.
func (k *known) exchange(response string, plain bool) {
	text := decode64(response)
	if parts := strings.Split(text, "\x00"); plain && len(parts) == 3 {
		k.secret(parts[2])
		k.users[parts[1]] = true
	}
	if _, token, ok := strings.Cut(text, "auth=Bearer "); ok {
		k.secret(strings.TrimRight(token, "\x01"))
	}
}

func decode64(s string) string {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return ""
	}
	return string(b)
}

// forms is a secret in clear and in base64: alone, and at each place that it
// can have inside something longer, without the letters that its neighbours
// have a share in.
func forms(secret string) []string {
	out := []string{secret, base64.StdEncoding.EncodeToString([]byte(secret))}
	for shift := range 3 {
		padded := base64.StdEncoding.EncodeToString(append(make([]byte, shift), secret...))
		from, to := (shift*8+5)/6, (shift+len(secret))*8/6
		if to-from >= tooShort {
			out = append(out, padded[from:to])
		}
	}
	return out
}

// spoken is what mailtap said, by where it said it.
type spoken struct {
	mu   sync.Mutex
	text map[string]*bytes.Buffer
}

func (s *spoken) Write(where string, b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text[where] == nil {
		s.text[where] = &bytes.Buffer{}
	}
	s.text[where].Write(b)
}

func (s *spoken) writer(where string) io.Writer {
	return writerFunc(func(b []byte) (int, error) { s.Write(where, b); return len(b), nil })
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// everything reads a capture with every output switched on.
func everything(t *testing.T, file string, more ...string) *spoken {
	t.Helper()
	said := &spoken{text: make(map[string]*bytes.Buffer)}
	loki := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		plain, err := snappy.Decode(nil, body)
		if err != nil {
			t.Error(err)
		}
		said.Write("loki", plain)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer loki.Close()
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		said.Write("webhook", body)
	}))
	defer hook.Close()
	syslog, done := listenToSyslog(t, said)
	cfg, err := loadFrom("", nil, append(more, "--log.level=debug", "--sensor=test", "--loki.url="+loki.URL, "--loki.batch_wait=10ms", "--syslog.url=tcp://"+syslog,
		"--home.networks=10.20.0.24/29", "--home.domains=corp.test",
		`--alerts.receivers=[{name: ops, webhook: {url: "`+hook.URL+`"}}, {name: screen, stdout: {}}]`)...)
	if err != nil {
		t.Fatal(err)
	}
	p := &program{stdout: said.writer("report"), stderr: said.writer("log")}
	registry := newRegistry()
	w := wiring{
		cfg: &cfg, log: newLogger(cfg.Log, p.stderr), records: said.writer("records"), lines: said.writer("screen"),
		registry: registry, sources: []string{"file"}, offline: true,
	}
	w.active = newActiveAlerts("test")
	if w.keys, err = cfg.keyring(); err != nil {
		t.Fatal(err)
	}
	w.page = cfg.page(w.active, cfg.shown(w.keys))
	out, err := w.outputs()
	if err != nil {
		t.Fatal(err)
	}
	r := &reading{program: p, ctx: context.Background(), outputs: out, reports: &reports{text: true, gathered: new(report.Report)}}
	out.report = r.reports.gathered
	if keylog := filepath.Join(filepath.Dir(file), "keys.log"); exists(keylog) {
		cfg.TLS.Keylog = Path(keylog)
	}
	secrets, err := cfg.secrets()
	if err != nil {
		t.Fatal(err)
	}
	r.pipeline = newPipeline(&cfg, out, secrets, 1)
	if err := r.run([]string{file}); err != nil {
		said.Write("error", []byte(err.Error()))
	}
	done()
	out.publish()
	scrape := httptest.NewRecorder()
	metricsHandler(registry).ServeHTTP(scrape, httptest.NewRequest("GET", "/metrics", nil))
	said.Write("metrics", scrape.Body.Bytes())
	var deferred bytes.Buffer
	if err := out.queue.Save(&deferred); err != nil {
		t.Error(err)
	}
	said.Write("deferrals.state", deferred.Bytes())
	everyFormat(t, said, file, string(cfg.TLS.Keylog), more...)
	pageSays(t, out, said)
	return said
}

// listenToSyslog takes one connection; done waits for its end.
func listenToSyslog(t *testing.T, said *spoken) (address string, done func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		text, _ := io.ReadAll(c)
		said.Write("syslog", text)
	}()
	return l.Addr().String(), func() { l.Close(); <-ended }
}

// everyFormat reads a capture once for each form of the records, and for the
// page.
func everyFormat(t *testing.T, said *spoken, file, keylog string, more ...string) {
	t.Helper()
	page := filepath.Join(t.TempDir(), "page.html")
	args := append([]string{"read", "--sensor=test", "--home.networks=10.20.0.24/29", "--home.domains=corp.test", "--html=" + page}, more...)
	if keylog != "" {
		args = append(args, "--tls-keylog="+keylog)
	}
	for _, format := range recordlog.Formats[1:] {
		_, out, errs := call("", append(args, "--format="+format, file)...)
		said.Write(format, []byte(out))
		said.Write("log of "+format, []byte(errs))
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		said.Write("html page", text)
	}
}

// pageSays asks the live page for all that it has, each session's ladder too, and
// mailtap show's form of it.
func pageSays(t *testing.T, out *outputs, said *spoken) {
	t.Helper()
	mux := http.NewServeMux()
	out.page.Routes(mux)
	get := func(path string) []byte {
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
		if answer.Code != http.StatusOK {
			t.Errorf("%s: %d", path, answer.Code)
		}
		said.Write("page", answer.Body.Bytes())
		return answer.Body.Bytes()
	}
	get("/api/v1/status")
	get("/api/v1/rates")
	get("/api/v1/talkers")
	var list struct{ Sessions []struct{ Session string } }
	if err := json.Unmarshal(get("/api/v1/sessions"), &list); err != nil {
		t.Fatal(err)
	}
	for _, s := range list.Sessions {
		var view ladder.View
		if err := json.Unmarshal(get("/api/v1/sessions/"+s.Session), &view); err != nil {
			t.Fatal(err)
		}
		said.Write("ladder", view.Text(true))
	}
}

// authCases are the shipped captures with logins and, where the whole corpus
// is beside the checkout, every one of its cases that has a client's log.
func authCases(t *testing.T) []string {
	t.Helper()
	logs, _ := filepath.Glob("testdata/auth/*/client.log")
	if len(logs) == 0 {
		t.Fatal("testdata/auth is empty")
	}
	return append(logs, corpus("*/client.log")...)
}

// Each case is searched for the secrets of all: users have the same password
// in several of them, and a challenge and its response tell a log nothing.
func TestNoSecretAnywhere(t *testing.T) {
	cases := authCases(t)
	k := known{secrets: make(map[string]bool), users: make(map[string]bool)}
	for _, file := range cases {
		log, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		k.learn(string(log))
		if keys, err := os.ReadFile(filepath.Join(filepath.Dir(file), "keys.log")); err == nil {
			k.learnKeys(string(keys))
		}
	}
	if len(k.secrets) < 10 {
		t.Errorf("only %d secrets learned from the clients' logs: the search is not worth much", len(k.secrets))
	}
	t.Logf("%d cases are searched for %d secrets", len(cases), len(k.secrets))
	for _, file := range cases {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			captures, _ := filepath.Glob(filepath.Join(filepath.Dir(file), "capture.pcap*"))
			if len(captures) != 1 {
				t.Skipf("has no capture: %v", captures)
			}
			search(t, everything(t, captures[0]), k.secrets)
		})
	}
}

func search(t *testing.T, said *spoken, secrets map[string]bool) {
	for secret := range secrets {
		for _, form := range forms(secret) {
			for where, text := range said.text {
				if at := stands(text.Bytes(), form); at >= 0 {
					t.Errorf("the secret %q stands in the %s as %q: …%q…", secret, where, form,
						text.Bytes()[max(0, at-60):min(text.Len(), at+60)])
				}
			}
		}
	}
}

// stands finds a secret in a text. One of digits alone, such as 123456, counts
// only where it is a word: measured times and hashes have any digits in them.
func stands(text []byte, form string) int {
	digits := strings.Trim(form, "0123456789") == ""
	for from := 0; ; {
		at := bytes.Index(text[from:], []byte(form))
		if at < 0 {
			return -1
		}
		at += from
		if !digits || !partOfNumber(text, at-1) && !partOfNumber(text, at+len(form)) {
			return at
		}
		from = at + 1
	}
}

func partOfNumber(text []byte, at int) bool {
	return at >= 0 && at < len(text) && strings.IndexByte("0123456789abcdefABCDEF.+-", text[at]) >= 0
}

func TestSecretOfDigits(t *testing.T) {
	for text, want := range map[string]bool{
		`"password":"123456"`: true, "user 123456 logged in": true, "=123456\n": true, "123456": true,
		"1.7954669123456476e+09": false, `"session":"ab123456cd"`: false, "0.123456": false,
	} {
		if got := stands([]byte(text), "123456") >= 0; got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	if stands([]byte("xguess-word-4x"), "guess-word-4") != 1 {
		t.Error("a secret with letters is not found inside a word")
	}
}

// The search can fail: what must be told is found in every output that tells
// of logins, and the forms of a secret find it inside an AUTH PLAIN response.
func TestSecretSearchCanFail(t *testing.T) {
	log, err := os.ReadFile("testdata/auth/06_auth_login_clear_5fail/client.log")
	if err != nil {
		t.Fatal(err)
	}
	k := known{secrets: make(map[string]bool), users: make(map[string]bool)}
	k.learn(string(log))
	if !k.users["bob"] || !k.secrets["Builder-Moss-12"] || !k.secrets["guess-word-4"] {
		t.Errorf("learned users %v, secrets %v", k.users, k.secrets)
	}
	said := everything(t, shipped("06_auth_login_clear_5fail"))
	for _, where := range []string{"records", "loki", "syslog", "webhook", "screen", "report", "html page", "page", "ladder", "ecs", "ocsf", "eve"} {
		if said.text[where] == nil || !strings.Contains(said.text[where].String(), "bob") {
			t.Errorf("the %s does not name the user bob: it was not searched", where)
		}
	}
	if !strings.Contains(said.text["zeek"].String(), "\t535 ") {
		t.Error("the zeek form has no failed login: it was not searched")
	}
	if !strings.Contains(said.text["metrics"].String(), `mailtap_credentials_exposed_total{mechanism="LOGIN",role="submission",server="other"} 13`) {
		t.Error("the metrics do not count the exposed credentials")
	}
	for _, prefix := range []string{"\x00bob\x00", "\x00alice\x00", "\x00dave\x00"} {
		response := base64.StdEncoding.EncodeToString([]byte(prefix + "Builder-Moss-12"))
		if !slices.ContainsFunc(forms("Builder-Moss-12"), func(f string) bool { return strings.Contains(response, f) }) {
			t.Errorf("no form finds the password in %s", response)
		}
	}
}
