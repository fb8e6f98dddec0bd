package notify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
	"github.com/mailtap/mailtap/alerts/receivers"
)

var t0 = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// hurry is a clock whose waits end at once and are written down.
type hurry struct {
	mu    sync.Mutex
	waits []time.Duration
}

func (h *hurry) Now() time.Time { return t0 }

func (h *hurry) After(d time.Duration) <-chan time.Time {
	h.mu.Lock()
	h.waits = append(h.waits, d)
	h.mu.Unlock()
	c := make(chan time.Time, 1)
	c <- t0
	return c
}

// tally counts results a receiver.
type tally struct {
	mu    sync.Mutex
	more  *sync.Cond
	n     map[string]int
	queue map[string]int
}

func newTally() *tally {
	c := &tally{n: map[string]int{}, queue: map[string]int{}}
	c.more = sync.NewCond(&c.mu)
	return c
}

// await returns when a count has come so far.
func (c *tally) await(key string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.n[key] < n {
		c.more.Wait()
	}
}

func (c *tally) Notified(receiver, result string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n[receiver+" "+result] += n
	c.more.Broadcast()
}

func (c *tally) Queued(receiver string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue[receiver] = n
}

func (c *tally) get(key string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[key]
}

func sample(i int, status string) alerts.Alert {
	a := alerts.Alert{Time: t0, Rule: "R", Severity: alerts.Warning, Status: status, Started: t0, Key: fmt.Sprint(i), Value: float64(i),
		Threshold: 1, Summary: fmt.Sprint("alert ", i), Labels: alerts.Labels{{Name: "client_ip", Value: "192.0.2.1"}}, Fingerprint: fmt.Sprintf("%016x", i)}
	if status == alerts.Resolved {
		a.Ended = t0.Add(time.Minute)
	}
	return a
}

// rough is a server that fails in every way before it works, and notes what it
// took, in order.
type rough struct {
	mu  sync.Mutex
	n   int
	got []string
}

func (s *rough) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	switch s.n % 7 {
	case 1:
		w.WriteHeader(http.StatusInternalServerError)
	case 2: // reset
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			conn.Close()
		}
	case 3: // hang until the client has enough
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	case 4:
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	case 5: // takes it, but the answer is lost: at least once
		s.take(r)
		panic(http.ErrAbortHandler)
	case 6: // answers slowly
		s.take(r)
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-time.After(20 * time.Millisecond)
	default:
		s.take(r)
	}
}

func (s *rough) take(r *http.Request) {
	var m struct {
		Alerts []struct{ Annotations map[string]string }
	}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		return
	}
	for _, a := range m.Alerts {
		s.got = append(s.got, a.Annotations["key"])
	}
}

func TestWebhookOutlivesFailures(t *testing.T) {
	server := &rough{}
	hs := httptest.NewServer(server)
	defer hs.Close()
	clock, count := &hurry{}, newTally()
	hook, err := receivers.NewWebhook(receivers.WebhookOptions{Name: "hook", URL: hs.URL + "/secret", Timeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	n, err := notify.New(everything(hook), notify.Options{Clock: clock, Observer: count, Jitter: func() float64 { return 1 }})
	if err != nil {
		t.Fatal(err)
	}
	const all = 300
	for i := range all {
		n.Alert(sample(i, alerts.Firing))
	}
	count.await("hook sent", all)
	if err := n.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	var first []string // each alert's first delivery
	seen := map[string]bool{}
	for _, k := range server.got {
		if !seen[k] {
			seen[k] = true
			first = append(first, k)
		}
	}
	if len(first) != all || !slices.IsSortedFunc(first, func(a, b string) int {
		var x, y int
		fmt.Sscan(a, &x)
		fmt.Sscan(b, &y)
		return x - y
	}) {
		t.Errorf("%d of %d arrived, in order %v", len(first), all, first)
	}
	if count.get("hook sent") != all || count.get("hook dropped") != 0 || count.get("hook retried") == 0 {
		t.Errorf("counts %v", count.n)
	}
	if count.queue["hook"] != 0 {
		t.Errorf("%d still wait", count.queue["hook"])
	}
	// 500, reset, hang, 429 with Retry-After, lost answer: doubled, or as asked.
	want := []time.Duration{1e9, 2e9, 4e9, 8e9, 16e9}
	if !slices.Equal(clock.waits[:5], want) {
		t.Errorf("waits %v, want %v", clock.waits[:5], want)
	}
}

func TestRetryAfterIsBounded(t *testing.T) {
	header := "7"
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", header)
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer hs.Close()
	hook, _ := receivers.NewWebhook(receivers.WebhookOptions{URL: hs.URL, Clock: &hurry{}})
	options := notify.Options{MaxBackoff: time.Minute, Jitter: func() float64 { return 0 }}
	for h, want := range map[string]time.Duration{
		"7": 7 * time.Second, "99999999": time.Minute, "-5": time.Second, "soon": time.Second,
		t0.Add(20 * time.Second).Format(http.TimeFormat): 20 * time.Second,
	} {
		header = h
		var how *notify.Error
		if err := hook.Send(context.Background(), []alerts.Alert{sample(1, alerts.Firing)}); !errors.As(err, &how) || how.Final {
			t.Fatalf("%v", err)
		}
		if d := notify.Pause(&options, 2*time.Second, how); d != want {
			t.Errorf("Retry-After %q: waits %s, want %s", h, d, want)
		}
	}
}

func TestRefusedAlertDoesNotHarmOthers(t *testing.T) {
	var mu sync.Mutex
	var got []string
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if bytes.Contains(body, []byte("alert 3\"")) {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var m struct {
			Alerts []struct{ Annotations map[string]string }
		}
		json.Unmarshal(body, &m)
		mu.Lock()
		defer mu.Unlock()
		for _, a := range m.Alerts {
			got = append(got, a.Annotations["key"])
		}
	}))
	defer hs.Close()
	var failures []string
	hook, _ := receivers.NewWebhook(receivers.WebhookOptions{URL: strings.Replace(hs.URL, "http://", "http://user:hunter2@", 1) + "/T0KEN?key=s3cret",
		Headers: map[string]string{"Authorization": "Bearer s3cret"}})
	count := newTally()
	n, _ := notify.New(everything(hook), notify.Options{Clock: &hurry{}, Observer: count,
		Failed: func(name string, err error) { failures = append(failures, name+": "+err.Error()) }})
	for i := range 6 {
		n.Alert(sample(i, alerts.Firing))
	}
	if err := n.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"0", "1", "2", "4", "5"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if want := []string{"webhook: " + hs.URL + " answered 400 Bad Request"}; !slices.Equal(failures, want) {
		t.Errorf("failures %q, want %q", failures, want)
	}
	if count.get("webhook refused") != 1 || count.get("webhook sent") != 5 {
		t.Errorf("counts %v", count.n)
	}
}

func TestErrorsHoldNoSecret(t *testing.T) {
	dead := httptest.NewServer(http.NotFoundHandler())
	url := strings.Replace(dead.URL, "http://", "http://user:hunter2@", 1) + "/T0KEN?key=s3cret"
	moved := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/s3cret", http.StatusTemporaryRedirect)
	}))
	defer moved.Close()
	dead.Close()
	for _, u := range []string{url, "https" + strings.TrimPrefix(moved.URL, "http") + "/T0KEN", moved.URL + "/T0KEN"} {
		hook, err := receivers.NewWebhook(receivers.WebhookOptions{URL: u, Headers: map[string]string{"X-Key": "s3cret"}, Timeout: time.Second})
		if err == nil {
			err = hook.Send(context.Background(), []alerts.Alert{sample(1, alerts.Firing)})
		}
		if err == nil {
			t.Fatal("sent")
		}
		for _, secret := range []string{"hunter2", "s3cret", "T0KEN", "user"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%q holds %q", err, secret)
			}
		}
	}
	for _, o := range []receivers.WebhookOptions{
		{URL: "http://us er:hunter2@x"}, {URL: "ftp://hunter2@x"}, {URL: "hunter2"}, {URL: ""}, {URL: "http://x", Headers: map[string]string{"A": "hunter2\r\nB: c"}},
	} {
		if _, err := receivers.NewWebhook(o); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", o.URL, err)
		}
	}
}

// stuck never returns before its context ends.
type stuck struct{ name string }

func (s stuck) Name() string { return s.name }

func (s stuck) Send(ctx context.Context, _ []alerts.Alert) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestStuckReceiverDelaysNobody(t *testing.T) {
	var out bytes.Buffer
	count := newTally()
	n, err := notify.New(everything(stuck{"stuck"}, receivers.NewText("out", &out)), notify.Options{Queue: 100, Observer: count})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		n.Alert(sample(i, alerts.Firing))
		if i%50 == 49 { // so that the queue of the other does not fill
			count.await("out sent", i+1)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	err = n.Close(ctx)
	if err == nil || !strings.Contains(err.Error(), "notifications were not delivered") {
		t.Errorf("Close: %v", err)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 1000 {
		t.Errorf("the other receiver wrote %d lines", lines)
	}
	if d := count.get("stuck dropped"); d != 1000 {
		t.Errorf("%d dropped", d)
	}
}

// blocked is a terminal that is stopped: it takes nothing and heeds nobody.
type blocked struct{ release chan struct{} }

func (b blocked) Write(p []byte) (int, error) {
	<-b.release
	return len(p), nil
}

func TestCloseEndsThoughATerminalIsStopped(t *testing.T) {
	b := blocked{make(chan struct{})}
	defer close(b.release)
	n, _ := notify.New(everything(receivers.NewText("out", b)), notify.Options{Clock: &hurry{}})
	n.Alert(sample(1, alerts.Firing))
	n.Alert(sample(2, alerts.Firing))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := n.Close(ctx); err == nil || err.Error() != "2 notifications were not delivered before the end" {
		t.Errorf("Close: %v", err)
	}
}

func TestReceiverNamesAreUnique(t *testing.T) {
	if _, err := notify.New(everything(stuck{"a"}, stuck{"a"}), notify.Options{}); err == nil {
		t.Error("two receivers of one name")
	}
}

// everything subscribes receivers to every alert.
func everything(list ...notify.Receiver) []notify.Subscription {
	var out []notify.Subscription
	for _, r := range list {
		out = append(out, notify.Subscription{Receiver: r})
	}
	return out
}
