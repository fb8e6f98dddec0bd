package notify

import (
	"context"
	"time"

	"github.com/mailtap/mailtap/alerts"
)

// Receiver delivers alerts somewhere. Send gets at most MaxBatch alerts of one
// rule, in order; it is called by one goroutine. An error that is no
// *Error is taken for one that passes.
type Receiver interface {
	Name() string
	Send(ctx context.Context, batch []alerts.Alert) error
}

// MaxBatch is how many alerts one Send delivers at most.
const MaxBatch = 50

// Error says what to do about a failed Send. It holds no secret.
type Error struct {
	What  string
	Final bool          // sending it again would fail again
	After time.Duration // the receiver asked to wait so long; 0 where it did not
}

func (e *Error) Error() string { return e.What }

// Results of a delivery, counted per alert.
const (
	Sent    = "sent"
	Retried = "retried" // failed for now and stays in the queue
	Refused = "refused" // failed for good
	Dropped = "dropped" // the queue was full, or the end came and there is no outbox
	Folded  = "folded"  // a repetition that waited while a newer notice of its group came
)

// Results lists every result.
var Results = [...]string{Sent, Retried, Refused, Dropped, Folded}

// Observer is told what metrics show. It is called by several goroutines.
type Observer interface {
	Notified(receiver, result string, n int)
	Queued(receiver string, n int)
}

// Clock is the time of the workers; tests put in their own.
type Clock interface {
	Now() time.Time
	After(time.Duration) <-chan time.Time
}

// WallClock is the Clock of the machine.
type WallClock struct{}

// Now implements Clock.
func (WallClock) Now() time.Time { return time.Now() }

// After implements Clock.
func (WallClock) After(d time.Duration) <-chan time.Time { return time.After(d) }
