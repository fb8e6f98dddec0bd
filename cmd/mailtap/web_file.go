package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v3"
	"golang.org/x/time/rate"
)

// webFile is web.config.file: TLS, users and headers in the form of the exporter
// toolkit, which reads and checks it. It is read again when it is a second old
// and somebody asks: new certificates and users need no restart, and a flood of
// handshakes reads no files. A broken one keeps what was read before.
type webFile struct {
	path string // empty: there is none
	log  *slog.Logger

	now     atomic.Pointer[webTerms]
	reading sync.Mutex
	read    time.Time
	told    string // the mistake that the log has
}

// webTerms are what the file says.
type webTerms struct {
	config  web.Config
	tls     *tls.Config
	limiter *rate.Limiter // rate_limit; nil: none
}

// reread is how old what was read may be.
const reread = time.Second

func openWebFile(path string, log *slog.Logger) (*webFile, error) {
	f := &webFile{path: path, log: log}
	f.now.Store(&webTerms{})
	if path == "" {
		return f, nil
	}
	t, err := readWebFile(path)
	if err != nil {
		return nil, fmt.Errorf("web.config.file %s: %w", path, err)
	}
	f.now.Store(t)
	f.read = time.Now()
	return f, nil
}

func readWebFile(path string) (*webTerms, error) {
	if err := web.Validate(path); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t := &webTerms{}
	t.config.HTTPConfig.HTTP2 = true
	t.config.TLSConfig.MinVersion, t.config.TLSConfig.MaxVersion = tls.VersionTLS12, tls.VersionTLS13
	if err := yaml.Unmarshal(text, &t.config); err != nil {
		return nil, errors.New("it changed while it was read") // Validate took it
	}
	t.config.TLSConfig.SetDirectory(filepath.Dir(path))
	if r := t.config.RateLimiterConfig; r.Interval > 0 {
		t.limiter = rate.NewLimiter(rate.Every(r.Interval), r.Burst)
	}
	if !t.config.TLSConfig.IsEnabled() {
		return t, nil
	}
	if t.tls, err = web.ConfigToTLSConfig(&t.config.TLSConfig); err != nil {
		return nil, err
	}
	certificate, err := t.tls.GetCertificate(nil) // it would read the files with each handshake
	if err != nil {
		return nil, err
	}
	t.tls.Certificates, t.tls.GetCertificate = []tls.Certificate{*certificate}, nil
	t.tls.NextProtos = []string{"http/1.1"}
	if t.config.HTTPConfig.HTTP2 {
		t.tls.NextProtos = []string{"h2", "http/1.1"}
	}
	return t, nil
}

// terms are what the file says now, or said until it was broken.
func (f *webFile) terms() *webTerms {
	if f.path == "" || !f.reading.TryLock() {
		return f.now.Load()
	}
	defer f.reading.Unlock()
	if time.Since(f.read) < reread {
		return f.now.Load()
	}
	t, err := readWebFile(f.path)
	f.read = time.Now()
	switch old := f.now.Load(); {
	case err != nil:
		f.tell(err.Error())
	case (t.tls == nil) != (old.tls == nil):
		f.tell("TLS cannot be switched on or off without a restart")
	default:
		f.told = ""
		if t.config.RateLimiterConfig == old.config.RateLimiterConfig {
			t.limiter = old.limiter
		}
		f.now.Store(t)
	}
	return f.now.Load()
}

func (f *webFile) tell(problem string) {
	if problem != f.told {
		f.told = problem
		f.log.Error("web.config.file cannot be used, what it said before holds", "file", f.path, "err", problem)
	}
}

// prepare gives a server its TLS.
func (f *webFile) prepare(s *http.Server) {
	t := f.now.Load()
	if t.tls == nil {
		return
	}
	s.TLSConfig = t.tls.Clone()
	s.TLSConfig.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return f.terms().tls, nil }
	if !t.config.HTTPConfig.HTTP2 {
		s.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	}
}

func (f *webFile) tls() bool  { return f.now.Load().tls != nil }
func (f *webFile) asks() bool { return len(f.now.Load().config.Users) > 0 }

// asksForCertificate says whether only clients with a certificate get in.
func (f *webFile) asksForCertificate() bool {
	t := f.now.Load()
	return t.tls != nil && t.tls.ClientAuth == tls.RequireAndVerifyClientCert
}
