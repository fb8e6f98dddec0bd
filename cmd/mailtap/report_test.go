package main

import (
	"fmt"
	"strings"
	"testing"
)

// A hostile capture can neither fill the memory with names nor drive the terminal.
func TestTallyIsBounded(t *testing.T) {
	names := tally{}
	for i := range 3 * maxNames {
		names.add(fmt.Sprintf("\x1b]0;name %d\x07", i))
	}
	if len(names) > maxNames+1 || names.total() != 3*maxNames {
		t.Errorf("%d names, %d counted", len(names), names.total())
	}
	text := names.String()
	if strings.ContainsAny(text, "\x1b\x07\n") || len(text) > 1000 {
		t.Errorf("%q", text)
	}
}
