package notify

import (
	"cmp"
	"maps"
	"slices"

	"github.com/mailtap/mailtap/alerts"
)

// active holds the last notice of each group that fires, bounded.
type active struct {
	max  int
	last map[string]*alerts.Alert // by fingerprint
	left int                      // groups that had no place
}

// note follows an alert; false: nothing changed.
func (f *active) note(a *alerts.Alert) bool {
	_, known := f.last[a.Fingerprint]
	switch {
	case a.Fingerprint == "":
		return false
	case a.Status == alerts.Resolved:
		delete(f.last, a.Fingerprint)
		return known
	case !known && len(f.last) >= f.max:
		f.left++
		return false
	}
	f.last[a.Fingerprint] = a
	return true
}

// list is in the order in which they began to fire.
func (f *active) list() []alerts.Alert {
	var out []alerts.Alert
	for _, a := range slices.Collect(maps.Values(f.last)) {
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b alerts.Alert) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	return out
}
