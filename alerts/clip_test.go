package alerts

import (
	"testing"
	"time"
)

// Summaries say each kind of value as people write it.
func TestText(t *testing.T) {
	at := time.Date(2027, 1, 1, 1, 0, 0, 0, time.FixedZone("", 3600))
	for want, v := range map[string]any{
		"2027-01-01T00:00:00Z": at, "a, b": []string{"a", "b"}, "7": 7, "true": true, "0.5": 0.5, "": nil, "1m0s": time.Minute,
	} {
		if got := text(v); got != want {
			t.Errorf("%v: %q, want %q", v, got, want)
		}
	}
}
