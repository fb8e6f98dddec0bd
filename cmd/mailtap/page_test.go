package main

import (
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// pageSite serves the page of a configuration.
func pageSite(t *testing.T, args ...string) *webServer {
	t.Helper()
	cfg, err := loadFrom("", nil, append(args, "--web.listen-address=127.0.0.1:0")...)
	if err != nil {
		t.Fatal(err)
	}
	active := newActiveAlerts("test")
	w, err := listen(cfg.Web, handlers{metrics: http.NotFoundHandler(), alerts: active, page: cfg.page(active, cfg.shown(keyring{}))}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w.start()
	t.Cleanup(func() { w.stop(time.Second) })
	return w
}

func get(t *testing.T, w *webServer, path, password string) (int, string) {
	t.Helper()
	q, err := http.NewRequest("GET", "http://"+w.listener.Addr().String()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if password != "" {
		q.SetBasicAuth("eve", password)
	}
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(body)
}

var pagePaths = []string{"/", "/page/page.js", "/api/v1/status", "/api/v1/sessions", "/api/v1/rates", "/api/v1/talkers"}

func TestPageIsOffByFlag(t *testing.T) {
	on, off := pageSite(t), pageSite(t, "--web.page=false")
	for _, path := range pagePaths {
		if status, _ := get(t, on, path, ""); status != 200 {
			t.Errorf("%s: %d", path, status)
		}
		status, body := get(t, off, path, "")
		if path == "/" && (status != 200 || !strings.Contains(body, "/metrics") || strings.Contains(body, "script")) || path != "/" && status != 404 {
			t.Errorf("%s without the page: %d %s", path, status, body)
		}
	}
	if status, _ := get(t, off, "/api/v1/alerts", ""); status != 200 {
		t.Errorf("alerts without the page: %d", status)
	}
}

// What guards /metrics guards all of the page.
func TestPageAsksForThePassword(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("open sesame"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "web.yaml")
	if err := os.WriteFile(file, []byte("basic_auth_users:\n  eve: "+string(hash)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := pageSite(t, "--web.config.file="+file)
	for _, path := range append(pagePaths, "/api/v1/events") {
		if status, _ := get(t, w, path, ""); status != http.StatusUnauthorized {
			t.Errorf("%s without a password: %d", path, status)
		}
		if path == "/api/v1/events" {
			continue // it does not end
		}
		if status, _ := get(t, w, path, "open sesame"); status != 200 {
			t.Errorf("%s with it: %d", path, status)
		}
	}
}

// Pages that are open do not hold up the end of the program.
func TestOpenPagesDoNotHoldUpTheEnd(t *testing.T) {
	w := pageSite(t)
	r, err := http.Get("http://" + w.listener.Addr().String() + "/api/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	begin := time.Now()
	w.stop(time.Minute)
	if _, err := io.ReadAll(r.Body); err != nil {
		t.Errorf("the stream did not end: %v", err)
	}
	if waited := time.Since(begin); waited > 30*time.Second {
		t.Errorf("it took %v", waited)
	}
}
