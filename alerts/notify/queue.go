package notify

import "github.com/mailtap/mailtap/alerts"

// queue holds alerts in their order, bounded. Where it is full the oldest
// resolved alert goes first, then the oldest: better a receiver that believes
// too long than one that never hears.
type queue struct {
	max   int
	next  uint64
	lists [2]fifo // firing, resolved
}

type fifo struct {
	items []queued
	head  int
}

type queued struct {
	seq   uint64
	alert alerts.Alert
}

func (f *fifo) len() int { return len(f.items) - f.head }

func (f *fifo) first() *queued { return &f.items[f.head] }

func (f *fifo) push(q queued) {
	if f.head > 64 && f.head*2 > len(f.items) {
		n := copy(f.items, f.items[f.head:])
		clear(f.items[n:])
		f.items, f.head = f.items[:n], 0
	}
	f.items = append(f.items, q)
}

func (f *fifo) pop() queued {
	q := f.items[f.head]
	f.items[f.head] = queued{}
	f.head++
	return q
}

func (q *queue) len() int { return q.lists[0].len() + q.lists[1].len() }

// push adds an alert and says whether another had to go.
func (q *queue) push(a alerts.Alert) (dropped bool) {
	if q.len() >= q.max {
		dropped = true
		if q.lists[1].len() > 0 {
			q.lists[1].pop()
		} else {
			q.lists[0].pop()
		}
	}
	list := &q.lists[0]
	if a.Status == alerts.Resolved {
		list = &q.lists[1]
	}
	list.push(queued{q.next, a})
	q.next++
	return dropped
}

// first is the list that holds the oldest alert, nil where there is none.
func (q *queue) first() *fifo {
	f, r := &q.lists[0], &q.lists[1]
	switch {
	case f.len() == 0 && r.len() == 0:
		return nil
	case r.len() == 0, f.len() > 0 && f.first().seq < r.first().seq:
		return f
	}
	return r
}

// batch takes the oldest alerts out: at most n, all of one rule.
func (q *queue) batch(n int) []alerts.Alert {
	var out []alerts.Alert
	for len(out) < n {
		f := q.first()
		if f == nil || len(out) > 0 && f.first().alert.Rule != out[0].Rule {
			break
		}
		out = append(out, f.pop().alert)
	}
	return out
}
