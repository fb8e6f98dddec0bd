package notify

import "time"

// limit holds Sends to a number an hour: half of them may go at once, the rest
// one by one over the hour, so that no hour has more and no alert of a storm's
// end waits for a whole one. It is a token bucket that starts full, kept as the
// time when it will be full again (GCRA). The zero value lets everything pass.
type limit struct {
	burst, every time.Duration // burst: how far full may lie ahead
	full         time.Time
}

func newLimit(perHour int) limit {
	if perHour <= 0 {
		return limit{}
	}
	burst := (perHour + 1) / 2
	rest := time.Duration(perHour + 1 - burst)
	every := (time.Hour + rest - 1) / rest
	return limit{burst: time.Duration(burst-1) * every, every: every}
}

// wait is how long the next Send has to wait; 0: it may go.
func (l *limit) wait(now time.Time) time.Duration {
	at := l.full.Add(-l.burst)
	if !at.After(now) {
		return 0
	}
	return min(at.Sub(now), l.every) // a clock that was set back must not stop it
}

// take counts a Send.
func (l *limit) take(now time.Time) {
	if now.After(l.full) {
		l.full = now
	}
	l.full = l.full.Add(l.every)
}
