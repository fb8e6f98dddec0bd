package notify

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/alerts"
)

// A journal cut at any octet gives the alerts in front of the cut.
func TestTornJournal(t *testing.T) {
	var notices told
	dir := QuickDir(t)
	box, _ := begin(t, dir, &notices, "a")
	var ends []int64
	for i := range 5 {
		raise(box, i, alerts.Firing, "a")
		ends = append(ends, box.journals[box.current].size)
	}
	name := fmt.Sprintf("journal-%d", box.current)
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil || int64(len(data)) != ends[4] {
		t.Fatal(len(data), err)
	}
	torn := killed(t, dir)
	pristine, err := os.ReadFile(filepath.Join(torn, storeName))
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(data) + 1 {
		if err := os.WriteFile(filepath.Join(torn, name), data[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		whole := 0
		for whole < len(ends) && ends[whole] <= int64(cut) {
			whole++
		}
		j, records, rest, err := openJournal(filepath.Join(torn, name))
		if err != nil || len(records) != whole || j.size+int64(rest) != int64(cut) {
			t.Fatalf("cut at %d: %d of %d records, %d octets left out, %v", cut, len(records), whole, rest, err)
		}
		j.file.Close()
		clean := cut == 0 || slices.Contains(ends, int64(cut))
		if !clean && cut%29 > 0 { // the whole outbox writes to the disk, which takes time
			continue
		}
		if err := os.WriteFile(filepath.Join(torn, storeName), pristine, 0o600); err != nil {
			t.Fatal(err)
		}
		notices.list = nil
		box, waiting := begin(t, torn, &notices, "a")
		if len(waiting["a"]) != whole || len(box.firing()) != whole || (len(notices.list) == 0) != clean || len(notices.list) > 1 {
			t.Fatalf("cut at %d: %d of %d alerts, notices %q", cut, len(waiting["a"]), whole, notices.list)
		}
		box.abandon()
	}
}

// A store that is cut or damaged anywhere: the program starts, says so in one
// line, and what was in the journals is there whatever became of the store.
func TestDamagedStore(t *testing.T) {
	var notices told
	dir := QuickDir(t)
	box, _ := begin(t, dir, &notices, "a", "b")
	for i := range 40 {
		raise(box, i, alerts.Firing, "a", "b")
		if i%10 == 9 {
			box.commit()
		}
	}
	raise(box, 40, alerts.Firing, "a")
	source := killed(t, dir)
	data, err := os.ReadFile(filepath.Join(source, storeName))
	if err != nil {
		t.Fatal(err)
	}
	torn := killed(t, source)
	try := func(what string, content []byte) (read int) {
		t.Helper()
		for _, name := range []string{"journal-0", "journal-1"} {
			b, _ := os.ReadFile(filepath.Join(source, name))
			os.WriteFile(filepath.Join(torn, name), b, 0o600)
		}
		os.WriteFile(filepath.Join(torn, storeName), content, 0o600)
		notices.list = nil
		box, waiting := begin(t, torn, &notices, "a", "b")
		n := len(waiting["a"])
		if n == 0 || waiting["a"][n-1].alert.Key != "40" || len(notices.list) > 1 {
			t.Fatalf("%s: %s waits; notices %q", what, keys(waiting["a"]), notices.list)
		}
		if !slices.IsSortedFunc(waiting["a"], func(a, b note) int { return int(a.id) - int(b.id) }) {
			t.Fatalf("%s: order %s", what, keys(waiting["a"]))
		}
		if n < 41 && len(notices.list) == 0 && len(content) > 0 && !strings.HasPrefix(what, "head") {
			t.Fatalf("%s: %d of 41 alerts and nothing is said", what, n)
		}
		raise(box, 41, alerts.Firing, "a") // and it goes on
		if err := box.commit(); err != nil {
			t.Fatalf("%s: then %v", what, err)
		}
		box.abandon()
		_, waiting = begin(t, killed(t, torn), &notices, "a", "b")
		if len(waiting["a"]) != n+1 {
			t.Fatalf("%s: %d alerts after the next start, want %d", what, len(waiting["a"]), n+1)
		}
		return n
	}
	if n := try("whole", data); n != 41 {
		t.Fatalf("%d of 41 are read", n)
	}
	most := 0
	for cut := 0; cut < len(data); cut += 1021 {
		most = max(most, try(fmt.Sprint("cut at ", cut), data[:cut]))
	}
	if most < 2 {
		t.Error("nothing is read of any damaged store")
	}
	for at := 0; at < len(data); at += 4093 {
		bad := bytes.Clone(data)
		for i := range min(64, len(bad)-at) {
			bad[at+i] ^= 0xff
		}
		what := "damaged"
		if at < 2*os.Getpagesize() {
			what = "head damaged" // it has two, for one is always old: a commit was cut short
		}
		try(fmt.Sprint(what, " at ", at), bad)
	}
	try("another program's", []byte(strings.Repeat("mail", 20_000)))
}

func FuzzJournal(f *testing.F) {
	var b []byte
	for i := range 3 {
		a := sample(i, alerts.Firing)
		whole, _, err := encodeRecord(uint64(i+1), []string{"a"}, 0, &a)
		if err != nil {
			f.Fatal(err)
		}
		b = appendRecord(b, whole)
		f.Add(b)
	}
	f.Add(b[:len(b)-1])
	f.Add(append(bytes.Clone(b), make([]byte, 4096)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		records, whole := readJournal(data)
		var again []byte
		for _, r := range records {
			again = appendRecord(again, r)
			if rec, ok := decodeRecord(r); ok {
				if _, _, err := encodeRecord(rec.ID, rec.To, rec.Since, &rec.Alert); err != nil {
					t.Errorf("%q was read and cannot be written: %v", r, err)
				}
			}
		}
		if !bytes.Equal(again, data[:whole]) {
			t.Errorf("%d octets are whole, but their records are %d octets", whole, len(again))
		}
		// What was written whole is read, whatever stands behind it.
		more, at := readJournal(append(bytes.Clone(b), data...))
		if len(more) < 3 || at < len(b) || !bytes.Equal(more[2], b[len(b)-len(more[2]):]) {
			t.Errorf("%d records of 3 in front of %q", len(more), data)
		}
	})
}
