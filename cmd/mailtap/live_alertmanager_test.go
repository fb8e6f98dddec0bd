package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The whole way to Alertmanager: mailtap run takes a capture as it comes, whose
// failed logins happen now, and tells three Alertmanagers, of which one is
// dead. Debian's Alertmanager groups the alerts and tells its own receiver that
// they fire and that they are over.
func TestAlertmanager(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short")
	}
	if _, err := exec.LookPath("prometheus-alertmanager"); err != nil {
		leaveOut(t, "needs prometheus-alertmanager: .ci/install.sh test, or apt-get install prometheus-alertmanager")
	}
	told := listenForNotices(t)
	first, second := startAlertmanager(t, told.url), startAlertmanager(t, told.url)
	dead := freePort(t)
	config := writeTemp(t, fmt.Sprintf(`
sensor: tap1
web: {listen-address: "127.0.0.1:0"}
alerts: {receivers: [{name: am, alertmanager: {urls: ["http://%s", "http://%s", "http://%s"], timeout: 5s}}]}
`, dead, first, second))
	tap := self("mailtap", nil, "run", "--config", config, "--interface", "-")
	in, err := tap.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	run := start(t, tap)
	capture, err := os.ReadFile(shipped("06_auth_login_clear_5fail"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	in.Write(capture[:24])
	in.Write(endingAt(t, capture[24:], now))

	const rules = "AuthBruteForce AuthSuccessAfterFailures PlaintextCredentials UnencryptedSubmission"
	for _, address := range []string{first, second} {
		if !within(20*time.Second, func() bool { return strings.Join(firingAt(t, address), " ") == rules }) {
			t.Fatalf("%s knows of %v\n%s", address, firingAt(t, address), run.err)
		}
	}
	for _, a := range alertsAt(t, first) { // it lasts without another word until the next notice is due
		if left := time.Until(a.EndsAt); left < time.Hour || a.Labels["sensor"] != "tap1" || a.Annotations["summary"] == "" {
			t.Errorf("%+v", a)
		}
		if a.Labels["alertname"] == "PlaintextCredentials" && a.Labels["severity"] != "critical" {
			t.Errorf("it became critical, and the milder one still fires: %v", a.Labels)
		}
	}
	if !within(20*time.Second, func() bool { return told.of("firing", "AuthBruteForce", 2) }) {
		t.Errorf("Alertmanager did not tell of both in one notice: %s", told)
	}
	if page := regexp.MustCompile(`http://[0-9.:]+`).FindString(run.err.String()); page == "" {
		t.Errorf("no page in\n%s", run.err)
	} else if names := activeAt(t, page); strings.Join(names, " ") != rules {
		t.Errorf("mailtap says that these fire: %v", names)
	}

	in.Write(endingAt(t, capture[24:24+16+int(capture[32])], now.Add(8*time.Hour))) // packet time goes on, windows are clean
	for _, address := range []string{first, second} {
		if !within(20*time.Second, func() bool { return len(firingAt(t, address)) == 0 }) {
			t.Errorf("%s still knows of %v", address, firingAt(t, address))
		}
	}
	if !within(20*time.Second, func() bool { return told.of("resolved", "AuthBruteForce", 1) }) {
		t.Errorf("Alertmanager told nobody of the end: %s", told)
	}
	in.Close()
	<-run.done
	if status := run.cmd.ProcessState.ExitCode(); status != exitDone || strings.Count(run.err.String(), "a receiver takes alerts in part") != 1 {
		t.Errorf("status %d\n%s", status, run.err)
	}
}

// TestAlertsTestWithAlertmanager leaves nothing behind that fires.
func TestAlertsTestWithAlertmanager(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short")
	}
	if _, err := exec.LookPath("prometheus-alertmanager"); err != nil {
		leaveOut(t, "needs prometheus-alertmanager: .ci/install.sh test, or apt-get install prometheus-alertmanager")
	}
	address := startAlertmanager(t, "http://"+freePort(t))
	config := writeTemp(t, fmt.Sprintf(`alerts: {receivers: [{name: am, alertmanager: {urls: ["http://%s"]}}]}`, address))
	status, stdout, stderr := call("", "alerts", "test", "--config", config)
	if status != exitDone || !strings.Contains(stdout, "1 of 1 instances took it") {
		t.Errorf("status %d, %s%s", status, stdout, stderr)
	}
	if left := firingAt(t, address); len(left) > 0 {
		t.Errorf("%v fires", left)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func startAlertmanager(t *testing.T, hook string) (address string) {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "alertmanager.yml")
	text := "route: {receiver: hook, group_by: [alertname], group_wait: 200ms, group_interval: 500ms, repeat_interval: 1h}\n" +
		"receivers: [{name: hook, webhook_configs: [{url: '" + hook + "', send_resolved: true}]}]\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	address = freePort(t)
	p := start(t, exec.Command("prometheus-alertmanager", "--config.file="+config, "--storage.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--cluster.listen-address="))
	await(t, p, nil, "http://"+address+"/-/ready")
	return address
}

// endingAt moves packets of a pcap file with microseconds to other times: the
// last one comes at end.
func endingAt(t *testing.T, records []byte, end time.Time) []byte {
	t.Helper()
	out := append([]byte(nil), records...)
	var places []int
	for at := 0; at+16 <= len(out); at += 16 + int(binary.LittleEndian.Uint32(out[at+8:])) {
		places = append(places, at)
	}
	shift := uint32(end.Unix()) - binary.LittleEndian.Uint32(out[places[len(places)-1]:])
	for _, at := range places {
		binary.LittleEndian.PutUint32(out[at:], binary.LittleEndian.Uint32(out[at:])+shift)
	}
	return out
}

// knownAlert is an alert in Alertmanager's API v2.
type knownAlert struct {
	Labels, Annotations map[string]string
	StartsAt, EndsAt    time.Time
}

func alertsAt(t *testing.T, address string) (list []knownAlert) {
	t.Helper()
	answer, err := http.Get("http://" + address + "/api/v2/alerts?active=true")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	return list
}

// firingAt names the rules whose alerts fire, each once, sorted.
func firingAt(t *testing.T, address string) []string {
	t.Helper()
	var names []string
	for _, a := range alertsAt(t, address) {
		names = append(names, a.Labels["alertname"])
	}
	return eachOnce(names)
}

func activeAt(t *testing.T, page string) []string {
	t.Helper()
	answer, err := http.Get(page + "/api/v1/alerts")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var a alertsAnswer
	if err := json.NewDecoder(answer.Body).Decode(&a); err != nil || a.Status != "success" {
		t.Fatal(err, a)
	}
	var names []string
	for _, x := range a.Data.Alerts {
		names = append(names, x.Labels["alertname"])
	}
	return eachOnce(names)
}

func eachOnce(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// notices is what Alertmanager's own receiver was told.
type notices struct {
	url  string
	mu   sync.Mutex
	list []notification
}

func listenForNotices(t *testing.T) *notices {
	t.Helper()
	n := &notices{}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var one notification
		if err := json.Unmarshal(body, &one); err != nil {
			t.Error(err)
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		n.list = append(n.list, one)
	}))
	t.Cleanup(s.Close)
	n.url = s.URL
	return n
}

// of says whether one notice told of so many alerts of a rule.
func (n *notices) of(status, rule string, least int) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, one := range n.list {
		found := 0
		for _, a := range one.Alerts {
			if a.Status == status && a.Labels["alertname"] == rule {
				found++
			}
		}
		if found >= least {
			return true
		}
	}
	return false
}

func (n *notices) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return fmt.Sprintf("%+v", n.list)
}
