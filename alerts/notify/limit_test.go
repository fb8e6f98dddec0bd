package notify

import (
	"math/rand/v2"
	"testing"
	"time"
)

// No hour holds more Sends than allowed, whenever they are asked for, and what
// is asked for all the time gets at least half of it.
func TestLimitHoldsForEveryHour(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, perHour := range []int{1, 2, 3, 5, 20, 59, 60, 1000} {
		for _, busy := range []bool{true, false} {
			l, now := newLimit(perHour), t0
			var sent []time.Time
			for now.Before(t0.Add(10 * time.Hour)) {
				if d := l.wait(now); d > 0 {
					now = now.Add(d)
					if d := l.wait(now); d > 0 {
						t.Fatalf("%d an hour: after the wait it is %s more", perHour, d)
					}
				}
				l.take(now)
				sent = append(sent, now)
				if !busy {
					now = now.Add(time.Duration(random.Int64N(int64(3 * time.Hour / time.Duration(perHour)))))
				}
			}
			for i := range sent {
				if j := i + perHour; j < len(sent) && sent[j].Sub(sent[i]) < time.Hour {
					t.Fatalf("%d an hour: Sends %d to %d are within %s", perHour, i, j, sent[j].Sub(sent[i]))
				}
			}
			if busy && len(sent) < perHour*5 {
				t.Errorf("%d an hour: only %d in ten hours", perHour, len(sent))
			}
		}
	}
}

func TestLimitOfNothing(t *testing.T) {
	l := newLimit(0)
	for range 1000 {
		if d := l.wait(t0); d != 0 {
			t.Fatal(d)
		}
		l.take(t0)
	}
}

func TestLimitOutlivesAClockThatStepsBack(t *testing.T) {
	l := newLimit(6)
	l.take(t0.Add(1000 * time.Hour))
	l.take(t0.Add(1000 * time.Hour))
	l.take(t0.Add(1000 * time.Hour))
	if d := l.wait(t0); d > time.Hour {
		t.Errorf("it waits %s", d)
	}
}
