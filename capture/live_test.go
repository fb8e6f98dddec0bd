//go:build cgo && linux

package capture_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket/pcap"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
)

// livePort is one that nothing on a machine uses.
const livePort = 7

func openLive(t *testing.T, o capture.LiveOptions) *capture.Live {
	t.Helper()
	l, err := capture.OpenLive(o)
	if errors.Is(err, capture.ErrPrivilege) {
		t.Skipf("needs root or cap_net_raw: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func inject(t *testing.T, frames map[string]string) {
	t.Helper()
	h, err := pcap.OpenLive("lo", 65535, false, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for name, f := range frames {
		if err := h.WritePacketData([]byte(f)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
}

// collect decodes what comes until n segments or the deadline.
func collect(t *testing.T, l *capture.Live, n int) map[string]int {
	t.Helper()
	ports := new(packet.PortSet)
	ports.Add(livePort)
	d := packet.Decoder{Ports: ports}
	got := map[string]int{}
	var p capture.Packet
	var s packet.Segment
	for deadline := time.Now().Add(10 * time.Second); n > 0 && time.Now().Before(deadline); {
		if err := l.Next(&p); err == capture.ErrTimeout {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		if age := time.Since(time.Unix(0, p.Time)); age < -time.Minute || age > time.Minute {
			t.Errorf("packet time is %v ago", age)
		}
		if d.Decode(&p, &s) == packet.OK {
			got[fmt.Sprint(s.From().Port(), s.To().Port(), s.From().Addr().Is6(), s.VLANs[:s.VLANCount])]++
			n--
		}
	}
	return got
}

func TestLive(t *testing.T) {
	single := map[string]int{
		"7 40000 false []": 1, "40000 7 false []": 1, "40000 7 true []": 1,
		"40000 7 false [100]": 1, "7 40000 true [100]": 1,
	}
	double := map[string]int{"40000 7 false [300 100]": 1, "40000 7 true [300 100]": 1, "7 40000 false [300 100]": 1}
	maps.Copy(double, single)
	for name, want := range map[string]map[string]int{"lo": double, "any": single} {
		t.Run(name, func(t *testing.T) {
			l := openLive(t, capture.LiveOptions{Interface: name, Ports: []uint16{livePort}, PollTimeout: 20 * time.Millisecond, BufferBytes: 4 << 20})
			inject(t, watched(livePort))
			if got := collect(t, l, len(want)); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("\ngot  %v\nwant %v", got, want)
			}
			received, kernel, iface, err := l.Stats()
			if err != nil || received < uint64(len(want)) || kernel != 0 || iface != 0 {
				t.Errorf("stats %d %d %d %v", received, kernel, iface, err)
			}
		})
	}
}

func TestLiveTimeout(t *testing.T) {
	l := openLive(t, capture.LiveOptions{Interface: "lo", Ports: []uint16{livePort}, PollTimeout: 10 * time.Millisecond, BufferBytes: 1 << 20})
	var p capture.Packet
	if err := l.Next(&p); err != capture.ErrTimeout {
		t.Errorf("Next on a silent port: %v", err)
	}
	if n := testing.AllocsPerRun(3, func() { l.Next(&p) }); n != 0 {
		t.Errorf("%v allocations a timeout", n)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := l.Next(&p); err == nil || err == capture.ErrTimeout {
		t.Errorf("Next after Close: %v", err)
	}
}

func TestLiveErrors(t *testing.T) {
	for _, name := range []string{"", "no-such-if0"} {
		_, err := capture.OpenLive(capture.LiveOptions{Interface: name})
		if !errors.Is(err, capture.ErrNoInterface) || !strings.Contains(err.Error(), "there are lo") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestInterfaces(t *testing.T) {
	list, err := capture.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]capture.InterfaceInfo{}
	for _, i := range list {
		seen[i.Name] = i
		if !i.Up && !errors.Is(i.Problem, capture.ErrDown) {
			t.Errorf("%s is down, problem: %v", i.Name, i.Problem)
		}
	}
	if lo := seen["lo"]; !lo.Loopback || !lo.Up || len(lo.Addresses) == 0 || lo.Problem != nil && !errors.Is(lo.Problem, capture.ErrPrivilege) {
		t.Errorf("lo: %+v", lo)
	}
	if _, ok := seen["any"]; !ok {
		t.Error("any is missing")
	}
}
