package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailtap/mailtap/dashboards/report"
	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// meeting is a conversation of a client with a server, some time after the first.
type meeting struct {
	client uint32
	server string
	after  time.Duration
	text   string
}

// captureOfMeetings writes conversations as a capture, in the order of their packets.
func captureOfMeetings(t *testing.T, talks ...meeting) string {
	t.Helper()
	type framed struct {
		at    int64
		frame []byte
	}
	var all []framed
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range talks {
		list, err := dialog.Segments(c.text, dialog.Options{Server: netip.MustParseAddrPort(c.server), Start: start.Add(c.after)})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			all = append(all, framed{s.Time, ethernetOf(s, c.client)})
		}
	}
	slices.SortStableFunc(all, func(a, b framed) int { return int((a.at - b.at) / 1000) })
	out := []byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00\x00")
	for _, f := range all {
		for _, v := range []int64{f.at / 1e9, f.at % 1e9 / 1000, int64(len(f.frame)), int64(len(f.frame))} {
			out = binary.LittleEndian.AppendUint32(out, uint32(v))
		}
		out = append(out, f.frame...)
	}
	file := filepath.Join(t.TempDir(), "talks.pcap")
	if err := os.WriteFile(file, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// scrapeOf reads a capture and scrapes, a second of packet time after its end.
func scrapeOf(t *testing.T, shards int, file string, args ...string) string {
	t.Helper()
	cfg, err := loadFrom("", nil, args...)
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	out, err := wiring{cfg: &cfg, log: slog.New(slog.DiscardHandler), lines: io.Discard, registry: registry, sources: []string{"file"}, offline: true}.outputs()
	if err != nil {
		t.Fatal(err)
	}
	r := &reading{program: &program{}, ctx: context.Background(), outputs: out, reports: &reports{gathered: new(report.Report)}}
	r.pipeline = newPipeline(&cfg, out, nil, shards)
	if err := r.run([]string{file}); err != nil {
		t.Fatal(err)
	}
	out.advance(time.Unix(0, r.span.last).Add(time.Second))
	return pageOf(registry)
}

func pageOf(registry *prometheus.Registry) string {
	page := httptest.NewRecorder()
	metricsHandler(registry).ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
	return page.Body.String()
}

const (
	greylistedTalk = `S: 220 mx.home.test ESMTP
C: HELO client.test
S: 250 mx.home.test
C: MAIL FROM:<a@client.test>
S: 250 2.1.0 Ok
C: RCPT TO:<u@home.test>
S: 450 4.2.0 <u@home.test>: Recipient address rejected: Greylisted
C: QUIT
S: 221 2.0.0 Bye
close S
close C
`
	retriedTalk = `S: 220 mx.home.test ESMTP
C: HELO client.test
S: 250 mx.home.test
C: MAIL FROM:<a@client.test>
S: 250 2.1.0 Ok
C: RCPT TO:<U@home.test>
S: 250 2.1.5 Ok
C: RCPT TO:<full@home.test>
S: 452 4.2.2 <full@home.test>: over quota
C: DATA
S: 354 go on
C: From: <a@client.test>
C: Received: from a by b; Fri, 2 Jan 2026 03:10:45 +0000
C: MIME-Version: 1.0
C: Content-Type: image/png; name=x.png
C: Content-Disposition: attachment
C:
C: x
C: .
S: 250 2.0.0 Ok: queued
C: QUIT
S: 221 2.0.0 Bye
close S
close C
`
)

// A greylisted mail comes back on another connection, from another client, to
// another server, which is another shard's.
func TestQueueOverServersAndShards(t *testing.T) {
	file := captureOfMeetings(t,
		meeting{client: 1, server: "192.0.2.25:25", text: greylistedTalk},
		meeting{client: 2, server: "192.0.2.26:25", after: 400 * time.Second, text: retriedTalk},
	)
	args := []string{"--home.networks", "192.0.2.0/24", "--servers", "[{name: mx1, addresses: [192.0.2.25]}, {name: mx2, addresses: [192.0.2.26]}]"}
	for _, shards := range []int{1, 3} {
		page := scrapeOf(t, shards, file, args...)
		for _, want := range []string{
			`mailtap_deferred_recipients{server="mx1"} 0`,
			`mailtap_deferred_recipients{server="mx2"} 1`,
			`mailtap_deferred_recipients_by_age{age="5m",server="mx2"} 1`,
			`mailtap_deferred_retries_total{result="accepted",server="mx2"} 1`,
			`mailtap_deferred_retries_total{result="deferred",server="mx2"} 0`,
			`mailtap_delivery_delay_seconds_count{direction="inbound"} 1`,
			`mailtap_delivery_delay_seconds_bucket{direction="inbound",le="300.0"} 0`,
			`mailtap_delivery_delay_seconds_bucket{direction="inbound",le="600.0"} 1`,
			`mailtap_refusals_total{direction="inbound",reason="greylisting",role="relay",server="mx1"} 1`,
			`mailtap_refusals_total{direction="inbound",reason="quota",role="relay",server="mx2"} 1`,
			`mailtap_messages_total{direction="inbound",result="accepted",role="relay",server="mx2"} 1`,
			`mailtap_hop_delay_seconds_count{direction="inbound"} 1`,
			`mailtap_attachments_total{type="image"} 1`,
		} {
			want = strings.ReplaceAll(want, ".0\"", "\"")
			if !strings.Contains(page, want+"\n") {
				t.Errorf("%d shards: no line %s", shards, want)
			}
		}
	}
}

// What the queue knows outlives a restart, is shown before the first packet, and
// names nobody in its file.
func TestDeferredMailOutlivesARestart(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	start := func() (*outputs, *prometheus.Registry) {
		cfg, err := loadFrom("", nil)
		if err != nil {
			t.Fatal(err)
		}
		registry := prometheus.NewRegistry()
		out, err := wiring{cfg: &cfg, log: slog.New(slog.DiscardHandler), lines: io.Discard, registry: registry}.outputs()
		if err != nil {
			t.Fatal(err)
		}
		out.disk = newStorage(slog.New(slog.NewTextHandler(&log, nil)), out.metrics)
		if err := out.keep(dir); err != nil {
			t.Fatal(err)
		}
		return out, registry
	}
	out, _ := start()
	out.take(&sessions.MailDone{
		In:   sessions.In{Conn: &sessions.Conn{}, Time: time.Unix(1_700_000_000, 0)},
		Mail: &sessions.Mail{From: "somebody@client.test", FromKnown: true, Rejected: []sessions.Rejection{{To: "user@home.test", Code: 450}}},
	}, nil)
	if err := out.close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "deferrals.state")
	saved, err := os.ReadFile(file)
	if err != nil || bytes.Contains(saved, []byte("user")) || bytes.Contains(saved, []byte("test")) {
		t.Errorf("%v, %q", err, saved)
	}
	const waits = `mailtap_deferred_recipients{server="other"} 1`
	out, registry := start()
	if page := pageOf(registry); !strings.Contains(page, waits+"\n") || log.Len() > 0 {
		t.Errorf("no line %s; log %s", waits, log.String())
	}
	if err := out.close(); err != nil {
		t.Fatal(err)
	}
	saved[len(saved)/2] ^= 1
	if err := os.WriteFile(file, saved, 0o600); err != nil {
		t.Fatal(err)
	}
	out, registry = start()
	if page := pageOf(registry); strings.Contains(page, waits+"\n") || strings.Count(log.String(), "the queue begins empty") != 1 {
		t.Errorf("a damaged state counts; log %s", log.String())
	}
	if err := out.close(); err != nil {
		t.Fatal(err)
	}
}

// The lists of the busiest are shown where they are wanted, and nowhere else.
func TestTop(t *testing.T) {
	file := captureOfMeetings(t,
		meeting{client: 1, server: "192.0.2.25:25", text: retriedTalk},
		meeting{client: 2, server: "192.0.2.25:25", after: 400 * time.Second, text: greylistedTalk},
	)
	page := scrapeOf(t, 2, file, "--metrics.top.sender_domains", "5", "--metrics.top.clients", "5")
	for _, want := range []string{
		`mailtap_top_messages{list="sender_domain",name="client.test"} 1`,
		`mailtap_top_messages{list="client",name="10.0.0.1"} 1`,
	} {
		if !strings.Contains(page, want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
	if page := scrapeOf(t, 2, file); strings.Contains(page, "client.test") || strings.Contains(page, "10.0.0.1") {
		t.Error("a name of the wire is shown")
	}
}

const refusedTalk = `S: 220 mx.other.test ESMTP
C: HELO relay.home.test
S: 250 mx.other.test
C: MAIL FROM:<u@home.test>
S: 550 5.7.1 Our gateway does not know you
C: QUIT
S: 221 2.0.0 Bye
close S
close C
`

// Labels tell who refuses whom, and a site's own reasons go first.
func TestRefusalsByDirectionServerAndReason(t *testing.T) {
	file := captureOfMeetings(t,
		meeting{client: 1, server: "192.0.2.25:25", text: refusedTalk},
		meeting{client: 2, server: "10.0.0.25:25", after: time.Second, text: refusedTalk},
		meeting{client: 3, server: "192.0.2.25:587", after: 2 * time.Second, text: greylistedTalk},
	)
	page := scrapeOf(t, 2, file, "--home.networks", "10.0.0.0/8", "--servers", "[{name: mx, addresses: [10.0.0.25]}]",
		"--metrics.reasons", `[{name: partner, pattern: "our GATEWAY"}]`, "--capture.ports", "{relay: [25], submission: [587]}")
	for _, want := range []string{
		`mailtap_refusals_total{direction="outbound",reason="partner",role="relay",server="other"} 1`,
		`mailtap_refusals_total{direction="internal",reason="partner",role="relay",server="mx"} 1`,
		`mailtap_refusals_total{direction="outbound",reason="greylisting",role="submission",server="other"} 1`,
		`mailtap_deferred_recipients{server="other"} 1`,
		`mailtap_deferred_recipients{server="mx"} 0`,
	} {
		if !strings.Contains(page, want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
}
