package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/receivers"
)

// maxActive bounds the alerts that are kept for those who ask what fires.
const maxActive = 10_000

// activeAlerts are the alerts that fire, by their fingerprints: what
// /api/v1/alerts shows, in the form of Prometheus's.
type activeAlerts struct {
	sensor string

	mu   sync.Mutex
	list map[string]alerts.Alert
	left int // that fire and found no room
}

func newActiveAlerts(sensor string) *activeAlerts {
	return &activeAlerts{sensor: sensor, list: make(map[string]alerts.Alert)}
}

// note takes a notice: its alert fires, or is over.
func (t *activeAlerts) note(a *alerts.Alert) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.take(a)
}

// take is note; mu is held.
func (t *activeAlerts) take(a *alerts.Alert) {
	_, known := t.list[a.Fingerprint]
	switch {
	case a.Status == alerts.Resolved && known:
		delete(t.list, a.Fingerprint)
	case a.Status == alerts.Resolved:
		t.left = max(0, t.left-1)
	case known || len(t.list) < maxActive:
		t.list[a.Fingerprint] = *a
	case a.Repeat == 0 && !a.Escalated:
		t.left++
	}
}

// replace takes what fires in place of what was noted.
func (t *activeAlerts) replace(firing []alerts.Alert) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list, t.left = make(map[string]alerts.Alert, len(firing)), 0
	for i := range firing {
		t.take(&firing[i])
	}
}

// sorted lists the alerts by rule, start and fingerprint.
func (t *activeAlerts) sorted() (list []alerts.Alert, left int) {
	t.mu.Lock()
	list, left = make([]alerts.Alert, 0, len(t.list)), t.left
	for _, a := range t.list {
		list = append(list, a)
	}
	t.mu.Unlock()
	slices.SortFunc(list, func(a, b alerts.Alert) int {
		if c := strings.Compare(a.Rule, b.Rule); c != 0 {
			return c
		}
		if c := a.Started.Compare(b.Started); c != 0 {
			return c
		}
		return strings.Compare(a.Fingerprint, b.Fingerprint)
	})
	return list, left
}

// The answer's form is Prometheus's
// (https://prometheus.io/docs/prometheus/latest/querying/api/#alerts).
type (
	alertsAnswer struct {
		Status   string     `json:"status"`
		Data     alertsData `json:"data"`
		Warnings []string   `json:"warnings,omitempty"`
	}
	alertsData struct {
		Alerts []activeAlert `json:"alerts"`
	}
	activeAlert struct {
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
		State       string            `json:"state"`
		ActiveAt    time.Time         `json:"activeAt"`
		Value       string            `json:"value"`
	}
)

// ServeHTTP implements http.Handler.
func (t *activeAlerts) ServeHTTP(rw http.ResponseWriter, _ *http.Request) {
	list, left := t.sorted()
	answer := alertsAnswer{Status: "success", Data: alertsData{make([]activeAlert, 0, len(list))}}
	for i := range list {
		a := &list[i]
		notes := receivers.AnnotationsOf(a)
		notes["fingerprint"] = a.Fingerprint
		if a.InhibitedBy != "" {
			notes["inhibited_by"] = a.InhibitedBy
		}
		answer.Data.Alerts = append(answer.Data.Alerts, activeAlert{
			receivers.LabelsOf(a, t.sensor), notes, a.Status, a.Started, strconv.FormatFloat(a.Value, 'e', -1, 64),
		})
	}
	if left > 0 {
		answer.Warnings = []string{fmt.Sprintf("%d more alerts fire than the %d that are kept here", left, maxActive)}
	}
	rw.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(rw).Encode(answer)
}
