package sessions

import (
	"testing"

	"github.com/mailtap/mailtap/capture/stream"
)

// Held segments are filed as their sender sent them, across the wrap of the
// sequence numbers; copies keep the order in which they came.
func TestHeldInOrder(t *testing.T) {
	var queue []stream.Input
	for _, in := range []stream.Input{{Seq: 20, Time: 1}, {Seq: 0xfffffff0, Time: 2}, {Seq: 5, Time: 3}, {Seq: 5, Time: 4}} {
		queue = inOrder(queue, in)
	}
	for i, want := range []int64{2, 3, 4, 1} {
		if queue[i].Time != want {
			t.Errorf("place %d: segment %d, want %d", i, queue[i].Time, want)
		}
	}
}
