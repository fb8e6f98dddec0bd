package receivers

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
)

// Text writes one line an alert for people: to standard output of `run`.
type Text struct {
	name string
	out  io.Writer
}

// NewText makes a receiver that writes to out.
func NewText(name string, out io.Writer) *Text { return &Text{name, out} }

// Name implements Receiver.
func (t *Text) Name() string { return t.name }

// Send implements Receiver.
func (t *Text) Send(_ context.Context, batch []alerts.Alert) error {
	for i := range batch {
		if _, err := io.WriteString(t.out, Line(&batch[i])+"\n"); err != nil {
			return &notify.Error{What: err.Error(), Final: true}
		}
	}
	return nil
}

// Line writes an alert in one line: time, status, severity, rule, summary.
func Line(a *alerts.Alert) string {
	again := ""
	if a.Repeat > 0 && a.Status == alerts.Firing {
		again = fmt.Sprintf(" (since %s)", a.Started.Format(time.RFC3339))
	}
	return fmt.Sprintf("%s %-8s %-8s %s: %s%s", a.Time.Format(time.RFC3339), strings.ToUpper(a.Status), a.Severity, a.Rule, a.Summary, again)
}
