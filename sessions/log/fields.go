package log

import (
	"strconv"

	"github.com/mailtap/mailtap/sessions"
)

func appendBanner(b []byte, v sessions.Banner) []byte {
	if v.Code == 0 {
		return b
	}
	b = open(b, `"banner":{`)
	b = whole(b, `"code":`, int64(v.Code))
	b = text(b, `"text":`, v.Text)
	if v.Delay > 0 {
		b = seconds(b, `"delay":`, v.Delay)
	}
	return append(end(b, '}'), ',')
}

func appendHelo(b []byte, v sessions.Helo) []byte {
	if v == (sessions.Helo{}) {
		return b
	}
	b = open(b, `"helo":{`)
	b = text(b, `"verb":`, v.Verb)
	b = text(b, `"name":`, v.Name)
	return append(end(b, '}'), ',')
}

// appendTLS always writes the mode: that a session was in clear is a fact.
func appendTLS(b []byte, t *sessions.TLS) []byte {
	mode := t.Mode
	if mode == "" {
		mode = sessions.TLSNone
	}
	b = open(b, `"tls":{`)
	b = text(b, `"mode":`, mode)
	b = truth(b, `"offered":`, t.Offered)
	b = truth(b, `"requested":`, t.Requested)
	b = truth(b, `"accepted":`, t.Accepted)
	b = truth(b, `"established":`, t.Established)
	b = text(b, `"version":`, t.Version)
	b = text(b, `"cipher":`, t.Cipher)
	b = text(b, `"sni":`, t.SNI)
	b = text(b, `"alpn":`, t.ALPN)
	b = truth(b, `"resumed":`, t.Resumed)
	if t.AlertName != "" {
		b = open(b, `"alert":{`)
		b = text(b, `"from":`, t.AlertFrom)
		b = text(b, `"name":`, t.AlertName)
		b = append(end(b, '}'), ',')
	}
	b = appendCertificate(b, t.Certificate)
	b = truth(b, `"decrypted":`, t.Decrypted)
	return append(end(b, '}'), ',')
}

func appendCertificate(b []byte, c *sessions.Certificate) []byte {
	if c == nil {
		return b
	}
	b = open(b, `"certificate":{`)
	b = text(b, `"subject":`, c.Subject)
	b = text(b, `"issuer":`, c.Issuer)
	b = text(b, `"serial":`, c.Serial)
	b = instant(b, `"not_before":`, c.NotBefore)
	b = instant(b, `"not_after":`, c.NotAfter)
	b = texts(b, `"names":`, c.Names)
	b = text(b, `"sha256":`, c.SHA256)
	b = truth(b, `"self_signed":`, c.SelfSigned)
	return append(end(b, '}'), ',')
}

func appendAuths(b []byte, list []sessions.Auth) []byte {
	if len(list) == 0 {
		return b
	}
	b = open(b, `"auth":[`)
	for i := range list {
		b = open(b, `{`)
		b = instant(b, `"time":`, list[i].Time)
		b = appendAuth(b, &list[i])
		b = append(end(b, '}'), ',')
	}
	return append(end(b, ']'), ',')
}

func appendAuth(b []byte, a *sessions.Auth) []byte {
	b = text(b, `"mechanism":`, a.Mechanism)
	b = text(b, `"username":`, a.Username)
	b = text(b, `"authzid":`, a.Authzid)
	b = text(b, `"result":`, a.Result)
	b = number(b, `"code":`, int64(a.Code))
	b = text(b, `"enhanced":`, a.Enhanced)
	b = truth(b, `"encrypted":`, a.Encrypted)
	return truth(b, `"secret_exposed":`, a.SecretExposed)
}

func appendMails(b []byte, list []*sessions.Mail) []byte {
	if len(list) == 0 {
		return b
	}
	b = open(b, `"mails":[`)
	for _, m := range list {
		b = open(b, `{`)
		b = instant(b, `"time":`, m.Time)
		b = appendMail(b, m)
		b = append(end(b, '}'), ',')
	}
	return append(end(b, ']'), ',')
}

func appendMail(b []byte, m *sessions.Mail) []byte {
	if m.Duration > 0 {
		b = seconds(b, `"duration":`, m.Duration)
	}
	if m.FromKnown { // the null reverse path is empty and a fact (RFC 5321, 4.5.5)
		b = append(b, `"from":`...)
		b = append(appendString(b, m.From), ',')
	}
	b = texts(b, `"to":`, m.To)
	b = appendRejected(b, m.Rejected)
	b = text(b, `"result":`, m.Result)
	b = number(b, `"code":`, int64(m.Code))
	b = text(b, `"enhanced":`, m.Enhanced)
	b = text(b, `"reply":`, m.Reply)
	b = text(b, `"queue_id":`, m.QueueID)
	if m.Size >= 0 {
		b = whole(b, `"size":`, m.Size)
	}
	if m.DeclaredSize >= 0 {
		b = whole(b, `"declared_size":`, m.DeclaredSize)
	}
	b = text(b, `"body":`, m.Body)
	b = truth(b, `"smtputf8":`, m.SMTPUTF8)
	b = truth(b, `"chunking":`, m.Chunking)
	b = appendCodes(b, m.RecipientCodes)
	b = appendHeader(b, &m.Header)
	b = truth(b, `"truncated":`, m.Truncated)
	return truth(b, `"smuggled":`, m.Smuggled)
}

func appendRejected(b []byte, list []sessions.Rejection) []byte {
	if len(list) == 0 {
		return b
	}
	b = open(b, `"rejected":[`)
	for i := range list {
		b = open(b, `{`)
		b = append(b, `"to":`...)
		b = append(appendString(b, list[i].To), ',')
		b = number(b, `"code":`, int64(list[i].Code))
		b = text(b, `"enhanced":`, list[i].Enhanced)
		b = append(end(b, '}'), ',')
	}
	return append(end(b, ']'), ',')
}

func appendCodes(b []byte, codes []int) []byte {
	if len(codes) == 0 {
		return b
	}
	b = open(b, `"recipient_codes":[`)
	for _, c := range codes {
		b = append(strconv.AppendInt(b, int64(c), 10), ',')
	}
	return append(end(b, ']'), ',')
}

func appendHeader(b []byte, h *sessions.Header) []byte {
	b = text(b, `"subject":`, h.Subject)
	b = text(b, `"header_from":`, h.From)
	b = text(b, `"header_to":`, h.To)
	b = text(b, `"message_id":`, h.MessageID)
	b = text(b, `"date":`, h.Date)
	b = text(b, `"user_agent":`, h.UserAgent)
	b = number(b, `"received":`, int64(h.Received))
	if h.HopDelay != 0 {
		b = seconds(b, `"hop_delay":`, h.HopDelay)
	}
	b = texts(b, `"auth_results":`, h.AuthResults)
	return texts(b, `"dkim_domains":`, h.DKIMDomains)
}
