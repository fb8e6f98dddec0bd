package metrics

import (
	"strings"

	"github.com/mailtap/mailtap/sessions"
)

// mediaTypes are the top-level media types of IANA's registry that a file has.
var mediaTypes = [...]string{"application", "audio", "font", "image", "message", "model", "text", "video"}

// reportActions are what a delivery status notification may tell of a recipient
// (RFC 3464, 2.3.3).
var reportActions = [...]string{"failed", "delayed", "delivered", "relayed", "expanded"}

// statusSet has the statuses of RFC 3463 without their detail. Subjects end at 7
// (section 3); those of a success tell nothing.
func statusSet() *set {
	names := []string{"2.x.x"}
	for _, class := range []string{"4", "5"} {
		for subject := range 8 {
			names = append(names, class+"."+string(rune('0'+subject))+".x")
		}
	}
	return newSet("status", names...)
}

// statusOf finds the class of a status such as "5.1.1 (unknown)".
func (m *Metrics) statusOf(status string) int {
	switch {
	case strings.HasPrefix(status, "2."):
		return m.status.of("2.x.x")
	case len(status) < 5 || status[1] != '.' || status[3] != '.':
		return m.status.of(other)
	}
	name := [...]byte{status[0], '.', status[2], '.', 'x'}
	return m.status.of(string(name[:]))
}

// content counts what the content of a mail told.
func (s *Shard) content(mail *sessions.Mail, c *place) {
	if d := mail.Header.HopDelay; d > 0 {
		s.hopDelay.observe(d.Seconds(), c.direction)
	}
	for i := range mail.Attachments {
		family, _, _ := strings.Cut(mail.Attachments[i].ContentType, "/")
		s.attachments.inc(s.m.mediaType.of(family))
	}
	// A report that was not accepted comes again.
	if r := mail.Report; r != nil && r.Kind == "delivery-status" && mail.Result == sessions.MailAccepted {
		for i := range r.Recipients {
			to := &r.Recipients[i]
			s.reports.inc(c.direction, s.m.action.of(to.Action), s.m.statusOf(to.Status))
		}
	}
}
