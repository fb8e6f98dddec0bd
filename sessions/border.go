package sessions

// Border is a place in the order in which connections began, behind one of them. It
// is the same for every tracker, so that several close in one order.
type Border struct{ last entry }

// Before says whether a border stands before another.
func (b *Border) Before(other *Border) bool { return byStart(&b.last, &other.last) < 0 }

// Close ends all connections that are left, in the order in which they began:
// the input ended. The tracker is empty then.
func (t *Tracker) Close() { t.closeWhile(func(*entry) bool { return true }) }

// CloseUntil ends the connections that began before a border. No segment may come
// any more.
func (t *Tracker) CloseUntil(b *Border) {
	t.closeWhile(func(e *entry) bool { return byStart(e, &b.last) <= 0 })
}

// Oldest is the border behind n of the connections that are left, or behind all of
// them; false where none is left. No segment may come any more.
func (t *Tracker) Oldest(n int) (b Border, ok bool) {
	if t.closing == nil {
		t.closing = t.inOrder()
	}
	if len(t.closing) == 0 {
		t.closing = nil
		return Border{}, false
	}
	return Border{*t.flows.at(t.closing[min(n, len(t.closing))-1])}, true
}

func (t *Tracker) closeWhile(wanted func(*entry) bool) {
	if t.closing == nil {
		t.closing = t.inOrder()
	}
	for len(t.closing) > 0 {
		e := t.flows.at(t.closing[0])
		if !wanted(e) {
			break
		}
		t.closing = t.closing[1:]
		if !e.done {
			t.flowOf(e).over(EndRunning)
		}
		t.remove(e)
	}
	if len(t.closing) == 0 {
		t.closing = nil
	}
}
