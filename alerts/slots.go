package alerts

import "math"

// key stands for the values of a group or memory: 128 bits of hash under a
// seed that no peer knows, so that nobody can choose values that fall together,
// and chance does not make them.
type key struct{ a, b uint64 }

// slots gives the keys that it remembers a slot each, at most max; where it is
// full the slot used longest ago is given to the next key. A lookup touches one
// cell and one entry. It holds no pointer: the collector does not walk it.
type slots struct {
	max        uint32
	cells      []cell  // open addressing; a power of two
	entries    []entry // by slot
	head, tail uint32  // head was used last; none where the table is empty
}

type cell struct {
	hash uint32 // low half of the key
	slot uint32 // and one: 0 is a free cell
}

type entry struct {
	key        key
	prev, next uint32 // none at the ends
}

const none = math.MaxUint32

func newSlots(max int) slots {
	return slots{max: uint32(min(max, math.MaxInt32)), head: none, tail: none}
}

func (t *slots) empty() bool { return len(t.entries) == 0 }

// get finds a key's slot and makes it the one used last.
func (t *slots) get(k key) (slot uint32, ok bool) {
	if len(t.cells) == 0 {
		return 0, false
	}
	mask := uint32(len(t.cells) - 1)
	hash := uint32(k.a)
	for i := hash & mask; t.cells[i].slot != 0; i = (i + 1) & mask {
		c := t.cells[i]
		if c.hash == hash && t.entries[c.slot-1].key == k {
			t.touch(c.slot - 1)
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
		slot, taken = t.tail, true
		t.unlink(slot)
		t.remove(t.entries[slot].key)
	}
	if 3*len(t.entries) > 2*len(t.cells) {
		t.grow()
	}
	t.entries[slot].key = k
	t.push(slot)
	t.put(cell{uint32(k.a), slot + 1})
	return slot, taken
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

func (t *slots) touch(slot uint32) {
	if slot != t.head {
		t.unlink(slot)
		t.push(slot)
	}
}

func (t *slots) unlink(slot uint32) {
	e := &t.entries[slot]
	if e.prev != none {
		t.entries[e.prev].next = e.next
	} else {
		t.head = e.next
	}
	if e.next != none {
		t.entries[e.next].prev = e.prev
	} else {
		t.tail = e.prev
	}
}

func (t *slots) push(slot uint32) {
	e := &t.entries[slot]
	e.prev, e.next = none, t.head
	if t.head != none {
		t.entries[t.head].prev = slot
	} else {
		t.tail = slot
	}
	t.head = slot
}
