package receivers

import (
	"fmt"
	"strings"

	"github.com/mailtap/mailtap/alerts"
)

// ChatOptions configure the webhook of a chat: Slack's, one like it, or that of
// Microsoft Teams. The URL is a secret.
type ChatOptions struct {
	Name string // for metrics and errors; default slack, or teams
	HTTP
	Text   *Template // of one alert, plain; nil: its summary
	Sensor string    // shown beside each alert
}

// maxCards is how many alerts of a batch are told in full; of the others, a line
// each.
const maxCards = 10

// fact is one detail of an alert for people.
type fact struct{ name, value string }

// headline of an alert: what, how bad, which rule.
func headline(a *alerts.Alert) string {
	return fmt.Sprintf("[%s] %s: %s", strings.ToUpper(a.Status), a.Severity, a.Rule)
}

// headlineOf a batch.
func headlineOf(batch []alerts.Alert) string {
	if len(batch) == 1 {
		return headline(&batch[0])
	}
	return fmt.Sprintf("[%s:%d] %s", strings.ToUpper(statusOf(batch)), len(batch), batch[0].Rule)
}

// factsOf are an alert's details, those of no value left out.
func factsOf(a *alerts.Alert, sensor string) []fact {
	var out []fact
	put := func(name, value string) {
		if value != "" {
			out = append(out, fact{name, value})
		}
	}
	for _, l := range a.Labels {
		put(l.Name, l.Value)
	}
	put("value", alerts.Number(a.Value)+" (threshold "+alerts.Number(a.Threshold)+")")
	put("learned", a.Learned)
	put("started", moment(a.Started))
	put("ended", moment(a.Ended))
	if a.Groups > 0 {
		put("groups", fmt.Sprint(a.Groups))
	}
	put("ATT&CK", strings.Join(a.Techniques, ", "))
	put("sessions", strings.Join(a.Sessions, ", "))
	put("evidence", a.Evidence)
	put("sensor", sensor)
	put("fingerprint", a.Fingerprint)
	return out
}

// brief is one line for an alert beyond maxCards.
func brief(a *alerts.Alert) string {
	return fmt.Sprintf("%s %s %s", moment(a.Time), strings.ToUpper(a.Status), a.Summary)
}

// isLink says whether a runbook can be a link.
func isLink(s string) bool {
	return (strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")) && !strings.ContainsAny(s, "<>|\"` \t\r\n")
}
