//go:build cgo

package capture

import (
	"errors"
	"testing"
)

// TestNothingThereIsNoFailure, whatever libpcap says of it.
func TestNothingThereIsNoFailure(t *testing.T) {
	for text, want := range map[string]bool{
		"Can't receive packet: Resource temporarily unavailable": true,
		"Can't receive packet: Network is down":                  false,
		"The interface disappeared":                              false,
	} {
		if got := isEmpty(errors.New(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
