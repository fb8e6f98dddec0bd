package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// fakeMachine is a machine whose clocks the test sets.
type fakeMachine struct{ now, ahead time.Duration }

func (m *fakeMachine) passed() int64 { return int64(m.now) }
func (m *fakeMachine) set() int64    { return int64(m.ahead) }

// clockTap is a live capture without a network.
type clockTap struct {
	*fakeMachine
	pipeline *pipeline
	intake   intake
	load     *load
	out      *outputs
	records  bytes.Buffer
	began    time.Time
}

func newClockTap(t *testing.T) *clockTap {
	t.Helper()
	cfg := Default()
	c := &clockTap{fakeMachine: &fakeMachine{}, began: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	var err error
	c.out, err = wiring{cfg: &cfg, log: slog.New(slog.DiscardHandler), records: &c.records, lines: io.Discard, registry: prometheus.NewRegistry(), sources: []string{"a"}}.outputs()
	if err != nil {
		t.Fatal(err)
	}
	c.pipeline = newPipeline(&cfg, c.out, nil, 1)
	c.intake, c.load = newIntake(&cfg), newLoad(1, c.out.encoders())
	c.intake.stamps.machine, c.pipeline.intake.stamps.machine = c.fakeMachine, c.fakeMachine
	return c
}

// stamp is what the kernel writes on a packet now.
func (c *clockTap) stamp() int64 { return c.began.Add(c.now + c.ahead).UnixNano() }

func (c *clockTap) take(list []capture.Packet) {
	c.load.reset()
	c.intake.fill(c.load, list)
	c.pipeline.ticket(c.load)
	c.pipeline.carry(c.load)
}

// sessionsOf ends the capture and gives how its sessions ended.
func (c *clockTap) sessionsOf(t *testing.T) (ends []string) {
	t.Helper()
	c.pipeline.close()
	if err := c.out.close(); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(c.records.String()) {
		var r struct {
			Event, End string
			Partial    bool
			Mails      []struct{ Result string }
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if r.Event == "session" {
			end := r.End
			for _, m := range r.Mails {
				end += " " + m.Result
			}
			if r.Partial {
				end += " partial"
			}
			ends = append(ends, end)
		}
	}
	return ends
}

// frames are a conversation's packets, without times.
func frames(t *testing.T, client string) []capture.Packet {
	t.Helper()
	c := newCapture()
	for _, s := range dialogOf(t, "plain.txt", dialog.Options{Client: netip.MustParseAddrPort(client)}) {
		c.frame(s.Time, ether(c.ipv4(&s)))
	}
	f, err := capture.NewFile(bytes.NewReader(c.file), "frames", capture.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []capture.Packet
	for {
		var p capture.Packet
		if f.Next(&p) != nil {
			return list
		}
		p.Data = bytes.Clone(p.Data)
		list = append(list, p)
	}
}

// The wall clock of the machine is set by hours, which the kernel's stamps follow
// at once or with the packets that still wait: no session ends by it.
func TestClockOfTheMachineIsSet(t *testing.T) {
	for name, step := range map[string]time.Duration{"forward": 3 * time.Hour, "back": -3 * time.Hour, "a year": 365 * 24 * time.Hour} {
		for _, waiting := range []int{0, 3} { // packets of before the step that are read after it
			c := newClockTap(t)
			list := frames(t, "198.51.100.1:40000")
			var old []capture.Packet
			for i := range list {
				c.now += 700 * time.Millisecond
				if i == len(list)/2 {
					c.ahead = step
				}
				list[i].Time = c.stamp()
				if after := i - len(list)/2; after >= -waiting && after < 0 {
					old = append(old, list[i])
					continue
				} else if after == 0 {
					c.take(old)
				}
				c.take(list[i : i+1])
				if i > 0 {
					c.pipeline.advance(time.Unix(0, c.stamp()).Add(-settle), nil)
				}
			}
			if ends := strings.Join(c.sessionsOf(t), ", "); ends != "quit accepted" {
				t.Errorf("%s, %d waiting: sessions ended as %q", name, waiting, ends)
			}
			if c.intake.stamps.steps != 1 {
				t.Errorf("%s, %d waiting: %d steps were counted", name, waiting, c.intake.stamps.steps)
			}
		}
	}
}

// What falls silent ends by its time also behind a step.
func TestSilenceEndsBehindASetClock(t *testing.T) {
	for _, step := range []time.Duration{3 * time.Hour, -3 * time.Hour} {
		c := newClockTap(t)
		list := frames(t, "198.51.100.1:40000")
		for i := range list[:len(list)/2] {
			c.now += time.Second
			list[i].Time = c.stamp()
			c.take(list[i : i+1])
			c.pipeline.advance(time.Unix(0, c.stamp()), nil)
		}
		c.ahead = step
		other := frames(t, "198.51.100.2:40000")[:1]
		for i := range 20 * 60 { // seconds; the default of limits.idle_timeout is 15 minutes
			c.now += time.Second
			if i == 0 { // one packet tells the new time; then there are none
				other[0].Time = c.stamp()
				c.take(other)
			}
			c.pipeline.advance(time.Unix(0, c.stamp()).Add(-settle), nil)
		}
		if n := c.pipeline.stats().Established; n != 0 {
			t.Errorf("set by %v: %d sessions are open after 20 minutes of silence", step, n)
		}
		c.sessionsOf(t)
	}
}

// A step is told once.
func TestSetClockIsTold(t *testing.T) {
	var log bytes.Buffer
	m := &fakeMachine{}
	w := &watch{outputs: &outputs{log: slog.New(slog.NewTextHandler(&log, nil))}, machine: m}
	for range 10 {
		w.lookAtClock()
		m.ahead += time.Millisecond // slewed
	}
	m.ahead = -2 * time.Hour
	for range 10 {
		w.lookAtClock()
	}
	if n := strings.Count(log.String(), "the clock of this machine was set"); n != 1 || !strings.Contains(log.String(), "by=-2h0m0s") {
		t.Errorf("told %d times: %s", n, &log)
	}
}
