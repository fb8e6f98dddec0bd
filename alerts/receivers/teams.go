package receivers

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
)

// maxTeams is how many octets of cards one message carries: Teams takes 28 kB.
const maxTeams = 24 << 10

// Teams posts to a webhook of a workflow of Microsoft Teams: one Adaptive Card
// (https://learn.microsoft.com/power-automate/ "Post to a channel when a webhook
// request is received").
type Teams struct {
	*poster
	options ChatOptions
}

// NewTeams checks the options.
func NewTeams(o ChatOptions) (*Teams, error) {
	o.Name = cmp.Or(o.Name, "teams")
	p, err := newPoster(o.Name, o.HTTP)
	if err != nil {
		return nil, err
	}
	return &Teams{p, o}, nil
}

// Name implements Receiver.
func (t *Teams) Name() string { return t.options.Name }

// Send implements Receiver.
func (t *Teams) Send(ctx context.Context, batch []alerts.Alert) error {
	body, err := t.message(batch)
	if err != nil {
		return &notify.Error{What: t.target + ": " + err.Error(), Final: true}
	}
	return t.post(ctx, body, nil)
}

// element is a part of a card. Texts are RichTextBlocks: those, unlike
// TextBlock and FactSet, read no Markdown, so that traffic can make no link.
type element map[string]any

func richText(runs ...element) element {
	return element{"type": "RichTextBlock", "inlines": runs}
}

func run(text string) element { return element{"type": "TextRun", "text": text} }

func bold(text string) element {
	return element{"type": "TextRun", "text": text, "weight": "Bolder"}
}

// teamsColour of an alert.
func teamsColour(a *alerts.Alert) string {
	switch {
	case a.Status == alerts.Resolved:
		return "good"
	case a.Severity == alerts.Critical:
		return "attention"
	case a.Severity == alerts.Warning:
		return "warning"
	}
	return "accent"
}

// message holds as many alerts as Teams takes, the first ones in full, and says
// how many it left out.
func (t *Teams) message(batch []alerts.Alert) ([]byte, error) {
	body := []element{richText(element{"type": "TextRun", "text": headlineOf(batch), "weight": "Bolder", "size": "Large"})}
	size := 0
	for i := range batch {
		card := richText(run(brief(&batch[i])))
		if i < maxCards {
			var err error
			if card, err = t.card(&batch[i]); err != nil {
				return nil, err
			}
		}
		b, err := json.Marshal(card)
		if err != nil {
			return nil, err
		}
		if size+len(b) > maxTeams {
			body = append(body, richText(run(fmt.Sprintf("%d more do not fit here.", len(batch)-i))))
			break
		}
		size += len(b)
		body = append(body, card)
	}
	return json.Marshal(element{"type": "message", "attachments": []element{{
		"contentType": "application/vnd.microsoft.card.adaptive",
		"contentUrl":  nil,
		"content": element{
			"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
			"msteams": element{"width": "Full"}, "body": body,
		},
	}}})
}

// maxTeamsText is how many octets of an alert's text a card shows.
const maxTeamsText = 4 << 10

func (t *Teams) card(a *alerts.Alert) (element, error) {
	text, err := textOf(t.options.Text, a)
	if err != nil {
		return nil, err
	}
	head := bold(headline(a))
	head["color"] = teamsColour(a)
	items := []element{richText(head), richText(run(clipBytes(text, maxTeamsText)))}
	for _, f := range factsOf(a, t.options.Sensor) {
		items = append(items, richText(bold(f.name+": "), run(clipBytes(f.value, 500))))
	}
	if isLink(a.Runbook) {
		items = append(items, element{"type": "ActionSet", "actions": []element{{"type": "Action.OpenUrl", "title": "Runbook", "url": a.Runbook}}})
	}
	style := map[string]string{"good": "good", "attention": "attention", "warning": "warning", "accent": "emphasis"}[teamsColour(a)]
	return element{"type": "Container", "style": style, "separator": true, "items": items}, nil
}
