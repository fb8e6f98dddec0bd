package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// otherEnds gives an IP packet other addresses, both shifted alike: what one
// word of an address loses the next one gets, so that checksums stay right.
func otherEnds(ip string, n int) string {
	b := []byte(ip)
	words := []int{12, 16}
	if isIPv6(ip) {
		words = []int{8, 24}
	}
	for _, at := range words {
		high, low := binary.BigEndian.Uint16(b[at:]), binary.BigEndian.Uint16(b[at+2:])
		binary.BigEndian.PutUint16(b[at:], high-uint16(n))
		binary.BigEndian.PutUint16(b[at+2:], low+uint16(n))
	}
	return string(b)
}

// outcomes tells what became of each session, without what depends on when
// packets came.
func outcomes(t *testing.T, records string) (list []string) {
	t.Helper()
	for line := range strings.Lines(records) {
		var r struct {
			Event, End string
			Partial    bool
			Client     struct {
				IP   string
				Port int
			}
			Mails  []struct{ From, Result string }
			Auth   []struct{ Mechanism, Result string }
			Bytes  any
			Resent any `json:"retransmitted"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if r.Event == "session" {
			list = append(list, fmt.Sprint(r.Client, r.End, r.Partial, r.Mails, r.Auth, r.Bytes, r.Resent))
		}
	}
	slices.Sort(list)
	return list
}

// TestLiveWrapped sends a capture in every encapsulation, in pieces and more than
// once, over a pair of virtual interfaces to mailtap: by the ring, by two rings
// that share the interface, by libpcap, and by one of two interfaces it tells the
// same as of the plain capture. On a busy machine the sender may rest between two
// copies, so the time in which they are copies is long.
func TestLiveWrapped(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short")
	}
	if os.Geteuid() != 0 {
		leaveOut(t, "needs root, for network namespaces and the capture: sudo make test")
	}
	dir := t.TempDir()
	replay := filepath.Join(dir, "replay")
	if out, err := exec.Command("go", "build", "-o", replay, "../../.ci/replay").CombinedOutput(); err != nil {
		leaveOut(t, fmt.Sprintf("needs Linux and a sender of frames: %s", out))
	}
	files, want := map[bool]string{}, map[bool][]string{}
	for _, all := range []bool{false, true} {
		var text string
		text, want[all] = wrappedLive(t, all)
		files[all] = filepath.Join(dir, fmt.Sprint(all, ".pcap"))
		if err := os.WriteFile(files[all], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server, client := namespaces(t)
	for _, line := range []string{"link add mirror1 netns " + server[3] + " type veth peer name eth1 netns " + client[3]} {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %s", line, out)
		}
	}
	for end, in := range map[string]string{watched: server[3], "mirror1": server[3], "eth0": client[3], "eth1": client[3]} {
		if out, err := exec.Command("ip", "-n", in, "link", "set", end, "mtu", "9000", "addrgenmode", "none", "up").CombinedOutput(); err != nil {
			t.Fatalf("%s: %s", end, out)
		}
	}
	for _, c := range []struct {
		name, end string
		all       bool
		args      []string
	}{
		{"ring", "eth0", true, []string{"--interface", watched, "--shards", "1"}},
		{"small ring", "eth0", true, []string{"--interface", watched, "--shards", "1", "--capture.buffer", "8MiB", "--capture.block", "128KiB", "--capture.snap_length", "16384", "--capture.promiscuous", "false"}},
		{"libpcap", "eth0", true, []string{"--interface", watched, "--capture.method", "pcap"}},
		{"one of two", "eth1", true, []string{"--interface", watched + ",mirror1", "--shards", "1"}},
		// Tunnels come by the first ring, what is plain by its own, in no order: a
		// conversation faster than a block fills, of both, is torn. The packets of
		// all conversations here are alike but for their addresses, so the same packet of
		// another one may push out what is known of a packet before its copy comes.
		{"two rings", "eth0", false, []string{"--interface", watched, "--shards", "2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tap := start(t, self("mailtap", server, append([]string{"run", "--log.level", "warn", "--capture.duplicate_window", "1s"}, c.args...)...))
			await(t, tap, server, "http://"+page+"/-/ready")
			argv := append(slices.Clone(client), replay, "-interface", c.end, "-rate", "20000", files[c.all])
			if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v", out, err)
			}
			count := func() int { return strings.Count(tap.out.String(), `"event":"session"`) }
			within(20*time.Second, func() bool { return count() >= len(want[c.all]) })
			if status := tap.stop(syscall.SIGTERM); status != exitDone {
				t.Fatalf("status %d: %s", status, tap.err)
			}
			got := outcomes(t, tap.out.String())
			for _, s := range got {
				if !slices.Contains(want[c.all], s) {
					t.Errorf("told and was not: %s", s)
				}
			}
			for _, s := range want[c.all] {
				if !slices.Contains(got, s) {
					t.Errorf("not told: %s", s)
				}
			}
		})
	}
}

// wrappedLive makes one capture of a capture in all wrappings that come by
// Ethernet, each between other addresses, and tells what is in it.
func wrappedLive(t *testing.T, all bool) (text string, want []string) {
	t.Helper()
	list := bareOf(t, shipped("05_auth_plain_clear_success"))
	out := newCapture()
	plain := wrapping{link: 1, wrap: one(func(_ *wrapper, ip string) string { return etherFrame(ip) })}
	for n, c := range wrappings() {
		if c.link != 1 || c.name == "no length, as offloading leaves it" || !all && byTwoRings(c.name) {
			continue
		}
		moved := slices.Clone(list)
		for i := range moved {
			if c.v6 {
				moved[i].ip = toIPv6(moved[i].ip)
			}
			moved[i].ip = otherEnds(moved[i].ip, n)
		}
		_, records, _ := call(plain.file(moved), "read", "--log.level", "error", "--format", "json", "-")
		want = append(want, outcomes(t, records)...)
		w := &wrapper{id: n << 8}
		for _, p := range moved {
			w.toServer, w.number = p.toServer, 202
			if p.toServer {
				w.number = 101
			}
			for _, frame := range c.wrap(w, p.ip) {
				out.frame(p.time, []byte(frame))
			}
		}
	}
	return string(out.file), want
}

// byTwoRings says whether a wrapping makes copies, or sends only larger packets
// through a tunnel.
func byTwoRings(name string) bool {
	return strings.HasPrefix(name, "fragments in") || strings.HasPrefix(name, "twice") || name == "three times"
}
