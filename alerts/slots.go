package alerts

import "math"

// key stands for the values of a group or memory: 128 bits of hash under a
// seed that no peer knows, so that nobody can choose values that fall together,
// and chance does not make them.
type key struct{ a, b uint64 }

// slots gives the keys that it remembers a slot each, at most max. Where it is
// full, a key that was used once goes before one that was used again: a flood of
// newcomers passes through a fifth of the slots and pushes out nobody who came
// back (a segmented LRU: Karedla, Love, Wherry 1994). A lookup touches one cell
// and one entry. It holds no pointer: the collector does not walk it.
type slots struct {
	max     uint32
	cells   []cell     // open addressing; a power of two
	entries []entry    // by slot
	lists   [2]useList // of those used once, and of those used again
}

type cell struct {
	hash uint32 // low half of the key
	slot uint32 // and one: 0 is a free cell
}

type entry struct {
	key        key
	prev, next uint32 // none at the ends
	again      bool   // which list it is in
}

// useList is slots in the order of their use.
type useList struct {
	head, tail uint32 // head was used last; none where the list is empty
	n          uint32
}

const none = math.MaxUint32

func newSlots(max int) slots {
	empty := useList{head: none, tail: none}
	return slots{max: uint32(min(max, math.MaxInt32)), lists: [2]useList{empty, empty}}
}

func (t *slots) empty() bool { return len(t.entries) == 0 }

// get finds a key's slot and makes it one that was used again.
func (t *slots) get(k key) (slot uint32, ok bool) {
	if slot, ok = t.find(k); ok {
		t.touch(slot)
	}
	return slot, ok
}

// getNear is get where the same key likely has the slot that it has in another
// rule's table: rules that count the same events by the same values go in step.
func (t *slots) getNear(k key, near *uint32) (slot uint32, ok bool) {
	if slot = *near; int(slot) < len(t.entries) && t.entries[slot].key == k {
		t.touch(slot)
		return slot, true
	}
	if slot, ok = t.get(k); ok {
		*near = slot
	}
	return slot, ok
}

// find finds a key's slot and changes nothing.
func (t *slots) find(k key) (slot uint32, ok bool) {
	if len(t.cells) == 0 {
		return 0, false
	}
	mask := uint32(len(t.cells) - 1)
	hash := uint32(k.a)
	for i := hash & mask; t.cells[i].slot != 0; i = (i + 1) & mask {
		c := t.cells[i]
		if c.hash == hash && t.entries[c.slot-1].key == k {
			return c.slot - 1, true
		}
	}
	return 0, false
}

// add gives a slot to a key that has none; taken says that another key had it.
func (t *slots) add(k key) (slot uint32, taken bool) {
	if n := uint32(len(t.entries)); n < t.max {
		slot = n
		t.entries = append(t.entries, entry{})
	} else {
		slot, taken = t.victim(), true
		t.unlink(slot)
		t.remove(t.entries[slot].key)
	}
	if 3*len(t.entries) > 2*len(t.cells) {
		t.grow()
	}
	t.entries[slot].key = k
	t.push(slot, false)
	t.put(cell{uint32(k.a), slot + 1})
	return slot, taken
}

func (t *slots) victim() uint32 {
	if t.lists[0].n > 0 {
		return t.lists[0].tail
	}
	return t.lists[1].tail
}

func (t *slots) put(c cell) {
	mask := uint32(len(t.cells) - 1)
	i := c.hash & mask
	for t.cells[i].slot != 0 {
		i = (i + 1) & mask
	}
	t.cells[i] = c
}

func (t *slots) grow() {
	old := t.cells
	t.cells = make([]cell, max(16, 2*len(old)))
	for _, c := range old {
		if c.slot != 0 {
			t.put(c)
		}
	}
}

// remove frees a key's cell and closes the gap (Knuth, 6.4, algorithm R): no
// search may end at it too early.
func (t *slots) remove(k key) {
	mask := uint32(len(t.cells) - 1)
	i := uint32(k.a) & mask
	for t.cells[i].slot == 0 || t.entries[t.cells[i].slot-1].key != k {
		i = (i + 1) & mask
	}
	for j := (i + 1) & mask; t.cells[j].slot != 0; j = (j + 1) & mask {
		home := t.cells[j].hash & mask
		if (j-home)&mask >= (j-i)&mask { // it may stand at i too
			t.cells[i] = t.cells[j]
			i = j
		}
	}
	t.cells[i] = cell{}
}

// touch notes that a slot was used again. Of those, four fifths of all may be;
// the one used longest ago goes back among the others.
func (t *slots) touch(slot uint32) {
	if t.lists[1].head == slot {
		return
	}
	t.unlink(slot)
	t.push(slot, true)
	if again := &t.lists[1]; again.n > max(1, t.max/5*4) {
		old := again.tail
		t.unlink(old)
		t.push(old, false)
	}
}

func (t *slots) list(again bool) *useList {
	if again {
		return &t.lists[1]
	}
	return &t.lists[0]
}

func (t *slots) unlink(slot uint32) {
	e := &t.entries[slot]
	l := t.list(e.again)
	l.n--
	if e.prev != none {
		t.entries[e.prev].next = e.next
	} else {
		l.head = e.next
	}
	if e.next != none {
		t.entries[e.next].prev = e.prev
	} else {
		l.tail = e.prev
	}
}

func (t *slots) push(slot uint32, again bool) {
	e := &t.entries[slot]
	l := t.list(again)
	l.n++
	e.again, e.prev, e.next = again, none, l.head
	if l.head != none {
		t.entries[l.head].prev = slot
	} else {
		l.tail = slot
	}
	l.head = slot
}
