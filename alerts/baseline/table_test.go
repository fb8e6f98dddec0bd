package baseline

import (
	"math/rand"
	"reflect"
	"runtime"
	"testing"
)

// feed plays minutes of one group, each with a count.
func feed(t *Table, k Key, from int64, counts ...float64) int64 {
	for i, n := range counts {
		m := from + int64(i)
		t.Hear(m)
		t.Learn(k, 0, Windows{Window: m, Now: m + 1, Count: n, Peak: n})
	}
	return from + int64(len(counts))
}

func times(n int, x float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = x
	}
	return out
}

const noon = 29_000_160 // a window of a minute

func TestQuietUntilLearned(t *testing.T) {
	table, k := New(mailRate), Key{1, 2}
	if b := table.Bound(k, 0, true, noon); b.Threshold != 0 {
		t.Errorf("who was here is held against %v", b)
	}
	if b := table.Bound(k, 0, false, noon); b.Threshold != mailRate.Limit || b.Windows != 0 {
		t.Errorf("a newcomer is held against %v", b)
	}
	m := feed(table, k, noon, times(9, 5)...)
	if b := table.Bound(k, 0, false, m); b.Threshold != mailRate.Limit {
		t.Errorf("after nine windows: %v", b)
	}
	m = feed(table, k, m, 5)
	if b := table.Bound(k, 0, false, m); b.Threshold != mailRate.Floor || b.Windows != 10 || b.Since != noon || b.High < 5 {
		t.Errorf("after ten windows: %+v", b)
	}
}

// TestLastingChange says how long a change is news, in the first day of a
// group: not half an hour, but a tenfold one no longer than six.
func TestLastingChange(t *testing.T) {
	table, k := New(mailRate), Key{1, 2}
	m := feed(table, k, noon, times(120, 20)...)
	if m = feed(table, k, m, times(30, 200)...); table.Bound(k, 0, false, m).Threshold >= 100 {
		t.Errorf("a burst of half an hour is ordinary: %+v", table.Bound(k, 0, false, m))
	}
	for table.Bound(k, 0, false, m).Threshold < 200 {
		if m = feed(table, k, m, 200); m > noon+120+6*60 {
			t.Fatalf("news after six hours: %+v", table.Bound(k, 0, false, m))
		}
	}
	if took := m - noon - 150; took < 60 {
		t.Errorf("it took %d minutes only", took)
	} else {
		t.Logf("ten times the rate was ordinary after %d minutes", took)
	}
}

// TestLastingChangeOfAnOldGroup: what is known by its hours is news on three
// days, then a habit.
func TestLastingChangeOfAnOldGroup(t *testing.T) {
	d, r := newLearned(mailRate), rand.New(rand.NewSource(1))
	first, change := friday.Unix()/60, 4*minutesOfWeek
	days := map[int]bool{}
	for m := range 6 * minutesOfWeek {
		rate := 40.0
		if m >= change {
			rate = 400
		}
		d.hear(first + int64(m))
		if d.over(1, first+int64(m), poisson(r, rate)) {
			days[int(day((first+int64(m))/60))] = true
			if m < change {
				t.Fatalf("an alarm in minute %d", m)
			}
		}
	}
	if n := len(days); n < 3 || n > 4 { // the change came in the middle of a day
		t.Errorf("alarms on %d days", n)
	}
}

func TestClockStepsBack(t *testing.T) {
	table, k := New(mailRate), Key{1, 2}
	m := feed(table, k, noon, times(200, 20)...)
	before := table.Bound(k, 0, false, m)
	for _, step := range []int64{-3, -100, -100_000, -noon + 5} {
		feed(table, k, m+step, times(20, 20)...)
		if b := table.Bound(k, 0, false, m+step+20); b.Threshold > 1.2*before.Threshold || b.Threshold < mailRate.Floor {
			t.Errorf("a step of %d windows: %+v, before %+v", step, b, before)
		}
	}
	table.Learn(k, 0, Windows{Window: 1 << 60, Now: 1<<62 + 1, Count: 1, Peak: 1}) // the end of time
	feed(table, k, m, times(20, 20)...)
	if b := table.Bound(k, 0, false, m+20); b.Threshold < mailRate.Floor || b.Threshold > 1000 {
		t.Errorf("%+v", b)
	}
}

// TestOutageIsNoSilence: what nobody was heard in teaches nothing; a group that
// was silent while others sent was silent.
func TestOutageIsNoSilence(t *testing.T) {
	for _, others := range []bool{false, true} {
		table, k := New(mailRate), Key{1, 2}
		m := feed(table, k, noon, times(300, 100)...)
		before := table.groups[0].level
		back := m + 8*60
		for ; m < back; m++ {
			if others {
				table.Hear(m)
			}
		}
		feed(table, k, m, 100)
		after := table.groups[0].level
		if others && after.mean > 10 || !others && after.mean < 0.3*before.mean {
			t.Errorf("others %v: the mean was %.1f, is %.1f", others, before.mean, after.mean)
		}
	}
}

// TestNewcomersPushOutNobody: a million groups that come once each, while
// heavy ones are away.
func TestNewcomersPushOutNobody(t *testing.T) {
	o := mailRate
	o.Groups, o.Seasons = 2000, 50
	table, r := New(o), rand.New(rand.NewSource(1))
	m := int64(noon)
	heavy := func(i int) Key { return Key{uint64(i), 7} }
	for range 20 {
		table.Hear(m)
		for i := range 1000 {
			table.Learn(heavy(i), 0, Windows{Window: m, Now: m + 1, Count: 5, Peak: 5})
		}
		m++
	}
	for i := range 1_000_000 {
		if i%1000 == 0 {
			m++
			table.Hear(m)
		}
		table.Learn(Key{r.Uint64(), r.Uint64()}, 0, Windows{Window: m, Now: m + 1, Count: 1, Peak: 1})
	}
	for i := range 1000 {
		if b := table.Bound(heavy(i), 0, false, m); b.Windows < 20 {
			t.Fatalf("group %d was pushed out: %+v", i, b)
		}
	}
	late := Key{99, 99} // one that is heavy gets in all the same
	m = feed(table, late, m, times(30, 50)...)
	if b := table.Bound(late, 0, false, m); b.Windows == 0 || table.Len() != 2000 {
		t.Errorf("a heavy newcomer did not get in: %+v, %d groups", b, table.Len())
	}
}

// TestMemory measures a table that a million busy groups went through.
func TestMemory(t *testing.T) {
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	table, r, m := New(mailRate), rand.New(rand.NewSource(1)), int64(noon)
	for i := range 1_000_000 {
		k := Key{r.Uint64(), r.Uint64()}
		feed(table, k, m, 100)
		feed(table, k, m+24*60, 100) // a day later: a page is wanted
		if i%1000 == 0 {
			m++
		}
	}
	used := heap() - before
	state := table.AppendTo(nil)
	t.Logf("%d groups, %d seasons: %d octets in memory, %d saved; a group %d, a season %d", table.Len(), len(table.seasons), used, len(state),
		reflect.TypeFor[group]().Size(), reflect.TypeFor[season]().Size())
	if used > 5<<20 || len(state) > 3<<20 || table.Len() != DefaultGroups || len(table.seasons) != DefaultSeasons {
		t.Errorf("%d groups, %d seasons, %d octets, %d saved", table.Len(), len(table.seasons), used, len(state))
	}
	runtime.KeepAlive(table)
}

// TestPagesHaveOneOwner plays random groups through a table in which places
// and pages are scarce.
func TestPagesHaveOneOwner(t *testing.T) {
	o := mailRate
	o.Groups, o.Seasons = 20, 5
	table, r, m := New(o), rand.New(rand.NewSource(1)), int64(noon)
	stolen := map[uint32]bool{}
	for range 20000 {
		m += int64(r.Intn(120))
		feed(table, Key{uint64(r.Intn(60)), 1}, m, float64(r.Intn(300)))
		for i := range table.seasons {
			if owner := table.seasons[i].owner; table.groups[owner].season != uint32(i+1) {
				t.Fatalf("page %d is not its owner's", i)
			}
			stolen[table.seasons[i].owner] = true
		}
		pages := 0
		for i, g := range table.groups {
			if g.season > 0 {
				pages++
			}
			if table.slots[g.key] != uint32(i) {
				t.Fatalf("slot %d is not its key's", i)
			}
		}
		if pages != len(table.seasons) {
			t.Fatalf("%d groups have %d pages", pages, len(table.seasons))
		}
	}
	if len(stolen) <= o.Seasons || table.tries == 0 {
		t.Errorf("no page and no place ever changed hands: %v, %d", stolen, table.tries)
	}
}

// TestLearningAllocatesNothing holds for groups that are known.
func TestLearningAllocatesNothing(t *testing.T) {
	table, k, m := New(mailRate), Key{1, 2}, int64(noon)
	m = feed(table, k, m, times(5000, 100)...)
	if n := testing.AllocsPerRun(5000, func() {
		table.Hear(m)
		table.Learn(k, 0, Windows{Window: m, Now: m + 1, Count: 100, Peak: 100})
		m++
		table.Bound(k, 0, false, m)
	}); n > 0 {
		t.Errorf("%v allocations a window", n)
	}
}

func BenchmarkLearn(b *testing.B) {
	table, m := New(mailRate), int64(noon)
	keys := make([]Key, 10000)
	r := rand.New(rand.NewSource(1))
	for i := range keys {
		keys[i] = Key{r.Uint64(), r.Uint64()}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%len(keys) == 0 {
			m++
		}
		table.Learn(keys[i%len(keys)], 0, Windows{Window: m, Now: m + 1, Count: 50, Peak: 60})
	}
}

func BenchmarkBound(b *testing.B) {
	table, k := New(mailRate), Key{1, 2}
	m := feed(table, k, noon, times(30*24*60, 100)...)
	if !table.Bound(k, 0, false, m).Seasonal {
		b.Fatal("no season")
	}
	b.ReportAllocs()
	for b.Loop() {
		table.Bound(k, 0, false, m)
	}
}
