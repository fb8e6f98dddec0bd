package log

import (
	"math/rand/v2"
	"time"
)

// pause is how long to wait for a server that takes nothing: twice as long with
// each failure. A part of it is left to chance, so that the sensors that lost one
// server do not come back at once.
type pause struct{ least, most, next time.Duration }

// reset is called when the server took something.
func (p *pause) reset() { p.next = 0 }

// wait is false where quit was closed meanwhile.
func (p *pause) wait(quit <-chan struct{}) bool {
	p.next = min(max(2*p.next, p.least), p.most)
	timer := time.NewTimer(p.next - rand.N(p.next/4+1))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-quit:
		return false
	}
}
