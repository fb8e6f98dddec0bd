package alerts

import (
	"fmt"
	"strconv"
	"time"

	"github.com/mailtap/mailtap/alerts/baseline"
)

// explain tells what was expected of a group, and since when that is known.
func (s *spikes) explain(r *rate, group uint32) string {
	b, window := s.bound(r, group), short(s.fire.window)
	if b.Windows == 0 {
		if b.Threshold > s.fire.limit {
			return fmt.Sprintf("not met before; others have up to %s in %s", Number(b.Threshold), window)
		}
		return fmt.Sprintf("not met before; the absolute limit of %s in %s", Number(s.fire.limit), window)
	}
	hour := ""
	if b.Seasonal {
		hour = " at this hour"
	}
	return fmt.Sprintf("expected %.0f to %.0f in %s%s, learned since %s from %s windows", b.Low, b.High, window, hour,
		s.day(b), thousands(b.Windows))
}

// day is when the first window of a baseline was, to the minute while it is young.
func (s *spikes) day(b baseline.Bound) string {
	since := packetTime(b.Since * int64(s.fire.window))
	if packetTime(s.ticks.from).Sub(since) < 24*time.Hour {
		return since.Format("2006-01-02 15:04")
	}
	return since.Format(time.DateOnly)
}

// thousands writes a count with commas.
func thousands(n int) string {
	out := strconv.Itoa(n)
	for i := len(out) - 3; i > 0; i -= 3 {
		out = out[:i] + "," + out[i:]
	}
	return out
}
