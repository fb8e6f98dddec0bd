package log

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/grafana/loki/pkg/push"
	"github.com/klauspost/compress/snappy"
)

// number0 reads the n of a line.
func number0(line string) int {
	var v struct{ N int }
	if json.Unmarshal([]byte(line), &v) != nil {
		return -1
	}
	return v.N
}

// readPush decodes a request and leaves its body to be read again.
func readPush(t *testing.T, r *http.Request) (req push.PushRequest) {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err == nil {
		body, err = snappy.Decode(nil, body)
	}
	if err == nil {
		err = req.Unmarshal(body)
	}
	if err != nil {
		t.Error(err)
	}
	return req
}

func someItems(from, to int) (batch []item) {
	for i := from; i < to; i++ {
		batch = append(batch, item{line: line(i), time: start.Add(time.Duration(i)), event: "mail", role: "relay", session: "S", community: "1:x"})
	}
	return batch
}

func TestSpoolKeepsBatchesInOrder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "spool")
	s, _, err := openSpool(dir, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, err := s.append(someItems(i*10, i*10+10)); err != nil {
			t.Fatal(err)
		}
	}
	first, _ := s.take()
	if err := s.putBack(someItems(5, 10), first); err != nil {
		t.Fatal(err)
	}
	for _, litter := range []string{"notes.txt", "00000000000000000009.records.new"} {
		if err := os.WriteFile(filepath.Join(dir, litter), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, damaged, err := openSpool(dir, 1<<20)
	if err != nil || damaged != 0 || s.items() != 25 {
		t.Fatalf("%d items, %d damaged, %v", s.items(), damaged, err)
	}
	var got []item
	for f, ok := s.take(); ok; f, ok = s.take() {
		batch, err := s.load(f)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, batch...)
		s.remove(f)
	}
	if !reflect.DeepEqual(got, someItems(5, 30)) {
		t.Errorf("got %v", got)
	}
	left, _ := os.ReadDir(dir)
	if len(left) != 1 || left[0].Name() != "notes.txt" {
		t.Errorf("left behind: %v", left)
	}
	if info, _ := os.Stat(dir); info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is open: %v", info.Mode())
	}
}

func TestSpoolIsBounded(t *testing.T) {
	s, _, err := openSpool(t.TempDir(), 4*diskBlock)
	if err != nil {
		t.Fatal(err)
	}
	gone := 0
	for i := range 10 {
		n, err := s.append(someItems(i*10, i*10+10))
		if err != nil {
			t.Fatal(err)
		}
		gone += n
	}
	if gone != 60 || s.items() != 40 || s.size != 4*diskBlock {
		t.Errorf("%d gone, %d there, %d octets", gone, s.items(), s.size)
	}
	if _, err := s.append(someItems(0, 1000)); err == nil {
		t.Error("took a batch that is larger than the spool")
	}
}

// A file that is on its way keeps its name, although the list is empty.
func TestSpoolUsesNoNameTwice(t *testing.T) {
	s, _, err := openSpool(t.TempDir(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.append(someItems(0, 1)); err != nil {
		t.Fatal(err)
	}
	first, _ := s.take()
	if _, err := s.append(someItems(1, 2)); err != nil {
		t.Fatal(err)
	}
	s.remove(first)
	second, _ := s.take()
	if batch, err := s.load(second); err != nil || !reflect.DeepEqual(batch, someItems(1, 2)) {
		t.Errorf("%v, %v", batch, err)
	}
}

func TestDamagedFilesOfTheSpoolAreCounted(t *testing.T) {
	dir := t.TempDir()
	s, _, err := openSpool(dir, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, err := s.append(someItems(i*10, i*10+10)); err != nil {
			t.Fatal(err)
		}
	}
	damage := func(f spooled, change func(b []byte) []byte) {
		b, err := os.ReadFile(s.path(f))
		if err == nil {
			err = os.WriteFile(s.path(f), change(b), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	damage(s.files[0], func(b []byte) []byte { b[50] ^= 1; return b })
	damage(s.files[1], func([]byte) []byte { return nil })
	f := newFakeLoki(t)
	o := quick(f.URL)
	o.SpoolDir = dir
	l := startTestLoki(t, o)
	await(t, func() bool { return l.Counts().Waiting == 0 })
	stopTestLoki(t, l)
	if _, aside := l.SpoolFaults(); aside != 2 {
		t.Errorf("%d files are told to be set aside", aside)
	}
	if kept, _ := filepath.Glob(filepath.Join(dir, "*.damaged")); len(kept) != 2 {
		t.Errorf("set aside: %v", kept)
	}
	if c := l.Counts(); c.Written != 10 || c.Reasons[Damaged] != 10 || f.stored() != 10 {
		t.Errorf("counts %+v, %d arrived", c, f.stored())
	}
}

func TestSpoolOutlivesARestart(t *testing.T) {
	f := newFakeLoki(t)
	f.answer = func(int) int { return 503 }
	o := quick(f.URL)
	o.SpoolDir = t.TempDir()
	l := startTestLoki(t, o)
	write(l, 0, 20)
	await(t, func() bool { return l.Counts().Retried > 0 })
	write(l, 20, 40)
	stopTestLoki(t, l)
	if c := l.Counts(); c.Waiting != 40 || c.Dropped != 0 {
		t.Errorf("counts %+v", c)
	}
	f.answer = func(int) int { return 204 }
	l = startTestLoki(t, o)
	write(l, 40, 60)
	await(t, func() bool { return l.Counts().Waiting == 0 })
	if err := l.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	if c := l.Counts(); c.Written != 60 || f.stored() != 60 {
		t.Errorf("counts %+v, %d arrived", c, f.stored())
	}
	ordered(t, f.order)
}

// A kill while Loki is away costs nothing of what was under way: it is on the
// disk as soon as Loki has refused it once.
func TestSpoolKeepsWhatIsUnderWay(t *testing.T) {
	f := newFakeLoki(t)
	f.answer = func(int) int { return 503 }
	o := quick(f.URL)
	o.SpoolDir, o.SpoolWait = t.TempDir(), time.Hour
	l := startTestLoki(t, o)
	write(l, 0, 20)
	await(t, func() bool {
		names, _ := filepath.Glob(filepath.Join(o.SpoolDir, "*"+spoolSuffix))
		return len(names) == 1
	})
	killed := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(killed, os.DirFS(o.SpoolDir)); err != nil {
		t.Fatal(err)
	}
	stopTestLoki(t, l)
	if names, _ := os.ReadDir(o.SpoolDir); len(names) != 1 || l.Spooled() != 20 {
		t.Errorf("%d files at the end, %d records", len(names), l.Spooled())
	}
	f.mu.Lock()
	f.answer = func(int) int { return 204 }
	f.mu.Unlock()
	o.SpoolDir = killed
	l = startTestLoki(t, o)
	await(t, func() bool { return l.Counts().Waiting == 0 })
	stopTestLoki(t, l)
	if names, _ := os.ReadDir(killed); f.stored() == 0 || len(names) != 0 {
		t.Errorf("%d arrived after the kill, %d files are left", f.stored(), len(names))
	}
	ordered(t, f.order)
}

func FuzzDecodeSpool(f *testing.F) {
	f.Add(encodeSpool(someItems(0, 3)))
	f.Add([]byte(spoolMark))
	f.Fuzz(func(t *testing.T, b []byte) {
		batch, err := decodeSpool(b)
		if err != nil {
			return
		}
		again, err := decodeSpool(encodeSpool(batch))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(batch) {
			t.Errorf("%v became %v, %v", batch, again, err)
		}
	})
}

func TestSpoolForgetsTheOld(t *testing.T) {
	dir := t.TempDir()
	s, _, err := openSpool(dir, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, err := s.append(someItems(i*10, i*10+10)); err != nil {
			t.Fatal(err)
		}
	}
	past := time.Now().Add(-2 * time.Hour)
	for _, f := range s.files[:2] {
		if err := os.Chtimes(s.path(f), past, past); err != nil {
			t.Fatal(err)
		}
	}
	if s, _, err = openSpool(dir, 1<<20); err != nil {
		t.Fatal(err)
	}
	if gone := s.expire(time.Now()); gone != 0 {
		t.Errorf("%d are gone, though any age is allowed", gone)
	}
	s.age = time.Hour
	if gone := s.expire(time.Now()); gone != 20 || s.items() != 10 {
		t.Errorf("%d are gone, %d are there", gone, s.items())
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%d files are left", len(left))
	}
}
