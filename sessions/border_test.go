package sessions_test

import (
	"testing"

	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// TestBorder ends connections ten at a time, although all began in the same
// nanosecond.
func TestBorder(t *testing.T) {
	ended := 0
	tracker := sessions.NewTracker(sessions.Options{}, sessions.HandlerFunc(func(e sessions.Event) {
		if _, ok := e.(*sessions.Attempt); ok {
			ended++
		}
	}))
	syn := segments(t, "", dialog.Options{})[:1]
	playRow(tracker, syn, 1, 25)
	for _, want := range []int{10, 20, 25} {
		b, ok := tracker.Oldest(10)
		if tracker.CloseUntil(&b); !ok || ended != want {
			t.Fatalf("%d ended, not %d", ended, want)
		}
	}
	if _, ok := tracker.Oldest(10); ok {
		t.Error("some are left")
	}
}
