package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
)

// still is a clock whose waits never end: the store is written at the end only.
type still struct{}

func (still) Now() time.Time                       { return t0 }
func (still) After(time.Duration) <-chan time.Time { return nil }

// told gathers notices.
type told struct {
	mu   sync.Mutex
	list []string
}

func (n *told) add(s string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, s)
}

func (n *told) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.list, "\n")
}

// begin opens an outbox as a process does, end kills it: its files stay as
// they are, and the lock is gone.
func begin(t testing.TB, dir string, notices *told, receivers ...string) (*outbox, map[string][]note) {
	t.Helper()
	o := Options{Dir: dir, Clock: still{}, Notice: notices.add}
	o.fill()
	box, waiting, err := openOutbox(&o, receivers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { box.store.close() })
	return box, waiting
}

// killed is a copy of a folder, as a killed process leaves it.
func killed(t testing.TB, dir string) string {
	t.Helper()
	to := filepath.Join(QuickDir(t), "outbox")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func keys(list []note) string {
	var out []string
	for _, x := range list {
		out = append(out, x.alert.Key+" "+x.alert.Status)
	}
	return strings.Join(out, ", ")
}

func keysOf(list []alerts.Alert) string {
	var out []string
	for _, a := range list {
		out = append(out, a.Key)
	}
	return strings.Join(out, ", ")
}

func raise(o *outbox, i int, status string, to ...string) uint64 {
	a := sample(i, status)
	return o.add(&a, to, 0)
}

func TestOutboxOutlivesKills(t *testing.T) {
	var notices told
	dir := filepath.Join(QuickDir(t), "state", "outbox")
	box, waiting := begin(t, dir, &notices, "a", "b")
	if len(waiting) != 0 {
		t.Errorf("a new outbox holds %v", waiting)
	}
	one := raise(box, 1, alerts.Firing, "a", "b")
	raise(box, 2, alerts.Firing, "b")
	raise(box, 3, alerts.Firing) // nobody is told, but it fires
	three := raise(box, 1, alerts.Resolved, "a", "b")
	check := func(dir, a, b, firing string) string {
		t.Helper()
		box, waiting := begin(t, dir, &notices, "a", "b")
		if keys(waiting["a"]) != a || keys(waiting["b"]) != b || keysOf(box.firing()) != firing {
			t.Errorf("a waits for %q, b for %q, %q fire;\nwant %q, %q, %q", keys(waiting["a"]), keys(waiting["b"]), keysOf(box.firing()), a, b, firing)
		}
		return killed(t, dir)
	}
	const both, all, firing = "1 firing, 1 resolved", "1 firing, 2 firing, 1 resolved", "2, 3"
	once := check(killed(t, dir), both, all, firing)            // from the journal
	check(once, both, all, firing)                              // from the store
	box.done("b", one)                                          // killed before it was written
	check(killed(t, dir), both, all, firing)                    // at least once
	box.commit()                                                //
	check(killed(t, dir), both, "2 firing, 1 resolved", firing) //
	box.done("a", one, three)                                   //
	four := raise(box, 4, alerts.Firing, "a", "b")              //
	box.commit()                                                //
	box.done("a", four)                                         //
	five := raise(box, 2, alerts.Resolved, "b")                 //
	box.commit()                                                //
	late := killed(t, dir)                                      //
	check(late, "", "2 firing, 1 resolved, 4 firing, 2 resolved", "3, 4")
	box.done("b", one+1, three, four, five)
	box.commit()
	check(killed(t, dir), "", "", "3, 4")
	if len(box.left) != 0 {
		t.Errorf("%v are held for nobody", box.left)
	}
	if a, b := box.journals[0].size, box.journals[1].size; a+b > 0 {
		t.Errorf("journals of %d and %d octets hold what the store has", a, b)
	}
	if s := notices.String(); s != "" {
		t.Errorf("notices: %s", s)
	}
}

// A power loss takes what no fsync has seen: the journals, but nothing of a
// commit, which waits for the disk.
func TestOutboxOutlivesAPowerLoss(t *testing.T) {
	var notices told
	dir := QuickDir(t)
	box, _ := begin(t, dir, &notices, "a")
	if db := box.store.db; db.NoSync || db.NoGrowSync {
		t.Error("the store does not wait for the disk")
	}
	var want []string
	for i := range 10 {
		raise(box, i, alerts.Firing, "a")
		if err := box.commit(); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprint(i, " firing"))
		raise(box, 100+i, alerts.Firing) // in a journal only
		after := killed(t, dir)
		garbage := bytes.Repeat([]byte{byte(i), 0, 0xff}, 100*i)
		os.WriteFile(filepath.Join(after, "journal-0"), garbage, 0o600)
		os.Remove(filepath.Join(after, "journal-1"))
		notices.list = nil
		again, waiting := begin(t, after, &notices, "a")
		if got := keys(waiting["a"]); got != strings.Join(want, ", ") || len(again.firing()) < i+1 {
			t.Errorf("after commit %d: %s", i, got)
		}
		if (len(notices.list) == 1) != (i > 0) {
			t.Errorf("after commit %d: notices %q", i, notices.list)
		}
	}
}

func TestOutboxNumbersGoOn(t *testing.T) {
	var notices told
	dir := QuickDir(t)
	box, _ := begin(t, dir, &notices, "a")
	one := raise(box, 1, alerts.Firing, "a")
	box, _ = begin(t, killed(t, dir), &notices, "a")
	if two := raise(box, 2, alerts.Firing, "a"); two <= one {
		t.Errorf("the alert after %d has the number %d", one, two)
	}
}

func TestOutboxForgetsReceiversThatAreNoMore(t *testing.T) {
	var notices told
	dir := QuickDir(t)
	box, _ := begin(t, dir, &notices, "old", "new")
	raise(box, 1, alerts.Firing, "old")
	raise(box, 2, alerts.Firing, "old", "new")
	box.commit()
	raise(box, 3, alerts.Firing, "old", "new")
	dir = killed(t, dir)
	box, waiting := begin(t, dir, &notices, "new")
	if got := keys(waiting["new"]); got != "2 firing, 3 firing" || len(waiting) != 1 {
		t.Errorf("waiting: %v", waiting)
	}
	if s := notices.String(); s != "the outbox held alerts for receivers that are no longer configured; they are dropped: old (3)" {
		t.Errorf("notices: %s", s)
	}
	if len(box.left) != 2 {
		t.Errorf("left: %v", box.left)
	}
	notices.list = nil
	_, waiting = begin(t, killed(t, dir), &notices, "old", "new")
	if len(waiting["old"]) != 0 || notices.String() != "" {
		t.Errorf("it remembers %v, and says %q", waiting["old"], notices.String())
	}
}

func TestOutboxIsOneProcessesOwn(t *testing.T) {
	dir := filepath.Join(QuickDir(t), "outbox")
	n, err := New(nil, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(nil, Options{Dir: dir}); !errors.Is(err, errLocked) || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second one: %v", err)
	}
	files, _ := os.ReadDir(dir)
	for _, f := range append(files, nil) {
		name, want := dir, os.FileMode(0o700)
		if f != nil {
			name, want = filepath.Join(dir, f.Name()), 0o600
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if err := n.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	n, err = New(nil, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	n.Close(context.Background())
	if _, err := New(nil, Options{Dir: filepath.Join(dir, storeName, "no")}); err == nil {
		t.Error("a folder below a file")
	}
}

// What the store does not take stays in the journals, and is said once.
func TestOutboxWhoseStoreFails(t *testing.T) {
	var notices told
	dir := QuickDir(t)
	box, _ := begin(t, dir, &notices, "a")
	box.store.close()
	var want []string
	for i := range 5 {
		raise(box, i, alerts.Firing, "a")
		box.commit()
		want = append(want, fmt.Sprint(i, " firing"))
	}
	_, waiting := begin(t, killed(t, dir), &notices, "a")
	if got := keys(waiting["a"]); got != strings.Join(want, ", ") {
		t.Errorf("after it: %s", got)
	}
	if len(notices.list) != 1 || !strings.Contains(notices.list[0], "the outbox's store takes nothing") {
		t.Errorf("notices: %q", notices.list)
	}
}

// An alert that the journal does not take is in memory, and comes to the store.
func TestOutboxWhoseJournalFails(t *testing.T) {
	var notices told
	dir := QuickDir(t)
	box, _ := begin(t, dir, &notices, "a")
	box.journals[box.current].file.Close()
	raise(box, 1, alerts.Firing, "a")
	raise(box, 2, alerts.Firing, "a")
	if len(notices.list) != 1 || !strings.Contains(notices.list[0], "in memory only") {
		t.Errorf("notices: %q", notices.list)
	}
	box.commit()
	_, waiting := begin(t, killed(t, dir), &notices, "a")
	if got := keys(waiting["a"]); got != "1 firing, 2 firing" {
		t.Errorf("after it: %s", got)
	}
}

func TestActiveIsBounded(t *testing.T) {
	var notices told
	n, err := New(nil, Options{MaxActive: 3, Notice: notices.add})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		n.Alert(sample(i, alerts.Firing))
	}
	again := sample(2, alerts.Firing)
	again.Repeat = 7
	n.Alert(again)
	n.Alert(sample(1, alerts.Resolved))
	if got := n.Active(); keysOf(got) != "0, 2" || got[1].Repeat != 7 {
		t.Errorf("active: %v", got)
	}
	if len(notices.list) != 1 || !strings.HasPrefix(notices.list[0], "more than 3 alerts fire") {
		t.Errorf("notices: %q", notices.list)
	}
}

func TestInhibitedAlertsAreNotDelivered(t *testing.T) {
	a := sample(1, alerts.Firing)
	s := Subscription{}
	if !s.wants(&a) {
		t.Error("an alert is not wanted")
	}
	if a.InhibitedBy = "PasswordSpray"; s.wants(&a) {
		t.Error("an inhibited alert is wanted")
	}
}

func TestRecordsAreReadAsTheyWereWritten(t *testing.T) {
	a := sample(7, alerts.Resolved)
	a.Sessions, a.Techniques, a.InhibitedBy, a.Evidence, a.Groups = []string{"x", "y"}, []string{"T1110"}, "R", "f", 3
	whole, alert, err := encodeRecord(9, []string{`a"b`, "c"}, 0, &a)
	if err != nil {
		t.Fatal(err)
	}
	r, ok := decodeRecord(whole)
	if !ok || r.ID != 9 || !slices.Equal(r.To, []string{`a"b`, "c"}) || fmt.Sprint(r.Alert) != fmt.Sprint(a) {
		t.Errorf("%s is read as %v", whole, r)
	}
	if b, ok := decodeAlert(alert); !ok || fmt.Sprint(b) != fmt.Sprint(a) {
		t.Errorf("%s is read as %v", alert, b)
	}
}
