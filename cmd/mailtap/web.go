package main

import (
	"context"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	livepage "github.com/mailtap/mailtap/dashboards/page"
)

// webServer is the listener of the page, metrics and health. It has its own
// goroutines, and nothing that the packet path waits for.
type webServer struct {
	cfg      WebConfig
	listener *limitListener
	server   *http.Server
	file     *webFile
	access   *access
	refused  *refusals
	log      *slog.Logger
	done     chan error
	ready    atomic.Bool
	reload   atomic.Pointer[func() error] // nil: not yet
}

// handlers are what the listener serves beside health.
type handlers struct {
	metrics, alerts http.Handler
	page            *livepage.Page // nil: a list of links
}

// listen takes the address, so that a port in use is known before anything
// else begins.
func listen(cfg WebConfig, h handlers, log *slog.Logger) (*webServer, error) {
	file, err := openWebFile(string(cfg.Config.File), log)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", string(cfg.ListenAddress))
	if err != nil {
		return nil, fmt.Errorf("web.listen-address: %w", err)
	}
	w := &webServer{cfg: cfg, file: file, log: log, refused: &refusals{}, done: make(chan error, 1)}
	w.listener = newLimitListener(l, &cfg.Limits, w.refused)
	w.access = newAccess(&cfg, file, w.refused)
	w.server = &http.Server{
		Handler: w.limited(w.routes(h)), MaxHeaderBytes: int(cfg.Limits.Header),
		ReadHeaderTimeout: time.Duration(cfg.Limits.ReadHeaderTimeout), ReadTimeout: time.Duration(cfg.Limits.ReadTimeout),
		WriteTimeout: time.Duration(cfg.Limits.WriteTimeout), IdleTimeout: time.Duration(cfg.Limits.IdleTimeout),
		ConnState: noteState, ErrorLog: quietLog(log), HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
	}
	file.prepare(w.server)
	if h.page != nil {
		w.server.RegisterOnShutdown(h.page.Close)
	}
	w.warn()
	return w, nil
}

// maxStreams bounds the requests that a connection of HTTP/2 has at once.
const maxStreams = 32

// url is what to open.
func (w *webServer) url() string {
	scheme := "http"
	if w.file.tls() {
		scheme = "https"
	}
	return scheme + "://" + w.listener.Addr().String()
}

// warn says loudly who can read what.
func (w *webServer) warn() {
	if isLoopback(w.listener.Addr()) {
		return
	}
	lacks := ""
	switch {
	case !w.file.tls() && !w.file.asks():
		lacks = "TLS and a password"
	case !w.file.tls():
		lacks = "TLS"
	case !w.file.asks() && !w.file.asksForCertificate():
		lacks = "a password"
	default:
		return
	}
	w.log.Warn("THE LISTENER IS OPEN TO OTHER HOSTS WITHOUT "+lacks+": whoever reaches it, or the network between, can read addresses, user names and subjects; "+
		"set web.config.file, or listen on 127.0.0.1", "address", w.listener.Addr().String())
}

func (w *webServer) routes(h handlers) http.Handler {
	mux, inside := http.NewServeMux(), http.NewServeMux()
	mux.Handle("GET /metrics", w.access.to(areaMetrics, h.metrics))
	mux.Handle("GET /-/healthy", w.access.to(areaHealth, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(rw, "mailtap is healthy.")
	})))
	mux.Handle("GET /-/ready", w.access.to(areaHealth, http.HandlerFunc(w.answerReady)))
	mux.Handle("/-/reload", w.access.to(areaAdmin, http.HandlerFunc(w.answerReload)))
	if w.cfg.Pprof {
		mux.Handle("/debug/pprof/", w.access.to(areaAdmin, profiles()))
	}
	inside.Handle("GET /api/v1/alerts", h.alerts)
	if h.page != nil {
		h.page.Routes(inside)
	} else {
		inside.HandleFunc("GET /{$}", answerIndex)
	}
	mux.Handle("/", w.access.to(areaPage, inside))
	return mux
}

func (w *webServer) answerReady(rw http.ResponseWriter, _ *http.Request) {
	if !w.ready.Load() {
		http.Error(rw, "mailtap does not capture yet.", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(rw, "mailtap is ready.")
}

const index = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>mailtap</title>
<h1>mailtap %s</h1>
<ul>
<li><a href="/metrics">/metrics</a> for Prometheus</li>
<li><a href="/api/v1/alerts">/api/v1/alerts</a>: what fires now, as JSON</li>
<li><a href="/-/healthy">/-/healthy</a>: the process lives</li>
<li><a href="/-/ready">/-/ready</a>: packets are being read</li>
</ul>
`

func answerIndex(rw http.ResponseWriter, _ *http.Request) {
	rw.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(rw, index, html.EscapeString(version))
}

// answerReload is POST /-/reload: 200, or what was wrong, a line each.
func (w *webServer) answerReload(rw http.ResponseWriter, r *http.Request) {
	reload := w.reload.Load()
	switch {
	case !w.cfg.EnableReload:
		http.Error(rw, "reloading by HTTP is off; web.enable_reload: true allows it", http.StatusForbidden)
	case r.Method != http.MethodPost && r.Method != http.MethodPut:
		rw.Header().Set("Allow", "POST, PUT")
		http.Error(rw, "POST is wanted", http.StatusMethodNotAllowed)
	case reload == nil:
		http.Error(rw, "mailtap does not capture yet.", http.StatusServiceUnavailable)
	default:
		// What a full disk or a slow spool holds up is no reason to say that it failed.
		_ = http.NewResponseController(rw).SetWriteDeadline(time.Time{})
		err := (*reload)()
		var failed failure
		switch {
		case err == nil:
			fmt.Fprintln(rw, "reloaded")
		case errors.As(err, &failed):
			http.Error(rw, err.Error(), http.StatusInternalServerError)
		case errors.Is(err, errStopping):
			http.Error(rw, err.Error(), http.StatusServiceUnavailable)
		default:
			http.Error(rw, err.Error(), http.StatusBadRequest)
		}
	}
}

func (w *webServer) start() {
	w.log.Info("listening", "address", w.listener.Addr().String(), "tls", w.file.tls(), "password", w.file.asks())
	go func() {
		serve := w.server.Serve
		if w.file.tls() {
			serve = func(l net.Listener) error { return w.server.ServeTLS(l, "", "") }
		}
		err := serve(w.listener)
		if errors.Is(err, http.ErrServerClosed) {
			err = nil
		}
		w.done <- err
	}()
}

// stop lets scrapes end, for a time.
func (w *webServer) stop(patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.server.Shutdown(ctx); err != nil {
		w.server.Close()
	}
	w.listener.Close() // where start never came
}
