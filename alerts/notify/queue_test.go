package notify

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
)

var t0 = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func sample(i int, status string) alerts.Alert {
	a := alerts.Alert{Time: t0, Rule: "R", Severity: alerts.Warning, Status: status, Started: t0, Key: fmt.Sprint(i), Value: float64(i),
		Threshold: 1, Summary: fmt.Sprint("alert ", i), Labels: alerts.Labels{{Name: "client_ip", Value: "192.0.2.1"}}, Fingerprint: fmt.Sprintf("%016x", i)}
	if status == alerts.Resolved {
		a.Ended = t0.Add(time.Minute)
	}
	return a
}

func TestQueueDropsResolvedFirst(t *testing.T) {
	q := queue{max: 4}
	push := func(i int, status string, dropped bool) {
		a := sample(i, status)
		if _, id := q.push(uint64(i+1), &a, 0); (id > 0) != dropped {
			t.Errorf("push %d: dropped %v", i, !dropped)
		}
	}
	push(0, alerts.Firing, false)
	push(1, alerts.Resolved, false)
	push(2, alerts.Firing, false)
	push(3, alerts.Resolved, false)
	push(4, alerts.Firing, true)   // 1 goes
	push(5, alerts.Resolved, true) // 3 goes
	push(6, alerts.Firing, true)   // 5 goes
	push(7, alerts.Firing, true)   // 0 goes
	var got []string
	for _, x := range q.batch(10, false) {
		got = append(got, x.alert.Key)
	}
	if want := []string{"2", "4", "6", "7"}; !slices.Equal(got, want) {
		t.Errorf("left %v, want %v", got, want)
	}
	for i := range 1000 { // the room that popped ones held is used again
		push(i, alerts.Firing, false)
		if b := q.batch(1, false); len(b) != 1 || b[0].alert.Key != fmt.Sprint(i) {
			t.Fatal(b)
		}
	}
	if n := cap(q.lists[0].items); n > 512 {
		t.Errorf("the queue grew to %d", n)
	}
}

func TestBatchesAreOfOneRule(t *testing.T) {
	q := queue{max: 10}
	for i, rule := range []string{"A", "A", "B", "A"} {
		a := sample(i, []string{alerts.Firing, alerts.Resolved}[i%2])
		a.Rule = rule
		q.push(uint64(i+1), &a, 0)
	}
	var sizes []int
	for b := q.batch(50, false); b != nil; b = q.batch(50, false) {
		sizes = append(sizes, len(b))
	}
	if !slices.Equal(sizes, []int{2, 1, 1}) {
		t.Errorf("batches of %v", sizes)
	}
}

// pushed is a queue with notices of one group each line: "key what", where
// what is firing, resolved, repeat or worse.
func pushed(t *testing.T, q *queue, lines ...string) (folded int) {
	t.Helper()
	for i, line := range lines {
		var key int
		var what string
		if _, err := fmt.Sscan(line, &key, &what); err != nil {
			t.Fatal(err)
		}
		a := sample(key, alerts.Firing)
		switch what {
		case "resolved":
			a = sample(key, alerts.Resolved)
		case "repeat":
			a.Repeat = i + 1
		case "worse":
			a.Escalated, a.Repeat = true, i+1
		}
		if id, dropped := q.push(uint64(i+1), &a, 0); id > 0 {
			folded++
		} else if dropped > 0 {
			t.Fatal("dropped")
		}
	}
	return folded
}

func TestRepetitionsThatWaitAreFolded(t *testing.T) {
	for _, c := range []struct{ in, out []string }{
		{[]string{"1 firing", "1 repeat"}, []string{"1 firing", "2 repeat"}},
		{[]string{"1 firing", "1 repeat", "1 repeat", "1 repeat"}, []string{"1 firing", "4 repeat"}},
		{[]string{"1 firing", "1 repeat", "1 repeat", "1 resolved"}, []string{"1 firing", "4 resolved"}},
		{[]string{"1 firing", "1 resolved"}, []string{"1 firing", "2 resolved"}},
		{[]string{"1 firing", "1 resolved", "1 firing", "1 resolved"}, []string{"1 firing", "2 resolved", "3 firing", "4 resolved"}},
		{[]string{"1 repeat", "1 worse", "1 repeat"}, []string{"2 worse", "3 repeat"}},
		{[]string{"1 repeat", "2 firing", "1 repeat", "2 repeat", "2 repeat"}, []string{"3 repeat", "2 firing", "5 repeat"}}, // keeps its place
	} {
		q := queue{max: 10}
		folded := pushed(t, &q, c.in...)
		var got []string
		for b := q.batch(10, false); b != nil; b = q.batch(10, false) {
			for _, x := range b {
				what := x.alert.Status
				if x.alert.Escalated {
					what = "worse"
				} else if x.alert.Repeat > 0 {
					what = "repeat"
				}
				got = append(got, fmt.Sprint(x.id, " ", what))
			}
		}
		if !slices.Equal(got, c.out) || folded != len(c.in)-len(c.out) || q.len() != 0 || len(q.repeats) != 0 {
			t.Errorf("%q gives %q and %d folded, want %q; %d left", c.in, got, folded, c.out, q.len())
		}
	}
}

// What was taken out is not changed any more by what comes later.
func TestRepetitionOnItsWayIsNotFolded(t *testing.T) {
	q := queue{max: 10}
	pushed(t, &q, "1 repeat")
	q.batch(10, false)
	if folded := pushed(t, &q, "1 repeat"); folded != 0 || q.len() != 1 {
		t.Errorf("%d folded, %d wait", folded, q.len())
	}
}

func TestWideBatchesTakeOneRuleFromAnywhere(t *testing.T) {
	q := queue{max: 100}
	for i, rule := range []string{"A", "B", "A", "C", "B", "A", "A"} {
		a := sample(i, []string{alerts.Firing, alerts.Resolved}[i%2])
		a.Rule = rule
		q.push(uint64(i+1), &a, 0)
	}
	var got []string
	for b := q.batch(3, true); b != nil; b = q.batch(3, true) {
		line := b[0].alert.Rule
		for _, x := range b {
			line += fmt.Sprint(" ", x.id)
		}
		got = append(got, line)
	}
	if want := []string{"A 1 3 6", "B 2 5", "C 4", "A 7"}; !slices.Equal(got, want) {
		t.Errorf("batches %q, want %q", got, want)
	}
}

// However repetitions, drops and batches mix: what is counted is there, in
// order, and empty places do not pile up.
func TestQueueHoldsWhatItCounts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	q := queue{max: 50}
	waits := map[uint64]string{}
	for id := uint64(1); id < 50_000; id++ {
		a := sample(random.IntN(40), []string{alerts.Firing, alerts.Resolved}[random.IntN(2)])
		if a.Status == alerts.Firing {
			a.Repeat = random.IntN(3)
		}
		a.Rule = []string{"A", "B"}[random.IntN(2)]
		a.Fingerprint += a.Rule
		folded, dropped := q.push(id, &a, 0)
		for _, gone := range []uint64{folded, dropped} {
			if gone > 0 && waits[gone] == "" {
				t.Fatalf("%d was not there", gone)
			}
			delete(waits, gone)
		}
		waits[id] = a.Rule
		if random.IntN(20) == 0 {
			for _, x := range q.batch(random.IntN(10), random.IntN(2) == 0) {
				if waits[x.id] != x.alert.Rule {
					t.Fatalf("%d was not there", x.id)
				}
				delete(waits, x.id)
			}
		}
		if q.len() != len(waits) || q.len() > q.max {
			t.Fatalf("it counts %d, there are %d", q.len(), len(waits))
		}
		if n := len(q.lists[0].items) + len(q.lists[1].items); n > 64+4*q.max {
			t.Fatalf("%d places for %d", n, q.len())
		}
	}
}
