package alerts

// lru is a bounded map: where it is full the entry used longest ago goes.
type lru[V any] struct {
	max        int
	entries    map[string]*lruEntry[V]
	head, tail *lruEntry[V] // head was used last
}

type lruEntry[V any] struct {
	key        string
	value      V
	prev, next *lruEntry[V]
}

func newLRU[V any](max int) *lru[V] {
	return &lru[V]{max: max, entries: map[string]*lruEntry[V]{}}
}

// get returns the entry of a key, nil where there is none.
func (l *lru[V]) get(key []byte) *lruEntry[V] {
	e := l.entries[string(key)]
	if e != nil && e != l.head {
		l.unlink(e)
		l.push(e)
	}
	return e
}

// add makes an entry for a key that has none; gone is the entry that had to
// go for it, if any.
func (l *lru[V]) add(key []byte) (made, gone *lruEntry[V]) {
	if len(l.entries) >= l.max {
		gone = l.tail
		l.unlink(gone)
		delete(l.entries, gone.key)
	}
	made = &lruEntry[V]{key: string(key)}
	l.entries[made.key] = made
	l.push(made)
	return made, gone
}

func (l *lru[V]) unlink(e *lruEntry[V]) {
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		l.head = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	} else {
		l.tail = e.prev
	}
	e.prev, e.next = nil, nil
}

func (l *lru[V]) push(e *lruEntry[V]) {
	e.next = l.head
	if l.head != nil {
		l.head.prev = e
	}
	l.head = e
	if l.tail == nil {
		l.tail = e
	}
}
