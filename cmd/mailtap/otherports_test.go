package main

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// TestReadOtherPorts reads a conversation on a port that nobody named among
// connections that are no mail: its records are those of a configured port, for any
// number of shards.
func TestReadOtherPorts(t *testing.T) {
	server := netip.MustParseAddrPort("192.0.2.25:2526")
	whole := dialogOf(t, "plain.txt", dialog.Options{Server: server})
	ftp, err := dialog.Segments("S: 220 ftp.example\nC: USER bob\nS: 331 password?\nclose C\nclose S\n", dialog.Options{Server: netip.MustParseAddrPort("192.0.2.21:21")})
	if err != nil {
		t.Fatal(err)
	}
	mail := dialogOf(t, "plain.txt", dialog.Options{Server: netip.MustParseAddrPort("192.0.2.26:25")})
	all := slices.Concat(whole, ftp, mail)
	slices.SortStableFunc(all, func(a, b packet.Segment) int { return int(a.Time - b.Time) })
	c := newCapture()
	for i := range all {
		c.frame(all[i].Time, ether(c.ipv4(&all[i])))
	}
	read := func(args ...string) string {
		_, out, errs := call(string(c.file), append([]string{"read", "--log.level", "error", "--sensor", "test", "-"}, args...)...)
		return out + errs
	}
	want := read("--format", "json", "--capture.ports", "{relay: [25], other: [2526]}")
	if strings.Count(want, `"role":"other"`) != 2 || strings.Count(want, `"event":"mail"`) != 2 {
		t.Fatalf("with the port configured:\n%s", want)
	}
	for _, shards := range []string{"1", "2", "5"} {
		if got := read("--format", "json", "--shards", shards); got != want {
			t.Errorf("%s shards\ngot\n%s\nwant\n%s", shards, got, want)
		}
	}
	if report := read(); !strings.Contains(report, "packets left out  10: 10 other_port\n") {
		t.Errorf("packets of FTP are left out and no others:\n%s", report)
	}
}

// TestOtherPortsLive: run leaves the kernel's filter as narrow as it can be.
func TestOtherPortsLive(t *testing.T) {
	cfg := Default()
	if o := cfg.liveOptions("eth1"); !slices.Equal(o.Ports, []uint16{25, 465, 587}) || newSieve(&cfg).finder != nil {
		t.Errorf("by default ports are %v, other ports are searched: %v", o.Ports, newSieve(&cfg).finder != nil)
	}
	cfg.Capture.AllPorts = true
	if o := cfg.liveOptions("eth1"); o.Ports != nil || newSieve(&cfg).finder == nil {
		t.Errorf("with capture.all_ports ports are %v, other ports are searched: %v", o.Ports, newSieve(&cfg).finder != nil)
	}
}
