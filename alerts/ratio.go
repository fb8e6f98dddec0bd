package alerts

// shareBuckets divide a window.
const shareBuckets = 12

// share counts the events of one group in a sliding window, and those of them
// that are asked about. No pointers, few words, however many events there are.
type share struct {
	head    int64 // number of the newest bucket since the epoch
	all, of [shareBuckets]uint32
}

// add counts an event and tells the sums of the window.
func (s *share) add(now, window int64, hit bool) (all, of uint64) {
	s.advance(now / max(window/shareBuckets, 1))
	i := uint64(s.head) % shareBuckets
	s.all[i]++
	if hit {
		s.of[i]++
	}
	for i := range shareBuckets {
		all += uint64(s.all[i])
		of += uint64(s.of[i])
	}
	return all, of
}

func (s *share) advance(bucket int64) {
	if bucket < s.head || bucket-s.head >= shareBuckets { // the clock stepped back, or all is over
		*s = share{head: bucket}
		return
	}
	for s.head < bucket {
		s.head++
		i := uint64(s.head) % shareBuckets
		s.all[i], s.of[i] = 0, 0
	}
}

// judgeRatio begins an alert with an event that is asked about: it is one that
// the alert can name.
func (e *Engine) judgeRatio(t *runningTrigger) {
	if !e.holds(t, t.when) {
		return
	}
	hit := e.holds(t, t.also)
	group := e.group(t)
	all, of := t.shares.at(group).add(e.now, int64(t.fire.window), hit)
	value := float64(of) / float64(all)
	if all < uint64(t.fire.least) || value < t.fire.share {
		return
	}
	if hit {
		e.raise(t, group, verdict{value: value, threshold: t.fire.share})
	} else if f := e.firingOf(t, group); f != nil {
		e.uphold(t, f, group)
	} else {
		e.wait(t, group)
	}
}
