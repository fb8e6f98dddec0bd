package main

import (
	"cmp"
	"slices"

	"github.com/mailtap/mailtap/alerts"
	livepage "github.com/mailtap/mailtap/dashboards/page"
	"github.com/mailtap/mailtap/dashboards/report"
)

// page makes the live page, nil where it is switched off.
func (c *Config) page(active *activeAlerts, shown *shownMask) *livepage.Page {
	if !c.Web.Page {
		return nil
	}
	return livepage.New(livepage.Options{
		Show:   shown.Event,
		Sensor: c.sensor(), Version: version, Roles: c.roleNames(),
		Firing: func() []livepage.Alert { return firingNow(active) },
	})
}

// severities in the order in which people want to see them.
var severities = []string{"critical", "warning", "info"}

// firingNow lists what fires, most severe and newest first. What another alert
// explains is left out.
func firingNow(active *activeAlerts) []livepage.Alert {
	list, _ := active.sorted()
	out := make([]livepage.Alert, 0, len(list))
	for i := range list {
		if a := &list[i]; a.InhibitedBy == "" {
			out = append(out, pageAlert(a))
		}
	}
	slices.SortStableFunc(out, func(a, b livepage.Alert) int {
		return cmp.Or(cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity)), b.Started.Compare(a.Started))
	})
	return out
}

func pageAlert(a *alerts.Alert) livepage.Alert {
	return livepage.Alert{Rule: a.Rule, Severity: a.Severity, Key: report.Printable(a.Key), Summary: report.Printable(a.Summary), Started: a.Started, Sessions: a.Sessions}
}
