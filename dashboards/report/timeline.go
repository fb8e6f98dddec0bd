package report

import "github.com/mailtap/mailtap/sessions"

// slots is how many parts the time of a capture is shown in.
const slots = 96

// Slot counts what happened in a part of the time.
type Slot struct {
	Accepted, Deferred, Rejected, Unfinished int // mails
	FailedLogins                             int
	Sessions                                 int // that ended
}

// Mails sums them.
func (s *Slot) Mails() int { return s.Accepted + s.Deferred + s.Rejected + s.Unfinished }

func (s *Slot) plus(o *Slot) {
	s.Accepted += o.Accepted
	s.Deferred += o.Deferred
	s.Rejected += o.Rejected
	s.Unfinished += o.Unfinished
	s.FailedLogins += o.FailedLogins
	s.Sessions += o.Sessions
}

func (s *Slot) mail(result string) {
	switch result {
	case sessions.MailAccepted:
		s.Accepted++
	case sessions.MailDeferred:
		s.Deferred++
	case sessions.MailRejected:
		s.Rejected++
	default:
		s.Unfinished++
	}
}

// timeline has as many slots for an hour as for a year: their width doubles
// when time goes beyond them.
type timeline struct {
	base, width int64 // seconds of Unix time; width 0: nothing came yet
	slots       [slots]Slot
}

// at gives the slot of a time.
func (t *timeline) at(second int64) *Slot {
	switch {
	case t.width == 0:
		t.base, t.width = second, 1
	case second < t.base || second >= t.base+slots*t.width:
		t.fit(second)
	}
	return &t.slots[(second-t.base)/t.width]
}

// fit makes room for a time before or behind all slots.
func (t *timeline) fit(second int64) {
	low, high := second, second
	for i := range t.slots {
		if t.slots[i] != (Slot{}) {
			from := t.base + int64(i)*t.width
			low, high = min(low, from), max(high, from+t.width-1)
		}
	}
	old := *t
	for {
		t.base = low - mod(low, t.width)
		if high < t.base+slots*t.width {
			break
		}
		t.width *= 2
	}
	t.slots = [slots]Slot{}
	for i := range old.slots {
		if old.slots[i] != (Slot{}) {
			t.slots[(old.base+int64(i)*old.width-t.base)/t.width].plus(&old.slots[i])
		}
	}
}

// mod is never negative.
func mod(a, b int64) int64 { return (a%b + b) % b }

// shown leaves out the empty slots at both ends.
func (t *timeline) shown() (from, width int64, list []Slot) {
	first, last := -1, -1
	for i := range t.slots {
		if t.slots[i] != (Slot{}) {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		return 0, 0, nil
	}
	return t.base + int64(first)*t.width, t.width, append(list, t.slots[first:last+1]...)
}
