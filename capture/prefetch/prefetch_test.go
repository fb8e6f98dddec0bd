package prefetch

import (
	"testing"
	"unsafe"
)

// Whatever the address, asking changes nothing and fails nowhere.
func TestEachChangesNothing(t *testing.T) {
	memory := make([]byte, 4096)
	for i := range memory {
		memory[i] = byte(i)
	}
	at := []unsafe.Pointer{unsafe.Pointer(&memory[0]), nil, unsafe.Pointer(&memory[4095]), unsafe.Pointer(&memory[1])}
	for n := range len(at) + 1 {
		for _, lines := range []int{-1, 0, 1, 3, 64, 1000} {
			Each(at[:n], lines)
		}
	}
	for i := range memory {
		if memory[i] != byte(i) {
			t.Fatalf("octet %d became %d", i, memory[i])
		}
	}
	if got := testing.AllocsPerRun(100, func() { Each(at, 2) }); got != 0 {
		t.Errorf("%v allocations, want none", got)
	}
}

func TestLines(t *testing.T) {
	for size, want := range map[uintptr]int{0: 0, 1: 1, 64: 1, 65: 2, 512: 8} {
		if got := Lines(size); got != want {
			t.Errorf("%d octets are %d lines, want %d", size, got, want)
		}
	}
}
