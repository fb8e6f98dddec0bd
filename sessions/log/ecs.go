package log

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// ecsVersion is the edition of the Elastic Common Schema that ecs follows.
const ecsVersion = "8.11.0"

// ecs writes documents of the Elastic Common Schema. The field set email is
// about the message; what the protocol said of it stands under smtp, and what
// no set has under mailtap.
type ecs struct{ sensor, version string }

func (f ecs) event(b []byte, e sessions.Event) []byte {
	switch ev := e.(type) {
	case *sessions.MailDone:
		return f.mail(b, ev)
	case *sessions.Authenticated:
		return f.auth(b, ev)
	case *sessions.Closed:
		return f.session(b, ev)
	}
	return b
}

// ecsEvent is what the field set event says.
type ecsEvent struct {
	kind, category, types, action, outcome, dataset string
	start, end                                      time.Time
	duration                                        time.Duration
	severity                                        int
}

func (f ecs) head(b []byte, at time.Time, v ecsEvent) []byte {
	b = open(b, `{`)
	b = instant(b, `"@timestamp":`, at)
	b = append(b, `"ecs":{"version":"`+ecsVersion+`"},"event":{"kind":"`...)
	b = append(append(append(b, v.kind...), `","category":["`...), v.category...)
	b = append(append(append(b, `"],"type":[`...), v.types...), `],`...)
	b = text(b, `"action":`, v.action)
	b = text(b, `"outcome":`, v.outcome)
	b = append(b, `"module":"mailtap",`...)
	b = text(b, `"dataset":`, v.dataset)
	b = instant(b, `"start":`, v.start)
	b = instant(b, `"end":`, v.end)
	b = number(b, `"duration":`, int64(v.duration)) // nanoseconds
	b = number(b, `"severity":`, int64(v.severity))
	b = append(end(b, '}'), `,"observer":{"type":"sensor","vendor":"mailtap","product":"mailtap",`...)
	b = text(b, `"name":`, f.sensor)
	b = text(b, `"version":`, f.version)
	return append(end(b, '}'), ',')
}

func (ecs) conn(b []byte, c *sessions.Conn, bytes, packets sessions.Sides) []byte {
	b = ecsEnd(b, `"source":{`, c.Client, "", bytes.Client, packets.Client)
	b = ecsEnd(b, `"destination":{`, c.Server, c.ServerName, bytes.Server, packets.Server)
	b = append(b, `"network":{"transport":"tcp",`...)
	if c.Client.IsValid() {
		kind := "ipv6"
		if c.Client.Addr().Unmap().Is4() {
			kind = "ipv4"
		}
		b = text(b, `"type":`, kind)
	}
	b = text(b, `"protocol":`, protocolOf(c.Role))
	b = text(b, `"community_id":`, c.CommunityID)
	b = text(b, `"direction":`, c.Direction)
	if n := bytes.Client + bytes.Server; n > 0 {
		b = whole(b, `"bytes":`, int64(n))
	}
	if n := packets.Client + packets.Server; n > 0 {
		b = whole(b, `"packets":`, int64(n))
	}
	for i, key := range [2]string{`"vlan":{"id":"`, `"inner":{"vlan":{"id":"`} { // the outer and the inner tag
		if i < len(c.VLANs) {
			b = appendUint(open(b, key), uint64(c.VLANs[i]))
			b = append(append(b, `"}}`[:2+i]...), ',')
		}
	}
	return append(end(b, '}'), ',')
}

func ecsEnd(b []byte, key string, ap netip.AddrPort, name string, bytes, packets uint64) []byte {
	if !ap.IsValid() {
		return b
	}
	b = open(b, key)
	for _, k := range [2]string{`"address":"`, `"ip":"`} {
		b = ap.Addr().WithZone("").AppendTo(append(b, k...))
		b = append(b, '"', ',')
	}
	b = whole(b, `"port":`, int64(ap.Port()))
	b = text(b, `"domain":`, name)
	b = number(b, `"bytes":`, int64(bytes))
	b = number(b, `"packets":`, int64(packets))
	return append(end(b, '}'), ',')
}

// ecsRelated lists what a search for an address, a user or a hash finds.
func ecsRelated(b []byte, c *sessions.Conn, attachments []sessions.Attachment, users ...string) []byte {
	n := len(b)
	b = open(b, `"related":{`)
	if c.Client.IsValid() && c.Server.IsValid() {
		b = list(b, `"ip":`, []string{c.Client.Addr().WithZone("").String(), c.Server.Addr().WithZone("").String()})
	}
	b = list(b, `"user":`, users)
	hashes := make([]string, len(attachments))
	for i := range attachments {
		hashes[i] = attachments[i].SHA256
	}
	b = list(b, `"hash":`, hashes)
	return seal(b, n, '}')
}

// ecsOwn begins the object of what only mailtap tells.
func ecsOwn(b []byte, c *sessions.Conn) []byte {
	b = open(b, `"mailtap":{`)
	b = text(b, `"session":`, c.ID)
	b = text(b, `"role":`, c.Role)
	return texts(b, `"tunnel":`, c.Tunnels)
}

// ecsOutcome is ECS's word for a result.
func ecsOutcome(result string) string {
	switch result {
	case sessions.MailAccepted, sessions.AuthSuccess:
		return "success"
	case "", sessions.MailUnknown:
		return "unknown"
	}
	return "failure"
}

func (f ecs) mail(b []byte, ev *sessions.MailDone) []byte {
	c, m := ev.Conn, ev.Mail
	v := ecsEvent{kind: "event", category: "email", types: `"info"`, action: "mail-" + m.Result, outcome: ecsOutcome(m.Result), dataset: "mailtap.mail", start: m.Time, duration: m.Duration}
	b = f.head(b, m.Time, v)
	b = f.conn(b, c, sessions.Sides{}, sessions.Sides{})
	b = ecsEmail(b, c, m)
	b = ecsReply(b, m.Result, m.Code, m.Reply)
	b = ecsSMTP(b, ev.Helo, m)
	if m.Login != "" {
		b = append(end(text(open(b, `"user":{`), `"name":`, m.Login), '}'), ',')
	}
	b = ecsRelated(b, c, m.Attachments, m.Login)
	b = ecsOwn(b, c)
	b = text(b, `"tls_mode":`, ev.TLSMode)
	b = truth(b, `"encrypted":`, m.Encrypted)
	b = texts(b, `"malformed":`, m.Malformed)
	b = truth(b, `"truncated":`, m.Truncated)
	b = truth(b, `"smuggled":`, m.Smuggled)
	return end(append(end(b, '}'), ','), '}')
}

// ecsReply is the refusal, where there was one.
func ecsReply(b []byte, result string, code int, reply string) []byte {
	if code == 0 || ecsOutcome(result) != "failure" {
		return b
	}
	b = append(appendInt(open(b, `"error":{"code":"`), int64(code)), '"', ',')
	b = text(b, `"message":`, reply)
	return append(end(b, '}'), ',')
}

func ecsEmail(b []byte, c *sessions.Conn, m *sessions.Mail) []byte {
	h := headerOf(m)
	n := len(b)
	b = open(b, `"email":{`)
	b = ecsAddress(b, `"from":{`, h.FromAddresses)
	b = ecsAddress(b, `"to":{`, bareAll(addresses(h.To)))
	b = ecsAddress(b, `"cc":{`, bareAll(addresses(h.Cc)))
	b = ecsAddress(b, `"reply_to":{`, bareAll(addresses(h.ReplyTo)))
	if s := bare(h.Sender); s != "" {
		b = append(end(text(open(b, `"sender":{`), `"address":`, s), '}'), ',')
	}
	b = text(b, `"subject":`, h.Subject)
	b = text(b, `"message_id":`, strings.Trim(h.MessageID, "<>"))
	b = text(b, `"local_id":`, m.QueueID)
	b = text(b, `"x_mailer":`, h.UserAgent)
	b = text(b, `"direction":`, c.Direction)
	b = instant(b, `"origination_timestamp":`, h.Sent)
	b = ecsFiles(b, m.Attachments)
	return seal(b, n, '}')
}

func ecsAddress(b []byte, key string, all []string) []byte {
	n := len(b)
	b = list(open(b, key), `"address":`, all)
	return seal(b, n, '}')
}

func ecsFiles(b []byte, files []sessions.Attachment) []byte {
	n := len(b)
	b = open(b, `"attachments":[`)
	for i := range files {
		a := &files[i]
		b = open(b, `{"file":{`)
		b = text(b, `"name":`, a.Filename)
		if i := strings.LastIndexByte(a.Filename, '.'); i >= 0 {
			b = text(b, `"extension":`, a.Filename[i+1:])
		}
		b = text(b, `"mime_type":`, a.ContentType)
		b = whole(b, `"size":`, a.Size)
		if a.SHA256 != "" {
			b = append(end(text(open(b, `"hash":{`), `"sha256":`, a.SHA256), '}'), ',')
		}
		b = append(end(b, '}'), '}', ',')
	}
	return seal(b, n, ']')
}

func ecsSMTP(b []byte, helo sessions.Helo, m *sessions.Mail) []byte {
	b = open(b, `"smtp":{`)
	b = text(b, `"helo":`, helo.Name)
	if m.FromKnown {
		b = append(appendString(append(b, `"mail_from":`...), m.From), ',')
	}
	b = texts(b, `"rcpt_to":`, m.To)
	b = appendRejected(b, m.Rejected)
	b = texts(b, `"unanswered":`, m.Unanswered)
	b = number(b, `"code":`, int64(m.Code))
	b = text(b, `"enhanced":`, m.Enhanced)
	b = text(b, `"reply":`, m.Reply)
	if m.Size >= 0 {
		b = whole(b, `"size":`, m.Size)
	}
	return append(end(b, '}'), ',')
}

func (f ecs) auth(b []byte, ev *sessions.Authenticated) []byte {
	c, a := ev.Conn, &ev.Auth
	b = f.head(b, a.Time, ecsEvent{kind: "event", category: "authentication", types: `"start"`, action: "login-" + a.Result, outcome: ecsOutcome(a.Result), dataset: "mailtap.auth"})
	b = f.conn(b, c, sessions.Sides{}, sessions.Sides{})
	n := len(b)
	b = open(b, `"user":{`)
	b = text(b, `"name":`, a.Username)
	b = text(b, `"domain":`, a.Domain)
	b = seal(b, n, '}')
	b = ecsReply(b, a.Result, a.Code, "")
	b = ecsRelated(b, c, nil, a.Username)
	b = ecsOwn(b, c)
	b = text(b, `"tls_mode":`, ev.TLSMode)
	b = open(b, `"auth":{`)
	b = appendAuth(b, a)
	b = append(end(b, '}'), ',')
	return end(append(end(b, '}'), ','), '}')
}

func (f ecs) session(b []byte, ev *sessions.Closed) []byte {
	c, s := ev.Conn, ev.Session
	v := ecsEvent{kind: "event", category: "network", types: `"connection","end"`, action: "session-" + s.End, outcome: "unknown", dataset: "mailtap.session", start: c.Start, end: c.Start.Add(s.Duration), duration: s.Duration}
	switch s.End {
	case sessions.EndQuit, sessions.EndClosed:
		v.outcome = "success"
	case sessions.EndRefused, sessions.EndUnanswered:
		v.outcome = "failure"
	}
	b = f.head(b, c.Start, v)
	b = f.conn(b, c, s.Bytes, s.Packets)
	b = ecsTLS(b, &s.TLS)
	b = ecsRelated(b, c, nil)
	n := len(b)
	b = open(b, `"smtp":{`)
	b = text(b, `"helo":`, s.Helo.Name)
	b = appendBanner(b, s.Banner)
	b = texts(b, `"extensions":`, s.Extensions)
	b = seal(b, n, '}')
	b = ecsOwn(b, c)
	b = text(b, `"end":`, s.End)
	b = number(b, `"mails":`, int64(len(s.Mails)))
	b = texts(b, `"anomalies":`, s.Anomalies)
	b = text(b, `"tls_outcome":`, s.TLS.Outcome)
	b = truth(b, `"partial":`, s.Partial)
	return end(append(end(b, '}'), ','), '}')
}

func ecsTLS(b []byte, t *sessions.TLS) []byte {
	if t.Mode == sessions.TLSNone || t.Mode == "" {
		return b
	}
	b = open(b, `"tls":{`)
	if version, ok := strings.CutPrefix(t.Version, "TLSv"); ok {
		b = text(b, `"version":`, version)
		b = append(b, `"version_protocol":"tls",`...)
	} else if version, ok := strings.CutPrefix(t.Version, "SSLv"); ok {
		b = text(b, `"version":`, version)
		b = append(b, `"version_protocol":"ssl",`...)
	}
	b = text(b, `"cipher":`, t.Cipher)
	b = append(strconv.AppendBool(append(b, `"established":`...), t.Established), ',')
	b = append(strconv.AppendBool(append(b, `"resumed":`...), t.Resumed), ',')
	b = text(b, `"next_protocol":`, strings.ToLower(t.ALPN))
	n := len(b)
	b = open(b, `"client":{`)
	b = text(b, `"ja3":`, t.JA3)
	b = text(b, `"server_name":`, t.SNI)
	b = ecsCertificate(b, t.ClientCertificate)
	b = seal(b, n, '}')
	n = len(b)
	b = open(b, `"server":{`)
	b = text(b, `"ja3s":`, t.JA3S)
	b = ecsCertificate(b, t.Certificate)
	b = seal(b, n, '}')
	return append(end(b, '}'), ',')
}

func ecsCertificate(b []byte, c *sessions.Certificate) []byte {
	if c == nil {
		return b
	}
	b = text(b, `"subject":`, c.Subject)
	b = text(b, `"issuer":`, c.Issuer)
	b = instant(b, `"not_before":`, c.NotBefore)
	b = instant(b, `"not_after":`, c.NotAfter)
	if c.SHA256 != "" { // ECS wants capitals here
		b = append(end(text(open(b, `"hash":{`), `"sha256":`, strings.ToUpper(c.SHA256)), '}'), ',')
	}
	b = open(b, `"x509":{`)
	b = text(b, `"serial_number":`, strings.ToUpper(c.Serial))
	b = texts(b, `"alternative_names":`, c.Names)
	b = text(b, `"signature_algorithm":`, c.SignatureAlgorithm)
	return append(end(b, '}'), ',')
}

// ecsSeverity are the risk scores that Elastic's rules use for the like.
func ecsSeverity(severity string) int {
	switch severity {
	case "critical":
		return 99
	case "warning":
		return 47
	}
	return 21
}

func (f ecs) alert(b []byte, a *AlertRecord) []byte {
	b = f.head(b, a.Time, ecsEvent{
		kind: "alert", category: "intrusion_detection", types: `"info"`, action: "alert-" + a.Status, dataset: "mailtap.alert",
		start: a.Started, end: a.Ended, severity: ecsSeverity(a.Severity),
	})
	if a.Conn != nil {
		b = f.conn(b, a.Conn, sessions.Sides{}, sessions.Sides{})
	}
	b = text(b, `"message":`, a.Summary)
	b = append(end(text(text(open(b, `"rule":{`), `"name":`, a.Rule), `"reference":`, a.Runbook), '}'), ',')
	if len(a.Techniques) > 0 {
		b = append(b, `"threat":{"framework":"MITRE ATT&CK",`...)
		b = open(b, `"technique":{`)
		b = texts(b, `"id":`, a.Techniques)
		b = append(end(b, '}'), '}', ',')
	}
	b = open(b, `"mailtap":{"alert":{`)
	b = text(b, `"severity":`, a.Severity)
	b = text(b, `"status":`, a.Status)
	b = text(b, `"key":`, a.Key)
	b = float(b, `"value":`, a.Value)
	b = float(b, `"threshold":`, a.Threshold)
	b = appendLabels(b, a.Labels)
	b = texts(b, `"sessions":`, a.Sessions[:min(len(a.Sessions), maxAlertSessions)])
	b = text(b, `"learned":`, a.Learned)
	b = text(b, `"evidence":`, a.Evidence)
	b = append(end(b, '}'), '}', ',')
	return end(b, '}')
}
