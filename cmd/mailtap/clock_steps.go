package main

import "time"

// machine tells what became of this machine's clocks since the program began, in
// nanoseconds.
type machine interface {
	passed() int64 // time that really passed
	set() int64    // by how much the wall clock was set forward in all
}

// bootClock is the machine that we run on.
type bootClock struct{ began time.Time }

func (c bootClock) passed() int64 { return int64(time.Since(c.began)) }

func (c bootClock) set() int64 {
	now := time.Now()
	return int64(now.Round(0).Sub(c.began.Round(0)) - now.Sub(c.began)) // Round takes the monotonic reading off
}

// Steps of the wall clock. What is slewed, or smaller, harms nothing.
const (
	toldStep = int64(5 * time.Second)
	longStep = int64(time.Minute)
)

// stamps follows the clock that stamps the packets of an interface, which is this
// machine's: where it is set by hours, no connection was silent for hours. The
// zero value is for packets that bring a time of their own.
type stamps struct {
	machine machine
	set     int64  // what is taken off
	at      int64  // passed, when packet time last went on
	steps   uint64 // times that set changed
}

// look is asked where packet time goes on by so much. Packets of before the step
// may still wait when the clock is set: the step is where it explains theirs.
func (s *stamps) look(gap int64, first bool) {
	if s.machine == nil {
		return
	}
	now := s.machine.passed()
	passed := now - s.at
	s.at = now
	step := s.machine.set() - s.set
	switch {
	case first:
		s.set += step
	case step > longStep || step < -longStep:
		if odd := gap - passed; abs(odd-step) < abs(odd) {
			s.set += step
			s.steps++
		}
	}
}

func abs(n int64) int64 { return max(n, -n) }
