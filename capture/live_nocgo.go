//go:build !cgo

package capture

import "fmt"

// Live is live capture; this build has none.
type Live struct{}

// OpenLive says that this build cannot capture.
func OpenLive(o LiveOptions) (*Live, error) {
	return nil, fmt.Errorf("capture on %s: %w (CGO_ENABLED=0); files can be read", o.Interface, ErrNoLive)
}

// Next returns ErrNoLive.
func (*Live) Next(*Packet) error { return ErrNoLive }

// Close does nothing.
func (*Live) Close() error { return nil }

// Stats returns ErrNoLive.
func (*Live) Stats() (received, droppedKernel, droppedInterface uint64, err error) {
	return 0, 0, 0, ErrNoLive
}

func descriptions() map[string]string { return nil }
