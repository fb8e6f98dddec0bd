package notify

import (
	"slices"

	"github.com/mailtap/mailtap/alerts"
)

// Subscription says which alerts a receiver gets, and how many. Only Receiver
// is needed: the zero value of the rest is every alert.
type Subscription struct {
	Receiver   Receiver
	Severity   string   // the least; empty: every severity
	Rules      []string // none but these; empty: every rule
	Except     []string // not these
	NoResolved bool     // the end of an alert is not told
	PerHour    int      // Sends at most, tries again not counted: half may go at once; those that wait are sent together; 0: no limit
}

// wants says whether the receiver hears of an alert. What another alert tells
// already (InhibitedBy) is for the records only.
func (s *Subscription) wants(a *alerts.Alert) bool {
	switch {
	case a.InhibitedBy != "":
		return false
	case s.Severity != "" && alerts.SeverityRank(a.Severity) < alerts.SeverityRank(s.Severity):
		return false
	case len(s.Rules) > 0 && !slices.Contains(s.Rules, a.Rule), slices.Contains(s.Except, a.Rule):
		return false
	}
	return !s.NoResolved || a.Status != alerts.Resolved
}
