package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/sessions/dialog"
)

// faultyProgram builds mailtap with the faults that a flag can bring about.
func faultyProgram(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short")
	}
	if _, err := exec.LookPath("go"); err != nil {
		leaveOut(t, "needs go, to build with the tag faults")
	}
	name := filepath.Join(t.TempDir(), "mailtap-faults")
	if out, err := exec.Command("go", "build", "-tags", "faults", "-o", name, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build -tags faults: %v\n%s", err, out)
	}
	return name
}

// fault is a flag. The words stand apart, so that this binary does not hold them.
func fault(name string) string { return strings.Join([]string{"--faults", name}, ".") }

// What makes faults is in no other build.
func TestFaultsAreNotInTheProgram(t *testing.T) {
	if status, _, stderr := call("", "read", fault("packet-drop=1"), "x"); status != exitUsage || !strings.Contains(stderr, "unknown flag") {
		t.Errorf("status %d: %s", status, stderr)
	}
	list, err := exec.Command("go", "list", "-f", "{{.GoFiles}}", ".", "../../capture/stream").CombinedOutput()
	if err != nil {
		leaveOut(t, "needs go: "+string(list))
	}
	if text := string(list); strings.Contains(text, "faults.go") || !strings.Contains(text, "faults_none.go") || !strings.Contains(text, "page_sound.go") {
		t.Errorf("files of the build: %s", text)
	}
	program, err := os.Executable() // built of the same files
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{strings.Join([]string{"Fail", "Pages"}, ""), fault("packet-")[2:]} {
		if bytes.Contains(code, []byte(word)) {
			t.Errorf("the program contains %q", word)
		}
	}
}

// TestFaultsInventNothing runs the program under every kind of fault, at several
// rates, with two seeds; MAILTAP_FAULTS=1 makes it thirty.
func TestFaultsInventNothing(t *testing.T) {
	program, seeds := faultyProgram(t), 2
	if os.Getenv("MAILTAP_FAULTS") != "" {
		seeds = 30
	}
	t.Run("packets", func(t *testing.T) { testPacketFaults(t, program, seeds) })
	t.Run("writes", func(t *testing.T) { testWriteFaults(t, program, seeds) })
}

// faultRun is one run of the program with faults.
type faultRun struct {
	out, err bytes.Buffer
	resident int // MiB, at most
}

const (
	faultDeadline = time.Minute // a run takes a tenth of a second
	faultResident = 250         // MiB: of 48 for connections, and the queues
)

func runWithFaults(t *testing.T, stdin io.Reader, program string, args ...string) *faultRun {
	t.Helper()
	r := &faultRun{}
	c := exec.Command(program, args...)
	c.Stdin, c.Stdout, c.Stderr = stdin, &r.out, &r.err
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	deadline := time.After(faultDeadline)
	for {
		select {
		case err := <-ended:
			if s := r.err.String(); strings.Contains(s, "panic") || strings.Contains(s, "fatal error") || c.ProcessState.ExitCode() > exitFailed {
				t.Errorf("%v: %v\n%s", args, err, s)
			}
			return r
		case <-deadline:
			c.Process.Kill()
			t.Fatalf("%v: it does not end", args)
		case <-time.After(10 * time.Millisecond):
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Process.Pid))
			if _, rest, ok := strings.Cut(string(status), "VmHWM:"); ok {
				fmt.Sscan(rest, &r.resident)
				if r.resident >>= 10; r.resident > faultResident {
					c.Process.Kill()
					t.Fatalf("%v: %d MiB are resident", args, r.resident)
				}
			}
		}
	}
}

var faultCount = regexp.MustCompile(`\b(packets_dropped|packets_corrupted|packets_delayed|pages|writes)=(\d+)`)

// made is how many faults a run tells.
func (r *faultRun) made() (sum int) {
	for _, m := range faultCount.FindAllStringSubmatch(r.err.String(), -1) {
		var n int
		fmt.Sscan(m[2], &n)
		sum += n
	}
	return sum
}

// claim is what a record says of a mail or a login.
type claim struct {
	Event, Result  string
	From, Username *string
	To             []string
	Time           time.Time
	Duration       float64
	Client, Server struct {
		IP   string
		Port int
	}
}

func (c *claim) conn() string { return fmt.Sprint(c.Client, c.Server) }

// good says whether it claims that a mail was accepted, or a login was right.
func (c *claim) good() bool { return c.Result == "accepted" || c.Result == "success" }

// claims gives the good ones by event and connection, or, where an address may be
// damaged too, by event.
func claims(t *testing.T, records []byte, conns bool) map[string][]claim {
	t.Helper()
	out := map[string][]claim{}
	for line := range bytes.Lines(records) {
		var c claim
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		key := c.Event
		if conns {
			key += c.conn()
		}
		if c.good() {
			out[key] = append(out[key], c)
		}
	}
	return out
}

// confirms says whether what a whole capture told bears out a claim. A packet that
// 100 others overtook is some seconds late. exact: texts too.
func (c *claim) confirms(d *claim, exact bool) bool {
	const late = 20 * time.Second
	end := func(x *claim) time.Time { return x.Time.Add(time.Duration(x.Duration * 1e9)) }
	if d.Time.After(end(c).Add(late)) || c.Time.After(end(d).Add(late)) {
		return false
	}
	if !exact {
		return true
	}
	same := func(a, b *string) bool { return a == nil || b == nil || *a == *b }
	return same(d.From, c.From) && same(d.Username, c.Username) && !slices.ContainsFunc(d.To, func(to string) bool { return !slices.Contains(c.To, to) })
}

// faultTraffic are conversations and logins beside those of the demo.
func faultTraffic(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := (flood{logins: 900, sources: 90, users: 50, seed: 4}).write(&b); err != nil {
		t.Fatal(err)
	}
	c := newCapture()
	for i := range 100 {
		for _, s := range dialogOf(t, "plain.txt", dialog.Options{Client: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}), 40000)}) {
			c.frame(s.Time+int64(i)*int64(time.Millisecond), ether(c.ipv4(&s)))
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "flood.pcap"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "dialogs.pcap"), []byte(c.file), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Packets that are lost, damaged or late, and memory that is not there: the
// program ends, within its memory, and what it claims is true. A packet damaged
// between the wire and us may change a text, but makes no delivery.
func testPacketFaults(t *testing.T, program string, seeds int) {
	traffic := faultTraffic(t)
	files := []string{"testdata/demo.pcap", filepath.Join(traffic, "flood.pcap"), filepath.Join(traffic, "dialogs.pcap")}
	args := []string{"read", "--format", "json", "--sensor", "test", "--memory", "48MiB", "--log.level", "warn"}
	clean := runWithFaults(t, nil, program, append(args, files...)...)
	truth := claims(t, clean.out.Bytes(), true)
	if clean.made() != 0 || len(truth) < 150 {
		t.Fatalf("%d faults, claims of %d connections\n%s", clean.made(), len(truth), &clean.err)
	}
	for _, kind := range []string{"packet-drop", "packet-corrupt", "packet-delay", "page-alloc"} {
		total, claimed, whole := 0, 0, kind != "packet-corrupt"
		truth := claims(t, clean.out.Bytes(), whole)
		for _, rate := range []string{"0.002", "0.05", "0.5"} {
			for seed := 1; seed <= seeds; seed++ {
				flags := []string{fault(kind), rate, fault("seed"), fmt.Sprint(seed), "--shards", fmt.Sprint(1 + seed%2)}
				if kind == "page-alloc" {
					flags = append(flags, fault("packet-delay"), "0.05") // else nothing is early
				}
				r := runWithFaults(t, nil, program, slices.Concat(args, flags, files)...)
				total += r.made()
				for conn, list := range claims(t, r.out.Bytes(), whole) {
					known := slices.Clone(truth[conn])
					for _, d := range list {
						claimed++
						i := slices.IndexFunc(known, func(c claim) bool { return c.confirms(&d, whole) })
						if i < 0 {
							t.Errorf("%v: it is not true that %s %+v; %d others are known", flags, conn, d, len(known))
							break
						}
						known = slices.Delete(known, i, i+1)
					}
				}
			}
		}
		if total < 1000 || claimed < 500 {
			t.Errorf("%s: %d faults were made, %d claims", kind, total, claimed)
		}
		t.Logf("%s: %d faults, %d claims of mails and logins, all true", kind, total, claimed)
	}
}

// faultConfig has everything that is written to a disk.
const faultConfig = `
sensor: test
memory: 48MiB
state_dir: %[1]s/state
log: {level: warn, records: {file: %[1]s/records.json, rotate_size: 1MiB, compress: false, max_files: 1000}}
loki: {url: %[2]q, batch_wait: 50ms, batch_size: 4KiB}
alerts:
  receivers: [{name: ops, webhook: {url: %[2]q}}]
  evidence: {directory: %[1]s/evidence}
stop_timeout: 100ms
`

// Writes that fail now and then, of records, spool, outbox, states and evidence:
// packets go on, and whole lines are those of a run on a sound disk.
func testWriteFaults(t *testing.T, program string, seeds int) {
	away := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer away.Close()
	capture, err := os.ReadFile("testdata/demo.pcap")
	if err != nil {
		t.Fatal(err)
	}
	lines := func(rate string, seed int) (map[string]int, *faultRun) {
		dir := t.TempDir()
		config := writeTemp(t, fmt.Sprintf(faultConfig, dir, away.URL))
		r := runWithFaults(t, bytes.NewReader(capture), program, "run", "--interface", "-", "--web.listen-address", "127.0.0.1:0", "--config", config,
			fault("write"), rate, fault("seed"), fmt.Sprint(seed))
		out := map[string]int{}
		files, _ := filepath.Glob(filepath.Join(dir, "records.json*"))
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(text)) {
				if json.Valid([]byte(line)) && !strings.Contains(line, `"evidence":`) { // whose folder is another
					out[strings.TrimSpace(line)]++
				}
			}
		}
		return out, r
	}
	truth, clean := lines("0", 1)
	if len(truth) < 500 || clean.made() > 0 {
		t.Fatalf("%d records, %d faults\n%s", len(truth), clean.made(), &clean.err)
	}
	made, written := 0, 0
	for _, rate := range []string{"0.1", "0.5", "1"} {
		for seed := 1; seed <= seeds; seed++ {
			got, r := lines(rate, seed)
			made += r.made()
			for line, n := range got {
				written += n
				if n > truth[line] {
					t.Fatalf("rate %s, seed %d: %d times, truly %d: %s", rate, seed, n, truth[line], line)
				}
			}
			if n := strings.Count(r.err.String(), "\n"); n > 40 {
				t.Errorf("rate %s, seed %d: %d lines in the log\n%s", rate, seed, n, &r.err)
			}
		}
	}
	if made < 30 || written < 500 {
		t.Errorf("%d faults, %d records", made, written)
	}
	t.Logf("%d faults, %d records", made, written)
}
