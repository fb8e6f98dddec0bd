package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/mailtap/mailtap/capture"
)

// fileSource gives a file's packets as a live source would, reusing its
// buffer, and then none, or an error.
type fileSource struct {
	file   *capture.File
	ended  chan struct{} // closed when all packets were given
	err    error         // instead of silence
	closed bool
	lost   uint64 // more packets that the kernel dropped

	shift   int64
	shifted bool
}

// together is when every source begins, in nanoseconds since 1970. The
// captures are hours apart: merged as they are, the clock of the later one
// would end the connections of the other as idle.
const together = 1_767_603_600_000_000_000

func openSource(t *testing.T, name string) *fileSource {
	t.Helper()
	f, err := capture.Open(name, capture.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return &fileSource{file: f, ended: make(chan struct{})}
}

func (s *fileSource) NextBatch(batch []capture.Packet) (int, error) {
	err := s.file.Next(&batch[0])
	if err == nil {
		if !s.shifted {
			s.shift, s.shifted = together-batch[0].Time, true
		}
		batch[0].Time += s.shift
		return 1, nil
	} else if err != io.EOF {
		return 0, err
	}
	select {
	case <-s.ended:
	default:
		close(s.ended)
	}
	if s.err != nil {
		return 0, s.err
	}
	time.Sleep(time.Millisecond)
	return 0, capture.ErrTimeout
}

func (s *fileSource) Problem() error { return nil }

func (s *fileSource) Stats() (received, kernel, device uint64, err error) {
	return 0, 3 + s.lost, 2, nil
}
func (s *fileSource) Close() error { s.closed = true; return s.file.Close() }

// watchOver wires a watch over sources.
func watchOver(t *testing.T, cfg *Config, log io.Writer, records io.Writer, shards int, sources ...namedSource) (*watch, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewRegistry()
	w := wiring{cfg: cfg, log: newLogger(cfg.Log, log), records: records, lines: io.Discard, registry: registry}
	for _, s := range sources {
		w.sources = append(w.sources, s.name)
	}
	o, err := w.outputs()
	if err != nil {
		t.Fatal(err)
	}
	run := &watch{pipeline: newPipeline(cfg, o, nil, shards), outputs: o}
	for _, s := range sources {
		run.addPuller(s, cfg, o.log)
	}
	return run, registry
}

// runUntilEnded runs a watch until all sources gave their packets, or one fails.
func runUntilEnded(run *watch, sources ...*fileSource) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		for _, s := range sources {
			<-s.ended
		}
		cancel()
	}()
	return run.run(ctx)
}

// watchSources runs sources until all gave their packets, or one fails.
func watchSources(t *testing.T, sources ...*fileSource) (records string, registry *prometheus.Registry, failure error) {
	t.Helper()
	cfg := Default()
	cfg.Sensor = "test"
	var out bytes.Buffer
	var named []namedSource
	for i, s := range sources {
		named = append(named, namedSource{[]string{"a", "b"}[i], s})
	}
	run, registry := watchOver(t, &cfg, io.Discard, &out, 2, named...)
	failure = runUntilEnded(run, sources...)
	if err := run.outputs.close(); err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		if !s.closed {
			t.Error("a source was not closed")
		}
	}
	return out.String(), registry, failure
}

// Several interfaces are one picture: every packet of each is there once.
func TestSeveralSources(t *testing.T) {
	records, registry, err := watchSources(t, openSource(t, shipped(oneLogin)), openSource(t, shipped("20a_bruteforce_spray_one_source")))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(records, `"event":"session"`); n != 4+60 {
		t.Errorf("%d sessions, want 64", n)
	}
	want := `
		# HELP mailtap_capture_packets_total Packets that a source handed over.
		# TYPE mailtap_capture_packets_total counter
		mailtap_capture_packets_total{source="a"} 92
		mailtap_capture_packets_total{source="b"} 1082
	`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "mailtap_capture_packets_total"); err != nil {
		t.Error(err)
	}
	dropped := `mailtap_capture_dropped_total{reason="kernel",source="a"} 3`
	if text := scrape(t, registry); !strings.Contains(text, dropped) || !strings.Contains(text, `mailtap_log_records_total{result="written",sink="file"} `) {
		t.Errorf("the scrape lacks %s or the written records:\n%s", dropped, text)
	}
}

// What a source lost raises CaptureLoss for it, and for no other.
func TestSourceLosesPackets(t *testing.T) {
	bad := openSource(t, shipped("20a_bruteforce_spray_one_source"))
	bad.lost = 15 // and 5 of 1,082 + 20
	records, registry, err := watchSources(t, openSource(t, shipped(oneLogin)), bad)
	if err != nil {
		t.Fatal(err)
	}
	alert := `"summary":"b lost 1.8 % of its packets within a minute (20 of 1102): mail and alerts may be missing."`
	if strings.Count(records, `"rule":"CaptureLoss"`) != 1 || !strings.Contains(records, alert) {
		t.Errorf("the records lack the one alert %s:\n%s", alert, records)
	}
	if text := scrape(t, registry); !strings.Contains(text, `mailtap_alerts_total{rule="CaptureLoss"`) {
		t.Errorf("the scrape lacks the alert:\n%s", text)
	}
	records, _, err = watchSources(t, openSource(t, shipped("20a_bruteforce_spray_one_source")))
	if err != nil || strings.Contains(records, "CaptureLoss") {
		t.Errorf("5 of 1,087 raised it: %v\n%s", err, records)
	}
}

// A source that fails ends the run with its error; what was read is written.
func TestSourceFails(t *testing.T) {
	bad := openSource(t, shipped(oneLogin))
	bad.err = errors.New("capture on eth1: the interface disappeared")
	good := openSource(t, shipped("06_auth_login_clear_5fail"))
	records, _, err := watchSources(t, bad, good)
	if err == nil || !strings.Contains(err.Error(), "the interface disappeared") {
		t.Errorf("error %v", err)
	}
	if n := strings.Count(records, `"server":{"ip":"10.20.0.27"`); n == 0 || strings.Count(records, `"event":"session"`) < 4 {
		t.Errorf("records of the sources are missing:\n%s", records)
	}
}

func scrape(t *testing.T, registry *prometheus.Registry) string {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range families {
		for _, m := range f.Metric {
			b.WriteString(f.GetName() + "{")
			for i, l := range m.Label {
				if i > 0 {
					b.WriteString(",")
				}
				b.WriteString(l.GetName() + `="` + l.GetValue() + `"`)
			}
			b.WriteString("} ")
			if m.Counter != nil {
				fmt.Fprint(&b, m.Counter.GetValue())
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}
