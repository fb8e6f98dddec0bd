package alerts

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/sessions"
)

func saved(t testing.TB, e *Engine) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := e.Save(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func recount(b *book) []string {
	var out []string
	for _, a := range b.alerts {
		line, _ := json.Marshal(a)
		out = append(out, string(line))
	}
	return out
}

// TestRestoredEngineGoesOn stops engines anywhere in random events, and holds
// that nobody who hears of alerts can tell.
func TestRestoredEngineGoesOn(t *testing.T) {
	for seed := range int64(4) {
		for _, back := range []float64{0, 400} {
			rnd := rand.New(rand.NewSource(seed))
			events := stream(seed, 3000, 2, back)
			whole, want := mixed(t, small())
			part, got := mixed(t, small())
			stops := 0
			for _, ev := range events {
				whole.Handle(ev)
				part.Handle(ev)
				if rnd.Intn(200) > 0 {
					continue
				}
				if rnd.Intn(2) == 0 { // and at any pattern of calls
					whole.Advance(ev.At())
				}
				o := small()
				o.Sink = got
				next, _ := mixed(t, o)
				if err := next.Restore(bytes.NewReader(saved(t, part))); err != nil {
					t.Fatal(err)
				}
				part = next
				stops++
			}
			whole.Flush(at(1e5))
			part.Flush(at(1e5))
			compare(t, recount(got), recount(want), 100)
			if stops < 5 {
				t.Errorf("only %d stops", stops)
			}
			seen := map[string]bool{}
			for _, a := range want.alerts {
				seen["inhibited"] = seen["inhibited"] || a.InhibitedBy != ""
				seen["storm"] = seen["storm"] || a.Groups > 1
				seen[a.Rule] = true
			}
			for _, what := range []string{"inhibited", "storm", "F", "G", "H", "I", "J", "I2", "I3"} {
				if !seen[what] {
					t.Errorf("seed %d: no alert shows %s", seed, what)
				}
			}
		}
	}
}

// busy is an engine in the middle of everything.
func busy(t testing.TB) *Engine {
	e, _ := mixed(t, small())
	for _, ev := range stream(3, 1500, 2, 0) {
		e.Handle(ev)
	}
	return e
}

func TestDamagedState(t *testing.T) {
	good := saved(t, busy(t))
	for name, bad := range map[string][]byte{
		"empty": nil, "cut": good[:len(good)-1], "longer": append(bytes.Clone(good), 0), "one bit": flipped(good, len(good)/2),
		"length": flipped(good, len(stateMagic)), "checksum": flipped(good, len(good)-1), "version": flipped(good, len(stateMagic)-2),
	} {
		e, b := mixed(t, small())
		err := e.Restore(bytes.NewReader(bad))
		if !errors.Is(err, ErrStateDamaged) && !errors.Is(err, ErrStateVersion) {
			t.Errorf("%s: %v", name, err)
		}
		if len(e.timers) > 0 || len(b.alerts) > 0 || e.now != 0 {
			t.Errorf("%s: something was left", name)
		}
	}
	e := busy(t)
	if err := e.Restore(bytes.NewReader(good)); !errors.Is(err, ErrStateUsed) {
		t.Error(err)
	}
}

func flipped(b []byte, i int) []byte {
	b = bytes.Clone(b)
	b[i] ^= 4
	return b
}

// TestChangedRuleBeginsAnew holds that the other rules go on.
func TestChangedRuleBeginsAnew(t *testing.T) {
	two := countRule + strings.Replace(strings.Replace(countRule, "\nrules:\n", "", 1), "name: R", "name: S", 1)
	e, _ := engine(t, load(t, two), Options{})
	c := conn("192.0.2.1", "10.0.0.1:25")
	e.Handle(denied(c, 0, "u"))
	e.Handle(denied(c, 1, "u"))
	state := saved(t, e)
	e, b := engine(t, load(t, strings.Replace(two, "threshold: 3", "threshold: 2", 1)), Options{})
	if err := e.Restore(bytes.NewReader(state)); err != nil {
		t.Fatal(err)
	}
	e.Handle(denied(c, 2, "u"))
	lines(t, b, "2s firing warning S [192.0.2.1] 3/3")
}

// TestLongRestart holds that windows end by packet time although nobody was there.
func TestLongRestart(t *testing.T) {
	e, _ := engine(t, load(t, countRule), Options{})
	a, c := conn("192.0.2.1", "10.0.0.1:25"), conn("192.0.2.2", "10.0.0.1:25")
	for range 3 {
		e.Handle(denied(a, 0, "u"))
	}
	e.Handle(denied(c, 0, "u"))
	e.Handle(denied(c, 0, "u"))
	state := saved(t, e)
	e, b := engine(t, load(t, countRule), Options{})
	if err := e.Restore(bytes.NewReader(state)); err != nil {
		t.Fatal(err)
	}
	e.Handle(denied(c, 90000, "u"))
	lines(t, b, "5m0s resolved warning R [192.0.2.1] 3/3")
	if !b.alerts[0].Ended.Equal(at(300)) || len(b.alerts[0].Sessions) != 1 {
		t.Errorf("%+v", b.alerts[0])
	}
}

func TestAdoptedAlerts(t *testing.T) {
	e, b := engine(t, load(t, countRule), Options{})
	x, y := conn("192.0.2.1", "10.0.0.1:25"), conn("192.0.2.2", "10.0.0.1:25")
	for range 3 {
		e.Handle(denied(x, 0, "u"))
		e.Handle(denied(y, 0, "u"))
	}
	gone := b.alerts[0]
	gone.Rule, gone.Fingerprint = "Gone", "0123456789abcdef"
	active := []Alert{b.alerts[0], b.alerts[1], gone}
	e, b = engine(t, load(t, countRule), Options{})
	e.Adopt(active)
	e.Adopt(active)
	e.Handle(denied(x, 100, "u")) // one is enough: it fires already
	e.Advance(at(500))
	lines(t, b,
		"1m40s resolved warning Gone [192.0.2.1] 3/3",
		"6m40s resolved warning R [192.0.2.1] 4/3",
		"6m40s resolved warning R [192.0.2.2] 3/3")
	if a := b.alerts[1]; a.Fingerprint != active[0].Fingerprint || !a.Started.Equal(active[0].Started) || a.InhibitedBy != "" {
		t.Errorf("%+v", a)
	}
	if s := e.Stats().Rules[0]; s.Firing != 0 || s.Raised != 0 {
		t.Errorf("%+v", s)
	}
}

// TestAdoptKnowsWhatWasRestored holds that nothing is recount twice.
func TestAdoptKnowsWhatWasRestored(t *testing.T) {
	e, b := engine(t, load(t, countRule), Options{})
	x := conn("192.0.2.1", "10.0.0.1:25")
	for range 3 {
		e.Handle(denied(x, 0, "u"))
	}
	state := saved(t, e)
	next, c := engine(t, load(t, countRule), Options{})
	if err := next.Restore(bytes.NewReader(state)); err != nil {
		t.Fatal(err)
	}
	next.Adopt(b.alerts)
	next.Advance(at(9999))
	lines(t, c, "5m0s resolved warning R [192.0.2.1] 3/3")
}

// stateRules keep something of every kind.
const stateRules = `
rules:
  - {name: A, event: auth, when: auth.denied, group_by: client.ip, storm: 2, for: 1s, fire: {count: {threshold: 2, window: 5m}}, inhibits: [{rule: B, equal: [client_ip]}], summary: '{value}'}
  - {name: B, event: auth, group_by: client.ip, fire: {ratio: {of: auth.denied, threshold: 0.5, window: 5m, least: 2}}, summary: '{value}'}
  - {name: C, event: attempt, group_by: client.ip, fire: {spike: {floor: 2, limit: 3, window: 20s, learn: 2}}, summary: '{value}'}
  - {name: D, event: attempt, group_by: client.ip, fire: {after: {when: role != "x", by: server.ip, threshold: 2, window: 1m}}, summary: '{value}'}
  - {name: E, event: attempt, group_by: client.ip, fire: {unlike: {when: server.port == 25, by: server.ip, other: client.ip, window: 1m}}, summary: '{value}'}
`

// FuzzRestore gives the engine files with a right checksum: whatever they hold,
// it must go on with its limits kept.
func FuzzRestore(f *testing.F) {
	set := load(f, stateRules)
	fresh := func(t testing.TB) *Engine {
		e, _ := engine(t, set, Options{MaxGroups: 9})
		return e
	}
	events := slices.DeleteFunc(stream(5, 300, 5, 0), func(e sessions.Event) bool {
		k, ok := kindOf(e)
		return !ok || k != kindAuth && k != kindAttempt
	})
	old := fresh(f)
	for _, e := range []*Engine{fresh(f), old} {
		f.Add(saved(f, e)[len(stateMagic)+8:])
		for _, ev := range events {
			old.Handle(ev)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) < 4 {
			return
		}
		body = body[:len(body)-4]
		file := binary.LittleEndian.AppendUint64([]byte(stateMagic), uint64(len(body)))
		file = append(file, body...)
		file = binary.LittleEndian.AppendUint32(file, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
		e := fresh(t)
		if err := e.Restore(bytes.NewReader(file)); err != nil && (len(e.timers) > 0 || e.now != 0) {
			t.Fatal("a refused state left something")
		}
		for _, r := range e.rules {
			if n := len(r.groups.keys.entries); n > 9 || len(r.groups.firing) > n {
				t.Fatalf("%d groups, %d fire", n, len(r.groups.firing))
			}
		}
		for _, ev := range events[:30] {
			e.Handle(ev)
		}
		var again bytes.Buffer
		if err := e.Save(&again); err != nil {
			t.Fatal(err)
		}
		if err := fresh(t).Restore(&again); err != nil {
			t.Fatalf("what was saved is not restored: %v", err)
		}
		e.Flush(at(1e4))
		if len(e.timers) > 0 {
			t.Fatal("alerts are left after the end")
		}
	})
}

// BenchmarkSave saves a hundred thousand groups of every login rule.
func BenchmarkSave(b *testing.B) {
	e := crowded(b, 100_000)
	var out bytes.Buffer
	b.Run("save", func(b *testing.B) {
		for b.Loop() {
			out.Reset()
			if err := e.Save(&out); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(out.Len())/1e6, "MB")
	})
	b.Run("restore", func(b *testing.B) {
		for b.Loop() {
			next, err := NewEngine(Builtin(), site)
			if err != nil {
				b.Fatal(err)
			}
			if err := next.Restore(bytes.NewReader(out.Bytes())); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func crowded(t testing.TB, sources int) *Engine {
	e, err := NewEngine(Builtin(), site)
	if err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		for i := range sources {
			c := conn(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), "10.20.0.25:25")
			e.Handle(denied(c, float64(round)+float64(i)/float64(sources), fmt.Sprint("user", i)))
		}
	}
	return e
}
