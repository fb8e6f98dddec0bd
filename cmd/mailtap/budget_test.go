package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// TestMemoryBudget floods mailtap with connections that anybody can forge, while
// conversations wait in the middle: the memory of the process stays within its
// budget, what is let go is counted, and the conversations go on as if nothing had
// been. MAILTAP_FLOOD=1 makes it five million attempts and a million
// connections that say nothing, of the default budget too.
func TestMemoryBudget(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short")
	}
	if raceDetector {
		t.Skip("the race detector takes several times the memory; make test runs it without")
	}
	attempts, silent, budgets := 200_000, 200_000, []int{48}
	if os.Getenv("MAILTAP_FLOOD") != "" {
		attempts, silent, budgets = 5_000_000, 1_000_000, []int{64, 512}
	}
	t.Run("all outputs", testBudgetOfAll)
	for _, budget := range budgets {
		for name, flood := range map[string]func(*flooded){
			"attempts":  func(f *flooded) { f.attempts(attempts) },
			"forged":    func(f *flooded) { f.forged(attempts) },
			"half open": func(f *flooded) { f.silent(silent) },
		} {
			t.Run(fmt.Sprintf("%s, %d MiB", name, budget), func(t *testing.T) { testBudget(t, budget, flood) })
		}
	}
}

func testBudget(t *testing.T, budget int, flood func(*flooded)) {
	const conversations = 100
	address := freePort(t)
	c := self("mailtap", nil, "run", "--interface", "-", "--shards", "1", "--memory", fmt.Sprintf("%dMiB", budget), "--log.level", "error", "--web.listen-address", address,
		"--web.page=false", "--metrics.deferred.pairs", "1000") // both have memory of their own beside the budget
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, c)
	await(t, p, nil, "http://"+address+"/-/ready")
	f := &flooded{w: bufio.NewWriterSize(in, 1<<16), now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).UnixNano()}
	f.w.WriteString(string(newCapture().file))
	var rest []packet.Segment
	for i := range conversations {
		list := dialogOf(t, "plain.txt", dialog.Options{Client: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}), 40000)})
		half := len(list) / 2
		f.segments(list[:half])
		rest = append(rest, list[half:]...)
	}
	flood(f)
	f.tick(time.Second) // so that what was counted is told
	f.segments(rest[:1])
	f.w.Flush()
	evicted := map[string]int{}
	if !within(30*time.Second, func() bool { evicted = evictions(t, address); return evicted["memory"] > 0 || budget > 100 }) {
		t.Errorf("nothing was let go: %v", evicted)
	}
	f.segments(rest[1:])
	f.w.Flush()
	resident := mostResident(t, p.cmd.Process.Pid)
	in.Close()
	<-p.done
	if status := p.cmd.ProcessState.ExitCode(); status != exitDone {
		t.Fatalf("status %d: %s", status, p.err)
	}
	t.Logf("at most %d MiB resident; let go %v", resident, evicted)
	if resident > budget+residentBeside {
		t.Errorf("at most %d MiB resident, the budget is %d", resident, budget)
	}
	ends := map[string]int{}
	for line := range strings.Lines(p.out.String()) {
		var r struct {
			Event, End string
			Partial    bool
			Client     struct{ IP string }
			Mails      []struct{ Result string }
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if r.Event == "session" && strings.HasPrefix(r.Client.IP, "198.51.100.") {
			ends[fmt.Sprint(r.End, " partial ", r.Partial, " mails ", len(r.Mails))]++
		}
	}
	if len(ends) != 1 || ends["quit partial false mails 1"] != conversations {
		t.Errorf("%d conversations ended like this: %v", conversations, ends)
	}
}

// mostResident is the most that a process had resident until now, in MiB. What
// wait4(2) tells is no less than what the test itself had.
func mostResident(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("needs /proc")
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n >> 10
}

// residentBeside is what the program itself has in memory beside the budget: its
// text, and what the collector is late with.
const residentBeside = 48

var evictedLine = regexp.MustCompile(`(?m)^mailtap_stream_evicted_total\{reason="(\w+)"\} (\d+)`)

func evictions(t *testing.T, address string) map[string]int {
	body, err := self("get", nil, "http://"+address+"/metrics").Output()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, m := range evictedLine.FindAllStringSubmatch(string(body), -1) {
		out[m[1]], _ = strconv.Atoi(m[2])
	}
	return out
}

// flooded writes a capture packet by packet; each comes a microsecond after the
// one before.
type flooded struct {
	w   *bufio.Writer
	now int64
	b   []byte
}

func (f *flooded) tick(d time.Duration) { f.now += int64(d) }

func (f *flooded) segments(list []packet.Segment) {
	c := &captureOf{}
	for i := range list {
		f.tick(time.Millisecond)
		c.frame(f.now, ether(c.ipv4(&list[i])))
	}
	f.w.Write(c.file)
}

// attempts are bare SYNs from so many sources.
func (f *flooded) attempts(n int) {
	for i := range n {
		f.packet(i, false, packet.SYN, 1000, 0, "")
	}
}

// forged are SYNs that bring a command along.
func (f *flooded) forged(n int) {
	for i := range n {
		f.packet(i, false, packet.SYN, 1000, 0, "EHLO forged.example\r\n")
	}
}

// silent are connections that are greeted and say nothing.
func (f *flooded) silent(n int) {
	for i := range n {
		f.packet(i, false, packet.SYN, 1000, 0, "")
		f.packet(i, true, packet.SYN|packet.ACK, 5000, 1001, "")
		f.packet(i, false, packet.ACK, 1001, 5001, "")
		f.packet(i, true, packet.PSH|packet.ACK, 5001, 1001, "220 mx.corp.test ESMTP\r\n")
	}
}

// packet is one of the i-th connection: Ethernet, IPv4, TCP. Nothing is
// allocated for it.
func (f *flooded) packet(i int, back bool, flags byte, seq, acked uint32, text string) {
	f.tick(time.Microsecond)
	size := uint32(54 + len(text))
	b := f.b[:0]
	for _, v := range []uint32{uint32(f.now / 1e9), uint32(f.now % 1e9 / 1e3), size, size} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	b = append(b, macs+"\x08\x00\x45\x00"...)
	b = binary.BigEndian.AppendUint16(b, uint16(size-14))
	b = append(b, 0, 1, 0x40, 0, 64, 6, 0, 0)
	ends := [2]uint32{0x0b000000 + uint32(i), 0xc0000219}
	ports := [2]uint16{uint16(1024 + i%50000), 25}
	if back {
		ends, ports = [2]uint32{ends[1], ends[0]}, [2]uint16{ports[1], ports[0]}
	}
	b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, ends[0]), ends[1])
	b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, ports[0]), ports[1])
	b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, seq), acked)
	b = append(b, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0)
	f.b = append(b, text...)
	f.w.Write(f.b)
}

// budgetOfAll has every output that holds something, and nobody who takes it.
const budgetOfAll = `
memory: 48MiB
state_dir: %[1]s/state
log: {level: warn, records: {queue_size: 4MiB}}
loki: {url: "http://127.0.0.1:1", queue_size: 4MiB}
metrics: {deferred: {pairs: 10000}}
alerts:
  receivers: [{name: ops, webhook: {url: "http://127.0.0.1:1"}}]
  evidence: {directory: %[1]s/evidence, memory: 8MiB}
  rules: {files: [%[2]q]}
stop_timeout: 1s
`

// What all outputs hold is a part of the sum: a flood of logins that each raise an
// alert with evidence, while no receiver and no Loki takes anything and a page is open.
func testBudgetOfAll(t *testing.T) {
	logins := 60_000
	if os.Getenv("MAILTAP_FLOOD") != "" {
		logins = 1_000_000
	}
	dir := t.TempDir()
	rules := writeTemp(t, "rules: [{name: Login, event: auth, group_by: auth.username, storm: 1000, summary: '{auth.username}'}]\n")
	config := writeTemp(t, fmt.Sprintf(budgetOfAll, dir, rules))
	cfg, err := loadFrom(config, nil)
	if err != nil {
		t.Fatal(err)
	}
	sum := int(cfg.heap() >> 20)
	address := freePort(t)
	c := self("mailtap", nil, "run", "--config", config, "--interface", "-", "--shards", "1", "--web.listen-address", address)
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, c)
	await(t, p, nil, "http://"+address+"/-/ready")
	browser := start(t, self("get", nil, "http://"+address+"/api/v1/events"))
	if err := (flood{logins: logins, sources: logins / 3, users: 1 << 30, seed: 3}).write(in); err != nil {
		t.Fatal(err)
	}
	resident := mostResident(t, p.cmd.Process.Pid)
	in.Close()
	<-p.done
	<-browser.done
	if !strings.Contains(p.err.String(), "were dropped") && logins > 100_000 {
		t.Errorf("no queue was full:\n%s", p.err)
	}
	t.Logf("at most %d MiB resident, the sum is %d", resident, sum)
	if resident > sum+residentBeside {
		t.Errorf("at most %d MiB resident, the sum of what may be held is %d\n%s", resident, sum, p.err)
	}
}
