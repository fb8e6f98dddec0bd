//go:build cgo

package capture_test

import (
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcap"

	"github.com/mailtap/mailtap/capture"
)

func matches(t *testing.T, filter, frame string) bool {
	t.Helper()
	b, err := pcap.NewBPF(layers.LinkTypeEthernet, 65535, filter)
	if err != nil {
		t.Fatal(err)
	}
	return b.Matches(gopacket.CaptureInfo{CaptureLength: len(frame), Length: len(frame)}, []byte(frame))
}

func TestFilterPasses(t *testing.T) {
	ports := []uint16{25, 465, 587}
	for _, port := range ports {
		for name, frame := range watched(port) {
			if !matches(t, capture.Filter(ports), frame) {
				t.Errorf("%s, port %d: stopped", name, port)
			}
			if !matches(t, capture.Filter(nil), frame) {
				t.Errorf("%s: stopped without ports", name)
			}
		}
	}
	for name, frame := range watched(80) {
		if matches(t, capture.Filter(ports), frame) {
			t.Errorf("%s, port 80: passed", name)
		}
	}
	udp := strings.Replace(watched(25)["ipv4 to"], "\x40\x06", "\x40\x11", 1)
	for _, f := range []string{capture.Filter(ports), capture.Filter(nil)} {
		if matches(t, f, udp) {
			t.Errorf("%s: UDP passed", f)
		}
	}
}

func TestFilterText(t *testing.T) {
	for want, ports := range map[string][]uint16{
		"tcp or (vlan and (tcp or (vlan and (tcp))))":                                                                   nil,
		"tcp port 25 or (vlan and (tcp port 25 or (vlan and (tcp port 25))))":                                           {25, 25},
		"tcp portrange 24-26 or (vlan and (tcp portrange 24-26 or (vlan and (tcp portrange 24-26))))":                   {26, 24, 25},
		"tcp portrange 65534-65535 or (vlan and (tcp portrange 65534-65535 or (vlan and (tcp portrange 65534-65535))))": {65535, 65534},
	} {
		if got := capture.Filter(ports); got != want {
			t.Errorf("%v:\ngot  %s\nwant %s", ports, got, want)
		}
	}
}
