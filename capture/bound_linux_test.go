package capture

import (
	"errors"
	"testing"
)

// unboundReader waits for what will never come.
type unboundReader struct{ err error }

func (r unboundReader) read([]Packet) (int, error) { return 0, r.err }
func (unboundReader) counts() (liveCounts, error)  { return liveCounts{}, nil }
func (unboundReader) wake()                        {}
func (unboundReader) close() error                 { return nil }
func (unboundReader) bound(int) bool               { return false }

// TestUnboundReaderIsOpenedAnew though the interface is there and up, and its number is
// the same: when it went down and came back, and when that was not seen.
func TestUnboundReaderIsOpenedAnew(t *testing.T) {
	s, err := openSystem()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	d, ok := s.find("lo")
	if !ok || !d.up {
		t.Skip("needs an interface lo that is up")
	}
	for _, err := range []error{ErrTimeout, errWentDown, errUnbound} {
		l := Live{opts: LiveOptions{Interface: "lo"}, system: s, closed: make(chan struct{}), reader: unboundReader{err}, index: d.index}
		if _, got := l.NextBatch(make([]Packet, 1)); got != ErrTimeout || l.reader != nil || !errors.Is(l.Problem(), ErrNoInterface) {
			t.Errorf("%v: %v, reader %v, problem %v", err, got, l.reader, l.Problem())
		}
	}
}
