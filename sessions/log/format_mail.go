package log

import (
	"strconv"
	"strings"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// What several forms say of a mail in the same words.

// recipients are all that the client named, whatever the server said.
func recipients(m *sessions.Mail) []string {
	all := make([]string, 0, len(m.To)+len(m.Rejected)+len(m.Unanswered))
	all = append(all, m.To...)
	for i := range m.Rejected {
		all = append(all, m.Rejected[i].To)
	}
	return append(all, m.Unanswered...)
}

// replyLine is the final reply as the server wrote it. Where its text was not
// kept, the enhanced code, which is part of the text, stands for it.
func replyLine(code int, enhanced, reply string) string {
	if code == 0 {
		return ""
	}
	if reply == "" {
		reply = enhanced
	}
	return strings.TrimSuffix(strconv.Itoa(code)+" "+reply, " ")
}

// addresses cuts a To or Cc field into its entries (RFC 5322, 3.4), at commas
// that stand in no quotes, comment or brackets.
func addresses(field string) []string {
	if field == "" {
		return nil
	}
	var out []string
	quoted, depth, angle, from := false, 0, false, 0
	for i := 0; i < len(field); i++ {
		switch c := field[i]; {
		case c == '\\' && (quoted || depth > 0):
			i++
		case c == '"' && depth == 0:
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth = max(0, depth-1)
		case c == '<' || c == '>':
			angle = c == '<'
		case c == ',' && depth == 0 && !angle:
			out, from = appendEntry(out, field[from:i]), i+1
		}
	}
	return appendEntry(out, field[from:])
}

func appendEntry(out []string, s string) []string {
	if s = strings.TrimSpace(s); s != "" {
		out = append(out, s)
	}
	return out
}

// bare takes the address out of "Name <address>".
func bare(entry string) string {
	if i := strings.LastIndexByte(entry, '<'); i >= 0 {
		entry, _, _ = strings.Cut(entry[i+1:], ">")
	}
	return strings.TrimSpace(entry)
}

func bareAll(list []string) []string {
	for i := range list {
		list[i] = bare(list[i])
	}
	return list
}

// received tells a Received field again, from what was read of it.
func received(h *sessions.Hop) string {
	var b []byte
	put := func(word, s string) {
		if s == "" {
			return
		}
		if len(b) > 0 {
			b = append(b, ' ')
		}
		b = append(append(append(b, word...), ' '), s...)
	}
	put("from", h.From)
	if h.IP != "" {
		if h.From == "" {
			put("from", "unknown")
		}
		b = append(append(append(b, " (["...), h.IP...), "])"...)
	}
	put("by", h.By)
	put("with", h.With)
	if !h.Time.IsZero() {
		b = append(b, "; "...)
		b = h.Time.UTC().AppendFormat(b, time.RFC1123Z)
	}
	return string(b)
}

// headerOf never is nil.
func headerOf(m *sessions.Mail) *sessions.Header {
	if m.Header == nil {
		return &sessions.Header{}
	}
	return m.Header
}

// protocolOf is the protocol that a role speaks (RFC 2033 for lmtp).
func protocolOf(role string) string {
	if role == sessions.RoleLMTP {
		return "lmtp"
	}
	return "smtp"
}
