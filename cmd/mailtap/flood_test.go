package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
)

// flood is an attack: so many failed logins, from so many sources, for so many
// users, in a capture of ten minutes. Each source opens a connection for every
// third login.
type flood struct {
	logins, sources, users int
	seed                   int64
}

// floodConn is a connection of the flood that goes on packet by packet.
type floodConn struct {
	client      [4]byte
	port        uint16
	steps       []floodStep
	next        int
	sent, heard uint32 // sequence numbers of client and server
}

type floodStep struct {
	server bool
	flags  byte
	text   string
}

const (
	fin, syn, psh, ack = 1, 2, 8, 16
	floodConcurrent    = 2000
)

// write makes the capture.
func (f flood) write(to io.Writer) error {
	w := bufio.NewWriterSize(to, 1<<20)
	head := [24]byte{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 18: 4, 20: 1}
	w.Write(head[:])
	rnd := rand.New(rand.NewSource(f.seed))
	each := f.logins / f.sources
	packets := f.sources * ((each+2)/3*11 + 2*each)
	tick := 600 * time.Second / time.Duration(packets)
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	var open []*floodConn
	source, left := 0, each
	for {
		for len(open) < floodConcurrent && source < f.sources {
			n := min(left, 3)
			open = append(open, f.connect(rnd, source, n))
			if left -= n; left == 0 {
				source, left = source+1, each
			}
		}
		if len(open) == 0 {
			return w.Flush()
		}
		i := rnd.Intn(len(open))
		c := open[i]
		c.write(w, at)
		at = at.Add(tick)
		if c.next == len(c.steps) {
			open[i] = open[len(open)-1]
			open = open[:len(open)-1]
		}
	}
}

func (f flood) connect(rnd *rand.Rand, source, logins int) *floodConn {
	c := &floodConn{client: [4]byte{byte(100 + source>>16), byte(source >> 8), byte(source), 7}, port: uint16(20000 + rnd.Intn(40000)), sent: rnd.Uint32(), heard: rnd.Uint32()}
	say := func(server bool, flags byte, text string) { c.steps = append(c.steps, floodStep{server, flags, text}) }
	say(false, syn, "")
	say(true, syn|ack, "")
	say(false, ack, "")
	say(true, psh|ack, "220 mx.corp.test ESMTP\r\n")
	say(false, psh|ack, "EHLO host"+strconv.Itoa(source)+".example\r\n")
	say(true, psh|ack, "250-mx.corp.test\r\n250-SIZE 10240000\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n")
	for range logins {
		secret := base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "\x00user%d@corp.test\x00guess%d", rnd.Intn(f.users), rnd.Intn(1000)))
		say(false, psh|ack, "AUTH PLAIN "+secret+"\r\n")
		say(true, psh|ack, "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6\r\n")
	}
	say(false, psh|ack, "QUIT\r\n")
	say(true, psh|ack, "221 2.0.0 Bye\r\n")
	say(true, fin|ack, "")
	say(false, fin|ack, "")
	say(true, ack, "")
	return c
}

// write is one packet: Ethernet, IPv4, TCP without options.
func (c *floodConn) write(w *bufio.Writer, at time.Time) {
	s := c.steps[c.next]
	c.next++
	server, mine, theirs := [4]byte{10, 20, 0, 25}, &c.sent, &c.heard
	from, to, sport, dport := c.client, server, c.port, uint16(587)
	if s.server {
		mine, theirs = theirs, mine
		from, to, sport, dport = to, from, dport, sport
	}
	size := 54 + len(s.text)
	b := make([]byte, 0, 16+54)
	b = binary.LittleEndian.AppendUint32(b, uint32(at.Unix()))
	b = binary.LittleEndian.AppendUint32(b, uint32(at.Nanosecond()/1000))
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	b = append(b, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0)
	b = append(b, 0x45, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(size-14))
	b = append(b, 0, 0, 0x40, 0, 64, 6, 0, 0)
	b = append(append(b, from[:]...), to[:]...)
	b = binary.BigEndian.AppendUint16(b, sport)
	b = binary.BigEndian.AppendUint16(b, dport)
	b = binary.BigEndian.AppendUint32(b, *mine)
	b = binary.BigEndian.AppendUint32(b, *theirs)
	b = append(b, 0x50, s.flags, 0xff, 0xff, 0, 0, 0, 0)
	*mine += uint32(len(s.text))
	if s.flags&(syn|fin) != 0 {
		*mine++
	}
	w.Write(b)
	w.WriteString(s.text)
}

// floodRules is a configuration with a webhook, and every built-in rule off or not.
func floodRules(off bool, hook string) string {
	out := "alerts:\n  receivers: [{name: ops, webhook: {url: \"" + hook + "\"}}]\n"
	if off {
		out += "  rules:\n    override:\n"
		for _, r := range alerts.Builtin().Rules {
			out += "      - {name: " + r.Name + ", disabled: true}\n"
		}
	}
	return out
}

// TestFlood reads a flood: what the alerts say, and how many a receiver gets.
// MAILTAP_FLOOD=1 makes it a million logins of 200,000 sources for 100,000
// users, and measures what the rules cost.
func TestFlood(t *testing.T) {
	f := flood{logins: 20_000, sources: 4000, users: 2000, seed: 1}
	if raceDetector {
		t.Skip("the race detector takes several times the memory; make test runs it without")
	}
	whole := os.Getenv("MAILTAP_FLOOD") != ""
	if whole {
		f = flood{logins: 1_000_000, sources: 200_000, users: 100_000, seed: 1}
	}
	dir := t.TempDir()
	capture := filepath.Join(dir, "flood.pcap")
	file, err := os.Create(capture)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.write(file); err != nil {
		t.Fatal(err)
	}
	file.Close()
	records := filepath.Join(dir, "records.json") // a file: what a parent holds in memory counts as its child's
	read := func(off bool) (cpu time.Duration, posts, told int) {
		var mu sync.Mutex
		hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			var body struct{ Alerts []json.RawMessage }
			err := json.NewDecoder(r.Body).Decode(&body)
			mu.Lock()
			defer mu.Unlock()
			if posts, told = posts+1, told+len(body.Alerts); err != nil {
				t.Error(err)
			}
		}))
		defer hook.Close()
		config := filepath.Join(dir, fmt.Sprint("rules-", off, ".yaml"))
		if err := os.WriteFile(config, []byte(floodRules(off, hook.URL)), 0o600); err != nil {
			t.Fatal(err)
		}
		c := self("mailtap", nil, "read", "--config", config, "--format", "json", capture)
		var stderr bytes.Buffer
		c.Stderr = &stderr
		to, err := os.Create(records)
		if err != nil {
			t.Fatal(err)
		}
		defer to.Close()
		c.Stdout = to
		if err := c.Run(); err != nil {
			t.Fatalf("%v: %s", err, stderr.String())
		}
		u := c.ProcessState.SysUsage().(*syscall.Rusage)
		t.Logf("rules off %v: CPU time %s, at most %d MB resident, %d notifications of %d notices", off, c.ProcessState.UserTime()+c.ProcessState.SystemTime(), u.Maxrss>>10, posts, told)
		if most := int64(1 << 20); u.Maxrss > most {
			t.Errorf("%d MB resident", u.Maxrss>>10)
		}
		return c.ProcessState.UserTime() + c.ProcessState.SystemTime(), posts, told
	}
	if whole {
		var on, off []time.Duration
		for range 5 {
			cpu, _, _ := read(false)
			on = append(on, cpu)
			cpu, _, _ = read(true)
			off = append(off, cpu)
		}
		slices.Sort(on)
		slices.Sort(off)
		t.Logf("median CPU time %s with rules, %s without: %.1f %% more", on[2], off[2], 100*(float64(on[2])/float64(off[2])-1))
	}
	_, posts, told := read(false)
	from, err := os.Open(records)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	named, storms := map[string]int{}, map[string]float64{}
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		line := lines.Bytes()
		var a struct {
			Kind, Rule, Status string
			Groups, Value      float64
			Summary            string
		}
		if !bytes.HasPrefix(line, []byte(`{"event":"alert"`)) || json.Unmarshal(line, &a) != nil {
			continue
		}
		named[a.Rule]++
		if a.Status == "resolved" && a.Groups > 0 {
			storms[a.Rule] += a.Groups
			t.Log(a.Summary)
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	t.Log(named, storms)
	for _, rule := range []string{"AuthBruteForce", "PasswordSpray", "DistributedBruteForce", "PlaintextCredentials"} {
		if named[rule] == 0 || storms[rule] == 0 {
			t.Errorf("%s is not named, or has no storm", rule)
		}
	}
	if told > 50 || posts == 0 {
		t.Errorf("%d notices, %d notifications", told, posts)
	}
}
