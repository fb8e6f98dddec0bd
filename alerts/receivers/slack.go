package receivers

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
)

// Slack posts to an incoming webhook of Slack, or of what understands the same
// (Mattermost, Rocket.Chat): an attachment with a colour for each alert
// (https://api.slack.com/reference/messaging/attachments).
type Slack struct {
	*poster
	options ChatOptions
}

// NewSlack checks the options.
func NewSlack(o ChatOptions) (*Slack, error) {
	o.Name = cmp.Or(o.Name, "slack")
	p, err := newPoster(o.Name, o.HTTP)
	if err != nil {
		return nil, err
	}
	return &Slack{p, o}, nil
}

// Name implements Receiver.
func (s *Slack) Name() string { return s.options.Name }

// Send implements Receiver.
func (s *Slack) Send(ctx context.Context, batch []alerts.Alert) error {
	m, err := s.message(batch)
	if err == nil {
		var body []byte
		if body, err = json.Marshal(m); err == nil {
			return s.post(ctx, body, nil)
		}
	}
	return &notify.Error{What: s.target + ": " + err.Error(), Final: true}
}

type (
	slackMessage struct {
		Text        string            `json:"text"`
		Attachments []slackAttachment `json:"attachments"`
	}
	slackAttachment struct {
		Fallback  string       `json:"fallback"`
		Color     string       `json:"color"`
		Title     string       `json:"title,omitempty"`
		TitleLink string       `json:"title_link,omitempty"`
		Text      string       `json:"text"`
		Fields    []slackField `json:"fields,omitempty"`
		MarkupIn  []string     `json:"mrkdwn_in"` // empty: nothing that traffic holds is markup
	}
	slackField struct {
		Title string `json:"title"`
		Value string `json:"value"`
		Short bool   `json:"short"`
	}
)

// slackColour of an alert.
func slackColour(a *alerts.Alert) string {
	switch {
	case a.Status == alerts.Resolved:
		return "#2eb67d"
	case a.Severity == alerts.Critical:
		return "#e01e5a"
	case a.Severity == alerts.Warning:
		return "#ecb22e"
	}
	return "#36c5f0"
}

// slackText escapes what Slack reads as a link or a mention, <!channel> among
// them (https://api.slack.com/reference/surfaces/formatting#escaping).
func slackText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

func (s *Slack) message(batch []alerts.Alert) (slackMessage, error) {
	m := slackMessage{Text: slackText(headlineOf(batch))}
	for i := range batch[:min(len(batch), maxCards)] {
		a := &batch[i]
		text, err := textOf(s.options.Text, a)
		if err != nil {
			return m, err
		}
		x := slackAttachment{Fallback: slackText(headline(a) + ": " + text), Color: slackColour(a), Title: slackText(headline(a)), Text: slackText(text), MarkupIn: []string{}}
		if isLink(a.Runbook) {
			x.TitleLink = a.Runbook
		}
		for _, f := range factsOf(a, s.options.Sensor) {
			x.Fields = append(x.Fields, slackField{slackText(f.name), slackText(f.value), len(f.value) < 40})
		}
		m.Attachments = append(m.Attachments, x)
	}
	if rest := batch[len(m.Attachments):]; len(rest) > 0 {
		var lines []string
		for i := range rest {
			lines = append(lines, slackText(brief(&rest[i])))
		}
		m.Attachments = append(m.Attachments, slackAttachment{Fallback: lines[0], Color: slackColour(&rest[0]), Text: strings.Join(lines, "\n"), MarkupIn: []string{}})
	}
	return m, nil
}
