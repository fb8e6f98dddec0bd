package sessions

import (
	"cmp"
	"slices"
)

// wheelSlots is how many seconds the wheel spans; what is due later is looked
// at once a turn.
const wheelSlots = 1024

// wheel finds connections that may be due without looking at the others. A
// slot holds those due in one second; a connection that was active since is
// filed again when its slot comes.
type wheel struct {
	slots [wheelSlots]*flow // heads of doubly linked lists
	at    int64             // second up to which all slots were looked at
	count int
}

func (w *wheel) add(f *flow, due int64) {
	second := due/1e9 + 1
	if second <= w.at {
		second = w.at + 1
	}
	f.slot = int32(second % wheelSlots)
	head := w.slots[f.slot]
	f.next, f.prev = head, nil
	if head != nil {
		head.prev = f
	}
	w.slots[f.slot] = f
	f.filed = true
	w.count++
}

func (w *wheel) remove(f *flow) {
	if !f.filed {
		return
	}
	if f.prev != nil {
		f.prev.next = f.next
	} else {
		w.slots[f.slot] = f.next
	}
	if f.next != nil {
		f.next.prev = f.prev
	}
	f.next, f.prev, f.filed = nil, nil, false
	w.count--
}

// expire calls each for the connections of the slots up to now, each taken off
// the wheel before, in the order of their times.
func (w *wheel) expire(now int64, each func(*flow)) {
	to := now / 1e9
	if w.at == 0 || to-w.at > wheelSlots {
		w.at = max(to-wheelSlots, 0) // the first turn, or a leap of time: every slot once
	}
	for w.at < to {
		w.at++
		var due []*flow
		for f := w.slots[w.at%wheelSlots]; f != nil; f = w.slots[w.at%wheelSlots] {
			w.remove(f)
			due = append(due, f)
		}
		slices.SortFunc(due, byStart)
		for _, f := range due {
			each(f)
		}
	}
}

// first is one of the connections that are due next.
func (w *wheel) first() *flow {
	if w.count == 0 {
		return nil
	}
	for i := int64(1); i <= wheelSlots; i++ {
		if f := w.slots[(w.at+i)%wheelSlots]; f != nil {
			return f
		}
	}
	return nil
}

func byStart(a, b *flow) int {
	return cmp.Or(cmp.Compare(a.start, b.start), a.conn.Client.Compare(b.conn.Client), a.conn.Server.Compare(b.conn.Server))
}

// inOrder lists all connections by their start: the table has no order of its own.
func (t *Tracker) inOrder() []*flow {
	all := make([]*flow, 0, t.flows.count)
	for f := range t.flows.all {
		all = append(all, f)
	}
	slices.SortFunc(all, byStart)
	return all
}

func (t *Tracker) waitingInOrder() []*flow {
	if len(t.waiting) == 0 {
		return nil
	}
	all := make([]*flow, 0, len(t.waiting))
	for f := range t.waiting {
		all = append(all, f)
	}
	slices.SortFunc(all, byStart)
	return all
}
