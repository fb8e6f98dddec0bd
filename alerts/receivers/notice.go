package receivers

import (
	"time"

	"github.com/mailtap/mailtap/alerts"
)

// Notice is what a webhook's template sees: alerts of one rule.
type Notice struct {
	Receiver, Sensor, ExternalURL string
	Status                        string // firing where one of Alerts is
	Rule                          string
	Alerts                        []NoticeAlert
}

// NoticeAlert is what a template sees of an alert. Times are RFC 3339, Ended is
// empty while it fires.
type NoticeAlert struct {
	Status, Rule, Severity string
	Key, Summary, Learned  string
	Value, Threshold       string
	Time, Started, Ended   string
	Runbook, Evidence      string
	Fingerprint            string
	Repeat, Groups         int
	Labels                 map[string]string
	Techniques, Sessions   []string
}

func newNotice(receiver, sensor, external string, batch []alerts.Alert) Notice {
	n := Notice{Receiver: receiver, Sensor: sensor, ExternalURL: external, Status: statusOf(batch)}
	for i := range batch {
		n.Rule = batch[i].Rule
		n.Alerts = append(n.Alerts, newNoticeAlert(&batch[i]))
	}
	return n
}

func newNoticeAlert(a *alerts.Alert) NoticeAlert {
	labels := make(map[string]string, len(a.Labels))
	for _, l := range a.Labels {
		labels[l.Name] = l.Value
	}
	return NoticeAlert{
		Status: a.Status, Rule: a.Rule, Severity: a.Severity, Key: a.Key, Summary: a.Summary, Learned: a.Learned,
		Value: alerts.Number(a.Value), Threshold: alerts.Number(a.Threshold),
		Time: moment(a.Time), Started: moment(a.Started), Ended: moment(a.Ended),
		Runbook: a.Runbook, Evidence: a.Evidence, Fingerprint: a.Fingerprint, Repeat: a.Repeat, Groups: a.Groups,
		Labels: labels, Techniques: a.Techniques, Sessions: a.Sessions,
	}
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// textOf an alert: the template's, or its summary.
func textOf(t *Template, a *alerts.Alert) (string, error) {
	if t == nil {
		return a.Summary, nil
	}
	return t.write(newNoticeAlert(a))
}

// Sample is an alert that tells of nothing, to try receivers and templates with.
// Its times are to be set by who sends it.
func Sample(status string) alerts.Alert {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return alerts.Alert{
		Time: at, Rule: "TestAlert", Severity: alerts.Info, Status: status, Started: at, Key: "192.0.2.1", Value: 1, Threshold: 1,
		Summary: "A test of mailtap's receivers: nothing happened", Labels: alerts.Labels{{Name: "client_ip", Value: "192.0.2.1"}},
		Techniques: []string{"T1110"}, Sessions: []string{"sample"}, Fingerprint: "7e57a1e270000000",
	}
}
