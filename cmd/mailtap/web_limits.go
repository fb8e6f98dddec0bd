package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Why clients of the listener are refused; refusalNames names them for metrics.
const (
	refusedConnections = iota
	refusedAddress
	refusedHost
	refusedPassword
	refusedRate
	refusedHeader
	refusedBody
	refusedSlow
	numRefusals
)

var refusalNames = [numRefusals]string{"connections", "connections_per_address", "host", "password", "rate", "header", "body", "slow"}

// refusals counts them.
type refusals [numRefusals]atomic.Uint64

func (r *refusals) add(why int) { r[why].Add(1) }

func (r *refusals) counts() []uint64 {
	out := make([]uint64, numRefusals)
	for i := range r {
		out[i] = r[i].Load()
	}
	return out
}

// limitListener closes at once what is too much, so that nobody can keep others
// from being heard by waiting for a place.
type limitListener struct {
	net.Listener
	most, each int
	refused    *refusals

	mu   sync.Mutex
	open int
	by   map[netip.Addr]int
}

func newLimitListener(l net.Listener, limits *WebLimits, refused *refusals) *limitListener {
	return &limitListener{Listener: l, most: int(limits.Connections), each: int(limits.ConnectionsPerAddress), refused: refused, by: map[netip.Addr]int{}}
}

// Accept implements net.Listener.
func (l *limitListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := sourceOf(c.RemoteAddr().String())
		if l.enter(from) {
			return &limitedConn{Conn: c, from: from, listener: l}, nil
		}
		c.Close()
	}
}

func (l *limitListener) enter(from netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.open >= l.most:
		l.refused.add(refusedConnections)
		return false
	case l.by[from] >= l.each:
		l.refused.add(refusedAddress)
		return false
	}
	l.open++
	l.by[from]++
	return true
}

func (l *limitListener) leave(from netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open--
	if l.by[from]--; l.by[from] == 0 {
		delete(l.by, from)
	}
}

// connections is how many are open.
func (l *limitListener) connections() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open
}

// limitedConn gives its place back when it is closed, and tells who was too slow.
type limitedConn struct {
	net.Conn
	from     netip.Addr
	listener *limitListener
	closing  sync.Once
	idle     atomic.Bool // between two requests
	aborted  atomic.Bool // the server itself ended a read
	slow     atomic.Bool // it is counted
}

// Close implements net.Conn.
func (c *limitedConn) Close() error {
	c.closing.Do(func() { c.listener.leave(c.from) })
	return c.Conn.Close()
}

// Read implements net.Conn.
func (c *limitedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil && errors.Is(err, os.ErrDeadlineExceeded) && !c.idle.Load() && !c.aborted.Load() {
		c.tooSlow()
	}
	return n, err
}

// Write implements net.Conn. Of a header that is too long nobody but the server
// hears, which answers at once.
func (c *limitedConn) Write(b []byte) (int, error) {
	if bytes.HasPrefix(b, []byte("HTTP/1.1 431 ")) {
		c.listener.refused.add(refusedHeader)
	}
	n, err := c.Conn.Write(b)
	if err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		c.tooSlow()
	}
	return n, err
}

func (c *limitedConn) tooSlow() {
	if c.slow.CompareAndSwap(false, true) {
		c.listener.refused.add(refusedSlow)
	}
}

// SetReadDeadline implements net.Conn. The server sets one long ago to end a read
// of its own.
func (c *limitedConn) SetReadDeadline(t time.Time) error {
	c.aborted.Store(!t.IsZero() && t.Before(time.Now()))
	return c.Conn.SetReadDeadline(t)
}

// noteState is told by the server what a connection does.
func noteState(c net.Conn, s http.ConnState) {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	if limited, ok := c.(*limitedConn); ok {
		limited.idle.Store(s == http.StateIdle)
	}
}

// limited bounds a request and sets what every answer says to browsers; the page
// says more.
func (w *webServer) limited(h http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		head := rw.Header()
		head.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("X-Frame-Options", "DENY")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("Cache-Control", "no-store")
		// Nothing here takes a body: one of unknown length is not waited for.
		if limit := int64(w.cfg.Limits.Body); r.ContentLength > limit || r.ContentLength < 0 {
			w.refused.add(refusedBody)
			head.Set("Connection", "close")
			http.Error(rw, "the body is too long", http.StatusRequestEntityTooLarge)
			return
		}
		if r.ContentLength > 0 {
			r.Body = http.MaxBytesReader(rw, r.Body, int64(w.cfg.Limits.Body))
		}
		h.ServeHTTP(rw, r)
	})
}

// profiles are Go's profiles of the process. They take as long as they are asked
// to.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", http.NotFound) // flags may hold what is nobody's
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(time.Time{})
		mux.ServeHTTP(w, r)
	})
}

// quietLog takes what net/http says: what clients do is for debugging, or they
// could fill the log; a handler that panicked is a mistake of ours.
func quietLog(to *slog.Logger) *log.Logger {
	return log.New(httpLog{to}, "", 0)
}

type httpLog struct{ to *slog.Logger }

// Write implements io.Writer.
func (h httpLog) Write(b []byte) (int, error) {
	text := string(bytes.TrimSpace(b))
	if bytes.HasPrefix(b, []byte("http: panic")) {
		h.to.Error("a request failed", "err", text)
	} else {
		h.to.Debug("listener", "says", text)
	}
	return len(b), nil
}
