package notify

import (
	"fmt"
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
		if q.push(sample(i, status)) != dropped {
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
	for _, a := range q.batch(10) {
		got = append(got, a.Key)
	}
	if want := []string{"2", "4", "6", "7"}; !slices.Equal(got, want) {
		t.Errorf("left %v, want %v", got, want)
	}
	for i := range 1000 { // the room that popped ones held is used again
		push(i, alerts.Firing, false)
		if b := q.batch(1); len(b) != 1 || b[0].Key != fmt.Sprint(i) {
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
		q.push(a)
	}
	var sizes []int
	for b := q.batch(50); b != nil; b = q.batch(50) {
		sizes = append(sizes, len(b))
	}
	if !slices.Equal(sizes, []int{2, 1, 1}) {
		t.Errorf("batches of %v", sizes)
	}
}
