package privacy

import (
	"net/netip"
	"regexp"
	"strings"

	"github.com/mailtap/mailtap/sessions"
)

// mail hides what a mail tells of persons.
func (m *Mask) mail(in *sessions.Mail) *sessions.Mail {
	out := *in
	m.quoteMail(in)
	out.From, out.Login = m.address(in.From), m.user(in.Login)
	out.To, out.Unanswered = each(in.To, m.address), each(in.Unanswered, m.address)
	out.Rejected = each(in.Rejected, func(r sessions.Rejection) sessions.Rejection {
		r.To = m.address(r.To)
		return r
	})
	out.Options = each(in.Options, func(o sessions.RecipientOptions) sessions.RecipientOptions {
		o.To, o.Original = m.address(o.To), m.typed(o.Original)
		return o
	})
	out.Parameters = each(in.Parameters, m.parameter)
	out.Reply = m.reply(in.Reply)
	out.Header, out.Report = m.header(in.Header), m.report(in.Report)
	out.Attachments = each(in.Attachments, m.attachment)
	return &out
}

// quoteMail learns what a server may quote of a mail.
func (m *Mask) quoteMail(in *sessions.Mail) {
	mode := m.settings.Addresses
	m.quoteMailbox(m.settings.Users, in.Login)
	m.quoteMailbox(mode, in.From)
	for _, list := range [][]string{in.To, in.Unanswered} {
		for _, to := range list {
			m.quoteMailbox(mode, to)
		}
	}
	for i := range in.Rejected {
		m.quoteMailbox(mode, in.Rejected[i].To)
	}
	if h := in.Header; h != nil {
		m.words.add(h.Subject, m.subject(h.Subject))
		for _, from := range h.FromAddresses {
			m.quoteMailbox(mode, from)
		}
	}
	for i := range in.Attachments {
		a := &in.Attachments[i]
		m.words.add(a.Filename, m.file(a.Filename))
		for _, name := range a.Names {
			m.words.add(name, m.file(name))
		}
	}
}

// typed is an address with its type before it (RFC 3461, 4.2).
func (m *Mask) typed(s string) string {
	if kind, address, ok := strings.Cut(s, ";"); ok {
		return kind + ";" + m.address(strings.TrimSpace(address))
	}
	return m.address(s)
}

// parameter is one of MAIL: AUTH names an account (RFC 4954, 5), ENVID may hold
// anything that the sender knows the mail by (RFC 3461, 4.4).
func (m *Mask) parameter(s string) string {
	name, value, ok := strings.Cut(s, "=")
	if !ok || !m.settings.Addresses.hides() {
		return m.scan(s, m.words)
	}
	switch name {
	case "AUTH":
		if value == "<>" {
			return s
		}
		return name + "=" + m.address(value)
	case "ENVID":
		return name + "=" + m.address(value)
	}
	return m.scan(s, m.words)
}

func (m *Mask) header(in *sessions.Header) *sessions.Header {
	if in == nil {
		return nil
	}
	out := *in
	out.Subject = m.subject(in.Subject)
	for _, field := range []*string{&out.From, &out.To, &out.Cc, &out.ReplyTo, &out.Sender, &out.ReturnPath} {
		*field = m.list(*field)
	}
	if in.ReturnPath == "<>" {
		out.ReturnPath = in.ReturnPath
	}
	out.FromAddresses = each(in.FromAddresses, m.address)
	out.MessageID, out.InReplyTo = m.messageIDs(in.MessageID), m.messageIDs(in.InReplyTo)
	out.UserAgent = m.scan(in.UserAgent, m.words)
	out.AuthResults = each(in.AuthResults, m.authResult)
	out.DKIMDomains = each(in.DKIMDomains, m.domainOnly)
	out.ListID = m.listID(in.ListID)
	out.OriginatingIP = m.clientText(in.OriginatingIP)
	ends := m.ends
	m.ends = ends.clone() // with the clients of earlier servers, of this mail alone
	out.Hops = each(in.Hops, func(h sessions.Hop) sessions.Hop {
		if a, err := netip.ParseAddr(h.IP); err == nil && m.settings.Clients.hides() {
			m.quoteClient(m.ends, a)
		}
		h.IP = m.clientText(h.IP)
		h.From, h.By, h.With = m.host(h.From), m.host(h.By), m.host(h.With)
		return h
	})
	m.ends = ends
	out.Verdicts = each(in.Verdicts, func(v sessions.Verdict) sessions.Verdict {
		v.Server = m.host(v.Server)
		return v
	})
	return &out
}

// login matches who logged in elsewhere (RFC 8601, 2.7.4).
var login = regexp.MustCompile(`(?i)\bsmtp\.auth\s*=\s*("[^"]*"|[^\s;()]+)`)

func (m *Mask) authResult(s string) string {
	if m.settings.Users.hides() {
		if at := login.FindStringSubmatch(s); at != nil {
			m.quoteMailbox(m.settings.Users, strings.Trim(at[1], `"`))
		}
	}
	return m.reply(s)
}

// listID is a list's name and its id, which reads like a domain (RFC 2919, 2).
func (m *Mask) listID(s string) string {
	if s == "" || !m.settings.Addresses.hides() {
		return s
	}
	if open := strings.LastIndexByte(s, '<'); open >= 0 {
		s = s[open+1:]
	}
	s = strings.Trim(s, "<> ")
	if strings.IndexByte(s, '@') >= 0 {
		return m.address(s)
	}
	return m.domainOnly(s)
}

func (m *Mask) attachment(a sessions.Attachment) sessions.Attachment {
	a.Filename, a.Names = m.file(a.Filename), each(a.Names, m.file)
	a.Danger = each(a.Danger, func(d sessions.Danger) sessions.Danger {
		d.File = m.file(d.File)
		return d
	})
	return a
}

func (m *Mask) report(in *sessions.Report) *sessions.Report {
	if in == nil {
		return nil
	}
	out := *in
	out.OriginalMessageID, out.SourceIP = m.messageIDs(in.OriginalMessageID), m.clientText(in.SourceIP)
	out.Recipients = each(in.Recipients, func(r sessions.Recipient) sessions.Recipient {
		m.quoteMailbox(m.settings.Addresses, r.Final)
		m.quoteMailbox(m.settings.Addresses, r.Original)
		r.DiagnosticCode, r.RemoteMTA = m.reply(r.DiagnosticCode), m.host(r.RemoteMTA)
		r.Final, r.Original = m.typed(r.Final), m.typed(r.Original)
		return r
	})
	return &out
}
