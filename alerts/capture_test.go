package alerts

import (
	"slices"
	"strings"
	"testing"
)

func TestCaptureLoss(t *testing.T) {
	cases := []struct {
		name string
		c    Capture
		want string // the summary; empty: no alert
	}{
		{"nothing came", Capture{}, ""},
		{"nothing lost", Capture{Packets: 50_000, Bytes: 50_000_000}, ""},
		{"1 % of the packets", Capture{Packets: 9_900, Dropped: 100}, ""},
		{"more than 1 %", Capture{Packets: 9_899, Dropped: 101}, "eth1 lost 1.0 % of its packets within a minute (101 of 10000): mail and alerts may be missing."},
		{"half of a handful", Capture{Packets: 499, Dropped: 500}, ""},
		{"half of the least number", Capture{Packets: 500, Dropped: 500}, "eth1 lost 50 % of its packets within a minute (500 of 1000): mail and alerts may be missing."},
		{"all", Capture{Dropped: 1000}, "eth1 lost 100 % of its packets within a minute (1000 of 1000): mail and alerts may be missing."},
		{"1 % of the octets", Capture{Bytes: 990_000, LostBytes: 10_000}, ""},
		{"more than 1 % of the octets", Capture{Bytes: 970_000, LostBytes: 30_000}, "3 % of the octets of connections that ended within a minute never came (30000 of 1000000): mail and alerts may be missing."},
		{"half of few octets", Capture{Bytes: 499_999, LostBytes: 500_000}, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e, b := engine(t, reading(&captured{}), Options{})
			c.c.Time, c.c.Source = t0, "eth1"
			e.Capture(c.c)
			got := ""
			for _, a := range b.alerts {
				got += a.Summary
				if a.Rule != "CaptureLoss" || a.Severity != Warning || a.Key != "eth1" || a.Labels.Get("capture_source") != "eth1" || len(a.Sessions) != 0 {
					t.Errorf("%+v", a)
				}
			}
			if got != c.want {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// TestCaptureLossLife holds that a loss is one alert a source and ends a minute
// after the last second that tells it.
func TestCaptureLossLife(t *testing.T) {
	e, b := engine(t, Builtin(), Options{})
	for s := range 180 {
		c := Capture{Time: at(float64(s)), Source: "eth1", Packets: 5000}
		if s >= 10 && s < 70 {
			c.Dropped = 500
		}
		e.Capture(c)
		e.Capture(Capture{Time: c.Time, Source: "eth2", Packets: 5000})
	}
	want := []string{"10s firing warning CaptureLoss [eth1] 1/1", "2m9s resolved warning CaptureLoss [eth1] 60/1"}
	if !slices.Equal(b.lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(b.lines, "\n"), strings.Join(want, "\n"))
	}
}

// A rule of a site may read the kind too; the connection's names are not there.
func TestCaptureFields(t *testing.T) {
	e, b := engine(t, load(t, `
rules:
  - {name: Quiet, event: capture, when: 'capture.packets == 0 and time > date("2020-01-01")', group_by: capture.source, summary: 'nothing from {capture.source}'}
`), Options{})
	e.Capture(Capture{Time: t0, Source: "eth1", Packets: 1})
	e.Capture(Capture{Time: t0, Source: "eth2"})
	if len(b.alerts) != 1 || b.alerts[0].Summary != "nothing from eth2" {
		t.Errorf("alerts: %q", b.lines)
	}
	for _, name := range []string{"session", "client.ip", "server.port", "role", "direction"} {
		_, err := LoadRules(strings.NewReader("rules:\n  - {name: R, event: capture, group_by: "+name+", summary: x}\n"), "rules.yaml")
		if err == nil || !strings.HasSuffix(err.Error(), "an event of the kind capture belongs to no connection") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
