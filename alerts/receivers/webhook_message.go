package receivers

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/mailtap/mailtap/alerts"
)

// The webhook's message.
type (
	webhookMessage struct {
		Version           string            `json:"version"`
		GroupKey          string            `json:"groupKey"`
		TruncatedAlerts   int               `json:"truncatedAlerts"`
		Status            string            `json:"status"`
		Receiver          string            `json:"receiver"`
		GroupLabels       map[string]string `json:"groupLabels"`
		CommonLabels      map[string]string `json:"commonLabels"`
		CommonAnnotations map[string]string `json:"commonAnnotations"`
		ExternalURL       string            `json:"externalURL"`
		Alerts            []webhookAlert    `json:"alerts"`
	}
	webhookAlert struct {
		Status       string            `json:"status"`
		Labels       map[string]string `json:"labels"`
		Annotations  map[string]string `json:"annotations"`
		StartsAt     time.Time         `json:"startsAt"`
		EndsAt       time.Time         `json:"endsAt"` // the zero time is 0001-01-01T00:00:00Z, as Alertmanager writes it while firing
		GeneratorURL string            `json:"generatorURL"`
		Fingerprint  string            `json:"fingerprint"`
	}
)

func (w *Webhook) message(batch []alerts.Alert) webhookMessage {
	m := webhookMessage{Version: "4", Status: statusOf(batch), Receiver: w.options.Name, ExternalURL: w.options.ExternalURL}
	for i := range batch {
		a := &batch[i]
		m.GroupLabels = map[string]string{"alertname": a.Rule}
		m.GroupKey = fmt.Sprintf("{}:{alertname=%q}", a.Rule)
		x := webhookAlert{a.Status, LabelsOf(a, w.options.Sensor), AnnotationsOf(a), a.Started, a.Ended, w.options.ExternalURL, a.Fingerprint}
		m.CommonLabels = common(m.CommonLabels, x.Labels)
		m.CommonAnnotations = common(m.CommonAnnotations, x.Annotations)
		m.Alerts = append(m.Alerts, x)
	}
	return m
}

// statusOf a batch: firing where one of it is.
func statusOf(batch []alerts.Alert) string {
	for i := range batch {
		if batch[i].Status == alerts.Firing {
			return alerts.Firing
		}
	}
	return alerts.Resolved
}

// LabelsOf are an alert's labels in Prometheus's terms: with alertname, severity
// and, where a sensor is given, sensor and instance.
func LabelsOf(a *alerts.Alert, sensor string) map[string]string {
	out := map[string]string{"alertname": a.Rule, "severity": a.Severity}
	for _, l := range a.Labels {
		out[l.Name] = l.Value
	}
	if sensor != "" {
		out["sensor"], out["instance"] = sensor, sensor
	}
	return out
}

// AnnotationsOf is what an alert tells beside its labels, in Prometheus's terms.
func AnnotationsOf(a *alerts.Alert) map[string]string {
	out := map[string]string{"summary": a.Summary, "value": alerts.Number(a.Value), "threshold": alerts.Number(a.Threshold)}
	put := func(name, value string) {
		if value != "" {
			out[name] = value
		}
	}
	put("key", a.Key)
	put("runbook_url", a.Runbook)
	put("learned", a.Learned)
	put("evidence", a.Evidence)
	put("techniques", strings.Join(a.Techniques, ","))
	put("sessions", strings.Join(a.Sessions, ","))
	if a.Groups > 0 {
		put("groups", strconv.Itoa(a.Groups))
	}
	return out
}

// common keeps of all what is in x as well; nil stands for the first time.
func common(all, x map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range x {
		if have, ok := all[name]; all == nil || ok && have == value {
			out[name] = value
		}
	}
	return out
}
