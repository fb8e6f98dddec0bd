package log

import (
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

var start = time.Date(2026, 3, 9, 8, 7, 6, 5_000, time.UTC)

func after(d time.Duration) time.Time { return start.Add(d) }

func richConn() *sessions.Conn {
	return &sessions.Conn{
		ID: "S1", CommunityID: "1:abc=", ServerName: "mx1", Role: "relay", Direction: "inbound", Start: start,
		Client: netip.MustParseAddrPort("192.0.2.7:34844"), Server: netip.MustParseAddrPort("[2001:db8::25]:25"),
		VLANs: []uint16{100, 7}, Tunnels: []string{"vxlan:42"},
	}
}

func richMail() *sessions.Mail {
	return &sessions.Mail{
		Time: after(2 * time.Second), Duration: 1500 * time.Millisecond, From: "", FromKnown: true,
		To: []string{"alice@corp.test", "bob@corp.test"}, Rejected: []sessions.Rejection{{To: "ghost@corp.test", Code: 550, Enhanced: "5.1.1"}},
		Result: sessions.MailAccepted, Code: 250, Enhanced: "2.0.0", Reply: "Ok: queued as 4F1", QueueID: "4F1", Size: 252, DeclaredSize: 0,
		Body: "8BITMIME", SMTPUTF8: true, Chunking: true, RecipientCodes: []int{250, 452},
		Header: &sessions.Header{
			Subject: "Grüße \"quoted\"\u2028", From: "Alice <alice@corp.test>", To: "bob@corp.test", MessageID: "<1@corp.test>",
			Date: "Mon, 9 Mar 2026 08:07:06 +0000", Sent: start.Truncate(time.Second), UserAgent: "swaks", Received: 2, HopDelay: -250 * time.Millisecond,
			AuthResults: []string{"mx1; spf=pass"}, DKIMDomains: []string{"corp.test"},
			Cc: "carol@corp.test", Sender: "desk@corp.test", ReplyTo: "reply@corp.test", ReturnPath: "bounce@corp.test", InReplyTo: "<0@corp.test>",
			OriginatingIP: "192.0.2.9", AutoSubmitted: "auto-replied", ListID: "all.corp.test", Precedence: "bulk",
			Hops:     []sessions.Hop{{From: "client.test", IP: "192.0.2.7", By: "mx1", With: "ESMTP", Time: start}},
			Verdicts: []sessions.Verdict{{Server: "mx1", Method: "spf", Result: "pass"}}, ARC: sessions.ARC{Instances: 1, Result: "pass"},
		},
		Truncated: true, Smuggled: true, Encrypted: true, Unanswered: []string{"late@corp.test"}, RequireTLS: true, Parameters: []string{"RET=HDRS"},
		Options: []sessions.RecipientOptions{{To: "bob@corp.test", Notify: "NEVER", Original: "rfc822;bob@corp.test"}},
		Attachments: []sessions.Attachment{{
			Filename: "a.zip", ContentType: "application/zip", Sniffed: "application/zip", Disposition: "attachment", Charset: "utf-8", Size: 1,
			SHA256: strings.Repeat("0a", 32), Truncated: true, Forwarded: 1, Names: []string{"a.txt", "b.exe"}, Encrypted: true,
			Danger: []sessions.Danger{{Kind: "executable", By: "name", File: "b.exe"}},
		}},
		Report: &sessions.Report{
			Kind: "delivery-status", ReportingMTA: "mx1", OriginalMessageID: "<0@corp.test>", Disposition: "displayed", FeedbackType: "abuse", SourceIP: "192.0.2.8",
			Recipients: []sessions.Recipient{{Final: "ghost@corp.test", Original: "g@corp.test", Action: "failed", Status: "5.1.1", RemoteMTA: "mx2", DiagnosticCode: "550 no"}},
		},
		Protection: "smime-signed", Malformed: []string{"duplicate_header"},
	}
}

func richAuth() sessions.Auth {
	return sessions.Auth{
		Time: after(time.Second), Mechanism: "PLAIN", Username: "alice", Authzid: "root", Result: sessions.AuthFailure,
		Code: 535, Enhanced: "5.7.8", SecretExposed: true, Denied: true, Domain: "CORP", Target: "MAIL", Workstation: "PC",
	}
}

func richSession() *sessions.Session {
	return &sessions.Session{
		Duration: 3*time.Second + 7, End: sessions.EndQuit,
		Origin: &sessions.Origin{Client: netip.MustParseAddrPort("192.0.2.99:4000"), Via: sessions.ViaProxy2}, Outer: "socks5",
		Banner: sessions.Banner{Code: 220, Text: "mx1 ESMTP", Delay: 12 * time.Millisecond},
		Helo:   sessions.Helo{Verb: "EHLO", Name: "client.test"}, Extensions: []string{"PIPELINING", "SIZE 10240000", "STARTTLS"},
		TLS: sessions.TLS{
			Mode: sessions.TLSStartTLS, Outcome: sessions.TLSEstablished, Offered: true, Requested: true, Accepted: true, Established: true,
			Version: "TLSv1.2", Cipher: "ECDHE-RSA-AES256-GCM-SHA384", SNI: "mx1.corp.test", ALPN: "smtp", Resumed: true,
			Decrypted: true, AlertFrom: "client", AlertName: "close_notify", Handshake: time.Millisecond,
			Certificate: &sessions.Certificate{
				Subject: "CN=mx1.corp.test,O=Corp", Issuer: "CN=CA", Serial: "0a", NotBefore: start.AddDate(-1, 0, 0), NotAfter: start.AddDate(1, 0, 0),
				Names: []string{"mx1.corp.test"}, SHA256: "ab", SelfSigned: true, Key: "RSA-1024", SignatureAlgorithm: "SHA1-RSA",
				Problems: []string{"self_signed", "weak_key"}, Chain: []sessions.Intermediate{{Subject: "CN=CA", Issuer: "CN=Root", NotAfter: start, SHA256: "cd"}},
			},
			OfferedVersion: "TLSv1.3", JA3: "e1", JA3S: "e2", JA4: "t13d", Retried: true, ClientCertificateRequested: true,
			ClientCertificate: &sessions.Certificate{
				Subject: "CN=client", Issuer: "CN=CA", Serial: "0b", NotBefore: start, NotAfter: start, Names: []string{"client.test"}, SHA256: "ef", SelfSigned: true,
				Key: "Ed25519", SignatureAlgorithm: "Ed25519", Problems: []string{"expired"}, Chain: []sessions.Intermediate{{Subject: "CN=CA", Issuer: "CN=Root", NotAfter: start, SHA256: "cd"}},
			},
		},
		Auth: []sessions.Auth{richAuth()}, Mails: []*sessions.Mail{richMail()},
		Commands: []sessions.Count{{Name: "EHLO", N: 1}, {Name: "MAIL", N: 1}}, Replies: []sessions.Count{{Name: "220", N: 1}, {Name: "250", N: 5}},
		Anomalies: []string{sessions.ClientGap, sessions.UnknownVerb},
		Bytes:     sessions.Sides{Client: 900, Server: 400}, Packets: sessions.Sides{Client: 12, Server: 11},
		Lost: sessions.Sides{Client: 10}, Retransmitted: sessions.Sides{Server: 5}, Partial: true,
	}
}

func closed(c *sessions.Conn, s *sessions.Session) *sessions.Closed {
	return &sessions.Closed{In: sessions.In{Conn: c, Time: after(s.Duration)}, Session: s}
}

func mailDone(c *sessions.Conn, m *sessions.Mail, mode string) *sessions.MailDone {
	return &sessions.MailDone{In: sessions.In{Conn: c, Time: after(time.Minute)}, Mail: m, TLSMode: mode}
}

func authenticated(c *sessions.Conn, a sessions.Auth, mode string) *sessions.Authenticated {
	return &sessions.Authenticated{In: sessions.In{Conn: c, Time: after(time.Minute)}, Auth: a, TLSMode: mode}
}

func richAlert() *AlertRecord {
	return &AlertRecord{
		Time: after(time.Hour), Conn: richConn(), Rule: "AuthBruteForce", Severity: "warning", Status: "resolved", Started: start, Ended: after(2 * time.Hour),
		Key: "192.0.2.7", Value: 12.5, Threshold: 1e-9, Summary: "12 failed logins from 192.0.2.7 in 5 minutes",
		Labels: map[string]string{"server": "mx1", "role": "relay"}, Techniques: []string{"T1110.001"}, Sessions: make20(), Runbook: "https://example.test/r",
		Learned: "its own rate, 2.0 ± 0.5 in 1m, learned over 60 windows", Groups: 3, InhibitedBy: "PasswordSpray", Evidence: "evidence/20261123T120000Z-AuthBruteForce.pcapng",
	}
}

func make20() []string {
	ids := make([]string, 25)
	for i := range ids {
		ids[i] = "S" + string(rune('a'+i))
	}
	return ids
}

// bareConn is the least that a connection can be known by.
func bareConn() *sessions.Conn { return &sessions.Conn{Start: start} }

// examples are a rich and an empty record of each kind, by name.
func examples() map[string][]byte {
	e, none := Encoder{Sensor: "tap1"}, Encoder{}
	clear := richAuth()
	inTLS := sessions.Auth{Time: start, Mechanism: "SCRAM-SHA-256", Result: sessions.AuthSuccess, Code: 235, Encrypted: true}
	emptyMail := &sessions.Mail{Time: start, Size: -1, DeclaredSize: -1}
	refused := &sessions.Session{End: sessions.EndRefused, Packets: sessions.Sides{Client: 1, Server: 1}}
	return map[string][]byte{
		"session rich":    e.Append(nil, closed(richConn(), richSession())),
		"session empty":   none.Append(nil, closed(bareConn(), &sessions.Session{})),
		"session refused": e.Append(nil, closed(richConn(), refused)),
		"session mails":   e.Append(nil, closed(richConn(), &sessions.Session{Mails: []*sessions.Mail{emptyMail, richMail()}, Auth: []sessions.Auth{{}}})),
		"mail rich":       e.Append(nil, mailDone(richConn(), richMail(), sessions.TLSNone)),
		"mail empty":      none.Append(nil, mailDone(bareConn(), emptyMail, "")),
		"auth rich":       e.Append(nil, authenticated(richConn(), clear, sessions.TLSNone)),
		"auth in TLS":     e.Append(nil, authenticated(richConn(), inTLS, sessions.TLSImplicit)),
		"auth empty":      none.Append(nil, authenticated(bareConn(), sessions.Auth{Time: start}, "")),
		"alert rich":      e.AppendAlert(nil, richAlert()),
		"alert empty":     none.AppendAlert(nil, &AlertRecord{Time: start, Rule: "NotSMTP", Value: math.NaN(), Threshold: math.Inf(1)}),
	}
}
