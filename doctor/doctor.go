// Package doctor examines a sensor: what it may do, what its interfaces bring,
// whether a mailtap that runs loses anything, and whether the places that it
// writes to can be reached. It owns the checks, one file a group, and how they
// are written; cmd/mailtap says what to look at and prints what was found. It
// changes nothing, sends nothing but connects, and never tells an octet of the
// mail that it sees.
package doctor

import (
	"fmt"
	"slices"
)

// State says whether anybody has to do something.
type State string

// The states. A note may be as it should be, only somebody should know it.
const (
	OK      State = "ok"
	Note    State = "note"
	Problem State = "problem"
)

// Finding is what one check found.
type Finding struct {
	State State  `json:"state"`
	Check string `json:"check"`           // what was checked, a fixed word
	About string `json:"about,omitempty"` // of several: an interface, a receiver, a folder
	Found string `json:"found"`
	Means string `json:"means,omitempty"` // for what mailtap tells
	Do    string `json:"do,omitempty"`
}

// Report is all findings, in the order of the checks.
type Report struct {
	Findings []Finding `json:"findings"`
	Problems int       `json:"problems"`
	Notes    int       `json:"notes"`
}

// Add takes findings of a check.
func (r *Report) Add(list ...Finding) {
	for _, f := range list {
		switch f.State {
		case Problem:
			r.Problems++
		case Note:
			r.Notes++
		}
		r.Findings = append(r.Findings, f)
	}
}

// Has says whether a check found something of a state.
func (r *Report) Has(check string, s State) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Check == check && f.State == s })
}

func ok(check, about, found string, args ...any) Finding {
	return Finding{State: OK, Check: check, About: about, Found: fmt.Sprintf(found, args...)}
}

// meaning says what follows of a finding.
func (f Finding) meaning(means string) Finding { f.Means = means; return f }

// as says that somebody should know of a finding, or has to do something.
func (f Finding) as(s State, means, do string) Finding {
	f.State, f.Means, f.Do = s, means, do
	return f
}
