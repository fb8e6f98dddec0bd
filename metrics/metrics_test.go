package metrics

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/mailtap/mailtap/metrics/top"
	"github.com/mailtap/mailtap/sessions"
)

var update = flag.Bool("update", false, "renew the golden files")

func scrape(t testing.TB, reg prometheus.Gatherer) string {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update renews it): %s", file, firstDifference(string(want), got))
	}
}

func firstDifference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return "want " + w[i] + ", got " + g[i]
		}
	}
	return "one is longer"
}

// TestScrapeIsGolden shows what a scrape says after a dialog; lines of zero
// are left out here and counted in TestSeededChildren.
func TestScrapeIsGolden(t *testing.T) {
	m, reg := newTest()
	play(m, dialog(conn("relay", "mx1")))
	play(m, dialog(conn("submission", "elsewhere"))[:6]) // stays open
	publishAll(m)
	var lines []string
	for line := range strings.Lines(scrape(t, reg)) {
		if !strings.HasSuffix(line, " 0\n") {
			lines = append(lines, line)
		}
	}
	golden(t, "scrape.golden", strings.Join(lines, ""))
}

func TestScrapeAtTheStartIsGolden(t *testing.T) {
	_, reg := newTest()
	golden(t, "start.golden", scrape(t, reg))
}

func TestMetricsAreLintClean(t *testing.T) {
	m, reg := newTest()
	play(m, dialog(conn("relay", "mx1")))
	publishAll(m)
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func seriesOf(t testing.TB, reg prometheus.Gatherer) int {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range families {
		n += len(f.Metric)
	}
	return n
}

func TestNamesFromTheWireMakeNoSeries(t *testing.T) {
	m, reg := newTest()
	play(m, odd(0))
	m.Notified("x0", "x0", 1)
	m.Alert("x0", "x0", "firing")
	m.Capture("x0", CaptureCounts{})
	m.Log("x0", LogCounts{})
	before := seriesOf(t, reg)
	shard := m.Shard()
	for i := range 100_000 {
		shard.play(odd(i))
	}
	shard.Publish()
	for i := range 100 {
		name := strings.Repeat("y", i)
		m.Notified(name, name, 1)
		m.Queued("x0", 1)
		m.Alert(name, name, "firing")
		m.Capture(name, CaptureCounts{Packets: 1})
		m.Log(name, LogCounts{Written: 1})
	}
	if after := seriesOf(t, reg); after != before+1 { // the queue of an unknown receiver
		t.Errorf("%d series became %d", before, after)
	}
}

// Each family stays below the limit at the start, however many servers there are.
func TestSeedingIsBounded(t *testing.T) {
	o := testOptions()
	for i := range 1000 {
		o.Servers = append(o.Servers, "mx"+strings.Repeat("x", i))
	}
	reg := prometheus.NewRegistry()
	m := New(reg, o)
	if got := len(m.server.names); got != 201 {
		t.Errorf("%d servers, want 200 and other", got)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if len(f.Metric) > maxSeeded {
			t.Errorf("%s starts with %d children", f.GetName(), len(f.Metric))
		}
	}
}

func TestHistogramsAreClassicAndNative(t *testing.T) {
	m, reg := newTest()
	play(m, dialog(conn("relay", "mx1")))
	families, _ := reg.Gather()
	for _, f := range families {
		for _, metric := range f.Metric {
			h := metric.GetHistogram()
			if h == nil {
				continue
			}
			if len(h.Bucket) == 0 || h.Schema == nil {
				t.Errorf("%s has %d classic buckets, native schema %v", f.GetName(), len(h.Bucket), h.Schema)
			}
		}
	}
}

func TestOpenSessions(t *testing.T) {
	m, _ := newTest()
	c := conn("relay", "")
	in := sessions.In{Conn: c}
	a, b := m.Shard(), m.Shard()
	end := func(how string) { b.Handle(&sessions.Closed{In: in, Session: &sessions.Session{End: how}}) }
	open := func() int64 {
		b.Publish()
		return m.opened[m.role.of("relay")].Load()
	}
	a.Handle(&sessions.Opened{In: in})
	a.Publish()
	b.Handle(&sessions.Opened{In: in})
	b.Handle(&sessions.Opened{In: in})
	end(sessions.EndRefused)
	end(sessions.EndUnanswered)
	if open() != 3 {
		t.Errorf("%d open, want 3: attempts that failed were never open", open())
	}
	for range 3 {
		end(sessions.EndReset)
	}
	if open() != 1 {
		t.Errorf("%d open after more ends than beginnings, want the one of the other shard", open())
	}
}

func TestCodes(t *testing.T) {
	c := newCodes()
	for code, want := range map[int]string{250: "250", 354: "354", 299: "2xx", 472: "4xx", 100: "1xx", 599: "5xx", 0: other, 99: other, 600: other, 999: other, 1000: other, -1: other} {
		if got := c.names[c.at(code)]; got != want {
			t.Errorf("%d counts as %s, want %s", code, got, want)
		}
	}
}

func TestAlertsFiring(t *testing.T) {
	m, reg := newTest()
	m.Alert("OpenRelay", "critical", "firing")
	m.Alert("OpenRelay", "critical", "firing")
	m.Alert("OpenRelay", "critical", "resolved")
	m.Alert("Gone", "warning", "resolved")
	m.AlertsFiring("PlaintextCredentials", "warning", 4)
	m.SetRules([]RuleName{{"New", "info"}})
	m.Alert("New", "info", "firing")
	got := scrape(t, reg)
	for _, want := range []string{
		`mailtap_alerts_total{rule="OpenRelay",severity="critical"} 2`, `mailtap_alerts_firing{rule="OpenRelay",severity="critical"} 1`,
		`mailtap_alerts_firing{rule="PlaintextCredentials",severity="warning"} 4`, `mailtap_alerts_firing{rule="other",severity="warning"} 0`,
		`mailtap_alerts_total{rule="New",severity="info"} 1`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
}

// Counting, publishing and scraping at once: the race detector watches.
func TestScrapeWhileCounting(t *testing.T) {
	m, reg := newTest()
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			s := m.Shard()
			for i := range 50 {
				s.play(dialog(conn("relay", "mx1")))
				s.play(odd(i))
				if i%3 == 0 {
					s.Publish()
				}
				publishAll(m)
			}
			s.Publish()
		})
	}
	for range 5 {
		seriesOf(t, reg)
	}
	wg.Wait()
	if got := testutil.ToFloat64(m.replies.at(m.role.of("relay"), m.server.of("mx1"), m.replyVerb.of("."), m.code.at(250))); got != 100 {
		t.Errorf("%v replies to the end of data, want 100", got)
	}
}

func TestHandleDoesNotAllocate(t *testing.T) {
	m, _ := newTest()
	events := dialog(conn("relay", "mx1"))
	s := m.Shard()
	s.play(events)
	s.Publish()
	for _, e := range events {
		if n := testing.AllocsPerRun(100, func() { s.Handle(e); s.Publish() }); n != 0 {
			t.Errorf("%T: %v allocations", e, n)
		}
	}
}

func BenchmarkHandle(b *testing.B) {
	m, _ := newTest()
	s := m.Shard()
	events := dialog(conn("relay", "mx1"))
	for _, e := range []sessions.Event{events[3], events[8], events[9], events[12], small(0)[9]} {
		name := strings.TrimPrefix(strings.TrimPrefix(fmt.Sprintf("%T", e), "*sessions."), "*")
		if r, ok := e.(*sessions.Replied); ok {
			name += fmt.Sprint(r.Verb, r.Code)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Handle(e)
			}
		})
	}
	b.Run("dialog", func(b *testing.B) {
		for b.Loop() {
			s.play(events)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(events)), "ns/event")
	})
}

// BenchmarkSession counts sessions of one small mail, many at once.
func BenchmarkSession(b *testing.B) {
	m, _ := newTest()
	s := m.Shard()
	var events [][]sessions.Event
	for i := range 64 {
		events = append(events, small(i))
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		s.play(events[n%len(events)])
		n++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(events[0])), "ns/event")
}

// BenchmarkShards does so in several goroutines at once: the time of a session
// falls with their number as long as they share no memory.
func BenchmarkShards(b *testing.B) {
	m, _ := newTest()
	b.RunParallel(func(pb *testing.PB) {
		s := m.Shard()
		events := small(1)
		for pb.Next() {
			s.play(events)
		}
		s.Publish()
	})
}

func BenchmarkPublish(b *testing.B) {
	m, _ := newTest()
	s := m.Shard()
	events := dialog(conn("relay", "mx1"))
	b.ReportAllocs()
	for b.Loop() {
		s.play(events)
		s.Publish()
	}
}

func BenchmarkScrape(b *testing.B) {
	m, reg := newTest()
	play(m, dialog(conn("relay", "mx1")))
	for b.Loop() {
		scrape(b, reg)
	}
	b.ReportMetric(float64(seriesOf(b, reg)), "children")
}

func TestTopIsOffUnlessAskedFor(t *testing.T) {
	entries := []top.Entry{{List: top.SenderDomain, Name: "one.test", Mails: 7}, {List: top.Client, Name: "192.0.2.1", Mails: 3}}
	m, reg := newTest()
	m.Top(entries)
	if strings.Contains(scrape(t, reg), "top_messages") {
		t.Error("shown although nobody asked for it")
	}
	o, reg := testOptions(), prometheus.NewRegistry()
	o.Top = true
	m = New(reg, o)
	m.Top(nil)
	m.Top(entries)
	got := scrape(t, reg)
	for _, want := range []string{`mailtap_top_messages{list="sender_domain",name="one.test"} 7`, `mailtap_top_messages{list="client",name="192.0.2.1"} 3`} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
	if problems, err := testutil.GatherAndLint(reg); err != nil || len(problems) > 0 {
		t.Error(err, problems)
	}
}
