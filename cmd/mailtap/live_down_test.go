package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailtap/mailtap/capture"
)

// An interface that goes down and one that is made anew are a line each in the
// log, and no reason to be not ready.
func TestRunGoesOnAfterDown(t *testing.T) {
	if os.Geteuid() != 0 {
		leaveOut(t, "needs root, for network namespaces and the capture: sudo make test")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		leaveOut(t, "needs ip: apt-get install iproute2")
	}
	server, _ := namespaces(t)
	tap := start(t, self("mailtap", server, "run", "--interface", watched+",lo", "--sensor", "test"))
	await(t, tap, server, "http://"+page+"/-/ready")
	link := func(line string) {
		t.Helper()
		argv := append(append([]string(nil), server...), "ip", "link")
		if out, err := exec.Command(argv[0], append(argv[1:], strings.Fields(line)...)...).CombinedOutput(); err != nil {
			t.Fatalf("ip link %s: %s", line, out)
		}
	}
	says := func(text string, times int) {
		t.Helper()
		if !within(20*time.Second, func() bool { return strings.Count(tap.err.String(), text) == times }) {
			t.Fatalf("%q is not there %d times:\n%s", text, times, tap.err)
		}
	}
	says("interface="+watched+" method=ring", 1)
	link("set " + watched + " down")
	says("interface is down", 1)
	await(t, tap, server, "http://"+page+"/-/ready")
	link("set " + watched + " up")
	says("packets can come again", 1)
	link("del " + watched)
	says("no such interface", 1)
	link("add " + watched + " type veth peer name other0")
	link("set " + watched + " up")
	says("packets can come again", 2)
	says("no packets can come", 2)
	// Made anew it has another number, and its packets come.
	for _, line := range []string{"link set other0 up", "addr add 192.0.2.9/24 dev " + watched, "neigh add 192.0.2.77 lladdr 02:00:00:00:00:77 dev " + watched} {
		if out, err := exec.Command(server[0], append(server[1:], append([]string{"ip"}, strings.Fields(line)...)...)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %s", line, out)
		}
	}
	for _, none := range []string{`mailtap_capture_up{source="` + watched + `"} `, `mailtap_stream_connections{state="opening"} `} {
		ok := within(30*time.Second, func() bool {
			knock := exec.Command(server[0], append(server[1:], "timeout", "1", "bash", "-c", "echo >/dev/tcp/192.0.2.77/25")...)
			_ = knock.Run() // nobody answers
			got, _ := self("get", server, "http://"+page+"/metrics").Output()
			return strings.Contains(string(got), none) && !strings.Contains(string(got), none+"0\n")
		})
		if !ok {
			t.Errorf("%s0", none)
		}
	}
	if status := tap.stop(syscall.SIGTERM); status != exitDone {
		t.Errorf("status %d:\n%s", status, tap.err)
	}
}

// awaySource has a problem for some of its calls, and then another one.
type awaySource struct{ calls int }

func (s *awaySource) NextBatch([]capture.Packet) (int, error) {
	if s.calls++; s.calls > 9 {
		return 0, io.EOF
	}
	return 0, capture.ErrTimeout
}

func (s *awaySource) Problem() error {
	switch s.calls % 4 {
	case 2:
		return errors.New("interface is down")
	case 3:
		return errors.New("no such interface")
	}
	return nil
}

func (s *awaySource) Stats() (received, kernel, device uint64, err error) { return 0, 0, 0, nil }
func (s *awaySource) Close() error                                        { return nil }

func TestPullerLogsEachChangeOnce(t *testing.T) {
	cfg := Default()
	var log bytes.Buffer
	run, _ := watchOver(t, &cfg, &log, nil, 1, namedSource{"a", &awaySource{}})
	defer run.outputs.close()
	if err := run.run(context.Background()); err != nil {
		t.Error(err)
	}
	for _, line := range []string{`no packets can come, capture goes on when they can" source=a reason="interface is down"`, `another reason" source=a reason="no such interface"`, "again"} {
		if n := strings.Count(log.String(), line); n != 2 {
			t.Errorf("%s is there %d times:\n%s", line, n, &log)
		}
	}
}
