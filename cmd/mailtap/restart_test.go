package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
	"github.com/mailtap/mailtap/metrics/deferrals"
	"github.com/mailtap/mailtap/sessions"
)

const (
	manyPairs  = 200_000 // the default of metrics.deferred.pairs
	manyAlerts = 10_000  // that wait for a receiver at most
	readyLimit = 2 * time.Second
)

// largeState makes a state_dir that is as full as the defaults let it be.
func largeState(t *testing.T, dir string) {
	t.Helper()
	q := deferrals.New(deferrals.Options{Pairs: manyPairs, Expire: 24 * time.Hour, Observer: unheard{}})
	at := time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)
	for i := range manyPairs {
		q.Handle(&sessions.MailDone{
			In:   sessions.In{Conn: &sessions.Conn{}, Time: at.Add(time.Duration(i) * time.Millisecond)},
			Mail: &sessions.Mail{From: "a@client.test", FromKnown: true, Rejected: []sessions.Rejection{{To: fmt.Sprint(i, "@home.test"), Code: 450}}},
		})
	}
	var b bytes.Buffer
	must(t, q.Save(&b))
	must(t, os.MkdirAll(dir, 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "deferrals.state"), b.Bytes(), 0o600))
	ctx, cancel := context.WithCancel(context.Background())
	n, err := notify.New([]notify.Subscription{{Receiver: notTaking{}}}, notify.Options{Dir: filepath.Join(dir, "outbox")})
	must(t, err)
	for i := range manyAlerts {
		n.Alert(alerts.Alert{
			Time: at, Rule: "LoginOld", Severity: alerts.Warning, Status: alerts.Firing, Started: at, Key: fmt.Sprint("old ", i), Summary: strings.Repeat("x", 100),
			Fingerprint: fmt.Sprintf("%016x", i), Sessions: []string{"114aeba606ed869882af8204"},
		})
	}
	cancel()
	must(t, n.Close(ctx))
}

type unheard struct{}

func (unheard) Retried(*sessions.Conn, string)          {}
func (unheard) Delivered(*sessions.Conn, time.Duration) {}

// notTaking is a receiver that is away.
type notTaking struct{}

func (notTaking) Name() string { return "ops" }
func (notTaking) Send(ctx context.Context, _ []alerts.Alert) error {
	return &notify.Error{What: "away"}
}

// flaky is a webhook and a Loki in one: away, or failing each third time.
type flaky struct {
	away, sound atomic.Bool
	book        *keysTaken
	n           atomic.Int64
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case f.away.Load():
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusServiceUnavailable)
	case strings.Contains(r.URL.Path, "loki"):
		io.Copy(io.Discard, r.Body)
		if f.n.Add(1)%3 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		} else {
			w.WriteHeader(http.StatusNoContent)
		}
	default:
		if f.sound.Load() {
			f.book.mu.Lock()
			f.book.n = 0 // not the third
			f.book.mu.Unlock()
		}
		f.book.ServeHTTP(w, r)
	}
}

const restartConfig = `
sensor: test
log: {records: {kinds: [alert]}}
loki: {url: "%[1]s/loki/api/v1/push", batch_wait: 50ms}
alerts:
  receivers: [{name: ops, webhook: {url: "%[1]s"}}]
  rules:
    files: [%[2]q]
stop_timeout: 30s
`

// TestKilledAndStartedAgain kills the program (kill -9) at random moments, with a
// full outbox and 200,000 pairs of deferred mail, and starts it again: it is ready in
// less than two seconds, no state is damaged, no alert that it told of is lost.
// MAILTAP_KILLS says how often; 4 where it is unset.
func TestKilledAndStartedAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short")
	}
	rounds := 4
	if n, err := strconv.Atoi(os.Getenv("MAILTAP_KILLS")); err == nil {
		rounds = n
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 2))
	stub := &flaky{book: &keysTaken{seen: map[string]int{}}}
	hook := httptest.NewServer(stub)
	defer hook.Close()
	state := filepath.Join(t.TempDir(), "state")
	largeState(t, state)
	rules := writeTemp(t, "rules: [{name: Login, event: auth, group_by: auth.username, storm: 1000, repeat_interval: 5m, summary: '{auth.username}'}]\n")
	args := []string{"run", "--config", writeTemp(t, fmt.Sprintf(restartConfig, hook.URL, rules)), "--interface", "-", "--web.listen-address", "127.0.0.1:0", "--state-dir", state}

	// While the receiver is away no more may come than wait for it: the oldest would go.
	logins := min(600, manyAlerts/2/rounds/3*3)
	var told []string
	var ready []time.Duration
	for round := range rounds {
		stub.away.Store(round < (rounds+1)/2)
		r := startAgain(t, args, int64(seed>>8)+int64(round), logins, time.Duration(round)*20*time.Minute)
		ready = append(ready, r.ready)
		time.Sleep(time.Duration(random.IntN(4000)) * time.Millisecond)
		r.cmd.Process.Kill()
		<-r.done
		told = append(told, r.told...)
		if log := r.err.String(); strings.Contains(log, "cannot be used") || strings.Contains(log, "not whole") || strings.Contains(log, "damaged") || strings.Contains(log, "panic") {
			t.Errorf("round %d:\n%s", round, log)
		}
	}
	stub.away.Store(false)
	stub.sound.Store(true)
	last := startAgain(t, args, 0, logins, 0)
	ready = append(ready, last.ready)
	address := listening(t, &process{err: last.err})
	metrics, err := self("get", nil, "http://"+address+"/metrics").Output()
	must(t, err)
	if line := `mailtap_deferred_recipients{server="other"} 200000`; !strings.Contains(string(metrics), line) {
		t.Errorf("no line %s", line)
	}
	within(2*time.Minute, func() bool { return stub.book.lacks(told) == 0 })
	last.in.Close()
	<-last.done
	if status := last.cmd.ProcessState.ExitCode(); status != exitDone {
		t.Errorf("the last run ended with %d:\n%s", status, last.err)
	}
	lost, twice := stub.book.lacks(told), 0
	for _, n := range stub.book.seen {
		twice += n - 1
	}
	slices.Sort(ready)
	median, most := ready[len(ready)/2], ready[len(ready)-1]
	t.Logf("%d kills; ready after %v at the median, %v at most; %d alerts told, %d lost; %d alerts delivered, %d of them once more",
		rounds, median.Round(time.Millisecond), most.Round(time.Millisecond), len(told), lost, len(stub.book.seen), twice)
	if lost > 0 || len(told) == 0 {
		t.Errorf("%d of %d alerts were lost", lost, len(told))
	}
	if limit := readyLimit; median > limit && !raceDetector {
		t.Errorf("it was ready after %v", median)
	}
}

// lacks is how many of these alerts were not taken.
func (k *keysTaken) lacks(told []string) (n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, key := range told {
		if k.seen[key] == 0 {
			n++
		}
	}
	return n
}

// again is a program that was started once more.
type again struct {
	*process
	in    io.WriteCloser
	ready time.Duration // from exec to ready
	told  []string      // keys of alerts; whole once done
}

// startAgain starts the program, waits until it is ready, and feeds it logins of so
// much later, slowly: those of the rounds before do not fire any more.
func startAgain(t *testing.T, args []string, seed int64, logins int, later time.Duration) *again {
	t.Helper()
	c := self("mailtap", nil, args...)
	a := &again{process: &process{cmd: c, err: &safeBuffer{}, done: make(chan struct{})}}
	var err error
	a.in, err = c.StdinPipe()
	must(t, err)
	out, err := c.StdoutPipe()
	must(t, err)
	log, err := c.StderrPipe()
	must(t, err)
	began := time.Now()
	must(t, c.Start())
	watching := make(chan time.Duration, 1)
	var read sync.WaitGroup
	read.Go(func() {
		for lines := bufio.NewScanner(log); lines.Scan(); {
			fmt.Fprintln(a.err, lines.Text())
			if strings.Contains(lines.Text(), "msg=watching") {
				watching <- time.Since(began)
			}
		}
	})
	read.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var r struct{ Rule, Key string }
			if json.Unmarshal(lines.Bytes(), &r) == nil && r.Rule == "Login" {
				a.told = append(a.told, r.Key)
			}
		}
	})
	go func() { read.Wait(); c.Wait(); close(a.done) }()
	select {
	case a.ready = <-watching:
	case <-time.After(time.Minute):
		c.Process.Kill()
		t.Fatalf("it is not ready:\n%s", a.err)
	}
	var capture bytes.Buffer
	must(t, flood{logins: logins, sources: logins / 3, users: 1 << 30, seed: seed}.write(&capture))
	shift(capture.Bytes(), later)
	if seed == 0 { // nothing new
		_, err := a.in.Write(capture.Bytes()[:24])
		must(t, err)
		return a
	}
	go func() {
		for piece := range slices.Chunk(capture.Bytes(), capture.Len()/200) {
			if _, err := a.in.Write(piece); err != nil {
				return // it is dead
			}
			time.Sleep(4 * time.Millisecond)
		}
	}()
	return a
}

// shift gives the packets of a capture later times.
func shift(file []byte, by time.Duration) {
	for at := 24; at+16 <= len(file); at += 16 + int(binary.LittleEndian.Uint32(file[at+8:])) {
		binary.LittleEndian.PutUint32(file[at:], binary.LittleEndian.Uint32(file[at:])+uint32(by/time.Second))
	}
}
