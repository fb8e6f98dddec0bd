package notify_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
)

// phone is a receiver that may be engaged.
type phone struct {
	name    string
	mu      sync.Mutex
	engaged bool
	heard   []string
	idle    bool // its connections were let go
}

func (p *phone) Name() string { return p.name }

func (p *phone) Send(_ context.Context, batch []alerts.Alert) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.engaged {
		return errors.New("engaged")
	}
	for _, a := range batch {
		p.heard = append(p.heard, a.Fingerprint)
	}
	return nil
}

func (p *phone) CloseIdleConnections() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = true
}

func (p *phone) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprint(strings.Join(p.heard, " "), " ", p.idle)
}

func ring(n *notify.Notifier, print string) {
	n.Alert(alerts.Alert{Rule: "R", Severity: alerts.Warning, Status: alerts.Firing, Fingerprint: print, Started: t0, Time: t0})
}

func becomes(t *testing.T, p *phone, want string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); p.String() != want; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s heard %q, want %q", p.name, p, want)
		}
	}
}

// A receiver of the same name takes over what waits, at once; one that is new gets
// what comes from then on; nothing comes twice.
func TestReplace(t *testing.T) {
	for _, dir := range []string{"", t.TempDir()} {
		old := &phone{name: "ops", engaged: true}
		n, err := notify.New([]notify.Subscription{{Receiver: old}}, notify.Options{Dir: dir, MinBackoff: time.Hour, MaxBackoff: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		ring(n, "a")
		ring(n, "b")
		next, more := &phone{name: "ops"}, &phone{name: "more"}
		n.Replace([]notify.Subscription{{Receiver: next}, {Receiver: more}}, time.Minute)
		ring(n, "c")
		becomes(t, next, "a b c false")
		becomes(t, more, "c false")
		becomes(t, old, " true")
		if err := n.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

// A receiver that is gone gets its time; then what waits is dropped, counted, told,
// and out of the outbox.
func TestReplaceDismisses(t *testing.T) {
	dir := t.TempDir()
	for _, engaged := range []bool{false, true} {
		gone, counts := &phone{name: "gone", engaged: engaged}, newTally()
		var mu sync.Mutex
		var notices []string
		options := notify.Options{Dir: dir, MinBackoff: 10 * time.Millisecond, Observer: counts, Notice: func(s string) {
			mu.Lock()
			defer mu.Unlock()
			notices = append(notices, s)
		}}
		n, err := notify.New([]notify.Subscription{{Receiver: gone}}, options)
		if err != nil {
			t.Fatal(err)
		}
		ring(n, "a")
		n.Replace(nil, 300*time.Millisecond)
		ring(n, "b") // nobody's
		if engaged {
			counts.await("gone dropped", 1)
		} else {
			counts.await("gone sent", 1)
		}
		if err := n.Close(context.Background()); err != nil {
			t.Error(err)
		}
		mu.Lock()
		told := strings.Join(notices, "\n")
		mu.Unlock()
		if want := "1 notifications for gone, which is no longer configured, are dropped"; strings.Contains(told, want) != engaged {
			t.Errorf("engaged %v: told %q", engaged, told)
		}
		back := &phone{name: "gone"}
		if n, err = notify.New([]notify.Subscription{{Receiver: back}}, options); err != nil {
			t.Fatal(err)
		}
		if err := n.Close(context.Background()); err != nil || len(back.heard) > 0 {
			t.Errorf("in the outbox stood %v, %v", back.heard, err)
		}
	}
}
