package log

import "github.com/mailtap/mailtap/sessions"

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
	b = text(b, `"offered_version":`, t.OfferedVersion)
	b = text(b, `"ja3":`, t.JA3)
	b = text(b, `"ja3s":`, t.JA3S)
	b = text(b, `"ja4":`, t.JA4)
	b = truth(b, `"retried":`, t.Retried)
	b = truth(b, `"resumed":`, t.Resumed)
	if t.AlertName != "" {
		b = open(b, `"alert":{`)
		b = text(b, `"from":`, t.AlertFrom)
		b = text(b, `"name":`, t.AlertName)
		b = append(end(b, '}'), ',')
	}
	b = appendCertificate(b, `"certificate":{`, t.Certificate)
	b = truth(b, `"client_certificate_requested":`, t.ClientCertificateRequested)
	b = appendCertificate(b, `"client_certificate":{`, t.ClientCertificate)
	b = truth(b, `"decrypted":`, t.Decrypted)
	return append(end(b, '}'), ',')
}

func appendCertificate(b []byte, key string, c *sessions.Certificate) []byte {
	if c == nil {
		return b
	}
	b = open(b, key)
	b = text(b, `"subject":`, c.Subject)
	b = text(b, `"issuer":`, c.Issuer)
	b = text(b, `"serial":`, c.Serial)
	b = instant(b, `"not_before":`, c.NotBefore)
	b = instant(b, `"not_after":`, c.NotAfter)
	b = texts(b, `"names":`, c.Names)
	b = text(b, `"sha256":`, c.SHA256)
	b = truth(b, `"self_signed":`, c.SelfSigned)
	b = text(b, `"key":`, c.Key)
	b = text(b, `"signature_algorithm":`, c.SignatureAlgorithm)
	b = texts(b, `"problems":`, c.Problems)
	b = appendChain(b, c.Chain)
	return append(end(b, '}'), ',')
}

func appendChain(b []byte, chain []sessions.Intermediate) []byte {
	if len(chain) == 0 {
		return b
	}
	b = open(b, `"chain":[`)
	for i := range chain {
		b = open(b, `{`)
		b = text(b, `"subject":`, chain[i].Subject)
		b = text(b, `"issuer":`, chain[i].Issuer)
		b = instant(b, `"not_after":`, chain[i].NotAfter)
		b = text(b, `"sha256":`, chain[i].SHA256)
		b = append(end(b, '}'), ',')
	}
	return append(end(b, ']'), ',')
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
	b = text(b, `"domain":`, a.Domain)
	b = text(b, `"target":`, a.Target)
	b = text(b, `"workstation":`, a.Workstation)
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
	b = texts(b, `"unanswered":`, m.Unanswered)
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
	b = truth(b, `"require_tls":`, m.RequireTLS)
	b = texts(b, `"parameters":`, m.Parameters)
	b = appendOptions(b, m.Options)
	b = truth(b, `"chunking":`, m.Chunking)
	b = appendCodes(b, m.RecipientCodes)
	if m.Header != nil {
		b = appendHeader(b, m.Header)
	}
	b = appendAttachments(b, m.Attachments)
	b = appendReport(b, m.Report)
	b = text(b, `"protection":`, m.Protection)
	b = texts(b, `"malformed":`, m.Malformed)
	b = truth(b, `"encrypted":`, m.Encrypted)
	b = truth(b, `"truncated":`, m.Truncated)
	return truth(b, `"smuggled":`, m.Smuggled)
}

func appendOptions(b []byte, list []sessions.RecipientOptions) []byte {
	if len(list) == 0 {
		return b
	}
	b = open(b, `"recipient_options":[`)
	for i := range list {
		b = open(b, `{`)
		b = append(b, `"to":`...)
		b = append(appendString(b, list[i].To), ',')
		b = text(b, `"notify":`, list[i].Notify)
		b = text(b, `"orcpt":`, list[i].Original)
		b = append(end(b, '}'), ',')
	}
	return append(end(b, ']'), ',')
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
		b = append(appendInt(b, int64(c)), ',')
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
	b = texts(b, `"dkim_domains":`, h.DKIMDomains)
	b = text(b, `"header_cc":`, h.Cc)
	b = text(b, `"header_sender":`, h.Sender)
	b = text(b, `"header_reply_to":`, h.ReplyTo)
	b = text(b, `"return_path":`, h.ReturnPath)
	b = text(b, `"in_reply_to":`, h.InReplyTo)
	b = text(b, `"originating_ip":`, h.OriginatingIP)
	b = text(b, `"auto_submitted":`, h.AutoSubmitted)
	b = text(b, `"list_id":`, h.ListID)
	b = text(b, `"precedence":`, h.Precedence)
	b = appendHops(b, h.Hops)
	b = appendVerdicts(b, h.Verdicts)
	if h.ARC.Instances > 0 {
		b = open(b, `"arc":{`)
		b = number(b, `"instances":`, int64(h.ARC.Instances))
		b = text(b, `"result":`, h.ARC.Result)
		b = append(end(b, '}'), ',')
	}
	return b
}
