package baseline

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand"
	"testing"
	"time"
)

// TestRestoreIsNoBreak saves and restores at random points of ten weeks; the
// verdicts are those of a table that was never away.
func TestRestoreIsNoBreak(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	groups := makeSeries(5, 4, true)
	o := mailRate
	o.Groups, o.Seasons = 25, 6 // scarce: who is kept must be the same too
	one, other := newLearned(o), newLearned(o)
	first, alarms, restarts := friday.Unix()/60, 0, 0
	for m := range groups[0].counts {
		if hole(m) {
			continue
		}
		if r.Intn(1500) == 0 {
			fresh := New(o)
			if err := fresh.Restore(other.table.AppendTo(nil)); err != nil {
				t.Fatal(err)
			}
			other.table = fresh
			restarts++
		}
		one.hear(first + int64(m))
		other.hear(first + int64(m))
		for g := range groups {
			a, b := one.over(g, first+int64(m), groups[g].counts[m]), other.over(g, first+int64(m), groups[g].counts[m])
			if a != b {
				t.Fatalf("minute %d, group %d: %v, after a restart %v", m, g, a, b)
			}
			if a {
				alarms++
			}
		}
	}
	if !bytes.Equal(one.table.AppendTo(nil), other.table.AppendTo(nil)) {
		t.Error("the tables differ in the end")
	}
	if alarms < 100 || restarts < 10 || one.table.tries == 0 {
		t.Errorf("%d alarms, %d restarts: the test shows little", alarms, restarts)
	}
}

// sample is a table with groups of all kinds.
func sample(groups int) *Table {
	o := mailRate
	o.Groups, o.Seasons = 10, 3
	table := New(o)
	for i := range groups {
		m := int64(noon)
		for range 3 {
			feed(table, Key{uint64(i), 1}, m, times(70, float64(20*i))...)
			m += 24 * 60
		}
	}
	return table
}

func TestRestoreRefuses(t *testing.T) {
	good := sample(5).AppendTo(nil)
	table := sample(2)
	before := table.AppendTo(nil)
	with := func(change func(b []byte)) []byte {
		b := bytes.Clone(good)
		change(b)
		return b
	}
	for name, c := range map[string]struct {
		octets []byte
		want   error
	}{
		"nothing":          {nil, ErrVersion},
		"another version":  {with(func(b []byte) { b[0]++ }), ErrVersion},
		"another window":   {with(func(b []byte) { binary.LittleEndian.PutUint64(b[1:], uint64(time.Hour)) }), ErrVersion},
		"an hour below 0":  {with(func(b []byte) { b[headSize-1] = 0x80 }), ErrDamaged},
		"a level of NaN":   {with(func(b []byte) { binary.LittleEndian.PutUint32(b[33:], math.Float32bits(float32(math.NaN()))) }), ErrDamaged},
		"too many windows": {with(func(b []byte) { b[41] = 61 }), ErrDamaged},
		"a key twice":      {append(bytes.Clone(good), good[headSize:headSize+groupSize]...), ErrDamaged},
		"one octet more":   {append(bytes.Clone(good), 0), ErrDamaged},
		"cut":              {good[:len(good)-1], ErrDamaged},
	} {
		if err := table.Restore(c.octets); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if !bytes.Equal(table.AppendTo(nil), before) {
			t.Fatalf("%s: the table changed", name)
		}
	}
}

// TestRestoreIntoLess keeps the heaviest.
func TestRestoreIntoLess(t *testing.T) {
	o := mailRate
	o.Groups, o.Seasons = 2, 1
	table := New(o)
	if err := table.Restore(sample(6).AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		if got, want := table.Bound(Key{uint64(i), 1}, 0, false, noon).Windows > 0, i >= 4; got != want {
			t.Errorf("group %d is kept: %v", i, got)
		}
	}
	if table.Len() != 2 || len(table.seasons) != 1 {
		t.Errorf("%d groups, %d seasons", table.Len(), len(table.seasons))
	}
}

func FuzzRestore(f *testing.F) {
	good := sample(5).AppendTo(nil)
	f.Add(good)
	f.Add(sample(0).AppendTo(nil))
	f.Add(good[:len(good)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		o := mailRate
		o.Groups, o.Seasons = 4, 2
		table := New(o)
		if err := table.Restore(b); err != nil {
			if table.Len() != 0 {
				t.Fatal("an error, and groups")
			}
			return
		}
		if table.Len() > 4 || len(table.seasons) > 2 {
			t.Fatalf("%d groups, %d seasons", table.Len(), len(table.seasons))
		}
		saved := table.AppendTo(nil)
		again := New(o)
		if err := again.Restore(saved); err != nil || !bytes.Equal(again.AppendTo(nil), saved) {
			t.Fatalf("what it gives it does not take: %v", err)
		}
		for i := range int64(2000) { // whatever is learned, bounds stay in their range
			k := Key{uint64(i % 7), 1}
			if i%2 == 0 && table.Len() > 0 {
				k = table.groups[i%int64(table.Len())].key
			}
			m := noon + i*i
			table.Hear(m)
			table.Learn(k, 0, Windows{Window: m, Now: m + i%100, Count: float64(i % 90), Peak: float64(i % 100)})
			if x := table.Bound(k, 0, i%3 == 0, m+1); !(x.Threshold == 0 || x.Threshold >= mailRate.Floor) || !(x.Low >= 0) || !(x.High >= x.Low) {
				t.Fatalf("%+v", x)
			}
		}
	})
}
