//go:build !cgo

package capture

import "fmt"

// openPcap says that this build has no libpcap.
func openPcap(o LiveOptions, _ bool) (reader, error) {
	return nil, fmt.Errorf("capture on %s: %w through libpcap (CGO_ENABLED=0); built in: %s", o.Interface, ErrNoLive, BuiltIn())
}

func libpcap() string { return "" }

func descriptions() map[string]string { return nil }
