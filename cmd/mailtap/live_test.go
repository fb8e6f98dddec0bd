package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The whole way, live: two network namespaces joined by a pair of virtual
// interfaces, a real Postfix in one, swaks in the other, mailtap on the
// server's end; a real Prometheus scrapes it and is asked for the counts that
// swaks knows; a webhook receiver gets the alert. No packet leaves the machine.

const (
	serverAddress = "192.0.2.1" // RFC 5737
	clientAddress = "192.0.2.2"
	watched       = "mirror0"
	page          = "127.0.0.1:9025"
	prometheusAt  = "127.0.0.1:9090"
	webhookAt     = "127.0.0.1:9099"
)

func TestLive(t *testing.T) {
	needLive(t)
	server, client := namespaces(t)
	startPostfix(t, server, serverAddress)
	hook := start(t, self("webhook", server, webhookAt))
	tap := start(t, self("mailtap", server, "run", "--config", tapConfig(t), "--interface", watched))
	await(t, tap, server, "http://"+page+"/-/ready")
	prometheus := startPrometheus(t, server)
	await(t, prometheus, server, "http://"+prometheusAt+"/-/ready")
	await(t, tap, server, "http://"+page+"/metrics")

	sent := swaksTraffic(t, client)
	if sent.accepted != 3 || sent.recipients != 5 || sent.refused != 1 || sent.failures != 6 {
		t.Fatalf("the traffic is not what was meant: %+v", sent)
	}
	q := prometheusQuery{t, server}
	q.equals(`sum(mailtap_messages_total{result="accepted"})`, sent.accepted)
	q.equals(`sum(mailtap_recipients_total{result="accepted"})`, sent.recipients)
	q.equals(`sum(mailtap_recipients_total{result="rejected"})`, sent.refused)
	q.equals(`sum(mailtap_auth_attempts_total{result="failure",encrypted="false",server="mx"})`, sent.failures)
	q.equals(`sum(mailtap_credentials_exposed_total)`, sent.failures)
	q.equals(`sum(mailtap_sessions_total{end="quit"})`, sent.sessions)
	q.equals(`sum(mailtap_capture_dropped_total)`, 0)
	q.equals(`sum(mailtap_stream_lost_bytes_total)`, 0)
	q.equals(`mailtap_alerts_total{rule="AuthBruteForce",severity="warning"}`, 1)
	q.equals(`mailtap_log_records_total{sink="loki",result="written"}`, 0) // nobody listens there: counted, not fatal
	if !within(20*time.Second, func() bool { return alertNamed(hook.out.String(), "AuthBruteForce", clientAddress) }) {
		t.Errorf("the webhook did not get AuthBruteForce:\n%s", hook.out)
	}

	if status := tap.stop(syscall.SIGTERM); status != 1 || !strings.Contains(tap.err.String(), "records were not delivered") {
		t.Errorf("mailtap ended with %d, want 1 for the records that Loki never took:\n%s", status, tap.err)
	}
	if n := strings.Count(tap.out.String(), `"event":"session"`); n != sent.sessions {
		t.Errorf("%d session records on standard output, swaks made %d sessions", n, sent.sessions)
	}
	if strings.Contains(tap.out.String()+tap.err.String()+hook.out.String(), "wrong-") {
		t.Error("a password stands in an output")
	}
}

// needLive skips where something is missing, and says how to get it.
func needLive(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short")
	}
	if os.Geteuid() != 0 {
		leaveOut(t, "needs root, for network namespaces and the capture: sudo make test")
	}
	for program, pkg := range map[string]string{"ip": "iproute2", "postfix": "postfix", "swaks": "swaks", "prometheus": "prometheus"} {
		if _, err := exec.LookPath(program); err != nil {
			leaveOut(t, fmt.Sprintf("needs %s: .ci/install.sh test, or apt-get install %s", program, pkg))
		}
	}
}

// leaveOut skips, but not where somebody relies on the test.
func leaveOut(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("MAILTAP_TEST_LIVE_MUST_RUN") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// namespaces makes the two and returns the prefix of commands in each.
func namespaces(t *testing.T) (server, client []string) {
	t.Helper()
	s, c := fmt.Sprintf("mailtap-%d-mx", os.Getpid()), fmt.Sprintf("mailtap-%d-client", os.Getpid())
	for _, name := range []string{s, c} {
		if out, err := exec.Command("ip", "netns", "add", name).CombinedOutput(); err != nil {
			leaveOut(t, "needs network namespaces (a container may forbid them): "+string(out))
		}
		t.Cleanup(func() {
			if out, err := exec.Command("ip", "netns", "del", name).CombinedOutput(); err != nil {
				t.Errorf("%s", out)
			}
		})
		if out, err := exec.Command("ip", "netns", "exec", name, "true").CombinedOutput(); err != nil {
			leaveOut(t, "needs to enter network namespaces (a chroot or a container may forbid it): "+string(out))
		}
	}
	for _, line := range []string{
		"link add " + watched + " netns " + s + " type veth peer name eth0 netns " + c,
		"-n " + s + " addr add " + serverAddress + "/24 dev " + watched,
		"-n " + c + " addr add " + clientAddress + "/24 dev eth0",
		"-n " + s + " link set lo up", "-n " + c + " link set lo up",
		"-n " + s + " link set " + watched + " up", "-n " + c + " link set eth0 up",
	} {
		if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s: %s", line, out)
		}
	}
	return []string{"ip", "netns", "exec", s}, []string{"ip", "netns", "exec", c}
}

func tapConfig(t *testing.T) string {
	t.Helper()
	return writeTemp(t, `
sensor: test
home: {networks: [192.0.2.1/32], domains: [home.test]}
servers: [{name: mx, addresses: [192.0.2.1]}]
alerts: {receivers: [{name: ops, webhook: {url: "http://`+webhookAt+`/"}}]}
loki: {url: "http://127.0.0.1:1", batch_wait: 100ms}
stop_timeout: 1s
`)
}

func startPrometheus(t *testing.T, prefix []string) *process {
	t.Helper()
	dir := openDir(t)
	config := filepath.Join(dir, "prometheus.yml")
	text := "global: {scrape_interval: 1s}\nscrape_configs: [{job_name: mailtap, static_configs: [{targets: ['" + page + "']}]}]\n"
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	argv := append(append([]string(nil), prefix...), "prometheus", "--config.file="+config,
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+prometheusAt)
	return start(t, exec.Command(argv[0], argv[1:]...))
}

// traffic is what swaks says that it did.
type traffic struct{ sessions, accepted, recipients, refused, failures int }

func swaksTraffic(t *testing.T, prefix []string) (sum traffic) {
	t.Helper()
	mail := func(args ...string) {
		argv := append(append([]string(nil), prefix...), "swaks", "--server", serverAddress, "--timeout", "20", "--helo", "client.test", "--from", "someone@far.test")
		out, _ := exec.Command(argv[0], append(argv[1:], args...)...).CombinedOutput() // a refusal is a status of its own
		sum.add(string(out))
	}
	mail("--to", "alice@home.test,bob@home.test", "--h-Subject", "one")
	mail("--to", "alice@home.test,bob@home.test", "--h-Subject", "two")
	mail("--to", "alice@home.test,nobody@home.test", "--h-Subject", "three")
	for i := range 6 {
		mail("--to", "alice@home.test", "--auth", "LOGIN", "--auth-user", "bob", "--auth-password", fmt.Sprintf("wrong-%d-pass", i))
	}
	return sum
}

// add counts the replies in a transcript: "<-  250 2.1.5 Ok", "<** 535 …".
func (s *traffic) add(transcript string) {
	sent := ""
	for line := range strings.SplitSeq(transcript, "\n") {
		if command, ok := strings.CutPrefix(line, " -> "); ok {
			sent = strings.TrimSpace(command)
			continue
		}
		reply, ok := strings.CutPrefix(line, "<-  ")
		if !ok {
			reply, ok = strings.CutPrefix(line, "<** ")
		}
		if !ok {
			continue
		}
		switch {
		case strings.HasPrefix(reply, "220 "):
			s.sessions++
		case strings.HasPrefix(sent, "RCPT") && strings.HasPrefix(reply, "250 "):
			s.recipients++
		case strings.HasPrefix(sent, "RCPT"):
			s.refused++
		case sent == "." && strings.HasPrefix(reply, "250 "):
			s.accepted++
		case strings.HasPrefix(reply, "535 "):
			s.failures++
		}
	}
}

// prometheusQuery asks Prometheus over its HTTP API until it answers what is
// wanted: a scrape comes each second.
type prometheusQuery struct {
	t      *testing.T
	prefix []string
}

func (q prometheusQuery) equals(expression string, want int) {
	q.t.Helper()
	var last string
	if !within(30*time.Second, func() bool { last = q.ask(expression); return last == strconv.Itoa(want) }) {
		q.t.Errorf("Prometheus says %s = %s, want %d", expression, last, want)
	}
}

func (q prometheusQuery) ask(expression string) string {
	body, err := self("get", q.prefix, "http://"+prometheusAt+"/api/v1/query?query="+url.QueryEscape(expression)).Output()
	if err != nil {
		return err.Error()
	}
	var answer struct {
		Data struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil || len(answer.Data.Result) != 1 {
		return string(body)
	}
	return fmt.Sprint(answer.Data.Result[0].Value[1])
}

func alertNamed(posts, rule, client string) bool {
	for line := range strings.SplitSeq(posts, "\n") {
		var n notification
		if json.Unmarshal([]byte(line), &n) != nil || n.Version != "4" {
			continue
		}
		for _, a := range n.Alerts {
			if a.Status == "firing" && a.Labels["alertname"] == rule && strings.Contains(fmt.Sprint(a.Labels, a.Annotations), client) {
				return true
			}
		}
	}
	return false
}

// process is a program that a test started and ends.
type process struct {
	cmd      *exec.Cmd
	out, err *safeBuffer
	done     chan struct{}
}

func start(t *testing.T, c *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: c, out: &safeBuffer{}, err: &safeBuffer{}, done: make(chan struct{})}
	c.Stdout, c.Stderr = p.out, p.err
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = c.Wait(); close(p.done) }()
	t.Cleanup(func() { p.stop(syscall.SIGTERM) })
	return p
}

// stop ends the process and returns its exit status.
func (p *process) stop(signal os.Signal) int {
	_ = p.cmd.Process.Signal(signal)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
	return p.cmd.ProcessState.ExitCode()
}

// await asks an address until it answers, or the process ended.
func await(t *testing.T, p *process, prefix []string, address string) {
	t.Helper()
	ended := false
	ok := within(30*time.Second, func() bool {
		select {
		case <-p.done:
			ended = true
			return true
		default:
			return self("get", prefix, address).Run() == nil
		}
	})
	if !ok || ended {
		t.Fatalf("%s does not answer:\n%s", address, p.err)
	}
}

// within asks again and again until the time is over.
func within(limit time.Duration, holds func() bool) bool {
	for end := time.Now().Add(limit); ; time.Sleep(100 * time.Millisecond) {
		if holds() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// safeBuffer is a buffer that is read while a process writes.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
