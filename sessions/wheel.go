package sessions

import (
	"cmp"
	"slices"

	"github.com/mailtap/mailtap/capture/packet"
)

// wheelSlots is how many seconds the wheel spans; what is due later is looked
// at once a turn.
const wheelSlots = 1024

// wheel finds connections that may be due without looking at the others. A
// slot holds those due in one second; a connection that was active since is
// filed again when its slot comes.
type wheel struct {
	flows *flowTable
	slots [wheelSlots]uint32 // heads of doubly linked lists
	at    int64              // second up to which all slots were looked at
	due   []*entry           // memory for a turn
}

func (w *wheel) add(e *entry, due int64) {
	second := due/1e9 + 1
	if second <= w.at {
		second = w.at + 1
	}
	e.slot = uint16(second % wheelSlots)
	head := w.slots[e.slot]
	e.next, e.prev = head, 0
	if head != 0 {
		w.flows.at(head).prev = e.id
	}
	w.slots[e.slot] = e.id
	e.filed = true
}

func (w *wheel) remove(e *entry) {
	if !e.filed {
		return
	}
	if e.prev != 0 {
		w.flows.at(e.prev).next = e.next
	} else {
		w.slots[e.slot] = e.next
	}
	if e.next != 0 {
		w.flows.at(e.next).prev = e.prev
	}
	e.next, e.prev, e.filed = 0, 0, false
}

// expire calls each for the connections of the slots up to now, each taken off
// the wheel before, in the order of their start; of very many the rest waits for
// the next call.
func (w *wheel) expire(now int64, most int, each func(*entry)) {
	to := now / 1e9
	if w.at == 0 || to-w.at > wheelSlots {
		w.at = max(to-wheelSlots, 0) // the first turn, or a leap of time: every slot once
	}
	due := w.due[:0]
	for w.at < to {
		w.at++
		for w.slots[w.at%wheelSlots] != 0 && len(due) < most {
			e := w.flows.at(w.slots[w.at%wheelSlots])
			w.remove(e)
			due = append(due, e)
		}
		if len(due) == most {
			w.at-- // what is left in the slot comes first then
			break
		}
	}
	slices.SortFunc(due, byStart)
	for _, e := range due {
		each(e)
	}
	w.due = due[:0]
}

// byStart orders connections by their start; the client's and the server's
// addresses break a tie.
func byStart(a, b *entry) int {
	if a.start != b.start {
		return cmp.Compare(a.start, b.start)
	}
	return cmp.Or(compareEnds(a, b, client), compareEnds(a, b, server))
}

func compareEnds(a, b *entry, s side) int {
	x, xp := a.end(s)
	y, yp := b.end(s)
	if a.key.v6 != b.key.v6 {
		if b.key.v6 {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(x.Hi, y.Hi), cmp.Compare(x.Lo, y.Lo), cmp.Compare(xp, yp))
}

// end is the address and port of a side.
func (e *entry) end(s side) (packet.Address, uint16) {
	if s == e.aIs {
		return e.key.a, uint16(e.key.ports >> 16)
	}
	return e.key.b, uint16(e.key.ports)
}

// inOrder lists the numbers of all connections by their start: the table has no
// order of its own.
func (t *Tracker) inOrder() []uint32 {
	all := make([]uint32, 0, t.flows.count)
	for e := range t.flows.all {
		all = append(all, e.id)
	}
	slices.SortFunc(all, func(a, b uint32) int { return byStart(t.flows.at(a), t.flows.at(b)) })
	return all
}
