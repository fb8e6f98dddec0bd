package capture

import "testing"

// Where an interface is made anew, who sees it first must not join the sockets of the old
// one: the others would then wait for ever to be the first.
func TestNobodyJoinsThoseOfTheOldInterface(t *testing.T) {
	m := members(2)
	g := m[0].group
	g.joined, g.index = 2, 2
	m[0].in, m[1].in = true, true
	m[1].leave()
	if m[1].next(3) {
		t.Error("the second joins while the first is on the old interface")
	}
	if !m[1].next(2) {
		t.Error("it may not join on the same one")
	}
	if m[1].forsake(); !m[1].next(2) {
		t.Error("who has left takes the interface from the others")
	}
	m[0].leave()
	if !m[0].next(3) || m[1].next(3) {
		t.Error("the first does not come first")
	}
}

// The same where it comes back under its number.
func TestNobodyJoinsThoseThatWereUnbound(t *testing.T) {
	m := members(2)
	g := m[0].group
	g.joined, g.index = 2, 2
	m[0].in, m[1].in = true, true
	m[1].forsake()
	m[1].leave()
	if m[1].next(2) || m[0].next(2) {
		t.Error("one joins while the first is not yet bound anew")
	}
	m[0].forsake()
	m[0].leave()
	if !m[0].next(2) || m[1].next(2) {
		t.Error("the first does not come first")
	}
	if g.joined++; !m[1].next(2) {
		t.Error("the second does not come second")
	}
}
