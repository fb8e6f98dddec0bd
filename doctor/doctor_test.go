package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// scraped lets a mailtap answer with these metrics and gives what is said of it.
func scraped(t *testing.T, status int, lines ...string) (Report, bool) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprintln(w, strings.Join(lines, "\n"))
	}))
	defer s.Close()
	found, runs := Running(context.Background(), s.Client(), s.URL+"/metrics", time.Millisecond)
	var r Report
	r.Add(found...)
	return r, runs
}

const build = `mailtap_build_info{version="1.2.3",revision="x",goversion="y"} 1`

func TestRunningIsJudgedByItsCounters(t *testing.T) {
	packets := `mailtap_capture_packets_total{source="eth1"} 1000`
	for _, c := range []struct {
		check string
		state State
		words string
		lines []string
	}{
		{"traffic", Problem, "nothing of mail", []string{`mailtap_capture_packets_total{source="eth1"} 0`}},
		{"traffic", Problem, "nothing of mail", []string{packets, `mailtap_capture_ignored_total{reason="not_tcp"} 1000`}},
		{"traffic", Note, "none came just now", []string{packets}},
		{"drops", OK, "none of 1000", []string{packets}},
		{"drops", Note, "kernel (5)", []string{packets, `mailtap_capture_dropped_total{source="eth1",reason="kernel"} 5`}},
		{"drops", Problem, "kernel (50)", []string{packets, `mailtap_capture_dropped_total{source="eth1",reason="kernel"} 50`}},
		{"ignored", Problem, "cannot be read", []string{packets, `mailtap_capture_ignored_total{reason="truncated"} 100`}},
		{"ignored", Note, "comes twice", []string{packets, `mailtap_capture_ignored_total{reason="duplicate"} 400`}},
		{"sessions", OK, "10, of them", []string{packets, `mailtap_sessions_total{role="relay"} 10`}},
		{"sessions", Problem, "one direction", []string{packets, `mailtap_sessions_total{role="relay"} 10`, `mailtap_anomalies_total{kind="one_way"} 8`}},
		{"sessions", Problem, "loses packets", []string{packets, `mailtap_sessions_total{role="relay"} 10`, `mailtap_anomalies_total{kind="client_gap"} 3`}},
		{"sink", Problem, "7 dropped", []string{packets, `mailtap_log_records_total{sink="loki",result="dropped"} 7`}},
		{"receiver", Problem, "2 refused", []string{packets, `mailtap_notifications_total{receiver="ops",result="refused"} 2`}},
		{"receiver", Note, "4 alerts wait", []string{packets, `mailtap_notification_queue{receiver="ops"} 4`}},
		{"running", Problem, "reload failed", []string{packets, `mailtap_config_last_reload_successful 0`}},
		{"memory", Note, "9 connections", []string{packets, `mailtap_stream_evicted_total{reason="memory"} 9`}},
		{"running", OK, "mailtap 1.2.3", []string{packets}},
	} {
		r, runs := scraped(t, http.StatusOK, append(c.lines, build)...)
		found := false
		for _, f := range r.Findings {
			found = found || f.Check == c.check && f.State == c.state && strings.Contains(f.line(), c.words)
		}
		if !runs || !found {
			t.Errorf("%q: no %s of %s that says %q: %+v", c.lines, c.state, c.check, c.words, r.Findings)
		}
	}
}

// What answers and is no mailtap, or does not show its counters, is not taken for one.
func TestOthersAreNoMailtap(t *testing.T) {
	for _, c := range []struct {
		status int
		line   string
		want   State
	}{
		{http.StatusOK, "node_cpu_seconds_total 5", Problem},
		{http.StatusOK, "<html>", Problem},
		{http.StatusNotFound, build, Problem},
		{http.StatusUnauthorized, "", Note},
	} {
		if r, runs := scraped(t, c.status, c.line); runs || !r.Has("running", c.want) || len(r.Findings) != 1 {
			t.Errorf("%d %s: %+v, runs %t", c.status, c.line, r.Findings, runs)
		}
	}
	if found, runs := Running(context.Background(), http.DefaultClient, "http://127.0.0.1:1/metrics", 0); runs || found != nil {
		t.Errorf("nobody: %+v, %t", found, runs)
	}
}

func TestURLs(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:9025": "http://127.0.0.1:9025/metrics", ":9025": "http://127.0.0.1:9025/metrics",
		"0.0.0.0:9": "http://127.0.0.1:9/metrics", "[::]:9": "http://[::1]:9/metrics", "[::1]:9": "http://[::1]:9/metrics",
	} {
		if got := URL(listen, false); got != want {
			t.Errorf("%s: %s, want %s", listen, got, want)
		}
	}
	if got := URL("mx:9025", true); got != "https://mx:9025/metrics" {
		t.Error(got)
	}
}

// A finding is one line, whatever the names in it, and the JSON holds the same.
func TestReportIsWritten(t *testing.T) {
	var r Report
	r.Add(ok("interface", "eth\x1b[31m\n1", "up"), ok("loss", "eth1", "5 octets").as(Problem, "lost", "look"))
	var text, coloured, object bytes.Buffer
	if err := r.Text(&text, false); err != nil {
		t.Fatal(err)
	}
	want := "ok       interface      eth?[31m?1: up\nproblem  loss           eth1: 5 octets; lost. Do: look\n\n2 checks, 1 problem, 0 notes\n"
	if text.String() != want {
		t.Errorf("%q, want %q", &text, want)
	}
	if _ = r.Text(&coloured, true); !strings.HasPrefix(coloured.String(), "\x1b[32mok") {
		t.Errorf("%q", &coloured)
	}
	if err := r.JSON(&object); err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(object.Bytes(), &back); err != nil || back.Problems != 1 || back.Findings[1] != r.Findings[1] {
		t.Errorf("%v: %s", err, &object)
	}
}

func TestSizes(t *testing.T) {
	for n, want := range map[uint64]string{5: "5 octets", 1536: "1.5 KiB", 3 << 30: "3.0 GiB"} {
		if got := size(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
