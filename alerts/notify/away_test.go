package notify_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
)

// leap is a clock that each wait moves on.
type leap struct {
	mu  sync.Mutex
	now time.Time
}

func (l *leap) Now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now
}

func (l *leap) After(d time.Duration) <-chan time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = l.now.Add(d)
	c := make(chan time.Time, 1)
	c <- l.now
	return c
}

// away takes nothing before some time.
type away struct {
	clock *leap
	until time.Time
	stop  func() // called at half time; nil: nobody
	half  time.Time
	gate  chan struct{} // nothing passes before it is closed; nil: open
	tries int
	got   []string
	sends [][]string
}

func (a *away) Name() string { return "pager" }

func (a *away) Send(ctx context.Context, batch []alerts.Alert) error {
	if a.gate != nil {
		<-a.gate
	}
	now := a.clock.Now()
	if now.Before(a.until) {
		a.tries++
		if a.stop != nil && now.After(a.half) {
			a.stop()
			a.stop = nil
			<-ctx.Done()
			return ctx.Err()
		}
		return &notify.Error{What: "away"}
	}
	var list []string
	for _, x := range batch {
		list = append(list, fmt.Sprint(x.Key, " ", x.Status, " ", x.Repeat))
	}
	a.got = append(a.got, list...)
	a.sends = append(a.sends, list)
	return nil
}

// The receiver is away for a day, and mailtap is stopped and started within it.
func TestReceiverAwayForADay(t *testing.T) {
	clock := &leap{now: t0}
	ctx, cancel := context.WithCancel(context.Background())
	r := &away{clock: clock, until: t0.Add(24 * time.Hour), half: t0.Add(12 * time.Hour), stop: cancel}
	count := newTally()
	var notices []string
	options := notify.Options{Dir: notify.QuickDir(t), Clock: clock, Observer: count, Notice: func(s string) { notices = append(notices, s) }}
	n, err := notify.New(everything(r), options)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 200 {
		n.Alert(sample(i, alerts.Firing))
		want = append(want, fmt.Sprint(i, " firing 0"))
	}
	<-ctx.Done()
	if err := n.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if len(notices) != 1 || !strings.HasPrefix(notices[0], "200 notifications wait in ") {
		t.Errorf("notices %q", notices)
	}
	r.gate = make(chan struct{})
	n, err = notify.New(everything(r), options)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(n.Active()); got != 200 {
		t.Errorf("%d fire", got)
	}
	for i := range 200 {
		if i%2 == 0 {
			n.Alert(sample(i, alerts.Resolved))
			want = append(want, fmt.Sprint(i, " resolved 0"))
		}
	}
	close(r.gate)
	count.await("pager sent", 300)
	if err := n.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.got, want) {
		t.Errorf("got %v", r.got)
	}
	if len(r.sends) != 6 {
		t.Errorf("%d Sends for 300 alerts of one rule", len(r.sends))
	}
	// 5 min at most, half of it at least: once in three minutes or so.
	if r.tries < 24*60/5 || r.tries > 24*60/2+20 {
		t.Errorf("%d tries within the day", r.tries)
	}
	if d := count.get("pager dropped"); d != 0 {
		t.Errorf("%d dropped", d)
	}
}

// A storm of two rules under a limit of four an hour: few Sends, and all is told.
func TestRateLimitGathers(t *testing.T) {
	clock := &leap{now: t0}
	r := &away{clock: clock, gate: make(chan struct{})}
	count := newTally()
	n, err := notify.New([]notify.Subscription{{Receiver: r, PerHour: 4}}, notify.Options{Clock: clock, Observer: count})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 400 {
		a := sample(i, alerts.Firing)
		a.Rule = []string{"A", "B"}[i%2]
		n.Alert(a)
	}
	close(r.gate)
	count.await("pager sent", 400)
	if err := n.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if s := len(r.sends); s < 8 || s > 12 {
		t.Errorf("%d Sends for 400 alerts in two rules", s)
	}
	if passed := clock.now.Sub(t0); passed < time.Hour || passed > 6*time.Hour {
		t.Errorf("it took %s", passed)
	}
}

// frozen is a clock that stands, with waits that never end.
type frozen struct{ hurry }

func (*frozen) After(time.Duration) <-chan time.Time { return nil }

// At the end a limit keeps what the outbox holds for the next start; without an
// outbox, where it would be lost, it goes.
func TestRateLimitAtTheEnd(t *testing.T) {
	for dir, want := range map[string]int{"": 3, notify.QuickDir(t): 1} {
		r := &away{clock: &leap{now: t0}}
		count := newTally()
		n, err := notify.New([]notify.Subscription{{Receiver: r, PerHour: 1}}, notify.Options{Dir: dir, Clock: &frozen{}, Observer: count})
		if err != nil {
			t.Fatal(err)
		}
		n.Alert(sample(1, alerts.Firing))
		count.await("pager sent", 1)
		n.Alert(sample(2, alerts.Firing))
		n.Alert(sample(3, alerts.Firing))
		if err := n.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if len(r.got) != want || count.get("pager dropped") != 0 {
			t.Errorf("outbox %q: %v was sent, want %d", dir, r.got, want)
		}
		if dir == "" {
			continue
		}
		n, _ = notify.New(everything(r), notify.Options{Dir: dir})
		if err := n.Close(context.Background()); err != nil || len(r.got) != 3 {
			t.Errorf("after the next start %v was sent: %v", r.got, err)
		}
	}
}

// An alert that no receiver took for too long is dropped, and counted.
func TestOldAlertsAreDropped(t *testing.T) {
	clock := &leap{now: t0}
	count := newTally()
	r := &away{clock: clock, until: t0.Add(1000 * time.Hour)}
	n, err := notify.New([]notify.Subscription{{Receiver: r}}, notify.Options{Dir: notify.QuickDir(t), Clock: clock, Observer: count, MaxAge: 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	n.Alert(sample(1, alerts.Firing))
	count.await("pager dropped", 1)
	if waited := clock.Now().Sub(t0); waited < 24*time.Hour || waited > 25*time.Hour || len(r.got) > 0 {
		t.Errorf("it was dropped after %s, sent %q", waited, r.got)
	}
	if err := n.Close(context.Background()); err != nil {
		t.Error(err)
	}
}
