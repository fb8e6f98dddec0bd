package receivers

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"github.com/mailtap/mailtap/alerts"
)

func posted(t *testing.T, b *inbox) []model.Alert {
	t.Helper()
	var list []model.Alert
	if err := json.Unmarshal([]byte(b.last()), &list); err != nil {
		t.Fatal(err, b.last())
	}
	return list
}

func TestAlertmanagerForm(t *testing.T) {
	b := newInbox(t, false)
	now := t0.Add(time.Minute)
	r, err := NewAlertmanager(AlertmanagerOptions{Instances: []HTTP{{URL: b.URL + "/am/"}}, Sensor: "tap1", Clock: still{now}})
	if err != nil {
		t.Fatal(err)
	}
	send := func(change func(a *alerts.Alert)) model.Alert {
		a := sample(1, alerts.Firing)
		change(&a)
		sends(t, r, []alerts.Alert{a})
		return posted(t, b)[0]
	}
	a := send(func(a *alerts.Alert) { a.Until = now.Add(5 * time.Hour) })
	if b.paths[0] != "/am/api/v2/alerts" || a.Labels.String() != `{alertname="R", client_ip="192.0.2.1", instance="tap1", sensor="tap1", severity="warning"}` ||
		a.Annotations["fingerprint"] != "0000000000000001" || !a.StartsAt.Equal(t0) || !a.EndsAt.Equal(now.Add(5*time.Hour)) {
		t.Errorf("%s %+v", b.paths[0], a)
	}
	for name, c := range map[string]struct {
		change       func(a *alerts.Alert)
		starts, ends time.Time
	}{
		"no next notice known": {func(a *alerts.Alert) {}, t0, now.Add(4*time.Hour + 5*time.Minute)},
		"late, or an old capture": {func(a *alerts.Alert) {
			a.Started, a.Until = t0.Add(-1000*time.Hour), t0.Add(-996*time.Hour)
		}, t0.Add(-1000 * time.Hour), now.Add(5 * time.Minute)},
		"resolved":             {func(a *alerts.Alert) { a.Status, a.Ended = alerts.Resolved, t0.Add(30*time.Second) }, t0, t0.Add(30 * time.Second)},
		"resolved ahead of us": {func(a *alerts.Alert) { a.Status, a.Ended = alerts.Resolved, t0.Add(time.Hour) }, t0, now},
		"started ahead of us": {func(a *alerts.Alert) {
			a.Status, a.Started, a.Ended = alerts.Resolved, now.Add(time.Hour), now.Add(2*time.Hour)
		}, now, now},
	} {
		if a := send(c.change); !a.StartsAt.Equal(c.starts) || !a.EndsAt.Equal(c.ends) {
			t.Errorf("%s: from %s to %s, want %s to %s", name, a.StartsAt, a.EndsAt, c.starts, c.ends)
		}
	}
	// Worse: the milder alerts end, since the severity is a label.
	x := sample(1, alerts.Firing)
	x.Severity, x.Escalated, x.Time = alerts.Critical, true, t0.Add(20*time.Second)
	sends(t, r, []alerts.Alert{x})
	var got []string
	for _, a := range posted(t, b) {
		got = append(got, fmt.Sprint(a.Labels["severity"], a.EndsAt.After(now)))
	}
	if strings.Join(got, " ") != "critical true info false warning false" && strings.Join(got, " ") != "criticaltrue infofalse warningfalse" {
		t.Errorf("escalated: %v", got)
	}
}

// One of two is away: its alerts count as delivered, and come to it when it is
// there again, the last word about each.
func TestAlertmanagersShare(t *testing.T) {
	up, away := newInbox(t, false), newInbox(t, false)
	away.status = 503
	var trouble []string
	r, _ := NewAlertmanager(AlertmanagerOptions{Instances: []HTTP{{URL: away.URL + "/T0KEN"}, {URL: up.URL}}, Clock: still{t0},
		Trouble: func(what string) { trouble = append(trouble, what) }})
	for i := range 3 {
		sends(t, r, []alerts.Alert{sample(i, alerts.Firing)})
	}
	sends(t, r, []alerts.Alert{sampleLabelled(7, alerts.Firing)})
	sends(t, r, []alerts.Alert{sampleLabelled(7, alerts.Resolved)})
	if up.count() != 5 || len(trouble) != 1 || !strings.Contains(trouble[0], "answered 503") || strings.Contains(trouble[0], "T0KEN") || r.Answer() != "1 of 2 instances took it" {
		t.Errorf("%d posts, told %q, %s", up.count(), trouble, r.Answer())
	}
	away.status = 200
	sends(t, r, []alerts.Alert{sampleLabelled(8, alerts.Firing)})
	var got []string
	for _, a := range posted(t, away) {
		got = append(got, fmt.Sprint(a.Annotations["key"], a.EndsAt.After(t0.Add(time.Minute))))
	}
	// The samples 0 to 2 have the same labels: one alert for Alertmanager.
	if s := strings.Join(got, ","); s != "2true,7false,8true" && s != "2 true,7 false,8 true" {
		t.Errorf("caught up with %s", s)
	}
	if list := posted(t, up); len(list) != 1 {
		t.Errorf("the other one got %d", len(list))
	}
	sends(t, r, []alerts.Alert{sampleLabelled(9, alerts.Firing)})
	if list := posted(t, away); len(list) != 1 {
		t.Errorf("sent again: %d", len(list))
	}
}

func sampleLabelled(i int, status string) alerts.Alert {
	a := sample(i, status)
	a.Labels = alerts.Labels{{Name: "client_ip", Value: fmt.Sprint("192.0.2.", i)}}
	return a
}

func TestAlertmanagersAllFail(t *testing.T) {
	a, b := newInbox(t, false), newInbox(t, false)
	r, _ := NewAlertmanager(AlertmanagerOptions{Instances: []HTTP{{URL: a.URL + "/T0KEN"}, {URL: b.URL}}})
	for _, c := range []struct {
		a, b  int
		final bool
	}{{500, 400, false}, {400, 400, true}, {503, 503, false}} {
		a.status, b.status = c.a, c.b
		if how := fails(t, r, "T0KEN"); how.Final != c.final {
			t.Errorf("%d and %d: %+v", c.a, c.b, how)
		}
	}
	a.status = 200
	sends(t, r, one(alerts.Firing))
}

func TestAlertmanagerMissedIsBounded(t *testing.T) {
	i := &instance{}
	for n := range maxMissed + 100 {
		i.remember([]model.Alert{{Labels: model.LabelSet{"n": model.LabelValue(fmt.Sprint(n))}}})
	}
	if len(i.missed) != maxMissed || i.missed[0].Labels["n"] != "100" {
		t.Errorf("%d kept, from %v", len(i.missed), i.missed[0].Labels)
	}
}
