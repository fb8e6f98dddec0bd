package log

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
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

// What a Writer remembers of connections changes no record, however they are
// mixed and wherever two of them share a place.
func TestMixedConnectionsAreToldApart(t *testing.T) {
	var waiting [][]sessions.Event
	for i := range 500 {
		e := smallSession(i % 300)
		e[0].Of().Start = start.Add(time.Duration(i%7) * time.Millisecond)
		waiting = append(waiting, e)
	}
	w, _ := NewWriter(Options{Sensor: "tap1"})
	r := rand.New(rand.NewPCG(3, 4))
	var line []byte
	for len(waiting) > 0 {
		i := r.IntN(min(len(waiting), 200))
		e := waiting[i][0]
		line, _, _ = w.Append(line[:0], e)
		if want := (Encoder{Sensor: "tap1"}).Append(nil, e); !bytes.Equal(line, want) {
			t.Fatalf("got  %s\nwant %s", line, want)
		}
		if waiting[i] = waiting[i][1:]; len(waiting[i]) == 0 {
			waiting = append(waiting[:i], waiting[i+1:]...)
		}
	}
}

// Append and Give are Handle in two steps.
func TestAppendAndGive(t *testing.T) {
	var once, twice kept
	whole, _ := NewWriter(Options{Sensor: "tap1", Kinds: []string{KindSession, KindMail}, Sinks: []Sink{&once}})
	encoder, _ := NewWriter(Options{Sensor: "tap1", Kinds: []string{KindSession, KindMail}})
	giver, _ := NewWriter(Options{Sinks: []Sink{&twice}})
	events := append(smallSession(0), &sessions.Opened{In: sessions.In{Conn: bareConn()}})
	var buf []byte
	var records []Record
	for _, e := range events {
		whole.Handle(e)
		before := len(buf)
		out, rec, ok := encoder.Append(buf, e)
		if !ok && len(out) != before {
			t.Errorf("%T: %d octets without a record", e, len(out)-before)
		}
		if buf = out; ok {
			records = append(records, rec)
		}
	}
	for _, rec := range records {
		giver.Give(rec)
	}
	if len(twice.records) != 2 || !reflect.DeepEqual(once, twice) {
		t.Errorf("got  %v\nwant %v", twice, once)
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

func TestFileTellsAFailureAndGoesOn(t *testing.T) {
	d := &full{bad: true, room: 5}
	f := NewFile(d, FileOptions{})
	for _, line := range []string{"one", "two", "three"} {
		f.Write(Record{Line: []byte(line)})
	}
	if err := f.Flush(); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("Flush: %v", err)
	}
	if c := f.Counts(); c.Written != 1 || c.Dropped != 2 || c.Reasons[Unwritten] != 2 || c.Waiting != 0 {
		t.Errorf("counts %+v", c)
	}
	d.bad = false
	f.Write(Record{Line: []byte("four")})
	if err := f.Flush(); err != nil || f.Err() != nil {
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
