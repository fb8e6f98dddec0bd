package notify

import "github.com/mailtap/mailtap/alerts"

// note is one alert for one receiver. Ids rise in the order of the alerts and
// begin at 1; they name an alert in the outbox.
type note struct {
	id    uint64
	alert *alerts.Alert
	since int64  // when it came, seconds since the Unix epoch
	order uint64 // place in the queue
	gone  bool   // taken, dropped or folded: its place is empty
}

// queue holds the notes of one receiver in their order, bounded. Where it is
// full the oldest resolved alert goes first, then the oldest: better a receiver
// that believes too long than one that never hears.
type queue struct {
	max     int
	next    uint64
	n       int
	lists   [2]fifo          // firing, resolved
	repeats map[string]*note // the repetition that waits, by fingerprint
}

func (q *queue) len() int { return q.n }

// push adds an alert. What had to go for it is named by id, 0 for none: folded
// is a repetition that says nothing beside the newer notice, dropped is lost.
func (q *queue) push(id uint64, a *alerts.Alert, since int64) (folded, dropped uint64) {
	if old := q.repeats[a.Fingerprint]; old != nil {
		delete(q.repeats, a.Fingerprint)
		folded = old.id
		if a.Status == alerts.Firing { // in its place: who is repeated often must not be last for ever
			old.id, old.alert, old.since = id, a, since
			q.mark(old)
			return folded, 0
		}
		q.remove(old)
	}
	if q.n >= q.max {
		dropped = q.drop()
	}
	x := &note{id: id, alert: a, since: since, order: q.next}
	q.next++
	q.n++
	q.list(x).push(x)
	q.mark(x)
	return folded, dropped
}

// mark remembers a repetition. A first notice and one that became worse are
// told whatever comes after them.
func (q *queue) mark(x *note) {
	if a := x.alert; a.Status != alerts.Firing || a.Repeat == 0 || a.Escalated {
		return
	}
	if q.repeats == nil {
		q.repeats = map[string]*note{}
	}
	q.repeats[x.alert.Fingerprint] = x
}

func (q *queue) list(x *note) *fifo {
	if x.alert.Status == alerts.Resolved {
		return &q.lists[1]
	}
	return &q.lists[0]
}

func (q *queue) remove(x *note) {
	x.gone = true
	q.n--
	q.list(x).trim()
	if q.repeats[x.alert.Fingerprint] == x {
		delete(q.repeats, x.alert.Fingerprint)
	}
}

func (q *queue) drop() uint64 {
	x := q.lists[1].first()
	if x == nil {
		x = q.lists[0].first()
	}
	q.remove(x)
	return x.id
}

// batch takes the oldest alerts out: at most n, all of one rule. They stand
// together, or, where few batches are allowed (wide), anywhere: alerts of other
// rules are of other groups, so the order of each group is kept.
func (q *queue) batch(n int, wide bool) []note {
	var out []note
	firing, resolved := q.lists[0].items, q.lists[1].items
	for len(out) < n && len(firing)+len(resolved) > 0 {
		from := &firing
		if len(firing) == 0 || len(resolved) > 0 && resolved[0].order < firing[0].order {
			from = &resolved
		}
		x := (*from)[0]
		*from = (*from)[1:]
		if x.gone {
			continue
		}
		if len(out) > 0 && x.alert.Rule != out[0].alert.Rule {
			if wide {
				continue
			}
			break
		}
		out = append(out, *x)
		x.gone = true
	}
	q.taken(out)
	return out
}

func (q *queue) taken(out []note) {
	q.n -= len(out)
	for _, x := range out {
		if w := q.repeats[x.alert.Fingerprint]; w != nil && w.order == x.order {
			delete(q.repeats, x.alert.Fingerprint)
		}
	}
	q.lists[0].trim()
	q.lists[1].trim()
}
