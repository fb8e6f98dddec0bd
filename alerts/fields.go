package alerts

import (
	"net/netip"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// fields tells how each field is read from an event without the expression
// machine; a value is one of the function types of view.go or a list. The names
// are those of facts.go; a test holds that both read the same. A field that is
// left out here is read by the machine.
type fields map[string]any

func fieldsOf(k kind) fields {
	if k == kindCapture {
		f := fields{}
		f.addCapture()
		return f
	}
	f := connFields()
	f.addOrigin()
	switch k {
	case kindAttempt:
		f["attempt.result"] = func(v view) string { return v.attempt().Result }
	case kindSession:
		f.addSession()
	case kindCommand:
		f.addCommand()
	case kindAuth:
		f.addAuth("auth", view.login)
	case kindMail:
		f["tls_mode"] = func(v view) string { return v.event.(*sessions.MailDone).TLSMode }
		f.addMail("mail", view.mail)
	case kindTLS:
		f.addTLS("tls", view.handshake)
	case kindAnomaly:
		f["anomaly.kind"] = func(v view) string { return v.anomaly().Kind }
		f["anomaly.detail"] = func(v view) string { return v.anomaly().Detail }
	}
	return f
}

func connFields() fields {
	return fields{
		"session":     func(v view) string { return v.event.Of().ID },
		"time":        func(v view) time.Time { return v.event.At() },
		"client.ip":   func(v view) netip.Addr { return v.event.Of().Client.Addr() },
		"client.port": func(v view) int { return int(v.event.Of().Client.Port()) },
		"server.ip":   func(v view) netip.Addr { return v.event.Of().Server.Addr() },
		"server.port": func(v view) int { return int(v.event.Of().Server.Port()) },
		"server.name": func(v view) string { return v.event.Of().ServerName },
		"role":        func(v view) string { return v.event.Of().Role },
		"direction":   func(v view) string { return v.event.Of().Direction },
	}
}

func (f fields) addCommand() {
	f["command.verb"] = func(v view) string { return v.replied().Verb }
	f["command.code"] = func(v view) int { return v.replied().Code }
	f["command.enhanced"] = func(v view) string { return v.replied().Enhanced }
	f["command.text"] = func(v view) string { return v.replied().Text }
	f["command.delay"] = func(v view) float64 { return v.replied().Delay.Seconds() }
	f["command.argument"] = func(v view) string { return v.replied().Argument }
}

func (f fields) addAuth(name string, of func(view) *sessions.Auth) {
	f[name+".mechanism"] = func(v view) string { return of(v).Mechanism }
	f[name+".username"] = func(v view) string { return of(v).Username }
	f[name+".authzid"] = func(v view) string { return of(v).Authzid }
	f[name+".result"] = func(v view) string { return of(v).Result }
	f[name+".code"] = func(v view) int { return of(v).Code }
	f[name+".enhanced"] = func(v view) string { return of(v).Enhanced }
	f[name+".encrypted"] = func(v view) bool { return of(v).Encrypted }
	f[name+".secret_exposed"] = func(v view) bool { return of(v).SecretExposed }
	f[name+".denied"] = func(v view) bool { return of(v).Denied }
}

func (f fields) addMail(name string, of func(view) *sessions.Mail) {
	f[name+".duration"] = func(v view) float64 { return of(v).Duration.Seconds() }
	f[name+".from"] = func(v view) string { return of(v).From }
	f[name+".from_known"] = func(v view) bool { return of(v).FromKnown }
	f[name+".to"] = listOfTexts(func(v view) []string { return of(v).To })
	f[name+".rejected"] = listOf(func(v view) []sessions.Rejection { return of(v).Rejected }, fields{
		".to":       func(v view) string { return v.itemRejection().To },
		".code":     func(v view) int { return v.itemRejection().Code },
		".enhanced": func(v view) string { return v.itemRejection().Enhanced },
	})
	f[name+".recipient"] = func(v view) string { return recipientOf(of(v)) }
	f[name+".result"] = func(v view) string { return of(v).Result }
	f[name+".code"] = func(v view) int { return of(v).Code }
	f[name+".enhanced"] = func(v view) string { return of(v).Enhanced }
	f[name+".reply"] = func(v view) string { return of(v).Reply }
	f[name+".queue_id"] = func(v view) string { return of(v).QueueID }
	f[name+".size"] = func(v view) int { return int(of(v).Size) }
	f[name+".declared_size"] = func(v view) int { return int(of(v).DeclaredSize) }
	f[name+".body"] = func(v view) string { return of(v).Body }
	f[name+".smtputf8"] = func(v view) bool { return of(v).SMTPUTF8 }
	f[name+".chunking"] = func(v view) bool { return of(v).Chunking }
	f[name+".truncated"] = func(v view) bool { return of(v).Truncated }
	f[name+".smuggled"] = func(v view) bool { return of(v).Smuggled }
	f[name+".login"] = func(v view) string { return of(v).Login }
	f[name+".authenticated"] = func(v view) bool { return of(v).Authenticated }
	f[name+".encrypted"] = func(v view) bool { return of(v).Encrypted }
	f[name+".malformed"] = listOfTexts(func(v view) []string { return of(v).Malformed })
	f[name+".attachments"] = listOf(func(v view) []sessions.Attachment { return of(v).Attachments }, fileFields())
	f.addHeader(name, of)
}

// recipientOf is one recipient that tells a mail from others of the same
// sender: the first that was accepted, else the first that was refused.
func recipientOf(m *sessions.Mail) string {
	switch {
	case len(m.To) > 0:
		return m.To[0]
	case len(m.Rejected) > 0:
		return m.Rejected[0].To
	}
	return ""
}

func fileFields() fields {
	return fields{
		".filename":     func(v view) string { return v.itemFile().Filename },
		".content_type": func(v view) string { return v.itemFile().ContentType },
		".sniffed_type": func(v view) string { return v.itemFile().Sniffed },
		".disposition":  func(v view) string { return v.itemFile().Disposition },
		".size":         func(v view) int { return int(v.itemFile().Size) },
		".sha256":       func(v view) string { return v.itemFile().SHA256 },
		".truncated":    func(v view) bool { return v.itemFile().Truncated },
		".names":        listOfTexts(func(v view) []string { return v.itemFile().Names }),
		".encrypted":    func(v view) bool { return v.itemFile().Encrypted },
		".danger": listOf(func(v view) []sessions.Danger { return v.itemFile().Danger }, fields{
			".kind": func(v view) string { return v.itemDanger().Kind },
			".by":   func(v view) string { return v.itemDanger().By },
			".file": func(v view) string { return v.itemDanger().File },
		}),
	}
}

func (f fields) addHeader(name string, of func(view) *sessions.Mail) {
	text := func(field string, read func(*sessions.Header) string) { f[name+"."+field] = ofHeader(of, read) }
	list := func(field string, read func(*sessions.Header) []string) {
		f[name+"."+field] = listOfTexts(ofHeader(of, read))
	}
	text("subject", func(h *sessions.Header) string { return h.Subject })
	text("header_from", func(h *sessions.Header) string { return h.From })
	text("header_to", func(h *sessions.Header) string { return h.To })
	text("message_id", func(h *sessions.Header) string { return h.MessageID })
	text("date", func(h *sessions.Header) string { return h.Date })
	text("user_agent", func(h *sessions.Header) string { return h.UserAgent })
	f[name+".received"] = ofHeader(of, func(h *sessions.Header) int { return h.Received })
	f[name+".hop_delay"] = ofHeader(of, func(h *sessions.Header) float64 { return h.HopDelay.Seconds() })
	list("auth_results", func(h *sessions.Header) []string { return h.AuthResults })
	list("from_addresses", func(h *sessions.Header) []string { return h.FromAddresses })
	list("dkim_domains", func(h *sessions.Header) []string { return h.DKIMDomains })
	f[name+".verdicts"] = listOf(ofHeader(of, func(h *sessions.Header) []sessions.Verdict { return h.Verdicts }), fields{
		".method": func(v view) string { return v.itemVerdict().Method },
		".result": func(v view) string { return v.itemVerdict().Result },
	})
}

// ofHeader reads a header; a mail without content has none, and all of it is empty.
func ofHeader[T any](of func(view) *sessions.Mail, read func(*sessions.Header) T) func(view) T {
	return func(v view) (out T) {
		if h := of(v).Header; h != nil {
			out = read(h)
		}
		return out
	}
}

func (f fields) addTLS(name string, of func(view) *sessions.TLS) {
	f[name+".mode"] = func(v view) string { return of(v).Mode }
	f[name+".outcome"] = func(v view) string { return of(v).Outcome }
	f[name+".offered"] = func(v view) bool { return of(v).Offered }
	f[name+".requested"] = func(v view) bool { return of(v).Requested }
	f[name+".accepted"] = func(v view) bool { return of(v).Accepted }
	f[name+".established"] = func(v view) bool { return of(v).Established }
	f[name+".version"] = func(v view) string { return of(v).Version }
	f[name+".cipher"] = func(v view) string { return of(v).Cipher }
	f[name+".sni"] = func(v view) string { return of(v).SNI }
	f[name+".alpn"] = func(v view) string { return of(v).ALPN }
	f[name+".resumed"] = func(v view) bool { return of(v).Resumed }
	f[name+".offered_version"] = func(v view) string { return of(v).OfferedVersion }
	f[name+".ja3"] = func(v view) string { return of(v).JA3 }
	f[name+".ja3s"] = func(v view) string { return of(v).JA3S }
	f[name+".ja4"] = func(v view) string { return of(v).JA4 }
	f[name+".decrypted"] = func(v view) bool { return of(v).Decrypted }
	f[name+".alert.from"] = func(v view) string { return of(v).AlertFrom }
	f[name+".alert.name"] = func(v view) string { return of(v).AlertName }
	f.addCertificate(name+".certificate", of)
}

func (f fields) addCertificate(name string, of func(view) *sessions.TLS) {
	text := func(field string, read func(*sessions.Certificate) string) {
		f[name+"."+field] = ofCertificate(of, read)
	}
	text("subject", func(c *sessions.Certificate) string { return c.Subject })
	text("issuer", func(c *sessions.Certificate) string { return c.Issuer })
	text("serial", func(c *sessions.Certificate) string { return c.Serial })
	text("sha256", func(c *sessions.Certificate) string { return c.SHA256 })
	text("key", func(c *sessions.Certificate) string { return c.Key })
	text("signature_algorithm", func(c *sessions.Certificate) string { return c.SignatureAlgorithm })
	f[name+".not_before"] = ofCertificate(of, func(c *sessions.Certificate) time.Time { return c.NotBefore })
	f[name+".not_after"] = ofCertificate(of, func(c *sessions.Certificate) time.Time { return c.NotAfter })
	f[name+".self_signed"] = ofCertificate(of, func(c *sessions.Certificate) bool { return c.SelfSigned })
	f[name+".names"] = listOfTexts(ofCertificate(of, func(c *sessions.Certificate) []string { return c.Names }))
	f[name+".problems"] = listOfTexts(ofCertificate(of, func(c *sessions.Certificate) []string { return c.Problems }))
}

// ofCertificate reads a certificate; all of one that was not seen is empty.
func ofCertificate[T any](of func(view) *sessions.TLS, read func(*sessions.Certificate) T) func(view) T {
	return func(v view) (out T) {
		if c := of(v).Certificate; c != nil {
			out = read(c)
		}
		return out
	}
}
