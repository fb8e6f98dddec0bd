package keys

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

func random(i int) string { return fmt.Sprintf("%064x", i) }

func masterLine(i int) string {
	return fmt.Sprintf("CLIENT_RANDOM %s %s\n", random(i), strings.Repeat(fmt.Sprintf("%02x", byte(i)), 48))
}

var (
	hex32 = strings.Repeat("5A", 32)
	hex48 = strings.Repeat("5a", 48)
)

// lines are those of a key log, one of a kind, with what they count as.
var lines = []struct {
	text string
	want Stats
}{
	{"# a comment", Stats{Comments: 1}},
	{"#" + strings.Repeat(" long", 1000), Stats{Comments: 1}},
	{"", Stats{Comments: 1}},
	{" \t\r", Stats{Comments: 1}},
	{"CLIENT_RANDOM " + random(1) + " " + hex48, Stats{Held: 1, Secrets: 1}},
	{"CLIENT_RANDOM " + random(1) + " " + hex48 + " \r", Stats{Held: 1, Secrets: 1}},
	{"CLIENT_HANDSHAKE_TRAFFIC_SECRET " + random(1) + " " + hex32, Stats{Held: 1, Secrets: 1}},
	{"SERVER_HANDSHAKE_TRAFFIC_SECRET " + random(1) + " " + hex48, Stats{Held: 1, Secrets: 1}},
	{"CLIENT_TRAFFIC_SECRET_0 " + random(1) + " " + hex32, Stats{Held: 1, Secrets: 1}},
	{"SERVER_TRAFFIC_SECRET_0 " + random(1) + " " + hex32, Stats{Held: 1, Secrets: 1}},
	{"CLIENT_EARLY_TRAFFIC_SECRET " + random(1) + " " + hex32, Stats{Held: 1, Secrets: 1}},
	{"RSA 0123456789abcDEF " + hex48, Stats{Held: 1, Secrets: 1}},
	{"RSA Session-ID:0123 Master-Key:" + hex48, Stats{Held: 1, Secrets: 1}},
	{"EXPORTER_SECRET " + random(1) + " " + hex32, Stats{Unused: 1}},
	{"EARLY_EXPORTER_SECRET " + random(1) + " " + hex32, Stats{Unused: 1}},
	{"ECH_SECRET " + random(1) + " " + hex32, Stats{Unused: 1}},
	{"A_LABEL_OF_TOMORROW what it likes", Stats{Unused: 1}},
	{"CLIENT_RANDOM", Stats{Malformed: 1}},
	{"CLIENT_RANDOM " + random(1), Stats{Malformed: 1}},
	{"CLIENT_RANDOM " + random(1) + " ", Stats{Malformed: 1}},
	{"CLIENT_RANDOM " + random(1)[1:] + " " + hex48, Stats{Malformed: 1}},
	{"CLIENT_RANDOM " + random(1)[2:] + " " + hex48, Stats{Malformed: 1}},
	{"CLIENT_RANDOM " + random(1) + " " + hex32, Stats{Malformed: 1}},
	{"CLIENT_RANDOM " + random(1) + " " + hex48 + "00", Stats{Malformed: 1}},
	{"CLIENT_RANDOM " + random(1) + " " + hex48[1:], Stats{Malformed: 1}},
	{"CLIENT_RANDOM " + random(1) + "  " + hex48, Stats{Malformed: 1}},
	{"CLIENT_RANDOM " + random(1) + " " + hex48[1:] + "g", Stats{Malformed: 1}},
	{"CLIENT_TRAFFIC_SECRET_0 " + random(1) + " " + hex32 + "00", Stats{Malformed: 1}},
	{"RSA " + random(1) + " " + hex48, Stats{Malformed: 1}},
	{"RSA Session-ID: Master-Key:" + hex48, Stats{Malformed: 1}},
	{"RSA Session-ID:01" + random(1) + " Master-Key:" + hex48, Stats{Malformed: 1}},
	{" CLIENT_RANDOM " + random(1) + " " + hex48, Stats{Malformed: 1}},
	{"\x16\x03\x01 binary", Stats{Malformed: 1}},
	{strings.Repeat("X", 5000), Stats{Malformed: 1}},
	{"CLIENT_RANDOM " + random(1) + " " + hex48 + strings.Repeat(" ", 1000), Stats{Malformed: 1}},
}

func TestLines(t *testing.T) {
	for _, c := range lines {
		log := logOf(t, []byte(c.text+"\n"))
		if got := log.Stats(); got != c.want {
			t.Errorf("%.60q: %+v", c.text, got)
		}
		if log.Generation() != c.want.Secrets {
			t.Errorf("%.60q: generation %d", c.text, log.Generation())
		}
	}
}

// contents is all that a log holds, comparable.
func contents(l *Log) map[id][labels]secret {
	all := make(map[id][labels]secret)
	for i, e := range l.held {
		all[i] = e.secrets
	}
	return all
}

// TestLogInCuts: where the octets are cut changes nothing.
func TestLogInCuts(t *testing.T) {
	var text strings.Builder
	for _, c := range lines {
		text.WriteString(c.text + "\n")
	}
	all := []byte(text.String())
	whole := logOf(t, all)
	held := contents(whole)
	same := func(l *Log, how string, at int) {
		t.Helper()
		if l.Stats() != whole.Stats() || !maps.Equal(contents(l), held) {
			t.Errorf("%s %d: %+v, whole %+v", how, at, l.Stats(), whole.Stats())
		}
	}
	for at := range all {
		l := logOf(t, all[:at])
		l.Write(all[at:])
		same(l, "cut at", at)
	}
	for _, size := range []int{1, 2, 7, 200} {
		l := new(Log)
		for b := range slices.Chunk(all, size) {
			l.Write(b)
		}
		same(l, "pieces of", size)
	}
}

// TestLineWithoutEnd counts when its end comes.
func TestLineWithoutEnd(t *testing.T) {
	log := logOf(t, []byte(strings.TrimSuffix(masterLine(1), "\n")))
	if log.Generation() != 0 {
		t.Error("half a line was taken")
	}
	log.Write([]byte("\n"))
	if log.Generation() != 1 || log.Stats().Secrets != 1 {
		t.Errorf("%+v", log.Stats())
	}
	if b := log.line.b[:cap(log.line.b)]; !bytes.Equal(b, make([]byte, len(b))) {
		t.Error("the line is still in memory")
	}
}

// TestRepeatedLines: a log that both sides write has them twice.
func TestRepeatedLines(t *testing.T) {
	log := logOf(t, []byte(masterLine(1)+masterLine(1)))
	if log.Stats() != (Stats{Held: 1, Secrets: 1}) || log.Generation() != 1 {
		t.Errorf("%+v", log.Stats())
	}
	other := strings.Replace(masterLine(1), " 01", " 02", 1)
	log.Write([]byte(other))
	s, _ := log.find(name(byRandom, append(make([]byte, 31), 1)), master)
	if log.Generation() != 2 || s.b[0] != 2 {
		t.Error("the newest secret does not hold")
	}
}

// TestOldestGoFirst, and are wiped.
func TestOldestGoFirst(t *testing.T) {
	log := &Log{Options: Options{MaxSecrets: 3}}
	log.Write([]byte(masterLine(1)))
	first := log.oldest
	for i := range 5 {
		log.Write([]byte(masterLine(i + 1)))
		if i == 2 && log.Stats().Evicted != 0 {
			t.Error("evicted before the limit")
		}
	}
	if s := log.Stats(); s != (Stats{Held: 3, Secrets: 5, Evicted: 2}) {
		t.Errorf("%+v", s)
	}
	for i := range 5 {
		_, known := log.find(name(byRandom, append(make([]byte, 31), byte(i+1))), master)
		if known != (i >= 2) {
			t.Errorf("connection %d: %v", i+1, known)
		}
	}
	if *first != (entry{}) {
		t.Error("what was evicted is still in memory")
	}
	last := log.newest
	log.Wipe()
	if s := log.Stats(); s.Held != 0 || s.Evicted != 2 || *last != (entry{}) {
		t.Errorf("wiped: %+v", s)
	}
	log.Write([]byte(masterLine(9)))
	if log.Stats().Held != 1 || log.oldest != log.newest {
		t.Error("nothing is taken after a wipe")
	}
}

// TestReadersOfAGrowingLog is for the race detector.
func TestReadersOfAGrowingLog(t *testing.T) {
	w := wayNamed("1.3 AES-128-GCM")
	log := new(Log)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			var d Direction
			for generation := uint64(0); d.Rekey(log, w.hello(), Client, Application) != nil; {
				for log.Generation() == generation {
				}
				generation = log.Generation()
				_ = log.Stats()
			}
		})
	}
	for b := range slices.Chunk([]byte(masterLine(1)+w.keyLog()), 50) {
		log.Write(b)
	}
	all.Wait()
}

// TestFmtShowsNoSecret, in whatever form and however deep.
func TestFmtShowsNoSecret(t *testing.T) {
	for _, w := range ways {
		d, _ := w.start(t)
		log := logOf(t, []byte(w.keyLog()+"CLIENT_RANDOM "+random(7)+" "+hex48)) // the last without an end
		values := []any{log, d, *d, struct{ d Direction }{*d}, struct{ d *Direction }{d}, struct{ l *Log }{log}, []*Log{log},
			&struct{ D Direction }{*d}, map[string]*Log{"l": log}}
		for _, v := range values {
			for _, form := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				out := strings.ToLower(fmt.Sprintf(form, v))
				for _, octet := range []byte{0x5A, 0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5} {
					for _, sign := range []string{"%02x", "%d ", "0x%x, ", "%d, "} {
						if strings.Contains(out, strings.Repeat(fmt.Sprintf(sign, octet), 4)) {
							t.Fatalf("%s of %T shows a secret", form, v)
						}
					}
				}
				if len(out) > 1000 {
					t.Errorf("%s of %T: %d octets", form, v, len(out))
				}
			}
		}
	}
	if got := fmt.Sprint(new(Log), Direction{}, (*Log)(nil)); got != "key log of 0 connections direction without keys key log of 0 connections" {
		t.Error(got)
	}
}
