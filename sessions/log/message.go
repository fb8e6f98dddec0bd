package log

import "github.com/mailtap/mailtap/sessions"

// This file writes what stands in a message beside the header's usual fields.

func appendAttachments(b []byte, list []sessions.Attachment) []byte {
	if len(list) == 0 {
		return b
	}
	b = open(b, `"attachments":[`)
	for i := range list {
		a := &list[i]
		b = open(b, `{`)
		b = text(b, `"filename":`, a.Filename)
		b = text(b, `"content_type":`, a.ContentType)
		b = text(b, `"sniffed_type":`, a.Sniffed)
		b = text(b, `"disposition":`, a.Disposition)
		b = text(b, `"charset":`, a.Charset)
		b = whole(b, `"size":`, a.Size)
		b = text(b, `"sha256":`, a.SHA256)
		b = truth(b, `"truncated":`, a.Truncated)
		b = number(b, `"forwarded":`, int64(a.Forwarded))
		b = texts(b, `"names":`, a.Names)
		b = truth(b, `"encrypted":`, a.Encrypted)
		b = appendDanger(b, a.Danger)
		b = append(end(b, '}'), ',')
	}
	return append(end(b, ']'), ',')
}

func appendDanger(b []byte, list []sessions.Danger) []byte {
	if len(list) == 0 {
		return b
	}
	b = open(b, `"danger":[`)
	for i := range list {
		d := &list[i]
		b = open(b, `{`)
		b = text(b, `"kind":`, d.Kind)
		b = text(b, `"by":`, d.By)
		b = text(b, `"file":`, d.File)
		b = append(end(b, '}'), ',')
	}
	return append(end(b, ']'), ',')
}

func appendReport(b []byte, r *sessions.Report) []byte {
	if r == nil {
		return b
	}
	b = open(b, `"report":{`)
	b = text(b, `"kind":`, r.Kind)
	b = text(b, `"reporting_mta":`, r.ReportingMTA)
	b = text(b, `"original_message_id":`, r.OriginalMessageID)
	b = text(b, `"disposition":`, r.Disposition)
	b = text(b, `"feedback_type":`, r.FeedbackType)
	b = text(b, `"source_ip":`, r.SourceIP)
	if len(r.Recipients) > 0 {
		b = open(b, `"recipients":[`)
		for i := range r.Recipients {
			to := &r.Recipients[i]
			b = open(b, `{`)
			b = text(b, `"final":`, to.Final)
			b = text(b, `"original":`, to.Original)
			b = text(b, `"action":`, to.Action)
			b = text(b, `"status":`, to.Status)
			b = text(b, `"remote_mta":`, to.RemoteMTA)
			b = text(b, `"diagnostic_code":`, to.DiagnosticCode)
			b = append(end(b, '}'), ',')
		}
		b = append(end(b, ']'), ',')
	}
	return append(end(b, '}'), ',')
}

func appendHops(b []byte, hops []sessions.Hop) []byte {
	if len(hops) == 0 {
		return b
	}
	b = open(b, `"hops":[`)
	for i := range hops {
		h := &hops[i]
		b = open(b, `{`)
		b = text(b, `"from":`, h.From)
		b = text(b, `"ip":`, h.IP)
		b = text(b, `"by":`, h.By)
		b = text(b, `"with":`, h.With)
		b = instant(b, `"time":`, h.Time)
		b = append(end(b, '}'), ',')
	}
	return append(end(b, ']'), ',')
}

func appendVerdicts(b []byte, list []sessions.Verdict) []byte {
	if len(list) == 0 {
		return b
	}
	b = open(b, `"verdicts":[`)
	for i := range list {
		v := &list[i]
		b = open(b, `{`)
		b = text(b, `"server":`, v.Server)
		b = text(b, `"method":`, v.Method)
		b = text(b, `"result":`, v.Result)
		b = append(end(b, '}'), ',')
	}
	return append(end(b, ']'), ',')
}
