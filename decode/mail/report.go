package mail

import (
	"bytes"
	"strings"
)

// Report is what a multipart/report tells to programs (RFC 6522).
type Report struct {
	Kind              string // delivery-status, disposition-notification or feedback-report; else as it calls itself
	ReportingMTA      string
	OriginalMessageID string // of the message that it is about
	Recipients        []Recipient

	Disposition  string // RFC 8098, 3.2.6
	FeedbackType string // RFC 5965, 3.1
	SourceIP     string // RFC 5965, 3.2
}

// Recipient is what became of the message for one (RFC 3464, 2.3). Texts have
// at most maxReportText octets.
type Recipient struct {
	Final, Original string // addresses
	Action, Status  string // failed and 5.1.1, for example
	RemoteMTA       string
	DiagnosticCode  string
}

const (
	maxReportText = 512
	maxReportLine = 2048
	recipientCost = 1024 // of memory, about: texts may come again
)

func isReportType(mediaType string) bool { return reportKind(mediaType) != "" }

func reportKind(mediaType string) string {
	switch mediaType {
	case "message/delivery-status", "message/global-delivery-status":
		return "delivery-status"
	case "message/disposition-notification", "message/global-disposition-notification":
		return "disposition-notification"
	case "message/feedback-report":
		return "feedback-report"
	}
	return ""
}

// reportBegins notes that the message itself, not one forwarded in it, is a
// report.
func (f *findings) reportBegins(d *description, nested int) {
	if nested == 0 && f.report == nil && d.mediaType == "multipart/report" {
		f.report = &Report{Kind: cutText(d.reportType, 64)}
	}
}

// reportPart reads the part for programs; there is one.
func (f *findings) reportPart(mediaType string) *reportReader {
	if f.report == nil || f.reportRead {
		return nil
	}
	f.reportRead = true
	if f.report.Kind == "" {
		f.report.Kind = reportKind(mediaType)
	}
	return &reportReader{found: f}
}

// original takes the Message-ID of the message that a report returns.
func (f *findings) original(h *HeaderReader, nested int) {
	if f.report != nil && nested == 1 && f.report.OriginalMessageID == "" {
		f.report.OriginalMessageID = cutText(clean(h.raw(messageID)), maxReportText)
	}
}

// reportReader reads groups of fields with empty lines between: the first
// group is of the message, each other one of a recipient.
type reportReader struct {
	found   *findings
	line    []byte // what came of it
	field   []byte // unfolded, without the line
	fresh   bool   // an empty line stood before
	skipped bool   // the fields are of a recipient beyond the limit
}

func (r *reportReader) write(b []byte) {
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		end := i
		if i < 0 {
			end = len(b)
		}
		r.line = append(r.line, b[:min(end, maxReportLine-len(r.line))]...)
		if i < 0 {
			return
		}
		r.endLine()
		b = b[i+1:]
	}
}

func (r *reportReader) endLine() {
	line := bytes.TrimRight(r.line, " \t\r")
	r.line = r.line[:0]
	switch {
	case len(line) == 0:
		r.endField()
		r.fresh, r.skipped = true, false
	case isBlank(line[0]):
		r.field = append(r.field, line[:min(len(line), maxReportLine-len(r.field))]...)
	default:
		r.endField()
		r.field = append(r.field, line...)
	}
}

// end takes what a last line without its end holds.
func (r *reportReader) end() {
	r.endLine()
	r.endField()
}

func (r *reportReader) endField() {
	name, value, found := bytes.Cut(r.field, []byte(":"))
	if found {
		r.take(strings.ToLower(string(bytes.TrimSpace(name))), bytes.TrimSpace(value))
	}
	r.field = r.field[:0]
}

func (r *reportReader) take(name string, value []byte) {
	text := cutText(clean(value[:min(len(value), maxReportText)]), maxReportText)
	report := r.found.report
	switch name {
	case "reporting-mta":
		report.ReportingMTA = behindType(text)
	case "original-message-id":
		report.OriginalMessageID = text
	case "disposition":
		report.Disposition = text
	case "feedback-type":
		report.FeedbackType = strings.ToLower(text)
	case "source-ip":
		report.SourceIP = text
	case "final-recipient", "original-recipient", "action", "status", "remote-mta", "diagnostic-code":
		if to := r.recipient(name); to != nil {
			to.take(name, text)
		}
	}
}

// recipient is the one that a field belongs to; nil beyond the limit.
func (r *reportReader) recipient(name string) *Recipient {
	list := r.found.report.Recipients
	n := len(list)
	if !r.skipped && n > 0 && !r.fresh && (name != "final-recipient" || list[n-1].Final == "") {
		return &list[n-1]
	}
	r.fresh = false
	if r.skipped || n >= r.found.options.maxRecipients() {
		r.found.odd |= recipientsLimit
		r.skipped = true
		return nil
	}
	r.found.report.Recipients = append(list, Recipient{})
	r.found.octets += recipientCost
	return &r.found.report.Recipients[n]
}

func (to *Recipient) take(name, text string) {
	switch name {
	case "final-recipient":
		to.Final = behindType(text)
	case "original-recipient":
		to.Original = behindType(text)
	case "action":
		to.Action = strings.ToLower(text)
	case "status":
		to.Status = text
	case "remote-mta":
		to.RemoteMTA = behindType(text)
	case "diagnostic-code":
		to.DiagnosticCode = text
	}
}

// behindType takes the type off, as in "rfc822; a@b.test" and "dns; mx.test".
func behindType(text string) string {
	if _, value, found := strings.Cut(text, ";"); found {
		return strings.TrimSpace(value)
	}
	return text
}
