package notify_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
	"github.com/mailtap/mailtap/alerts/receivers"
)

// The kill test runs this test's own program as a child. It raises alerts,
// says each when Alert returned, and is killed at some moment.
const (
	childDir   = "MAILTAP_TEST_OUTBOX"
	childURL   = "MAILTAP_TEST_WEBHOOK"
	childFirst = "MAILTAP_TEST_FIRST"
	killAlerts = 1000
	killBurst  = 50
)

func TestKillChild(t *testing.T) {
	if os.Getenv(childDir) == "" {
		t.Skip("this is the child of TestKillLosesNothing")
	}
	first, err := strconv.Atoi(os.Getenv(childFirst))
	if err != nil {
		t.Fatal(err)
	}
	n := keeping(t, os.Getenv(childDir), os.Getenv(childURL), nil)
	for i := first; i < killAlerts; i++ {
		n.Alert(sample(i, alerts.Firing))
		fmt.Printf("raised %d\n", i)
		if i%killBurst == killBurst-1 {
			os.Stdin.Read(make([]byte, 1)) // so that it is not done before it can be killed
		}
	}
	io.Copy(io.Discard, os.Stdin) // until it is killed
}

// brisk is a clock of short waits, so that the store is written all the time
// and some kills fall into that.
type brisk struct{ notify.WallClock }

func (brisk) After(d time.Duration) <-chan time.Time { return time.After(min(d, 2*time.Millisecond)) }

func keeping(t *testing.T, dir, url string, observer notify.Observer) *notify.Notifier {
	t.Helper()
	hook, err := receivers.NewWebhook(receivers.WebhookOptions{Name: "hook", URL: url, Timeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	n, err := notify.New(everything(hook), notify.Options{Dir: dir, Observer: observer, Clock: brisk{}, MinBackoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// ledger is a webhook that fails now and then and knows what it took.
type ledger struct {
	mu   sync.Mutex
	n    int
	seen map[string]int
}

func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Alerts []struct{ Fingerprint string }
	}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		w.WriteHeader(http.StatusInternalServerError) // its sender was killed
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n++; l.n%3 == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	for _, a := range m.Alerts {
		l.seen[a.Fingerprint]++
	}
}

func (l *ledger) missing(n int) (out []int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range n {
		if l.seen[fmt.Sprintf("%016x", i)] == 0 {
			out = append(out, i)
		}
	}
	return out
}

func TestKillLosesNothing(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	raisedInAll, inTheMiddle := 0, 0
	for round := range 20 {
		book := &ledger{seen: map[string]int{}}
		server := httptest.NewServer(book)
		dir := filepath.Join(notify.QuickDir(t), "outbox")
		raised := 0
		for range 2 { // the second one finds what the first left
			from := raised
			raised = killChild(t, dir, server.URL, raised, random)
			if raised > from && raised < killAlerts {
				inTheMiddle++
			}
		}
		count := newTally()
		n := keeping(t, dir, server.URL, count)
		if got := len(n.Active()); got < raised {
			t.Errorf("round %d: %d fire, %d were raised", round, got, raised)
		}
		if err := n.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if lost := book.missing(raised); len(lost) > 0 {
			t.Errorf("round %d: of %d alerts %d were lost: %v", round, raised, len(lost), lost)
		}
		raisedInAll += raised
		server.Close()
	}
	if inTheMiddle < 10 {
		t.Errorf("only %d of 40 kills were in the middle", inTheMiddle)
	}
	t.Logf("%d alerts raised, %d of 40 kills in the middle", raisedInAll, inTheMiddle)
}

// killChild kills a child when it raised some alerts, or soon after, and
// returns the number of the first alert that it did not say.
func killChild(t *testing.T, dir, url string, first int, random *rand.Rand) int {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKillChild$", "-test.v")
	child.Env = append(os.Environ(), childDir+"="+dir, childURL+"="+url, childFirst+"="+strconv.Itoa(first))
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	stopAt := first + 1 + random.IntN((killAlerts-first)*2/3)
	lines := bufio.NewScanner(out)
	next := first
	for lines.Scan() { // what it had said until it died is read to the end
		var i int
		if n, _ := fmt.Sscanf(lines.Text(), "raised %d", &i); n != 1 {
			continue
		}
		if next = i + 1; next == stopAt {
			child.Process.Kill()
		} else if next%killBurst == 0 {
			in.Write([]byte{'\n'}) // it may be dead already
		}
	}
	child.Wait()
	if next < stopAt {
		t.Fatalf("the child ended at %d without being killed", next)
	}
	return next
}

// crank is a server behind one address that fails in every way in turn, and
// dies and comes back in between.
type crank struct {
	address string
	server  *http.Server
	rough   rough
}

func (c *crank) serve(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", c.address)
	if err != nil {
		t.Fatal(err)
	}
	c.address = l.Addr().String()
	c.server = &http.Server{Handler: &c.rough}
	go c.server.Serve(l)
}

func TestOutboxOutlivesAReceiverThatDies(t *testing.T) {
	c := &crank{address: "127.0.0.1:0"}
	c.serve(t)
	dir := notify.QuickDir(t)
	const all = 300
	count := newTally()
	n := keeping(t, dir, "http://"+c.address, count)
	for i := range all {
		n.Alert(sample(i, alerts.Firing))
		if i == all/2 {
			retried := count.get("hook retried")
			c.server.Close() // it is dead
			count.await("hook retried", retried+1)
			c.serve(t)
		}
	}
	count.await("hook sent", all)
	if err := n.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	c.server.Close()
	c.rough.mu.Lock()
	defer c.rough.mu.Unlock()
	seen := map[string]bool{}
	for _, k := range c.rough.got {
		seen[k] = true
	}
	if len(seen) != all {
		t.Errorf("%d of %d arrived", len(seen), all)
	}
	n = keeping(t, dir, "http://"+c.address, count)
	if err := n.Close(context.Background()); err != nil || count.get("hook sent") != all {
		t.Errorf("something was left: %v", err)
	}
}
