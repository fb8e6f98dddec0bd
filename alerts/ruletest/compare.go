package ruletest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mailtap/mailtap/alerts"
)

// Limits of a comparison: a rule that fires for everything must fail a test
// quickly, with a page that can be read.
const (
	MaxAlerts = 2000 // alerts of a test; more than that fail it
	maxShown  = 20   // alerts of one list of differences
)

// Compare holds the alerts that came against those expected and says in lines
// how they differ; nothing where they do not. first is the time of the first
// packet.
//
// What is compared are notices that an alert began or grew worse. Notices that
// one is over, lasts on, or was inhibited are compared in a test that names
// one (status: resolved, repeat, inhibited_by).
func (t *Test) Compare(got []alerts.Alert, first time.Time) []string {
	got = t.compared(got)
	if len(got) > MaxAlerts {
		return []string{fmt.Sprintf("more than %d alerts came; the first: %s", MaxAlerts, Show(&got[0], first))}
	}
	wants, used := t.pair(got, first)
	var out []string
	out = t.missing(out, got, wants, used, first)
	return unexpected(out, got, used, first)
}

func (t *Test) compared(got []alerts.Alert) []alerts.Alert {
	var resolved, repeats, inhibited bool
	for i := range t.expect {
		e := &t.expect[i]
		for _, f := range e.fields {
			resolved = resolved || f.name == "status" && f.want == alerts.Resolved
			repeats = repeats || f.name == "repeat" && f.want != "0"
			inhibited = inhibited || f.name == "inhibited_by"
		}
	}
	return slices.DeleteFunc(slices.Clone(got), func(a alerts.Alert) bool {
		switch {
		case len(t.Only) > 0 && !slices.Contains(t.Only, a.Rule):
			return true
		case a.InhibitedBy != "" && !inhibited:
			return true
		case a.Status == alerts.Resolved:
			return !resolved
		}
		return a.Repeat > 0 && !a.Escalated && !repeats
	})
}

// pair gives each expectation an alert of its own where that is possible for
// all (Kuhn's augmenting paths): one that names little must not take the only
// alert of one that names more. wants[i] is the alert of expectation i or -1,
// used[j] whether alert j is somebody's.
func (t *Test) pair(got []alerts.Alert, first time.Time) (wants []int, used []bool) {
	fits := make([][]int, len(t.expect))
	for i := range t.expect {
		for j := range got {
			if t.expect[i].differs(&got[j], first) == 0 {
				fits[i] = append(fits[i], j)
			}
		}
	}
	owner := make([]int, len(got))
	for j := range owner {
		owner[j] = -1
	}
	var seen []bool
	var find func(i int) bool
	find = func(i int) bool {
		for _, j := range fits[i] {
			if seen[j] {
				continue
			}
			seen[j] = true
			if owner[j] < 0 || find(owner[j]) {
				owner[j] = i
				return true
			}
		}
		return false
	}
	for i := range t.expect {
		seen = make([]bool, len(got))
		find(i)
	}
	wants, used = make([]int, len(t.expect)), make([]bool, len(got))
	for i := range wants {
		wants[i] = -1
	}
	for j, i := range owner {
		if i >= 0 {
			wants[i], used[j] = j, true
		}
	}
	return wants, used
}

// differs counts the fields that do not match; another rule is no match at all.
func (e *expected) differs(a *alerts.Alert, first time.Time) int {
	if a.Rule != e.rule {
		return len(e.fields) + 1
	}
	n := 0
	for i := range e.fields {
		if !e.fields[i].matches(a, first) {
			n++
		}
	}
	return n
}

// missing tells the expectations that nothing met, each with how the most
// similar alert that is left differs.
func (t *Test) missing(out []string, got []alerts.Alert, wants []int, used []bool, first time.Time) []string {
	told := 0
	for i := range t.expect {
		e := &t.expect[i]
		if wants[i] >= 0 {
			continue
		}
		if told++; told == 1 {
			out = append(out, "expected, but did not come:")
		} else if told > maxShown {
			return append(out, "  - …")
		}
		out = append(out, fmt.Sprintf("  - %s (line %d)", e, e.line))
		best, least := -1, len(e.fields)+1
		for j := range got {
			if n := e.differs(&got[j], first); !used[j] && n < least {
				best, least = j, n
			}
		}
		if best >= 0 {
			out = append(out, "    the most similar that came has "+e.difference(&got[best], first))
		}
	}
	return out
}

func (e *expected) difference(a *alerts.Alert, first time.Time) string {
	var parts []string
	for i := range e.fields {
		if f := &e.fields[i]; !f.matches(a, first) {
			parts = append(parts, f.name+": "+quoted(f.got(a, first)))
		}
	}
	return strings.Join(parts, ", ")
}

func unexpected(out []string, got []alerts.Alert, used []bool, first time.Time) []string {
	told := 0
	for j := range got {
		if used[j] {
			continue
		}
		if told++; told == 1 {
			out = append(out, "came, but was not expected:")
		} else if told > maxShown {
			return append(out, "  - …")
		}
		out = append(out, "  - "+Show(&got[j], first))
	}
	return out
}

// Show writes an alert in the form of the test file, so that it can be copied
// there.
func Show(a *alerts.Alert, first time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "{rule: %s, status: %s, severity: %s, at: %s", a.Rule, a.Status, a.Severity, offset(a.Time.Sub(first)))
	fmt.Fprintf(&b, ", key: %s, value: %s", strconv.Quote(a.Key), number(a.Value))
	if a.Repeat > 0 {
		fmt.Fprintf(&b, ", repeat: %d", a.Repeat)
	}
	if a.Groups > 0 {
		fmt.Fprintf(&b, ", groups: %d", a.Groups)
	}
	if a.InhibitedBy != "" {
		fmt.Fprintf(&b, ", inhibited_by: %s", a.InhibitedBy)
	}
	fmt.Fprintf(&b, ", summary: %s}", strconv.Quote(a.Summary))
	return b.String()
}

// quoted leaves a plain word as it is.
func quoted(s string) string {
	if s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !(r == '_' || r == '-' || r == '.' || r == '+' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z')
	}) < 0 {
		return s
	}
	return strconv.Quote(s)
}
