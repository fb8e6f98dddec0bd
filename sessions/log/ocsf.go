package log

import (
	"net/netip"
	"strings"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// ocsfVersion is the edition of the Open Cybersecurity Schema Framework that
// ocsf follows.
const ocsfVersion = "1.4.0"

// ocsf writes events of the Open Cybersecurity Schema Framework: Email
// Activity, Authentication, Network Activity for the session, and Detection
// Finding for the alert. What no class has stands under unmapped.
type ocsf struct{ sensor, version string }

// ocsfClass is a class of events; type_uid is its uid by a hundred, and the
// activity.
type ocsfClass struct {
	uid, category      int64
	name, categoryName string
}

var (
	ocsfMail    = ocsfClass{4009, 4, "Email Activity", "Network Activity"}
	ocsfAuth    = ocsfClass{3002, 3, "Authentication", "Identity & Access Management"}
	ocsfNetwork = ocsfClass{4001, 4, "Network Activity", "Network Activity"}
	ocsfFinding = ocsfClass{2004, 2, "Detection Finding", "Findings"}
)

// named is a value of an enumeration with its caption.
type named struct {
	id   int64
	name string
}

var (
	ocsfInformational = named{1, "Informational"}
	ocsfUnknown       = named{0, "Unknown"}
	ocsfSuccess       = named{1, "Success"}
	ocsfFailure       = named{2, "Failure"}
)

func (f ocsf) event(b []byte, e sessions.Event) []byte {
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

func (f ocsf) head(b []byte, class ocsfClass, activity, severity, status named, at time.Time, session string) []byte {
	b = open(b, `{`)
	b = whole(b, `"class_uid":`, class.uid)
	b = text(b, `"class_name":`, class.name)
	b = whole(b, `"category_uid":`, class.category)
	b = text(b, `"category_name":`, class.categoryName)
	b = whole(b, `"activity_id":`, activity.id)
	b = text(b, `"activity_name":`, activity.name)
	b = whole(b, `"type_uid":`, class.uid*100+activity.id)
	b = text(b, `"type_name":`, class.name+": "+activity.name)
	b = whole(b, `"severity_id":`, severity.id)
	b = text(b, `"severity":`, severity.name)
	b = whole(b, `"status_id":`, status.id)
	b = text(b, `"status":`, status.name)
	b = whole(b, `"time":`, at.UnixMilli())
	b = append(b, `"metadata":{"version":"`+ocsfVersion+`","product":{"name":"mailtap","vendor_name":"mailtap",`...)
	b = text(b, `"version":`, f.version)
	b = append(end(b, '}'), ',')
	b = text(b, `"log_provider":`, f.sensor)
	b = text(b, `"correlation_uid":`, session)
	return append(end(b, '}'), ',')
}

// millis is how OCSF writes a time.
func millis(b []byte, key string, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	return whole(b, key, t.UnixMilli())
}

// ocsfEnds writes both ends of the connection.
func ocsfEnds(b []byte, c *sessions.Conn) []byte {
	b = ocsfEnd(b, `"src_endpoint":{`, c.Client, "")
	return ocsfEnd(b, `"dst_endpoint":{`, c.Server, c.ServerName)
}

func ocsfEnd(b []byte, key string, ap netip.AddrPort, name string) []byte {
	if !ap.IsValid() {
		return b
	}
	b = ap.Addr().WithZone("").AppendTo(append(open(b, key), `"ip":"`...))
	b = append(b, '"', ',')
	b = whole(b, `"port":`, int64(ap.Port()))
	b = text(b, `"name":`, name)
	return append(end(b, '}'), ',')
}

// ocsfConnection is the object connection_info, which calls what stays inside
// lateral.
func ocsfConnection(b []byte, c *sessions.Conn) []byte {
	d := ocsfDirection(c.Direction)
	if d.id == 3 {
		d.name = "Lateral"
	}
	b = open(b, `"connection_info":{`)
	b = whole(b, `"direction_id":`, d.id)
	b = text(b, `"direction":`, d.name)
	b = append(b, `"protocol_num":6,"protocol_name":"tcp",`...)
	if c.Client.IsValid() {
		version := int64(6)
		if c.Client.Addr().Unmap().Is4() {
			version = 4
		}
		b = whole(b, `"protocol_ver_id":`, version)
	}
	b = text(b, `"community_uid":`, c.CommunityID)
	return append(end(b, '}'), ',')
}

// ocsfOwn begins the object of what no class has.
func ocsfOwn(b []byte, c *sessions.Conn) []byte {
	b = open(b, `"unmapped":{`)
	b = text(b, `"session":`, c.ID)
	b = text(b, `"community_id":`, c.CommunityID)
	return text(b, `"role":`, c.Role)
}

// ocsfDirection is a direction of mail.
func ocsfDirection(direction string) named {
	switch direction {
	case "inbound":
		return named{1, "Inbound"}
	case "outbound":
		return named{2, "Outbound"}
	case "internal":
		return named{3, "Internal"}
	case "external":
		return named{99, "external"}
	}
	return ocsfUnknown
}

func ocsfStatus(result string) named {
	switch ecsOutcome(result) {
	case "success":
		return ocsfSuccess
	case "failure":
		return ocsfFailure
	}
	return ocsfUnknown
}

func (f ocsf) mail(b []byte, ev *sessions.MailDone) []byte {
	c, m := ev.Conn, ev.Mail
	activity := named{1, "Send"}
	if c.Direction == "inbound" {
		activity = named{2, "Receive"}
	}
	b = f.head(b, ocsfMail, activity, ocsfInformational, ocsfStatus(m.Result), m.Time, c.ID)
	b = ocsfCode(b, m.Code, m.Reply)
	b = number(b, `"duration":`, m.Duration.Milliseconds())
	d := ocsfDirection(c.Direction)
	b = whole(b, `"direction_id":`, d.id)
	b = text(b, `"direction":`, d.name)
	b = ocsfEnds(b, c)
	b = text(b, `"smtp_hello":`, ev.Helo.Name)
	b = text(b, `"protocol_name":`, strings.ToUpper(protocolOf(c.Role)))
	b = ocsfEmail(b, m)
	b = ocsfVerdicts(b, headerOf(m))
	b = ocsfOwn(b, c)
	b = text(b, `"result":`, m.Result)
	b = text(b, `"enhanced":`, m.Enhanced)
	b = appendRejected(b, m.Rejected)
	b = texts(b, `"unanswered":`, m.Unanswered)
	b = text(b, `"login":`, m.Login)
	b = text(b, `"tls_mode":`, ev.TLSMode)
	b = truth(b, `"encrypted":`, m.Encrypted)
	b = texts(b, `"malformed":`, m.Malformed)
	b = truth(b, `"smuggled":`, m.Smuggled)
	return end(append(end(b, '}'), ','), '}')
}

func ocsfCode(b []byte, code int, reply string) []byte {
	if code == 0 {
		return b
	}
	b = append(appendInt(append(b, `"status_code":"`...), int64(code)), '"', ',')
	return text(b, `"status_detail":`, reply)
}

// ocsfEmail writes from and to always, since the class asks for them: those of
// the header, where it has none those of the envelope, else empty.
func ocsfEmail(b []byte, m *sessions.Mail) []byte {
	h := headerOf(m)
	from, to := m.From, addresses(h.To)
	if len(h.FromAddresses) > 0 {
		from = h.FromAddresses[0]
	}
	if len(to) == 0 {
		to = recipients(m)
	}
	b = append(appendString(open(b, `"email":{"from":`), from), `,"to":[`...)
	for _, s := range bareAll(to) {
		b = append(appendString(b, s), ',')
	}
	b = append(end(b, ']'), ',')
	if m.FromKnown {
		b = append(appendString(append(b, `"smtp_from":`...), m.From), ',')
	}
	b = texts(b, `"smtp_to":`, m.To)
	b = list(b, `"cc":`, bareAll(addresses(h.Cc)))
	b = text(b, `"reply_to":`, bare(h.ReplyTo))
	b = text(b, `"subject":`, h.Subject)
	b = text(b, `"message_uid":`, strings.Trim(h.MessageID, "<>"))
	b = text(b, `"uid":`, m.QueueID)
	if m.Size >= 0 {
		b = whole(b, `"size":`, m.Size)
	}
	if a, err := netip.ParseAddr(h.OriginatingIP); err == nil {
		b = append(a.WithZone("").AppendTo(append(b, `"x_originating_ip":["`...)), `"],`...)
	}
	b = ocsfFiles(b, m.Attachments)
	return append(end(b, '}'), ',')
}

func ocsfFiles(b []byte, files []sessions.Attachment) []byte {
	n := len(b)
	b = open(b, `"files":[`)
	for i := range files {
		a := &files[i]
		b = append(appendString(open(b, `{"name":`), a.Filename), `,"type_id":1,`...) // a regular file
		b = text(b, `"mime_type":`, a.ContentType)
		b = whole(b, `"size":`, a.Size)
		b = ocsfHash(b, `"hashes":[`, a.SHA256)
		b = append(end(b, '}'), ',')
	}
	return seal(b, n, ']')
}

// ocsfHash is a list of one fingerprint; SHA-256 is number 3.
func ocsfHash(b []byte, key, hash string) []byte {
	if hash == "" {
		return b
	}
	b = text(append(open(b, key), `{"algorithm_id":3,"algorithm":"SHA-256",`...), `"value":`, hash)
	return append(end(b, '}'), ']', ',')
}

// ocsfVerdicts writes the first word of each method: that of the last server.
func ocsfVerdicts(b []byte, h *sessions.Header) []byte {
	n := len(b)
	b = open(b, `"email_auth":{`)
	for _, key := range [3]string{`"spf":`, `"dkim":`, `"dmarc":`} {
		for i := range h.Verdicts {
			if h.Verdicts[i].Method == key[1:len(key)-2] {
				b = text(b, key, h.Verdicts[i].Result)
				break
			}
		}
	}
	if len(h.DKIMDomains) > 0 {
		b = text(b, `"dkim_domain":`, h.DKIMDomains[0])
	}
	return seal(b, n, '}')
}

// ocsfProtocol numbers what OCSF knows of mechanisms.
func ocsfProtocol(mechanism string) int64 {
	switch mechanism {
	case "NTLM":
		return 1
	case "GSSAPI", "GSS-SPNEGO", "KERBEROS_V4", "KERBEROS_V5":
		return 2
	case "DIGEST-MD5":
		return 3
	case "XOAUTH2", "OAUTHBEARER":
		return 6
	}
	return 99
}

func (f ocsf) auth(b []byte, ev *sessions.Authenticated) []byte {
	c, a := ev.Conn, &ev.Auth
	b = f.head(b, ocsfAuth, named{1, "Logon"}, ocsfInformational, ocsfStatus(a.Result), a.Time, c.ID)
	b = ocsfCode(b, a.Code, "")
	b = append(appendString(open(b, `"user":{"name":`), a.Username), ',')
	b = text(b, `"domain":`, a.Domain)
	b = append(end(b, '}'), ',')
	b = whole(b, `"auth_protocol_id":`, ocsfProtocol(a.Mechanism))
	b = text(b, `"auth_protocol":`, a.Mechanism)
	b = append(b, `"logon_type_id":3,"logon_type":"Network","is_remote":true,`...)
	b = truth(b, `"is_cleartext":`, a.SecretExposed)
	b = ocsfEnds(b, c)
	b = append(end(text(open(b, `"service":{`), `"name":`, protocolOf(c.Role)), '}'), ',')
	b = ocsfOwn(b, c)
	b = text(b, `"result":`, a.Result)
	b = text(b, `"enhanced":`, a.Enhanced)
	b = text(b, `"authzid":`, a.Authzid)
	b = text(b, `"tls_mode":`, ev.TLSMode)
	b = truth(b, `"encrypted":`, a.Encrypted)
	return end(append(end(b, '}'), ','), '}')
}

// ocsfEnded is the activity that an end of a session is.
func ocsfEnded(how string) named {
	switch how {
	case sessions.EndQuit, sessions.EndClosed:
		return named{2, "Close"}
	case sessions.EndReset:
		return named{3, "Reset"}
	case sessions.EndUnanswered:
		return named{4, "Fail"}
	case sessions.EndRefused:
		return named{5, "Refuse"}
	}
	return named{6, "Traffic"}
}

func (f ocsf) session(b []byte, ev *sessions.Closed) []byte {
	c, s := ev.Conn, ev.Session
	activity, status := ocsfEnded(s.End), ocsfUnknown
	switch activity.id {
	case 2:
		status = ocsfSuccess
	case 4, 5:
		status = ocsfFailure
	}
	b = f.head(b, ocsfNetwork, activity, ocsfInformational, status, c.Start, c.ID)
	b = whole(b, `"start_time":`, c.Start.UnixMilli())
	b = whole(b, `"end_time":`, c.Start.Add(s.Duration).UnixMilli())
	b = whole(b, `"duration":`, s.Duration.Milliseconds())
	b = ocsfEnds(b, c)
	b = ocsfConnection(b, c)
	b = text(b, `"app_name":`, protocolOf(c.Role))
	b = ocsfTraffic(b, s)
	b = ocsfTLS(b, &s.TLS)
	b = ocsfOwn(b, c)
	b = text(b, `"end":`, s.End)
	b = appendHelo(b, s.Helo)
	b = appendBanner(b, s.Banner)
	b = number(b, `"mails":`, int64(len(s.Mails)))
	b = text(b, `"tls_outcome":`, s.TLS.Outcome)
	b = texts(b, `"anomalies":`, s.Anomalies)
	b = truth(b, `"partial":`, s.Partial)
	return end(append(end(b, '}'), ','), '}')
}

// ocsfTraffic counts in from the source's side: out is what the client sent.
func ocsfTraffic(b []byte, s *sessions.Session) []byte {
	b = open(b, `"traffic":{`)
	b = whole(b, `"bytes":`, int64(s.Bytes.Client+s.Bytes.Server))
	b = whole(b, `"bytes_out":`, int64(s.Bytes.Client))
	b = whole(b, `"bytes_in":`, int64(s.Bytes.Server))
	b = whole(b, `"packets":`, int64(s.Packets.Client+s.Packets.Server))
	b = whole(b, `"packets_out":`, int64(s.Packets.Client))
	b = whole(b, `"packets_in":`, int64(s.Packets.Server))
	return append(end(b, '}'), ',')
}

// ocsfTLS is left out where the version, which the object asks for, is unknown.
func ocsfTLS(b []byte, t *sessions.TLS) []byte {
	if t.Version == "" {
		return b
	}
	b = open(b, `"tls":{`)
	b = text(b, `"version":`, t.Version)
	b = text(b, `"cipher":`, t.Cipher)
	b = text(b, `"sni":`, t.SNI)
	if t.JA3 != "" { // MD5 is number 1
		b = append(end(text(append(open(b, `"ja3_hash":{`), `"algorithm_id":1,"algorithm":"MD5",`...), `"value":`, t.JA3), '}'), ',')
	}
	if t.JA3S != "" {
		b = append(end(text(append(open(b, `"ja3s_hash":{`), `"algorithm_id":1,"algorithm":"MD5",`...), `"value":`, t.JA3S), '}'), ',')
	}
	if c := t.Certificate; c != nil {
		b = open(b, `"certificate":{`)
		b = text(b, `"subject":`, c.Subject)
		b = append(appendString(append(b, `"issuer":`...), c.Issuer), ',')
		b = append(appendString(append(b, `"serial_number":`...), c.Serial), ',')
		b = millis(b, `"created_time":`, c.NotBefore)
		b = millis(b, `"expiration_time":`, c.NotAfter)
		b = ocsfHash(b, `"fingerprints":[`, c.SHA256)
		b = append(end(b, '}'), ',')
	}
	return append(end(b, '}'), ',')
}

func ocsfSeverity(severity string) named {
	switch severity {
	case "critical":
		return named{5, "Critical"}
	case "warning":
		return named{3, "Medium"}
	}
	return ocsfInformational
}

func (f ocsf) alert(b []byte, a *AlertRecord) []byte {
	activity, status := named{1, "Create"}, named{1, "New"}
	if a.Status == "resolved" {
		activity, status = named{3, "Close"}, named{4, "Resolved"}
	}
	b = f.head(b, ocsfFinding, activity, ocsfSeverity(a.Severity), status, a.Time, "")
	b = text(b, `"message":`, a.Summary)
	b = open(b, `"finding_info":{"uid":`)
	b = append(appendString(b, a.Rule+"|"+a.Key+"|"+a.Started.UTC().Format(time.RFC3339Nano)), ',')
	b = text(b, `"title":`, a.Rule)
	b = text(b, `"desc":`, a.Summary)
	b = text(b, `"src_url":`, a.Runbook)
	b = millis(b, `"first_seen_time":`, a.Started)
	b = millis(b, `"last_seen_time":`, a.Ended)
	b = ocsfAttacks(b, a.Techniques)
	b = append(end(b, '}'), ',')
	b = open(b, `"unmapped":{`)
	b = text(b, `"key":`, a.Key)
	b = float(b, `"value":`, a.Value)
	b = float(b, `"threshold":`, a.Threshold)
	b = appendLabels(b, a.Labels)
	b = texts(b, `"sessions":`, a.Sessions[:min(len(a.Sessions), maxAlertSessions)])
	b = text(b, `"learned":`, a.Learned)
	b = text(b, `"evidence":`, a.Evidence)
	return end(append(end(b, '}'), ','), '}')
}

func ocsfAttacks(b []byte, techniques []string) []byte {
	n := len(b)
	b = open(b, `"attacks":[`)
	for _, id := range techniques {
		technique, _, sub := strings.Cut(id, ".")
		b = append(end(text(open(b, `{"technique":{`), `"uid":`, technique), '}'), ',')
		if sub {
			b = append(end(text(open(b, `"sub_technique":{`), `"uid":`, id), '}'), ',')
		}
		b = append(end(b, '}'), ',')
	}
	return seal(b, n, ']')
}
