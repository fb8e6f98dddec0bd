package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/mailtap/mailtap/dashboards/report"
)

// hook is the demo's own webhook receiver: it shows that what Alertmanager's
// receivers understand arrives.
type hook struct {
	listener net.Listener
	server   *http.Server
	screen   io.Writer
}

// notification is the part of Alertmanager's webhook, version 4, that is shown.
type notification struct {
	Version  string `json:"version"`
	Receiver string `json:"receiver"`
	Alerts   []struct {
		Status      string            `json:"status"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"alerts"`
}

// startHook listens on a free port of the loopback interface.
func startHook(screen io.Writer) (*hook, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("webhook of the demo: %w", err)
	}
	h := &hook{listener: l, screen: screen}
	h.server = &http.Server{Handler: http.HandlerFunc(h.receive), ReadHeaderTimeout: 5 * time.Second}
	go h.server.Serve(l)
	return h, nil
}

func (h *hook) url() string { return "http://" + h.listener.Addr().String() + "/" }

func (h *hook) receive(w http.ResponseWriter, r *http.Request) {
	var n notification
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&n); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	for _, a := range n.Alerts {
		fmt.Fprintf(h.screen, "webhook  POST v%s %s %s to receiver %s\n", n.Version, a.Status, report.Printable(a.Labels["alertname"]), n.Receiver)
	}
}

func (h *hook) stop() { h.server.Close() }

// screen keeps whole lines of several goroutines apart.
type screen struct {
	mu sync.Mutex
	w  io.Writer
}

// Write implements io.Writer.
func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(b)
}
