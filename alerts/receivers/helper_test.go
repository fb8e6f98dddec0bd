package receivers

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
)

// still is a clock that stands still.
type still struct{ at time.Time }

func (s still) Now() time.Time                       { return s.at }
func (s still) After(time.Duration) <-chan time.Time { return nil }

func one(status string) []alerts.Alert { return []alerts.Alert{sample(1, status)} }

// sends fails the test where Send does not go well.
func sends(t *testing.T, r notify.Receiver, batch []alerts.Alert) {
	t.Helper()
	if err := r.Send(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
}

// fails returns the error of Send, which must be one of notify's and hold none
// of the secrets.
func fails(t *testing.T, r notify.Receiver, secrets ...string) *notify.Error {
	t.Helper()
	err := r.Send(t.Context(), one(alerts.Firing))
	var how *notify.Error
	if !errors.As(err, &how) {
		t.Fatalf("Send: %v", err)
	}
	for _, s := range secrets {
		if strings.Contains(err.Error(), s) {
			t.Errorf("%q holds %q", err, s)
		}
	}
	return how
}

// inbox is an HTTP receiver that keeps what is posted to it.
type inbox struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
	heads  []http.Header
	paths  []string
	status int
}

func newInbox(t *testing.T, secure bool) *inbox {
	b := &inbox{status: 200}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.bodies, b.heads, b.paths = append(b.bodies, string(body)), append(b.heads, r.Header), append(b.paths, r.URL.Path)
		w.WriteHeader(b.status)
	})
	if secure {
		b.Server = httptest.NewUnstartedServer(h)
		b.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that do not believe it
		b.StartTLS()
	} else {
		b.Server = httptest.NewServer(h)
	}
	t.Cleanup(b.Close)
	return b
}

func (b *inbox) last() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.bodies) == 0 {
		return ""
	}
	return b.bodies[len(b.bodies)-1]
}

func (b *inbox) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.bodies)
}

// certificate is one of a server on this machine, and who believes in it.
func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12, ServerName: "example.com"}
}

// serve answers each connection with a function, one after the other.
func serve(t *testing.T, answer func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			answer(c)
			c.Close()
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return l.Addr().String()
}

// nobody is an address that refuses connections.
func nobody(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// silence reads and never answers.
func silence(c net.Conn) { io.Copy(io.Discard, c) }

// reset ends a connection at once.
func reset(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }
