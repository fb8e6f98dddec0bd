package log

import (
	"hash/fnv"
	"net/netip"
	"strings"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// eve writes Suricata's EVE: an smtp event for each mail, for each login and
// for a session that said hello and no more, and a tls event for each session
// whose hellos were seen. What Suricata has no field for stands under mailtap.
type eve struct{ sensor string }

func (eve) alert(b []byte, _ *AlertRecord) []byte { return b }

func (f eve) event(b []byte, e sessions.Event) []byte {
	switch ev := e.(type) {
	case *sessions.MailDone:
		return f.mail(b, ev)
	case *sessions.Authenticated:
		return f.auth(b, ev)
	case *sessions.Closed:
		s := ev.Session
		switch {
		case s.TLS.Mode != sessions.TLSNone && (s.TLS.Version != "" || s.TLS.JA3 != ""):
			return f.tls(b, ev)
		case len(s.Mails) == 0 && len(s.Auth) == 0 && s.Helo != (sessions.Helo{}):
			b = f.head(b, ev.Conn, ev.Conn.Start, "smtp")
			b = eveHelo(b, s.Helo)
			b = eveOwn(b, ev.Conn)
			b = text(b, `"end":`, s.End)
			b = texts(b, `"anomalies":`, s.Anomalies)
			return end(append(end(b, '}'), ','), '}')
		}
	}
	return b
}

// head writes what is common to all events.
func (f eve) head(b []byte, c *sessions.Conn, at time.Time, kind string) []byte {
	b = open(b, `{"timestamp":"`)
	b = at.UTC().AppendFormat(b, "2006-01-02T15:04:05.000000-0700")
	b = append(b, `","flow_id":`...)
	b = append(appendUint(b, flowID(c.ID)), ',')
	b = text(b, `"event_type":`, kind)
	if len(c.VLANs) > 0 {
		b = open(b, `"vlan":[`)
		for _, id := range c.VLANs {
			b = append(appendUint(b, uint64(id)), ',')
		}
		b = append(end(b, ']'), ',')
	}
	b = eveEnd(b, `"src_ip":"`, `"src_port":`, c.Client)
	b = eveEnd(b, `"dest_ip":"`, `"dest_port":`, c.Server)
	b = append(b, `"proto":"TCP",`...)
	if c.Client.IsValid() {
		version := int64(6)
		if c.Client.Addr().Unmap().Is4() {
			version = 4
		}
		b = whole(b, `"ip_v":`, version)
	}
	b = text(b, `"community_id":`, c.CommunityID)
	return text(b, `"host":`, f.sensor)
}

// flowID gives 51 bits, as Suricata does: a number that JavaScript holds.
func flowID(id string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(id))
	return h.Sum64() & (1<<51 - 1)
}

func eveEnd(b []byte, ip, port string, ap netip.AddrPort) []byte {
	if !ap.IsValid() {
		return b
	}
	b = ap.Addr().WithZone("").AppendTo(open(b, ip))
	b = append(b, '"', ',')
	return whole(b, port, int64(ap.Port()))
}

func (f eve) mail(b []byte, ev *sessions.MailDone) []byte {
	m := ev.Mail
	b = f.head(b, ev.Conn, m.Time, "smtp")
	b = whole(b, `"tx_id":`, int64(ev.Number-1))
	n := len(b)
	b = open(b, `"smtp":{`)
	b = text(b, `"helo":`, ev.Helo.Name)
	if m.FromKnown {
		b = append(appendString(append(b, `"mail_from":`...), "<"+m.From+">"), ',')
	}
	to := recipients(m)
	for i := range to {
		to[i] = "<" + to[i] + ">"
	}
	b = list(b, `"rcpt_to":`, to)
	b = seal(b, n, '}')
	if m.Header != nil {
		b = eveEmail(b, m)
	}
	b = eveOwn(b, ev.Conn)
	b = text(b, `"result":`, m.Result)
	b = number(b, `"code":`, int64(m.Code))
	b = text(b, `"enhanced":`, m.Enhanced)
	b = text(b, `"reply":`, m.Reply)
	b = text(b, `"queue_id":`, m.QueueID)
	if m.Size >= 0 {
		b = whole(b, `"size":`, m.Size)
	}
	b = appendRejected(b, m.Rejected)
	b = text(b, `"login":`, m.Login)
	b = truth(b, `"encrypted":`, m.Encrypted)
	return end(append(end(b, '}'), ','), '}')
}

func eveEmail(b []byte, m *sessions.Mail) []byte {
	h := m.Header
	b = open(b, `"email":{`)
	if !m.Truncated {
		b = append(b, `"status":"PARSE_DONE",`...)
	}
	b = text(b, `"from":`, h.From)
	b = list(b, `"to":`, addresses(h.To))
	b = list(b, `"cc":`, addresses(h.Cc))
	b = text(b, `"subject":`, h.Subject)
	b = text(b, `"message_id":`, h.MessageID)
	b = text(b, `"date":`, h.Date)
	b = text(b, `"reply_to":`, h.ReplyTo)
	b = text(b, `"in_reply_to":`, h.InReplyTo)
	b = text(b, `"user_agent":`, h.UserAgent)
	b = text(b, `"x_originating_ip":`, h.OriginatingIP)
	n := len(b)
	b = open(b, `"received":[`)
	for i := range h.Hops {
		b = append(appendString(b, received(&h.Hops[i])), ',')
	}
	b = seal(b, n, ']')
	n = len(b)
	b = open(b, `"attachment":[`)
	for i := range m.Attachments {
		if name := m.Attachments[i].Filename; name != "" {
			b = append(appendString(b, name), ',')
		}
	}
	b = seal(b, n, ']')
	return append(end(b, '}'), ',')
}

func (f eve) auth(b []byte, ev *sessions.Authenticated) []byte {
	b = f.head(b, ev.Conn, ev.Auth.Time, "smtp")
	b = eveHelo(b, ev.Helo)
	b = eveOwn(b, ev.Conn)
	b = open(b, `"auth":{`)
	b = appendAuth(b, &ev.Auth)
	b = append(end(b, '}'), ',')
	return end(append(end(b, '}'), ','), '}')
}

func eveHelo(b []byte, h sessions.Helo) []byte {
	n := len(b)
	b = open(b, `"smtp":{`)
	b = text(b, `"helo":`, h.Name)
	return seal(b, n, '}')
}

// eveOwn begins the object of what only mailtap tells.
func eveOwn(b []byte, c *sessions.Conn) []byte {
	b = open(b, `"mailtap":{`)
	b = text(b, `"session":`, c.ID)
	b = text(b, `"server":`, c.ServerName)
	b = text(b, `"role":`, c.Role)
	return text(b, `"direction":`, c.Direction)
}

func (f eve) tls(b []byte, ev *sessions.Closed) []byte {
	t := &ev.Session.TLS
	b = f.head(b, ev.Conn, ev.Conn.Start, "tls")
	b = open(b, `"tls":{`)
	if c := t.Certificate; c != nil {
		b = text(b, `"subject":`, eveName(c.Subject))
		b = text(b, `"issuerdn":`, eveName(c.Issuer))
		b = text(b, `"serial":`, colons(c.Serial))
		b = eveDay(b, `"notbefore":"`, c.NotBefore)
		b = eveDay(b, `"notafter":"`, c.NotAfter)
		b = texts(b, `"subjectaltname":`, c.Names)
	}
	b = text(b, `"sni":`, t.SNI)
	b = text(b, `"version":`, strings.Replace(t.Version, "TLSv", "TLS ", 1))
	b = truth(b, `"session_resumed":`, t.Resumed)
	if t.Mode == sessions.TLSStartTLS {
		b = append(b, `"from_proto":"smtp",`...)
	}
	if t.JA3 != "" {
		b = append(end(text(open(b, `"ja3":{`), `"hash":`, t.JA3), '}'), ',')
	}
	if t.JA3S != "" {
		b = append(end(text(open(b, `"ja3s":{`), `"hash":`, t.JA3S), '}'), ',')
	}
	b = text(b, `"ja4":`, t.JA4)
	b = append(end(b, '}'), ',')
	b = eveOwn(b, ev.Conn)
	b = text(b, `"outcome":`, t.Outcome)
	b = text(b, `"cipher":`, t.Cipher)
	b = text(b, `"end":`, ev.Session.End)
	b = texts(b, `"anomalies":`, ev.Session.Anomalies)
	return end(append(end(b, '}'), ','), '}')
}

// eveName has a blank behind the commas of a name.
func eveName(s string) string { return strings.ReplaceAll(s, ",", ", ") }

func eveDay(b []byte, key string, t time.Time) []byte {
	if t.IsZero() || t.Unix() < firstSecond || t.Unix() > lastSecond {
		return b
	}
	b = t.UTC().AppendFormat(open(b, key), "2006-01-02T15:04:05")
	return append(b, '"', ',')
}

// colons writes a hexadecimal number as octets in capitals.
func colons(hex string) string {
	if len(hex)%2 == 1 {
		hex = "0" + hex
	}
	var b strings.Builder
	for i := 0; i+1 < len(hex); i += 2 {
		if i > 0 {
			b.WriteByte(':')
		}
		b.WriteString(strings.ToUpper(hex[i : i+2]))
	}
	return b.String()
}
