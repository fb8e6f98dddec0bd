package receivers

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/sessions/syslog"
)

// maxSubject is how long a subject's text may be.
const maxSubject = 200

// compose writes a mail: its lines end as RFC 5322 wants.
func (m *Mail) compose(batch []alerts.Alert) ([]byte, error) {
	var b bytes.Buffer
	field := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	id, thread := m.ids(batch)
	field("From", "mailtap <"+m.options.From+">")
	field("To", strings.Join(m.options.To, ",\r\n "))
	field("Subject", m.subject(batch))
	field("Date", m.options.Clock.Now().Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	field("Message-ID", id)
	if thread != id {
		field("References", thread)
	}
	field("Auto-Submitted", "auto-generated") // RFC 3834: nobody answers it by a machine
	field("MIME-Version", "1.0")
	field("Content-Type", "text/plain; charset=utf-8")
	field("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	for i := range batch {
		text, err := m.text(&batch[i])
		if err != nil {
			return nil, err
		}
		if i > 0 {
			text = "\n" + text
		}
		fmt.Fprint(w, strings.ReplaceAll(text, "\n", "\r\n"))
	}
	w.Close()
	return b.Bytes(), nil
}

// subject is encoded where it is not plain ASCII and folded by that: what
// traffic holds cannot begin a field of its own.
func (m *Mail) subject(batch []alerts.Alert) string {
	text := headlineOf(batch)
	if len(batch) == 1 {
		text += ": " + batch[0].Summary
	}
	text = strings.ReplaceAll(clipBytes(syslog.OneLine(text), maxSubject), "=?", "= ?") // nothing that traffic holds is an encoded word
	return strings.ReplaceAll(mime.QEncoding.Encode("utf-8", text), "?= =?", "?=\r\n =?")
}

// ids are the mail's, the same when it is sent again, and that of its alert's
// first one, so that readers show them together.
func (m *Mail) ids(batch []alerts.Alert) (id, thread string) {
	_, domain, _ := strings.Cut(m.options.From, "@")
	all := sha256.New()
	for i := range batch {
		fmt.Fprintln(all, noticeID(&batch[i]))
	}
	a := &batch[0]
	thread = fmt.Sprintf("<%s.%d@%s>", a.Fingerprint, a.Started.Unix(), domain)
	if len(batch) == 1 && a.Status == alerts.Firing && a.Repeat == 0 && !a.Escalated {
		return thread, thread
	}
	return fmt.Sprintf("<%x@%s>", all.Sum(nil)[:12], domain), thread
}

func (m *Mail) text(a *alerts.Alert) (string, error) {
	if m.options.Text != nil {
		text, err := m.options.Text.write(newNoticeAlert(a))
		return strings.TrimRight(text, "\n") + "\n", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n\n", headline(a), syslog.OneLine(a.Summary))
	for _, f := range factsOf(a, m.options.Sensor) {
		fmt.Fprintf(&b, "%-12s %s\n", f.name, syslog.OneLine(f.value))
	}
	if a.Runbook != "" {
		fmt.Fprintf(&b, "%-12s %s\n", "runbook", syslog.OneLine(a.Runbook))
	}
	if a.Repeat > 0 && a.Status == alerts.Firing {
		fmt.Fprintf(&b, "\nIt still fires: told again after %s.\n", a.Time.Sub(a.Started).Round(time.Minute))
	}
	return b.String(), nil
}
