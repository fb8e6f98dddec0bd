package receivers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
)

var t0 = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func sample(i int, status string) alerts.Alert {
	a := alerts.Alert{Time: t0, Rule: "R", Severity: alerts.Warning, Status: status, Started: t0, Key: fmt.Sprint(i), Value: float64(i),
		Threshold: 1, Summary: fmt.Sprint("alert ", i), Labels: alerts.Labels{{Name: "client_ip", Value: "192.0.2.1"}}, Fingerprint: fmt.Sprintf("%016x", i)}
	if status == alerts.Resolved {
		a.Ended = t0.Add(time.Minute)
	}
	return a
}

func TestWebhookMessage(t *testing.T) {
	hook, err := NewWebhook(WebhookOptions{Name: "hook", URL: "https://example.test/x", Sensor: "tap1", ExternalURL: "http://tap1:9025"})
	if err != nil {
		t.Fatal(err)
	}
	a, b := sample(1, alerts.Firing), sample(2, alerts.Resolved)
	a.Runbook, a.Learned, a.Techniques, a.Sessions = "https://x/r", "l", []string{"T1110"}, []string{"s1", "s2"}
	got, err := json.MarshalIndent(hook.message([]alerts.Alert{a, b}), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want := `{
 "version": "4",
 "groupKey": "{}:{alertname=\"R\"}",
 "truncatedAlerts": 0,
 "status": "firing",
 "receiver": "hook",
 "groupLabels": {
  "alertname": "R"
 },
 "commonLabels": {
  "alertname": "R",
  "client_ip": "192.0.2.1",
  "instance": "tap1",
  "sensor": "tap1",
  "severity": "warning"
 },
 "commonAnnotations": {
  "threshold": "1"
 },
 "externalURL": "http://tap1:9025",
 "alerts": [
  {
   "status": "firing",
   "labels": {
    "alertname": "R",
    "client_ip": "192.0.2.1",
    "instance": "tap1",
    "sensor": "tap1",
    "severity": "warning"
   },
   "annotations": {
    "key": "1",
    "learned": "l",
    "runbook_url": "https://x/r",
    "sessions": "s1,s2",
    "summary": "alert 1",
    "techniques": "T1110",
    "threshold": "1",
    "value": "1"
   },
   "startsAt": "2026-11-23T12:00:00Z",
   "endsAt": "0001-01-01T00:00:00Z",
   "generatorURL": "http://tap1:9025",
   "fingerprint": "0000000000000001"
  },
  {
   "status": "resolved",
   "labels": {
    "alertname": "R",
    "client_ip": "192.0.2.1",
    "instance": "tap1",
    "sensor": "tap1",
    "severity": "warning"
   },
   "annotations": {
    "key": "2",
    "summary": "alert 2",
    "threshold": "1",
    "value": "2"
   },
   "startsAt": "2026-11-23T12:00:00Z",
   "endsAt": "2026-11-23T12:01:00Z",
   "generatorURL": "http://tap1:9025",
   "fingerprint": "0000000000000002"
  }
 ]
}`
	if string(got) != want {
		t.Errorf("got %s", got)
	}
}

func TestTextAndJSON(t *testing.T) {
	var out bytes.Buffer
	a := sample(3, alerts.Firing)
	a.Repeat = 1
	NewText("out", &out).Send(context.Background(), []alerts.Alert{a, sample(3, alerts.Resolved)})
	want := "2026-11-23T12:00:00Z FIRING   warning  R: alert 3 (since 2026-11-23T12:00:00Z)\n" +
		"2026-11-23T12:00:00Z RESOLVED warning  R: alert 3\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
	got, err := json.Marshal(sample(3, alerts.Resolved))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"time":"2026-11-23T12:00:00Z","rule":"R","severity":"warning","status":"resolved","started":"2026-11-23T12:00:00Z",` +
		`"ended":"2026-11-23T12:01:00Z","key":"3","value":3,"threshold":1,"summary":"alert 3","labels":{"client_ip":"192.0.2.1"},` +
		`"fingerprint":"0000000000000003"}`; string(got) != want {
		t.Errorf("got %s", got)
	}
}
