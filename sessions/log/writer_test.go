package log

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

type kept struct{ records []Record }

func (k *kept) Write(r Record) {
	r.Line = bytes.Clone(r.Line)
	k.records = append(k.records, r)
}

func TestWriterWritesTheWantedKinds(t *testing.T) {
	if _, err := NewWriter(Options{Kinds: []string{"sessions"}}); err == nil || !strings.Contains(err.Error(), `"sessions"`) {
		t.Errorf("unknown kind: error %v", err)
	}
	for _, kinds := range [][]string{nil, {KindMail}, {KindAuth, KindAlert}, {KindSession}} {
		var k kept
		w, err := NewWriter(Options{Kinds: kinds, Sinks: []Sink{&k}})
		if err != nil {
			t.Fatal(err)
		}
		w.Handle(authenticated(richConn(), richAuth(), "none"))
		w.Handle(mailDone(richConn(), richMail(), "none"))
		w.Handle(closed(richConn(), richSession()))
		w.Handle(&sessions.Greeted{In: sessions.In{Conn: richConn()}})
		w.Alert(richAlert())
		want := len(kinds)
		if kinds == nil {
			want = len(Kinds)
		}
		if len(k.records) != want {
			t.Errorf("kinds %v gave %d records", kinds, len(k.records))
		}
		for _, r := range k.records {
			if r.Role != "relay" || r.Direction != "inbound" || !bytes.Contains(r.Line, []byte(`"event":"`+r.Event+`"`)) {
				t.Errorf("%+v", r)
			}
		}
	}
}

func TestRecordsAreTimedByTheirEnd(t *testing.T) {
	var k kept
	w, _ := NewWriter(Options{Sinks: []Sink{&k}})
	w.Handle(closed(richConn(), richSession()))
	w.Alert(richAlert())
	if got, want := k.records[0].Time, after(3*time.Second+7); !got.Equal(want) {
		t.Errorf("session at %v, want %v", got, want)
	}
	if got, want := k.records[1].Time, after(2*time.Hour); !got.Equal(want) {
		t.Errorf("resolved alert at %v, want %v", got, want)
	}
}

func TestFileWritesWholeLines(t *testing.T) {
	var out bytes.Buffer
	f := NewFile(&out, FileOptions{Buffer: 10})
	for _, line := range []string{"a", "bb", "a line longer than the buffer", "c"} {
		f.Write(Record{Line: []byte(line)})
	}
	if c := f.Counts(); c.Written+uint64(c.Waiting) != 4 {
		t.Errorf("before Flush: %+v", c)
	}
	if err := f.Flush(); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "a\nbb\na line longer than the buffer\nc\n"; got != want {
		t.Errorf("got %q", got)
	}
	if c := f.Counts(); c != (Counts{Written: 4}) {
		t.Errorf("counts %+v", c)
	}
}

// full is a disk that takes some octets, fails for a while and recovers.
type full struct {
	out  bytes.Buffer
	room int
	bad  bool
}

func (d *full) Write(p []byte) (int, error) {
	if !d.bad {
		return d.out.Write(p)
	}
	n := min(d.room, len(p))
	d.room -= n
	d.out.Write(p[:n])
	return n, errors.New("no space left on device")
}

func TestFileTellsAFailureOnceAndGoesOn(t *testing.T) {
	d := &full{bad: true, room: 5}
	f := NewFile(d, FileOptions{})
	for _, line := range []string{"one", "two", "three"} {
		f.Write(Record{Line: []byte(line)})
	}
	if err := f.Flush(); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("Flush: %v", err)
	}
	if err := f.Err(); err != nil {
		t.Errorf("told twice: %v", err)
	}
	if c := f.Counts(); c != (Counts{Written: 1, Dropped: 2}) {
		t.Errorf("counts %+v", c)
	}
	d.bad = false
	f.Write(Record{Line: []byte("four")})
	if err := f.Flush(); err != nil {
		t.Fatal(err)
	}
	if got, want := d.out.String(), "one\nt\nfour\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFileTakesSeveralWriters(t *testing.T) {
	var out bytes.Buffer
	f := NewFile(&out, FileOptions{Buffer: 100})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			w, _ := NewWriter(Options{Sinks: []Sink{f}})
			for range 50 {
				w.Handle(closed(bareConn(), &sessions.Session{}))
			}
		})
	}
	wg.Wait()
	if err := f.Flush(); err != nil {
		t.Fatal(err)
	}
	if got := bytes.Count(out.Bytes(), []byte("}\n")); got != 200 {
		t.Errorf("%d lines", got)
	}
}
