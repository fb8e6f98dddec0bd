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

	"github.com/prometheus/exporter-toolkit/web"

	livepage "github.com/mailtap/mailtap/dashboards/page"
)

// webServer is the listener of metrics and health.
type webServer struct {
	listener net.Listener
	server   *http.Server
	flags    *web.FlagConfig
	log      *slog.Logger
	done     chan error
	ready    atomic.Bool
}

// handlers are what the listener serves beside health.
type handlers struct {
	metrics, alerts http.Handler
	page            *livepage.Page // nil: a list of links
}

// listen takes the address, so that a port in use is known before anything
// else begins.
func listen(cfg WebConfig, h handlers, log *slog.Logger) (*webServer, error) {
	file := string(cfg.Config.File)
	if err := web.Validate(file); err != nil {
		return nil, fmt.Errorf("web.config.file %s: %w", file, err)
	}
	l, err := net.Listen("tcp", string(cfg.ListenAddress))
	if err != nil {
		return nil, fmt.Errorf("web.listen-address: %w", err)
	}
	addresses := []string{l.Addr().String()}
	w := &webServer{
		listener: l, log: log, done: make(chan error, 1),
		flags: &web.FlagConfig{WebListenAddresses: &addresses, WebConfigFile: &file},
	}
	w.server = &http.Server{Handler: w.routes(h), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	if h.page != nil {
		w.server.RegisterOnShutdown(h.page.Close)
	}
	return w, nil
}

// url is what to open.
func (w *webServer) url() string {
	scheme := "http"
	if *w.flags.WebConfigFile != "" {
		scheme = "https"
	}
	return scheme + "://" + w.listener.Addr().String()
}

func (w *webServer) routes(h handlers) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", h.metrics)
	mux.Handle("GET /api/v1/alerts", h.alerts)
	mux.HandleFunc("GET /-/healthy", func(rw http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(rw, "mailtap is healthy.")
	})
	mux.HandleFunc("GET /-/ready", w.answerReady)
	if h.page != nil {
		h.page.Routes(mux)
	} else {
		mux.HandleFunc("GET /{$}", answerIndex)
	}
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

func (w *webServer) start() {
	go func() {
		err := web.Serve(w.listener, w.server, w.flags, w.log)
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
