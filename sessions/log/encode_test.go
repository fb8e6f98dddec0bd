package log

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/sessions"
)

var update = flag.Bool("update", false, "renew the golden files")

func TestRecordsAreGolden(t *testing.T) {
	all := examples()
	var got bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(all)) {
		got.WriteString("# " + name + "\n")
		got.Write(all[name])
		got.WriteString("\n")
	}
	file := filepath.Join("testdata", "records.golden")
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("records differ from %s (-update renews it); got\n%s", file, got.Bytes())
	}
}

func TestNothingIsNullOrEmpty(t *testing.T) {
	for name, line := range examples() {
		var v any
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("%s: %v in %s", name, err, line)
		}
		checkFilled(t, name, v)
	}
}

func checkFilled(t *testing.T, at string, v any) {
	t.Helper()
	switch v := v.(type) {
	case nil:
		t.Errorf("%s is null", at)
	case map[string]any:
		for k, x := range v {
			if s, ok := x.(string); ok && s == "" && k != "from" {
				t.Errorf("%s.%s is empty", at, k)
			}
			checkFilled(t, at+"."+k, x)
		}
	case []any:
		if len(v) == 0 {
			t.Errorf("%s is an empty list", at)
		}
		for _, x := range v {
			checkFilled(t, at+"[]", x)
		}
	}
}

func TestNullReversePathIsWrittenOnlyWhereKnown(t *testing.T) {
	for known, want := range map[bool]bool{true: true, false: false} {
		line := Encoder{}.Append(nil, mailDone(bareConn(), &sessions.Mail{Time: start, FromKnown: known, Size: -1, DeclaredSize: -1}, ""))
		if got := strings.Contains(string(line), `"from":""`); got != want {
			t.Errorf("known %v: from written %v: %s", known, got, line)
		}
	}
}

func TestEventsWithoutRecordGiveNothing(t *testing.T) {
	in := sessions.In{Conn: richConn(), Time: start}
	for _, e := range []sessions.Event{&sessions.Opened{In: in}, &sessions.Replied{In: in}, &sessions.Anomaly{In: in}} {
		if b := (Encoder{}).Append(nil, e); len(b) != 0 {
			t.Errorf("%T gave %s", e, b)
		}
	}
}

func TestSessionRecordDoesNotAllocate(t *testing.T) {
	w, err := NewWriter(Options{Sensor: "tap1", Sinks: []Sink{NewFile(discard{}, FileOptions{})}})
	if err != nil {
		t.Fatal(err)
	}
	e := closed(richConn(), richSession())
	w.Handle(e)
	if n := testing.AllocsPerRun(200, func() { w.Handle(e) }); n != 0 {
		t.Errorf("%v allocations a record, want 0", n)
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func BenchmarkSessionRecord(b *testing.B) {
	w, _ := NewWriter(Options{Sensor: "tap1", Sinks: []Sink{NewFile(discard{}, FileOptions{})}})
	e := closed(richConn(), richSession())
	w.Handle(e)
	b.SetBytes(int64(len(w.buf)))
	b.ReportAllocs()
	for b.Loop() {
		w.Handle(e)
	}
}
