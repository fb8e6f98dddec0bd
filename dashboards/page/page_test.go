package page_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/dashboards/page"
	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

func ask(t testing.TB, site *httptest.Server, path string, to any) *http.Response {
	t.Helper()
	r, err := site.Client().Get(site.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if to != nil {
		if err := json.Unmarshal(body, to); err != nil {
			t.Fatalf("%s: %v: %.200s", path, err, body)
		}
	}
	return r
}

type listed struct {
	Kept, Found int
	Sessions    []struct {
		Session, Client, Helo string
		Mails                 []struct {
			Result string
			Code   int
		}
		Failed int `json:"logins_failed"`
	}
}

func TestAnswers(t *testing.T) {
	f := newFeed(t, page.Options{})
	f.hour()
	site := f.serve()

	var rates struct {
		Step, First int64
		Rates       map[string]map[string][]int
	}
	ask(t, site, "/api/v1/rates", &rates)
	if rates.Step != 10 || rates.First != noon.Add(-3590*time.Second).Unix() {
		t.Errorf("rates of %d s begin at %d", rates.Step, rates.First)
	}
	sums := map[string]int{}
	for role, counts := range rates.Rates {
		for what, values := range counts {
			if len(values) != 360 {
				t.Errorf("%s %s has %d values", role, what, len(values))
			}
			for _, v := range values {
				sums[what] += v
			}
		}
	}
	if sums["sessions"] < f.number-20 || sums["sessions"] > f.number { // the first ten seconds have gone
		t.Errorf("%d of %d sessions counted", sums["sessions"], f.number)
	}
	if sums["logins_failed"] < 60 || sums["deferred"] < 100 || sums["rejected"] < 20 || sums["other"] != 0 {
		t.Errorf("%v", sums)
	}

	var list listed
	ask(t, site, "/api/v1/sessions?q=CORP.test+550&limit=3", &list)
	if list.Kept != 500 || list.Found < 3 || len(list.Sessions) != 3 || list.Sessions[0].Mails[0].Result != "rejected" || list.Sessions[0].Mails[0].Code != 550 {
		t.Errorf("%+v", list)
	}
	port := list.Sessions[0].Client[strings.LastIndexByte(list.Sessions[0].Client, ':')+1:]
	ask(t, site, "/api/v1/sessions?q="+port[:3], &list)
	if list.Found != 0 {
		t.Errorf("the number %s is found in %s", port[:3], list.Sessions[0].Client)
	}
	var status struct{ Every, Open int }
	ask(t, site, "/api/v1/status", &status)
	if status.Every != 1 || status.Open != 0 {
		t.Errorf("%+v", status)
	}
	for path, want := range map[string]int{
		"/": 200, "/page/page.js": 200, "/page/vendor/uplot/uPlot.iife.min.js": 200, "/page/vendor/uplot/LICENSE": 404, "/page/": 404, "/page/../page.go": 404, "/other": 404,
		"/api/v1/sessions/none": 404, "/api/v1/sessions?limit=x": 400, "/api/v1/sessions?limit=0": 400, "/api/v1/sessions?q=" + strings.Repeat("x", 201): 400,
	} {
		r := ask(t, site, path, nil)
		if r.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, r.StatusCode, want)
		}
		if policy := r.Header.Get("Content-Security-Policy"); want == 200 && (!strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") ||
			!strings.Contains(policy, "frame-ancestors 'none'") || r.Header.Get("X-Content-Type-Options") != "nosniff" || r.Header.Get("Referrer-Policy") != "no-referrer") {
			t.Errorf("%s: %v", path, r.Header)
		}
	}
}

// A flood is counted whole, and followed in part; the mask goes back when it is over.
func TestFloodIsSampled(t *testing.T) {
	f := newFeed(t, page.Options{Rate: 20})
	f.page.Advance(noon)
	for i := range 2000 {
		f.say(noon.Add(time.Duration(i)*100*time.Microsecond), "198.51.100.1", "192.0.2.25:25", fmt.Sprintf(hello, "flood.example")+bye)
	}
	site := f.serve()
	var status struct{ Every int }
	ask(t, site, "/api/v1/status", &status)
	var list listed
	ask(t, site, "/api/v1/sessions", &list)
	if status.Every < 16 || list.Kept > 300 || list.Kept < 20 {
		t.Errorf("one of %d is followed, %d are kept", status.Every, list.Kept)
	}
	var talkers map[string][]struct{ Count int }
	ask(t, site, "/api/v1/talkers", &talkers)
	if n := talkers["clients"][0].Count; n < 1000 || n > 4000 {
		t.Errorf("%d sessions are made of 2000", n)
	}
	for second := range 20 {
		f.page.Advance(noon.Add(time.Duration(second) * time.Second))
	}
	ask(t, site, "/api/v1/status", &status)
	if status.Every != 1 {
		t.Errorf("one of %d is followed in silence", status.Every)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	f := newFeed(t, page.Options{Octets: 200_000})
	text := "S: 220 " + strings.Repeat("x", 500) + "\nC: EHLO a\nS: 250 " + strings.Repeat("y", 500) + "\n" + strings.Repeat("C: NOOP\nS: 250 "+strings.Repeat("z", 500)+"\n", 30) + bye
	for i := range 200 {
		f.say(noon.Add(time.Duration(i)*time.Second), "198.51.100.1", "192.0.2.25:25", text)
		f.page.Advance(noon.Add(time.Duration(i) * time.Second))
	}
	site := f.serve()
	var list listed
	ask(t, site, "/api/v1/sessions", &list)
	if list.Kept < 3 || list.Kept > 10 {
		t.Errorf("%d sessions of about 35 kB are kept in 200 kB", list.Kept)
	}
}

// follow opens a stream and gives its lines.
func follow(t *testing.T, site *httptest.Server) *bufio.Scanner {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	q, _ := http.NewRequestWithContext(ctx, "GET", site.URL+"/api/v1/events", nil)
	r, err := site.Client().Do(q)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Body.Close() })
	if r.StatusCode != 200 || r.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s, %v", r.Status, r.Header)
	}
	lines := bufio.NewScanner(r.Body)
	lines.Buffer(nil, 1<<20)
	return lines
}

func TestStreamTellsWhatIsNew(t *testing.T) {
	f := newFeed(t, page.Options{Streams: 2})
	site := f.serve()
	lines := follow(t, site)
	lines.Scan() // retry: it is registered
	for _, name := range []string{"one.example", "two.example"} {
		f.say(noon, "198.51.100.1", "192.0.2.25:25", fmt.Sprintf(hello, name)+bye)
		f.page.Publish()
		for lines.Scan() && !strings.HasPrefix(lines.Text(), "data: ") {
		}
		if text := lines.Text(); !strings.Contains(text, name) || name == "two.example" && strings.Contains(text, "one.example") {
			t.Errorf("%s: %s", name, text)
		}
	}
	follow(t, site)
	if r := ask(t, site, "/api/v1/events", nil); r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
		t.Errorf("the third of two: %s", r.Status)
	}
	f.page.Close()
	for lines.Scan() {
	}
	if err := lines.Err(); err != nil {
		t.Errorf("the stream does not end with the page: %v", err)
	}
}

// A browser that does not read is dropped, and nobody waits for it.
func TestStuckBrowserIsDropped(t *testing.T) {
	f := newFeed(t, page.Options{})
	site := f.serve()
	stuck, err := net.Dial("tcp", site.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer stuck.Close()
	stuck.(*net.TCPConn).SetReadBuffer(4096)
	fmt.Fprintf(stuck, "GET /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
	var status struct {
		Streams int
		Dropped int `json:"streams_dropped"`
	}
	for end := time.Now().Add(patience); status.Streams == 0 && time.Now().Before(end); {
		ask(t, site, "/api/v1/status", &status)
	}
	f.fires(page.Alert{Rule: "X", Summary: strings.Repeat("x", 200<<10)}) // to fill what the kernel holds
	var longest time.Duration
	for end := time.Now().Add(patience); status.Dropped == 0 && time.Now().Before(end); {
		for range 10 {
			begin := time.Now()
			f.page.Publish()
			longest = max(longest, time.Since(begin))
		}
		ask(t, site, "/api/v1/status", &status)
	}
	if status.Dropped != 1 || status.Streams != 0 {
		t.Errorf("%+v", status)
	}
	if longest > 9*time.Second { // less than a write may take
		t.Errorf("it was waited for: %v", longest)
	}
}

// BenchmarkHandle is a session of one small mail with no page open, with 20, and
// with 20 that do not read: the figures must not differ.
func BenchmarkHandle(b *testing.B) {
	segments, err := dialog.Segments(dialog.SmallMail, dialog.Options{Start: noon})
	if err != nil {
		b.Fatal(err)
	}
	var events []sessions.Event
	tracker := sessions.NewTracker(sessions.Options{}, sessions.HandlerFunc(func(e sessions.Event) { events = append(events, e) }))
	for i := range segments {
		tracker.Segment(&segments[i])
	}
	tracker.Close()
	for _, open := range []int{0, 20} {
		for _, rate := range []int{1 << 30, 200} {
			b.Run(fmt.Sprintf("pages=%d/rate=%d", open, rate), func(b *testing.B) {
				p := page.New(page.Options{Rate: rate, Roles: []string{"relay"}})
				mux := http.NewServeMux()
				p.Routes(mux)
				site := httptest.NewServer(mux)
				defer site.Close()
				defer p.Close()
				for range open {
					c, err := net.Dial("tcp", site.Listener.Addr().String())
					if err != nil {
						b.Fatal(err)
					}
					defer c.Close()
					fmt.Fprintf(c, "GET /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
					go io.Copy(io.Discard, c)
				}
				done := make(chan struct{})
				go func() { // as cmd/mailtap does, ten times as often
					for tick := time.NewTicker(100 * time.Millisecond); ; {
						select {
						case <-tick.C:
							p.Publish()
						case <-done:
							tick.Stop()
							return
						}
					}
				}()
				b.ReportAllocs()
				for b.Loop() {
					for _, e := range events {
						if p.Wants(e) || ends(e) {
							p.Handle(e)
						}
					}
				}
				close(done)
			})
		}
	}
}

// What was refused is a session too: its end is all that there is of it.
func TestRefusedIsShown(t *testing.T) {
	f := newFeed(t, page.Options{})
	segments, err := dialog.Segments("", dialog.Options{Start: noon})
	if err != nil {
		t.Fatal(err)
	}
	syn, rst := segments[0], segments[1]
	rst.Flags = packet.RST | packet.ACK
	f.tracker.Segment(&syn)
	f.tracker.Segment(&rst)
	site := f.serve()
	var list listed
	ask(t, site, "/api/v1/sessions", &list)
	if list.Kept != 1 {
		t.Fatalf("%+v", list)
	}
	var view struct{ Steps []struct{ Kind string } }
	if ask(t, site, "/api/v1/sessions/"+list.Sessions[0].Session, &view); len(view.Steps) == 0 || view.Steps[len(view.Steps)-1].Kind != "end" {
		t.Errorf("%+v", view)
	}
}
