package log

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grafana/loki/pkg/push"
	"github.com/klauspost/compress/snappy"
)

// fakeLoki takes pushes as Loki does. answer may be changed while it runs.
type fakeLoki struct {
	*httptest.Server
	mu      sync.Mutex
	lines   map[string]push.Entry // by line
	copies  map[string]int        // how often each came
	order   []string              // lines as they first came
	labels  map[string]string
	headers http.Header
	pushes  int
	answer  func(push int) int           // status of the n-th push, from 1; 204 stores it
	judge   func(push.Entry) (no string) // why an entry is refused, empty where it is not; the others are stored
}

func newFakeLoki(t *testing.T) *fakeLoki {
	f := &fakeLoki{lines: map[string]push.Entry{}, copies: map[string]int{}, labels: map[string]string{}, answer: func(int) int { return 204 }}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *fakeLoki) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pushes++
	f.headers = r.Header.Clone()
	f.headers.Set("Path", r.URL.Path)
	if status := f.answer(f.pushes); status != 204 {
		http.Error(w, "no: "+r.Header.Get("Authorization"), status)
		return
	}
	body, _ := io.ReadAll(r.Body)
	plain, err := snappy.Decode(nil, body)
	var req push.PushRequest
	if err == nil {
		err = req.Unmarshal(plain)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	no := ""
	for _, s := range req.Streams {
		for _, e := range s.Entries {
			if f.judge != nil {
				if reason := f.judge(e); reason != "" {
					no = reason
					continue
				}
			}
			if f.copies[e.Line]++; f.copies[e.Line] == 1 {
				f.order = append(f.order, e.Line)
			}
			f.lines[e.Line], f.labels[e.Line] = e, s.Labels
		}
	}
	if no != "" {
		http.Error(w, no, http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// twice is how many lines came more than once.
func (f *fakeLoki) twice() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, copies := range f.copies {
		n += copies - 1
	}
	return n
}

func (f *fakeLoki) stored() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.lines)
}

// quick are options that do not make a test wait.
func quick(url string) LokiOptions {
	return LokiOptions{
		URL: url, Sensor: "tap1", BatchWait: time.Millisecond, Timeout: 2 * time.Second,
		MinBackoff: time.Millisecond, MaxBackoff: 2 * time.Millisecond,
	}
}

func startTestLoki(t *testing.T, o LokiOptions) *Loki {
	t.Helper()
	l, err := NewLoki(o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func stopTestLoki(t *testing.T, l *Loki) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := l.Stop(ctx); err != nil {
		t.Fatal(err)
	}
}

func write(l *Loki, from, to int) {
	for i := from; i < to; i++ {
		l.Write(Record{Line: fmt.Appendf(nil, `{"n":%d}`, i), Time: start.Add(time.Duration(i)), Event: KindMail, Role: "relay", Direction: "inbound"})
	}
}

func TestLokiGetsLinesLabelsAndTimes(t *testing.T) {
	f := newFakeLoki(t)
	o := quick(f.URL)
	o.TenantID = "team"
	l := startTestLoki(t, o)
	write(l, 0, 3)
	l.Write(Record{Line: []byte(`{"n":"alert"}`), Time: start, Event: KindAlert})
	stopTestLoki(t, l)
	for i := range 3 {
		line := fmt.Sprintf(`{"n":%d}`, i)
		if e := f.lines[line]; !e.Timestamp.Equal(start.Add(time.Duration(i))) {
			t.Errorf("%s came with time %v", line, e.Timestamp)
		}
		if want := `{direction="inbound", event="mail", role="relay", sensor="tap1"}`; f.labels[line] != want {
			t.Errorf("%s came with labels %s, want %s", line, f.labels[line], want)
		}
	}
	if want := `{event="alert", sensor="tap1"}`; f.labels[`{"n":"alert"}`] != want {
		t.Errorf("alert came with labels %s, want %s", f.labels[`{"n":"alert"}`], want)
	}
	if f.headers.Get("User-Agent") != "mailtap" || f.headers.Get("X-Scope-OrgID") != "team" || f.headers.Get("Path") != pushPath {
		t.Errorf("headers %v", f.headers)
	}
	if c := l.Counts(); c != (Counts{Written: 4}) {
		t.Errorf("counts %+v", c)
	}
}

func TestLokiRecovers(t *testing.T) {
	f := newFakeLoki(t)
	f.answer = func(n int) int {
		if n <= 2 {
			return 500
		}
		return 204
	}
	l := startTestLoki(t, quick(f.URL))
	write(l, 0, 1)
	stopTestLoki(t, l)
	if c := l.Counts(); c != (Counts{Written: 1, Retried: 2, Unsure: 2}) {
		t.Errorf("counts %+v", c)
	}
	if f.stored() != 1 {
		t.Errorf("%d records arrived", f.stored())
	}
}

// Whatever Loki answers, each record is counted once and truly.
func TestLokiCountsAddUp(t *testing.T) {
	const n = 300
	f := newFakeLoki(t)
	f.answer = func(n int) int { return [...]int{204, 500, 204, 400, 429}[n%5] }
	o := quick(f.URL)
	o.BatchBytes = 4096
	l := startTestLoki(t, o)
	write(l, 0, n)
	stopTestLoki(t, l)
	c := l.Counts()
	if c.Written+c.Dropped != n || c.Waiting != 0 || int(c.Written) != f.stored() || c.Retried == 0 {
		t.Errorf("counts %+v, %d arrived", c, f.stored())
	}
}

func TestLokiAwayDropsAndCounts(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away := "http://" + listener.Addr().String()
	listener.Close()
	l := startTestLoki(t, quick(away))
	write(l, 0, 1)
	await(t, func() bool { return l.Counts().Retried >= 2 })
	if err := l.Err(); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("the failure is told as %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Stop(ctx); err == nil {
		t.Error("Stop does not say that a record is lost")
	}
	if c := l.Counts(); c.Dropped != 1 || c.Reasons[TimeOver] != 1 || c.Waiting != 0 || c.Unsure != 0 {
		t.Errorf("counts %+v", c)
	}
}

// await what another goroutine does.
func await(t *testing.T, what func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !what(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not come")
		}
	}
}

// hangingLoki accepts and does not answer until release is called.
func hangingLoki(t *testing.T) (url string, release func()) {
	released := make(chan struct{})
	release = sync.OnceFunc(func() { close(released) })
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-released }))
	t.Cleanup(func() { release(); s.Close() })
	return s.URL, release
}

// soon is far below the time-out of a push to a Loki that hangs, and far above
// what a busy machine needs.
const soon = 10 * time.Second

func TestLokiHangingNeverBlocksWriteAndStopsInTime(t *testing.T) {
	url, release := hangingLoki(t)
	o := quick(url)
	o.Timeout, o.MaxRecords = time.Minute, 100
	l := startTestLoki(t, o)
	const n = 10_000
	begin := time.Now()
	write(l, 0, n)
	if took := time.Since(begin); took > soon {
		t.Errorf("%d writes took %v while Loki hangs", n, took)
	}
	if c := l.Counts(); c.Written+c.Dropped+uint64(c.Waiting) != n || c.Waiting == 0 {
		t.Errorf("counts while it hangs: %+v", c)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	begin = time.Now()
	err := l.Stop(ctx)
	if took := time.Since(begin); took > soon {
		t.Errorf("Stop took %v, its context 50 ms", took)
	}
	if err == nil {
		t.Error("Stop does not say that records are lost")
	}
	write(l, n, n+5)
	before := l.Counts()
	if before.Dropped != n+5 || before.Written != 0 || before.Waiting != 0 {
		t.Errorf("counts %+v", before)
	}
	release()
	l.ended.Wait() // the goroutine ends by itself
	if c := l.Counts(); c != before {
		t.Errorf("counts changed after the end: %+v", c)
	}
}

func TestLokiBlockWaitsForSpace(t *testing.T) {
	f := newFakeLoki(t)
	o := quick(f.URL)
	o.Block, o.MaxRecords, o.BlockWait = true, 10, time.Minute
	l := startTestLoki(t, o)
	write(l, 0, 500)
	stopTestLoki(t, l)
	if c := l.Counts(); c != (Counts{Written: 500}) {
		t.Errorf("counts %+v", c)
	}
}

func TestLokiBlockDoesNotWaitForEver(t *testing.T) {
	url, release := hangingLoki(t)
	o := quick(url)
	o.Block, o.MaxRecords, o.BlockWait, o.Timeout = true, 10, 20*time.Millisecond, time.Minute
	l := startTestLoki(t, o)
	begin := time.Now()
	write(l, 0, 5000) // 100 s if each waited
	if took := time.Since(begin); took > soon {
		t.Errorf("5000 writes took %v with one wait of 20 ms", took)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = l.Stop(ctx)
	if c := l.Counts(); c.Dropped != 5000 || c.Waiting != 0 {
		t.Errorf("counts %+v", c)
	}
	release()
	l.ended.Wait()
}

func TestLokiQueueIsBoundedInOctets(t *testing.T) {
	q := newQueue(1000, 1000)
	taken := 0
	for q.put(item{line: strings.Repeat("x", 100)}, 0) {
		taken++
	}
	if taken != 1000/(100+itemOverhead) {
		t.Errorf("took %d items", taken)
	}
	if q.put(item{line: strings.Repeat("x", 1000)}, time.Hour) {
		t.Error("took, or waited for, an item that never fits")
	}
}

func TestLokiCredentials(t *testing.T) {
	secretFile := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secretFile, []byte("hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		set  func(o *LokiOptions)
		want string
	}{
		"url":      {func(o *LokiOptions) { o.URL = strings.Replace(o.URL, "//", "//bob:hunter2@", 1) }, "Basic Ym9iOmh1bnRlcjI="},
		"password": {func(o *LokiOptions) { o.Username, o.PasswordFile = "bob", secretFile }, "Basic Ym9iOmh1bnRlcjI="},
		"bearer":   {func(o *LokiOptions) { o.BearerTokenFile = secretFile }, "Bearer hunter2"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeLoki(t)
			f.answer = func(int) int { return 401 }
			o := quick(f.URL)
			c.set(&o)
			l := startTestLoki(t, o)
			write(l, 0, 1)
			await(t, func() bool { return l.Err() != nil })
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_ = l.Stop(ctx)
			l.ended.Wait()
			if got := f.headers.Get("Authorization"); got != c.want {
				t.Errorf("authorization %q, want %q", got, c.want)
			}
			if err := l.Err(); err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "Ym9i") || !strings.Contains(err.Error(), "401") {
				t.Errorf("the failure is told as %v", err)
			}
		})
	}
}

func TestLokiRefusesImpossibleOptions(t *testing.T) {
	for name, o := range map[string]LokiOptions{
		"no url":        {},
		"scheme":        {URL: "ftp://bob:hunter2@loki"},
		"not a url":     {URL: "http://bob:hunter2@lo ki:x/%zz"},
		"both":          {URL: "http://loki", Username: "bob", BearerTokenFile: "f"},
		"twice":         {URL: "http://bob:hunter2@loki", Username: "eve"},
		"password only": {URL: "http://loki", PasswordFile: "f"},
		"no CA":         {URL: "http://bob:hunter2@loki", CAFile: "/nonexistent/ca.pem"},
	} {
		l, err := NewLoki(o)
		if err == nil {
			stopTestLoki(t, l)
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows the password: %v", name, err)
		}
	}
}

func TestWriterFeedsLokiWithValidJSON(t *testing.T) {
	f := newFakeLoki(t)
	l := startTestLoki(t, quick(f.URL))
	w, err := NewWriter(Options{Sensor: "tap1", Sinks: []Sink{l}})
	if err != nil {
		t.Fatal(err)
	}
	w.Handle(closed(richConn(), richSession()))
	w.Alert(richAlert())
	stopTestLoki(t, l)
	if len(f.lines) != 2 {
		t.Fatalf("%d lines arrived", len(f.lines))
	}
	for line := range f.lines {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
}
