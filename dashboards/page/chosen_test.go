package page

import (
	"net/netip"
	"testing"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// TestChosenAreAFairShare whatever the grain of the clock.
func TestChosenAreAFairShare(t *testing.T) {
	const connections, mask = 1 << 14, 15
	for _, grain := range []time.Duration{1, time.Microsecond, time.Millisecond, 10 * time.Millisecond} {
		n := 0
		for i := range connections {
			c := sessions.Conn{Client: netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(i%7)), Start: time.Unix(1767225600, 0).Add(time.Duration(i) * grain)}
			if chosen(&c, mask) {
				n++
			}
		}
		if share := float64(n) * (mask + 1) / connections; share < .8 || share > 1.2 {
			t.Errorf("grain %s: %d of %d are followed, wanted one of %d", grain, n, connections, mask+1)
		}
	}
}
