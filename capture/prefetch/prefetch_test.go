package prefetch

import "testing"

// Whatever the address, asking changes nothing and fails nowhere.
func TestAskChangesNothing(t *testing.T) {
	memory := make([]byte, 4096)
	for i := range memory {
		memory[i] = byte(i)
	}
	ask := func(n, lines int) {
		var g Group
		for i := range n {
			Add(&g, &memory[(i*1361)%len(memory)])
		}
		Add[byte](&g, nil)
		g.Ask(lines)
	}
	for n := range 2 * Size {
		for _, lines := range []int{-1, 0, 1, 3, 64, 1000} {
			ask(n, lines)
		}
	}
	for i := range memory {
		if memory[i] != byte(i) {
			t.Fatalf("octet %d became %d", i, memory[i])
		}
	}
	if got := testing.AllocsPerRun(100, func() { ask(Size, 2) }); got != 0 {
		t.Errorf("%v allocations, want none", got)
	}
	new(Group).Ask(1)
}

func TestLines(t *testing.T) {
	for want, got := range []int{Lines[[0]byte](), Lines[byte](), Lines[[65]byte](), Lines[[192]byte]()} {
		if got != want {
			t.Errorf("%d lines, want %d", got, want)
		}
	}
}
