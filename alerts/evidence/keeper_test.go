package evidence

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

const talk = "S: 220 mx\nC: EHLO a\nS: 250 mx\nC: AUTH PLAIN AGFsaWNlAE9ha3RyZWUtN3g=\nS: 535 no\nC: QUIT\nS: 221 bye\nclose C\nclose S\n"

// kitchen is a keeper with a ring that has one session.
func kitchen(t *testing.T, o Options) (*Keeper, alerts.Alert) {
	t.Helper()
	if o.Directory == "" {
		o.Directory = filepath.Join(t.TempDir(), "evidence")
	}
	k, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return k, fed(k)
}

// fed gives a keeper a session, and makes an alert that names it.
func fed(k *Keeper) alerts.Alert {
	list, err := dialog.Segments(talk, dialog.Options{})
	if err != nil {
		panic(err)
	}
	r := k.Ring(1)
	for i := range list {
		r.AddSegment(&list[i])
	}
	f := ends()
	k.Saw(&sessions.Conn{ID: "one", Client: f.Client, Server: f.Server, Start: time.Unix(0, list[0].Time)})
	return alerts.Alert{
		Time: time.Unix(0, list[len(list)-1].Time), Rule: "AuthBruteForce", Severity: alerts.Warning, Status: alerts.Firing,
		Summary: "five of \xff them", Sessions: []string{"one", "gone"}, Fingerprint: "00c0ffee00c0ffee",
	}
}

func closed(t *testing.T, k *Keeper) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := k.Close(ctx); err != nil {
		t.Error(err)
	}
}

func packetsOf(t *testing.T, path string) (all []capture.Packet) {
	t.Helper()
	f, err := capture.Open(path, capture.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		var p capture.Packet
		if err := f.Next(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		p.Data = append([]byte(nil), p.Data...)
		all = append(all, p)
	}
}

func TestKeeperWritesASession(t *testing.T) {
	for _, keep := range []bool{false, true} {
		k, a := kitchen(t, Options{KeepSecrets: keep})
		path := k.Take(&a)
		closed(t, k)
		if filepath.Base(path) != "20260102T030405.090Z-AuthBruteForce-00c0ffee00c0ffee.pcapng" {
			t.Errorf("path %q", path)
		}
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%v, %v", info, err)
		}
		if dir, _ := os.Stat(filepath.Dir(path)); dir.Mode().Perm() != 0o700 {
			t.Errorf("the directory has mode %v", dir.Mode())
		}
		got, want := packetsOf(t, path), segmentsOf(t, talk)
		if len(got) != len(want) {
			t.Fatalf("%d packets of %d", len(got), len(want))
		}
		d := packet.Decoder{}
		for i := range got {
			var s packet.Segment
			if d.Decode(&got[i], &s) != packet.OK || s.Seq != want[i].Seq || s.Time != want[i].Time {
				t.Errorf("packet %d is another", i)
			}
		}
		text, _ := os.ReadFile(path)
		if strings.Contains(string(text), "AGFsaWNl") != keep {
			t.Errorf("keep_secrets %v, the file has %q", keep, text)
		}
		for _, w := range []string{"AuthBruteForce (warning, 00c0ffee00c0ffee): five of ? them", "sessions: 2 named, 1 with packets here, 0 of them cut"} {
			if !strings.Contains(string(text), w) {
				t.Errorf("the head has no %q", w)
			}
		}
	}
}

func TestKeeperLeavesOut(t *testing.T) {
	k, a := kitchen(t, Options{Severity: alerts.Warning})
	for name, change := range map[string]func(*alerts.Alert){
		"resolved": func(a *alerts.Alert) { a.Status = alerts.Resolved }, "repeated": func(a *alerts.Alert) { a.Repeat = 1 },
		"inhibited": func(a *alerts.Alert) { a.InhibitedBy = "PasswordSpray" }, "not severe": func(a *alerts.Alert) { a.Severity = alerts.Info },
		"of no session": func(a *alerts.Alert) { a.Sessions = nil }, "of one that is gone": func(a *alerts.Alert) { a.Sessions = []string{"gone"} },
		"before its packets": func(a *alerts.Alert) { a.Time = time.Unix(0, 0) },
	} {
		b := a
		change(&b)
		if path := k.Take(&b); path != "" {
			t.Errorf("an alert that is %s has evidence: %s", name, path)
		}
	}
	worse := a
	worse.Repeat, worse.Escalated = 2, true
	if k.Take(&worse) == "" {
		t.Error("an escalated alert has no evidence")
	}
	closed(t, k)
	if c := k.Counts(); c != (Counts{Written: 1}) {
		t.Errorf("%+v", c)
	}
}

// No name leads out of the directory.
func TestKeeperNames(t *testing.T) {
	k, a := kitchen(t, Options{})
	a.Rule, a.Fingerprint = "../../etc/x y"+strings.Repeat("z", 100), "../f"
	path := k.Take(&a)
	closed(t, k)
	if filepath.Dir(path) != k.opts.Directory || !ours.MatchString(filepath.Base(path)) {
		t.Errorf("path %q", path)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

// Sessions one after the other on the same addresses are told apart.
func TestKeeperSameAddresses(t *testing.T) {
	k, a := kitchen(t, Options{})
	f := ends()
	middle := a.Time.Add(-45 * time.Millisecond)
	k.Saw(&sessions.Conn{ID: "two", Client: f.Client, Server: f.Server, Start: middle})
	a.Sessions = []string{"two", "one"}
	path := k.Take(&a)
	closed(t, k)
	if got, want := len(packetsOf(t, path)), len(segmentsOf(t, talk)); got != want {
		t.Errorf("%d packets, want %d", got, want)
	}
}

func TestDirectoryLimits(t *testing.T) {
	k, a := kitchen(t, Options{MaxFiles: 3})
	stranger := filepath.Join(k.opts.Directory, "notes.pcapng")
	os.WriteFile(stranger, []byte("x"), 0o600)
	var paths []string
	for range 5 {
		a.Time = a.Time.Add(time.Second)
		paths = append(paths, k.Take(&a))
	}
	closed(t, k)
	for i, path := range paths {
		if _, err := os.Stat(path); (err == nil) != (i >= 2) {
			t.Errorf("file %d: %v", i, err)
		}
	}
	if c := k.Counts(); c != (Counts{Written: 5, Removed: 2}) {
		t.Errorf("%+v", c)
	}
	// The next run goes on with what is there; a size counts too.
	info, _ := os.Stat(paths[4])
	k, a = kitchen(t, Options{Directory: k.opts.Directory, MaxOctets: 2*info.Size() + 100})
	a.Time = a.Time.Add(time.Minute)
	last := k.Take(&a)
	closed(t, k)
	left, _ := filepath.Glob(filepath.Join(k.opts.Directory, "2*.pcapng"))
	if len(left) != 2 || left[0] != paths[4] || left[1] != last {
		t.Errorf("left are %v", left)
	}
	if _, err := os.Stat(stranger); err != nil {
		t.Error("a file of somebody else is gone")
	}
}

func TestDirectoryFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o600)
	for name, dir := range map[string]string{"missing above": filepath.Join(file+"2", "a", "b"), "a file": file, "below a file": filepath.Join(file, "a")} {
		if _, err := Open(Options{Directory: dir}); err == nil || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", name, err)
		}
	}
	told := make(chan error, 8)
	k, a := kitchen(t, Options{Failed: func(err error) { told <- err }})
	os.RemoveAll(k.opts.Directory)
	for range 3 {
		a.Time = a.Time.Add(time.Second)
		k.Take(&a)
	}
	if err := k.Close(context.Background()); err == nil || !strings.Contains(err.Error(), "of 3 alerts") {
		t.Errorf("%v", err)
	}
	if len(told) != 1 || k.Counts().Failed != 3 {
		t.Errorf("told %d times, %+v", len(told), k.Counts())
	}
	k, a = kitchen(t, Options{MaxOctets: 100})
	k.Take(&a)
	if k.Close(context.Background()); k.Counts().Failed != 1 {
		t.Errorf("a file larger than all may be: %+v", k.Counts())
	}
}

// Evidence that the disk is too slow for is left out and counted, and takes no
// more memory than it may.
func TestKeeperBusy(t *testing.T) {
	for _, c := range []struct{ memory, want int }{{64 << 20, maxJobs}, {4 * 3000, 4}} {
		told := make(chan error, 100)
		k, err := newKeeper(Options{Directory: filepath.Join(t.TempDir(), "e"), Memory: c.memory, Failed: func(err error) { told <- err }})
		if err != nil {
			t.Fatal(err)
		}
		a := fed(k)
		paths := 0
		for range maxJobs + 6 { // nobody writes
			if k.Take(&a) != "" {
				paths++
			}
		}
		if n := k.Counts().LeftOut; paths != c.want || n != uint64(maxJobs+6-paths) {
			t.Errorf("%d of %d are written, %d left out", paths, maxJobs+6, n)
		}
		if err := <-told; !errors.Is(err, ErrBusy) || len(told) > 0 {
			t.Errorf("told %v, and %d more", err, len(told))
		}
		go k.write()
		if err := k.Close(context.Background()); err == nil {
			t.Error("nothing is said at the end")
		}
		if n := k.Counts().Written; n != uint64(paths) {
			t.Errorf("%d are written", n)
		}
	}
}

// Where packets can wait, they do, and nothing is left out.
func TestKeeperWaits(t *testing.T) {
	k, a := kitchen(t, Options{Memory: 4000, Wait: true})
	for range 200 {
		a.Time = a.Time.Add(time.Second)
		if k.Take(&a) == "" {
			t.Fatal("evidence is left out")
		}
	}
	closed(t, k)
	if c := k.Counts(); c.Written != 200 {
		t.Errorf("%+v", c)
	}
}

// Connections that are known by their id are bounded.
func TestKeeperForgets(t *testing.T) {
	k, _ := kitchen(t, Options{})
	for i := range maxFlows + 10 {
		k.Saw(&sessions.Conn{ID: fmt.Sprint(i), Client: netip.AddrPort{}, Start: time.Unix(0, 0)})
	}
	if len(k.flows) > maxFlows || len(k.order) != maxFlows {
		t.Errorf("%d connections", len(k.flows))
	}
	closed(t, k)
}

// Files go when they are old, also where no new one comes.
func TestKeeperRemovesOldFiles(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "20260102T030405.090Z-AuthBruteForce-00c0ffee00c0ffee.pcapng")
	for _, name := range []string{old, filepath.Join(dir, "mine.txt")} {
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		past := time.Now().Add(-2 * time.Hour)
		if err := os.Chtimes(name, past, past); err != nil {
			t.Fatal(err)
		}
	}
	k, err := Open(Options{Directory: dir, MaxAge: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(old); err != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the old file is still there")
		}
	}
	if err := k.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "mine.txt")); err != nil || k.Counts().Removed != 1 {
		t.Errorf("%v, %+v", err, k.Counts())
	}
}
