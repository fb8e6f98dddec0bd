//go:build unix

package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/sessions/dialog"
	recordlog "github.com/mailtap/mailtap/sessions/log"
)

// manager is a service manager that notes what it is told.
type manager struct {
	path string
	mu   sync.Mutex
	all  []string
}

func newManager(t *testing.T) *manager {
	t.Helper()
	m := &manager{path: filepath.Join(t.TempDir(), "notify")}
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: m.path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := c.Read(b)
			if err != nil {
				return
			}
			m.mu.Lock()
			m.all = append(m.all, string(b[:n]))
			m.mu.Unlock()
		}
	}()
	return m
}

// count says how many messages begin with a text.
func (m *manager) count(begins string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.all {
		if strings.HasPrefix(s, begins) {
			n++
		}
	}
	return n
}

func (m *manager) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.all, "\n--\n")
}

// The service manager is told of each step of a run, and the sessions in flight at
// its end are written as running.
func TestServiceManagerIsTold(t *testing.T) {
	m := newManager(t)
	a := startTap(t, "", "NOTIFY_SOCKET="+m.path, "WATCHDOG_USEC=4000000")
	a.await("READY=1", func() bool { return m.count("READY=1\nSTATUS=watching ") == 1 })
	a.await("two beats", func() bool { return m.count("WATCHDOG=1") >= 2 })
	a.await("a status", func() bool { return m.count("STATUS=0 packets, 0 dropped; 0 connections tracked") >= 1 })
	a.reload("")
	a.await("RELOADING=1 and READY=1", func() bool { return m.count("RELOADING=1\nMONOTONIC_USEC=") == 1 && m.count("READY=1") == 2 })
	a.talk(mail, 0, 0, 9)
	a.seen()
	if status := a.stop(syscall.SIGTERM); status != exitDone {
		t.Errorf("status %d:\n%s", status, a.err)
	}
	if m.count("STOPPING=1") != 1 {
		t.Errorf("it was told\n%s", m)
	}
	list := recordsIn(t, a.out.String(), "session")
	if len(list) != 1 || list[0]["end"] != "running" {
		t.Errorf("the open session: %v", list)
	}
}

// Where nobody asks, nobody is told; a watchdog of another process is not ours.
func TestNoServiceManager(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	m := newManager(t)
	for _, c := range []struct {
		env   map[string]string
		tells bool
		every time.Duration
	}{
		{nil, false, 0},
		{map[string]string{"NOTIFY_SOCKET": "relative"}, false, 0},
		{map[string]string{"NOTIFY_SOCKET": m.path + "-gone"}, false, 0},
		{map[string]string{"NOTIFY_SOCKET": m.path}, true, 0},
		{map[string]string{"NOTIFY_SOCKET": m.path, "WATCHDOG_USEC": "20000000"}, true, 10 * time.Second},
		{map[string]string{"NOTIFY_SOCKET": m.path, "WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "1"}, true, 0},
		{map[string]string{"NOTIFY_SOCKET": m.path, "WATCHDOG_USEC": "soon"}, true, 0},
	} {
		l := newLife(func(name string) (string, bool) { v, ok := c.env[name]; return v, ok }, log)
		if (l.socket != nil) != c.tells || l.every != c.every {
			t.Errorf("%v: %+v", c.env, l)
		}
		l.ready("watching eth1")
		l.close()
	}
}

// stuckSink holds the merge up while it is locked.
type stuckSink struct{ sync.Mutex }

func (s *stuckSink) Write(recordlog.Record) {
	s.Lock()
	defer s.Unlock()
}

// The watchdog is fed while the path turns, with packets or without, and not while
// something holds the merge up.
func TestWatchdogSeesAStuckPath(t *testing.T) {
	m := newManager(t)
	cfg := Default()
	cfg.Sensor, cfg.Shards = "test", 2
	out, err := wiring{cfg: &cfg, log: newLogger(cfg.Log, io.Discard), lines: io.Discard, records: io.Discard}.outputs()
	if err != nil {
		t.Fatal(err)
	}
	sink := &stuckSink{}
	out.writers = []recordWriter{{options: recordlog.Options{Sensor: "test", Sinks: []recordlog.Sink{sink}}}}
	must(t, openWriters(out.writers))
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch{pipeline: newPipeline(&cfg, out, nil, 2), outputs: out}
	source := &onDemand{packets: make(chan []byte)}
	w.addPuller(namedSource{"eth1", source}, &cfg, newLogger(cfg.Log, io.Discard))
	var log safeBuffer
	l := newLife(func(name string) (string, bool) {
		v, ok := map[string]string{"NOTIFY_SOCKET": m.path, "WATCHDOG_USEC": "200000"}[name]
		return v, ok
	}, slog.New(slog.NewTextHandler(&log, nil)))
	var over sync.WaitGroup
	over.Go(func() { _ = w.run(ctx) })
	over.Go(func() { l.watch(ctx, w) })
	beats := func(more int) bool {
		from := m.count("WATCHDOG=1")
		return within(60*time.Second, func() bool { return m.count("WATCHDOG=1") >= from+more })
	}
	if !beats(30) { // three seconds without a packet
		t.Fatalf("a silent path is not fed for:\n%s\n%s", m, &log)
	}
	sink.Lock()
	file := newCapture()
	segments := dialogOf(t, "plain.txt", dialog.Options{Start: time.Now()})
	go func() { // its end is told while the sink is locked
		for i := range segments {
			select {
			case source.packets <- ether(file.ipv4(&segments[i])):
			case <-ctx.Done():
			}
		}
	}()
	if !within(60*time.Second, func() bool { return strings.Contains(log.String(), "the packet path does not turn") }) {
		t.Fatalf("nobody saw it:\n%s", &log)
	}
	fed := m.count("WATCHDOG=1")
	if within(2*time.Second, func() bool { return m.count("WATCHDOG=1") > fed }) {
		t.Errorf("a stuck path is fed for:\n%s", &log)
	}
	sink.Unlock()
	if !beats(3) {
		t.Errorf("it turns again, and nobody feeds:\n%s", &log)
	}
	cancel()
	over.Wait()
}

// onDemand is a source of the packets that a test gives, at the time of now.
type onDemand struct{ packets chan []byte }

func (s *onDemand) NextBatch(batch []capture.Packet) (int, error) {
	select {
	case data := <-s.packets:
		batch[0] = capture.Packet{Time: time.Now().UnixNano(), Data: data, Length: len(data), Link: capture.LinkEthernet}
		return 1, nil
	case <-time.After(20 * time.Millisecond):
		return 0, capture.ErrTimeout
	}
}

func (s *onDemand) Problem() error { return nil }

func (s *onDemand) Stats() (received, kernel, device uint64, err error) { return 0, 0, 0, nil }

func (s *onDemand) Close() error { return nil }

// timeout(1) tells the process and then its group: that is one signal.
func TestOneSignalMayComeTwice(t *testing.T) {
	a := startTap(t, "")
	for range 2 {
		if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	if status := a.stop(syscall.SIGINT); status != exitDone || strings.Contains(a.err.String(), "second signal") {
		t.Errorf("status %d:\n%s", status, a.err)
	}
}

// A second signal does not wait for a receiver that takes its time.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	asked, release := make(chan struct{}, 100), make(chan struct{})
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-release
	}))
	defer hook.Close()
	defer close(release)
	a := startTap(t, fmt.Sprintf("alerts: {receivers: [{name: ops, webhook: {url: %q, timeout: 10m}}]}\nstop_timeout: 10m\n", hook.URL))
	for i := range 5 {
		a.talk(guess, 20*i, 0, -1)
	}
	a.seen()
	<-asked
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	a.await("it stops", func() bool { return strings.Contains(a.err.String(), "msg=stopped") })
	time.Sleep(sameSignal) // sooner it would be the same one
	if status := a.stop(syscall.SIGINT); status != exitFailed || !strings.Contains(a.err.String(), "a second signal") {
		t.Errorf("status %d:\n%s", status, a.err)
	}
}
