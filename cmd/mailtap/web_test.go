package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// site serves a listener of a configuration, and gives its log.
func site(t *testing.T, args ...string) (*webServer, *safeBuffer) {
	t.Helper()
	cfg, err := loadFrom("", nil, append([]string{"--web.listen-address=127.0.0.1:0"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	log := &safeBuffer{}
	active := newActiveAlerts("test")
	w, err := listen(cfg.Web, handlers{metrics: http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, "up 1\n") }), alerts: active, page: cfg.page(active, cfg.shown(keyring{}))},
		slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	w.start()
	t.Cleanup(func() { w.stop(time.Second) })
	return w, log
}

// webConfig writes a web.config.file with the user eve and more lines.
func webConfig(t *testing.T, password string, more string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "web.yaml")
	writeWebConfig(t, file, password, more)
	return file
}

func writeWebConfig(t *testing.T, file, password, more string) {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("basic_auth_users:\n  eve: "+string(hash)+"\n"+more), 0o600); err != nil {
		t.Fatal(err)
	}
}

// askAs asks under a name of the host.
func askAs(t *testing.T, w *webServer, method, host, path string, set func(*http.Request)) (int, http.Header, string) {
	t.Helper()
	q, err := http.NewRequest(method, "http://"+w.listener.Addr().String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Host = host
	if set != nil {
		set(q)
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, _ := io.ReadAll(r.Body)
	return r.StatusCode, r.Header, string(body)
}

// Prometheus and the load balancer need no password where they were let in; the
// page, its JSON and what changes mailtap do.
func TestAreasAreGuardedApart(t *testing.T) {
	file := webConfig(t, "open sesame", "")
	w, _ := site(t, "--web.config.file="+file, "--web.open=metrics,health", "--web.enable_reload=true", "--web.pprof=true")
	w.ready.Store(true)
	for path, want := range map[string]int{
		"/metrics": 200, "/-/healthy": 200, "/-/ready": 200,
		"/": 401, "/page/page.js": 401, "/api/v1/alerts": 401, "/api/v1/status": 401, "/nothing": 401, "/debug/pprof/": 401, "/-/reload": 401,
	} {
		if status, _ := get(t, w, path, ""); status != want {
			t.Errorf("%s without a password: %d, want %d", path, status, want)
		}
	}
	for path, want := range map[string]int{"/": 200, "/api/v1/alerts": 200, "/nothing": 404, "/debug/pprof/": 200, "/debug/pprof/cmdline": 404, "/-/reload": 405} {
		if status, body := get(t, w, path, "open sesame"); status != want {
			t.Errorf("%s with it: %d %s", path, status, body)
		}
	}
	if w.url() != "http://"+w.listener.Addr().String() {
		t.Errorf("a password is no TLS: %s", w.url())
	}
	w, _ = site(t)
	if status, _ := get(t, w, "/debug/pprof/", ""); status != http.StatusNotFound {
		t.Errorf("profiles that nobody asked for: %d", status)
	}
}

// Who guesses is slowed down, whether the user exists or not; who is known is not.
func TestGuessesAreFew(t *testing.T) {
	file := webConfig(t, "open sesame", "")
	w, _ := site(t, "--web.config.file="+file)
	if status, _ := get(t, w, "/metrics", "open sesame"); status != 200 {
		t.Fatal(status)
	}
	seen := map[int]int{}
	for i := range 100 {
		status, _, _ := askAs(t, w, "GET", "localhost", "/metrics", func(q *http.Request) { q.SetBasicAuth([]string{"eve", "nobody"}[i%2], fmt.Sprint("guess ", i)) })
		seen[status]++
	}
	if seen[401] == 0 || seen[401] > 60 || seen[401]+seen[429] != 100 {
		t.Errorf("a hundred guesses: %v", seen)
	}
	if status, _ := get(t, w, "/metrics", "open sesame"); status != 200 {
		t.Errorf("who is known: %d", status)
	}
	counts := w.refused.counts()
	if int(counts[refusedPassword]) != seen[401] || int(counts[refusedRate]) != seen[429] {
		t.Errorf("counted %v of %v", counts, seen)
	}
	// Another password takes the place of the old one, without a restart.
	writeWebConfig(t, file, "new word", "")
	if !within(30*time.Second, func() bool {
		was, _ := get(t, w, "/metrics", "open sesame")
		return was != 200
	}) {
		t.Error("the old password stays")
	}
	if !within(30*time.Second, func() bool { is, _ := get(t, w, "/metrics", "new word"); return is == 200 }) {
		t.Error("the new one is not taken")
	}
	// A broken file keeps it.
	if err := os.WriteFile(file, []byte("basic_auth_users: [\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(reread + 100*time.Millisecond)
	if status, _ := get(t, w, "/metrics", "new word"); status != 200 {
		t.Errorf("with a broken file: %d", status)
	}
	if status, _ := get(t, w, "/metrics", ""); status != 401 {
		t.Errorf("a broken file opens the door: %d", status)
	}
}

// A hostile site whose name leads to this machine gets nothing of the page; metrics
// and health are asked for by any name.
func TestHostNames(t *testing.T) {
	w, _ := site(t, "--web.hosts=tap1.example.org", "--web.enable_reload=true")
	name, _ := os.Hostname()
	for host, want := range map[string]int{
		"127.0.0.1:9025": 200, "[::1]:9025": 200, "192.0.2.5": 200, "localhost:9025": 200, "LOCALHOST.": 200, "tap1.example.org": 200, "Tap1.Example.org:443": 200, name: 200,
		"evil.example": 403, "evil.example:9025": 403, "127.0.0.1.evil.example": 403, "tap1.example.org.evil.example": 403, "localhost.evil.example": 403,
	} {
		for _, path := range []string{"/", "/api/v1/alerts"} {
			if status, _, body := askAs(t, w, "GET", host, path, nil); status != want {
				t.Errorf("%s of %s: %d %s", path, host, status, body)
			}
		}
		if status, _, _ := askAs(t, w, "GET", host, "/metrics", nil); status != 200 {
			t.Errorf("metrics of %s: %d", host, status)
		}
	}
	if status, _, _ := askAs(t, w, "POST", "localhost", "/-/reload", func(q *http.Request) { q.Header.Set("Sec-Fetch-Site", "cross-site") }); status != http.StatusForbidden {
		t.Errorf("a page of another site reloads: %d", status)
	}
}

func TestSecurityHeaders(t *testing.T) {
	w, _ := site(t)
	for _, path := range []string{"/", "/metrics", "/api/v1/alerts", "/api/v1/status", "/-/healthy", "/nothing"} {
		_, head, _ := askAs(t, w, "GET", "localhost", path, nil)
		policy := head.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer"} {
			if head.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, head.Get(name))
			}
		}
		if !strings.HasPrefix(head.Get("Cache-Control"), "no-") {
			t.Errorf("%s: Cache-Control %q", path, head.Get("Cache-Control"))
		}
	}
}

// Each limit is one, and each is counted.
func TestLimitsOfTheListener(t *testing.T) {
	w, _ := site(t, "--web.limits.connections=4", "--web.limits.connections_per_address=3", "--web.limits.header=1KiB", "--web.limits.body=1KiB",
		"--web.limits.read_header_timeout=200ms", "--web.limits.read_timeout=300ms")
	dial := func(text string) net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", w.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_, _ = io.WriteString(c, text)
		_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
		return c
	}
	answer := func(c net.Conn) string {
		defer c.Close()
		line, _ := bufio.NewReader(c).ReadString('\n')
		return strings.TrimSpace(line)
	}
	free := func() {
		t.Helper()
		if !within(30*time.Second, func() bool { return w.listener.connections() == 0 }) {
			t.Fatalf("%d connections are open", w.listener.connections())
		}
	}
	for text, want := range map[string]string{
		"GET /metrics HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 20000) + "\r\n\r\n":             "HTTP/1.1 431 Request Header Fields Too Large",
		"GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n":                              "HTTP/1.1 413 Request Entity Too Large",
		"GET /metrics HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n":          "HTTP/1.1 413 Request Entity Too Large",
		"GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nConnection: close\r\n\r\n0123456789": "HTTP/1.1 200 OK",
		"GET /metrics HTTP/1.1\r\nHos": "HTTP/1.1 400 Bad Request", // and no more
	} {
		if got := answer(dial(text)); got != want {
			t.Errorf("%.60q is answered with %q, want %q", text, got, want)
		}
		free()
	}
	var held []net.Conn
	for range 3 {
		held = append(held, dial("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"))
	}
	if !within(30*time.Second, func() bool { return w.listener.connections() == 3 }) {
		t.Fatal(w.listener.connections())
	}
	if got := answer(dial("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")); got != "" {
		t.Errorf("the fourth of an address: %q", got)
	}
	// The page's stream outlives the time that a request has to come.
	_ = held[0].SetReadDeadline(time.Now().Add(700 * time.Millisecond))
	if _, err := io.Copy(io.Discard, held[0]); err == nil {
		t.Error("a stream ended")
	}
	for _, c := range held {
		c.Close()
	}
	free()
	counts := w.refused.counts()
	for why, want := range map[int]uint64{refusedHeader: 1, refusedBody: 2, refusedSlow: 1, refusedAddress: 1} {
		if counts[why] != want {
			t.Errorf("%s: %d counted, want %d", refusalNames[why], counts[why], want)
		}
	}
}

// selfSigned writes a certificate and its key.
func selfSigned(t *testing.T, dir string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"c.pem": {Type: "CERTIFICATE", Bytes: der}, "k.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TLS as the exporter toolkit has it, and a renewed certificate without a restart.
func TestListenerSpeaksTLS(t *testing.T) {
	file := webConfig(t, "open sesame", "tls_server_config: {cert_file: c.pem, key_file: k.pem}\nhttp_server_config: {headers: {Strict-Transport-Security: max-age=60}}\n")
	first := selfSigned(t, filepath.Dir(file))
	w, _ := site(t, "--web.config.file="+file)
	if !strings.HasPrefix(w.url(), "https://127.0.0.1:") {
		t.Errorf("url %s", w.url())
	}
	ask := func() (serial *big.Int, r *http.Response) {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		q, _ := http.NewRequest("GET", w.url()+"/metrics", nil)
		q.SetBasicAuth("eve", "open sesame")
		r, err := client.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		return r.TLS.PeerCertificates[0].SerialNumber, r
	}
	serial, r := ask()
	if serial.Cmp(first.SerialNumber) != 0 || r.StatusCode != 200 || r.ProtoMajor != 2 || r.Header.Get("Strict-Transport-Security") != "max-age=60" {
		t.Errorf("%v %+v", serial, r)
	}
	second := selfSigned(t, filepath.Dir(file))
	if !within(30*time.Second, func() bool { serial, _ := ask(); return serial.Cmp(second.SerialNumber) == 0 }) {
		t.Error("the renewed certificate is not shown")
	}
}

// Whoever opens the listener to others without protecting it hears of it.
func TestOpenListenerIsTold(t *testing.T) {
	dir := t.TempDir()
	selfSigned(t, dir)
	secure := "tls_server_config: {cert_file: " + dir + "/c.pem, key_file: " + dir + "/k.pem}\n"
	password := webConfig(t, "x", "")
	bare := filepath.Join(dir, "tls.yaml")
	if err := os.WriteFile(bare, []byte(secure), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ address, file, want string }{
		{"127.0.0.1:0", "", ""}, {"[::1]:0", "", ""},
		{":0", "", "WITHOUT TLS and a password"}, {"0.0.0.0:0", password, "WITHOUT TLS:"}, {":0", bare, "WITHOUT a password"}, {":0", webConfig(t, "x", secure), ""},
	} {
		args := []string{"--web.listen-address=" + c.address}
		if c.file != "" {
			args = append(args, "--web.config.file="+c.file)
		}
		_, log := site(t, args...)
		if warned := strings.Contains(log.String(), "WITHOUT"); warned != (c.want != "") || !strings.Contains(log.String(), c.want) {
			t.Errorf("%s with %q:\n%s", c.address, filepath.Base(c.file), log)
		}
	}
	if bytes.Contains([]byte(index), []byte("style")) {
		t.Error("the policy forbids styles")
	}
}
