package alerts

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/sessions"
)

// names and severities are the contract of the built-in rules.
var contract = map[string]string{
	"PlaintextCredentials": "warning,critical", "AuthBruteForce": "warning,critical", "PasswordSpray": "warning,critical",
	"DistributedBruteForce": "warning,critical", "AuthSuccessAfterFailures": "critical", "ConnectionRateSpike": "warning",
	"MessageRateSpike": "warning", "ConnectionScan": "warning", "RecipientHarvesting": "warning",
	"StartTLSStripped": "critical", "StartTLSRefused": "warning", "StartTLSInjection": "critical",
	"OpenRelay": "critical", "MailLoop": "warning", "SMTPSmuggling": "warning,critical", "NotSMTP": "info",
	"SpoofedSender": "warning", "CertificateInvalid": "warning",
	"TLSHandshakeFailure": "warning", "WeakTLS": "warning", "UnencryptedSubmission": "warning", "RogueSender": "warning",
	"BlocklistRejection": "warning", "ServiceUnavailable": "critical", "DeliveryDeferred": "warning",
	"CaptureLoss":         "warning",
	"DangerousAttachment": "warning", "MalformedMessage": "info",
}

// fires is how each rule of the contract fires by default, and how often it is
// told again.
var fires = map[string]string{
	"PlaintextCredentials":     "auth: each; 1h",
	"AuthBruteForce":           "auth: 5 in 5m; 4h",
	"PasswordSpray":            "auth: 5 different in 10m; 4h",
	"DistributedBruteForce":    "auth: 5 different in 10m; 4h",
	"AuthSuccessAfterFailures": "auth: after 5 in 10m; auth: after 5 in 10m; 4h",
	"ConnectionRateSpike":      "attempt: adaptive, floor 60 in 1m; 4h",
	"MessageRateSpike":         "mail: adaptive, floor 30 in 1m; mail: adaptive, floor 30 in 1m; mail: adaptive, floor 30 in 1m; 4h",
	"ConnectionScan":           "attempt: 10 different in 1m; 4h",
	"RecipientHarvesting":      "command: 10 in 5m; 4h",
	"StartTLSStripped":         "anomaly: each; tls: each; session: unlike 3 others in 24h; 1h",
	"StartTLSRefused":          "session: each; 1h",
	"StartTLSInjection":        "anomaly: each; 1h",
	"TLSHandshakeFailure":      "tls: 5 in 5m; 4h",
	"WeakTLS":                  "tls: each; 24h",
	"CertificateInvalid":       "tls: each; 24h",
	"UnencryptedSubmission":    "mail: each; 1h",
	"OpenRelay":                "mail: each; 1h",
	"RogueSender":              "attempt: each; 1h",
	"BlocklistRejection":       "command: each; session: each; 1h",
	"MailLoop":                 "mail: each; mail: 5 in 10m; 1h",
	"SMTPSmuggling":            "anomaly: each; mail: each; 1h",
	"SpoofedSender":            "mail: each; 1h",
	"NotSMTP":                  "anomaly: each; 1h",
	"DangerousAttachment":      "mail: each; 1h",
	"MalformedMessage":         "mail: 10 in 10m; 4h",
	"ServiceUnavailable":       "session: 10 in 5m; command: 10 in 5m; 4h",
	"DeliveryDeferred":         "mail: adaptive, floor 30 in 10m; mail: lasting longer than 4h; 4h",
	"CaptureLoss":              "capture: each; capture: each; 1h",
}

// untaught are the rules of the contract that have no technique.
var untaught = []string{"MailLoop", "CertificateInvalid", "CaptureLoss", "TLSHandshakeFailure", "UnencryptedSubmission", "BlocklistRejection", "ServiceUnavailable", "DeliveryDeferred"}

func TestBuiltinContract(t *testing.T) {
	technique := regexp.MustCompile(`^T\d{4}(\.\d{3})?$`)
	rules := Builtin().Rules
	if len(rules) != len(contract) {
		t.Errorf("%d rules, the contract has %d", len(rules), len(contract))
	}
	for _, r := range rules {
		if want := contract[r.Name]; strings.Join(r.Severities(), ",") != want {
			t.Errorf("%s: severities %v, want %s", r.Name, r.Severities(), want)
		}
		if got := r.Fires() + "; " + short(r.Repeat()); got != fires[r.Name] {
			t.Errorf("%s: fires %q, want %q", r.Name, got, fires[r.Name])
		}
		if r.Runbook != "https://github.com/mailtap/mailtap/blob/main/docs/runbooks/"+strings.ToLower(r.Name)+".md" {
			t.Errorf("%s: runbook %q", r.Name, r.Runbook)
		}
		if (len(r.Techniques) == 0) != slices.Contains(untaught, r.Name) {
			t.Errorf("%s: techniques %v", r.Name, r.Techniques)
		}
		for _, x := range r.Techniques {
			if !technique.MatchString(x) {
				t.Errorf("%s: technique %q", r.Name, x)
			}
		}
	}
}

// TestBuiltinIsChecked compiles the built-in rules as those of a site are:
// Builtin takes them as they are.
func TestBuiltinIsChecked(t *testing.T) {
	if _, err := LoadRules(strings.NewReader(BuiltinYAML()), "builtin.yaml"); err != nil {
		t.Error(err)
	}
}

type events = []sessions.Event

func repeat(n int, f func(i int) sessions.Event) (out events) {
	for i := range n {
		out = append(out, f(i))
	}
	return out
}

// certified is a handshake whose certificate lasts so many days more.
func certified(c *sessions.Conn, role string, days int, problems ...string) sessions.Event {
	c.Role = role
	return &sessions.Secured{In: sessions.In{Conn: c, Time: at(0)}, TLS: sessions.TLS{
		Mode: sessions.TLSStartTLS, Outcome: sessions.TLSEstablished, Offered: true, Requested: true, Accepted: true, Established: true,
		Certificate: &sessions.Certificate{SHA256: "ab", Subject: "CN=mail", NotAfter: at(0).AddDate(0, 0, days), Problems: problems},
	}}
}

// TestBuiltinRules plays events that must raise exactly the named rules.
func TestBuiltinRules(t *testing.T) {
	a := func() *sessions.Conn { return conn("10.20.0.10", "10.20.0.25:25") }
	one := a()
	out := conn("10.20.0.25", "192.0.2.1:25")
	submit := func() *sessions.Conn {
		c := conn("192.0.2.1", "10.20.0.25:587")
		c.Role = "submission"
		return c
	}
	modern := sessions.TLS{Outcome: sessions.TLSEstablished, Established: true, Version: "TLSv1.2", Cipher: "ECDHE-RSA-AES128-GCM-SHA256"}
	deferred := func(i int) sessions.Mail {
		return sessions.Mail{From: fmt.Sprint("a", i, "@x", i, ".test"), Result: sessions.MailAborted, Rejected: []sessions.Rejection{{To: "bob@corp.test", Code: 451}}}
	}
	policy := sessions.Mail{From: "a@x.test", Result: sessions.MailAborted, Rejected: []sessions.Rejection{{To: "bob@y.test", Code: 450, Enhanced: "4.7.1"}}}
	foreign := sessions.Mail{From: "x@evil.test", To: []string{"y@other.test"}}
	tls := func(t sessions.TLS) sessions.Session {
		t.Mode = "none"
		return sessions.Session{Helo: sessions.Helo{Verb: "EHLO", Name: "c"}, Extensions: []string{"SIZE"}, TLS: t}
	}
	dangerous := sessions.Attachment{Filename: "a.pdf.exe", Danger: []sessions.Danger{{Kind: "executable", By: "name"}, {Kind: "disguised", By: "name"}}}
	malformed := sessions.Mail{Malformed: []string{"mime_conflicting_boundary"}}
	offer, none := tls(sessions.TLS{Offered: true}), tls(sessions.TLS{})
	lost := none
	lost.Partial = true
	offers := func(port int, x sessions.Session) events {
		return repeat(3, func(i int) sessions.Event {
			return closed(conn(fmt.Sprint("192.0.2.", i+1), fmt.Sprint("10.20.0.25:", port)), float64(i), x)
		})
	}
	refused := tls(sessions.TLS{Offered: true, Requested: true})
	refusedGone := refused
	refused.Mails = []*sessions.Mail{{}}
	cases := []struct {
		name   string
		events events
		want   string
	}{
		{"secret in clear", events{exposed(a(), 0, "alice", "success")}, "PlaintextCredentials"},
		{"secret in TLS", events{accepted(a(), 0, "alice")}, ""},
		{"five wrong passwords", repeat(5, func(i int) sessions.Event { return denied(a(), float64(60*i), "bob") }), "AuthBruteForce"},
		{"four wrong passwords", repeat(4, func(i int) sessions.Event { return denied(a(), float64(i), "bob") }), ""},
		{"five wrong passwords slowly", repeat(5, func(i int) sessions.Event { return denied(a(), float64(76*i), "bob") }), ""},
		{"typos of five users", repeat(12, func(i int) sessions.Event {
			if i%2 == 0 {
				return denied(a(), float64(i), fmt.Sprint("u", i/2))
			}
			return accepted(a(), float64(i), fmt.Sprint("u", i/2))
		}), ""},
		{"own login does not hide another's failures", repeat(12, func(i int) sessions.Event {
			if i%2 == 0 {
				return denied(a(), float64(i), "victim")
			}
			return accepted(a(), float64(i), "mine")
		}), "AuthBruteForce AuthSuccessAfterFailures"},
		{"spray slowly", repeat(5, func(i int) sessions.Event { return denied(a(), float64(130*i), fmt.Sprint("u", i)) }), "PasswordSpray"},
		{"spray of four", repeat(4, func(i int) sessions.Event { return denied(a(), float64(i), fmt.Sprint("u", i)) }), ""},
		{"five addresses, one user", repeat(5, func(i int) sessions.Event {
			return denied(conn(fmt.Sprint("192.0.2.", i+1), "10.20.0.25:587"), float64(i), "bob")
		}), "DistributedBruteForce"},
		{"success after failures", append(repeat(5, func(i int) sessions.Event { return denied(one, float64(120*i), "bob") }),
			accepted(one, 500, "bob")), "AuthSuccessAfterFailures"},
		{"success after failures from everywhere", append(repeat(5, func(i int) sessions.Event {
			return denied(conn(fmt.Sprint("192.0.2.", i%3+1), "10.20.0.25:587"), float64(i), "bob")
		}), accepted(one, 500, "bob")), "AuthSuccessAfterFailures"},
		{"refused by ten ports", repeat(10, func(i int) sessions.Event {
			return attempt(conn("10.20.0.10", fmt.Sprint("10.20.0.25:", 25+i)), float64(i), "refused")
		}), "ConnectionScan"},
		{"ten times one port", repeat(10, func(i int) sessions.Event { return attempt(a(), float64(i), "refused") }), ""},
		{"ten times refused", repeat(10, func(i int) sessions.Event { return away(a(), i, sessions.EndRefused) }), "ServiceUnavailable"},
		{"nine times refused", repeat(9, func(i int) sessions.Event { return away(a(), i, sessions.EndRefused) }), ""},
		{"ten times another's server", repeat(10, func(i int) sessions.Event {
			return away(conn("10.20.0.25", "192.0.2.1:25"), i, sessions.EndUnanswered)
		}), ""},
		{"ten times a host of ours that is no server", repeat(10, func(i int) sessions.Event {
			return away(conn("10.20.0.10", "10.20.0.29:25"), i, sessions.EndUnanswered)
		}), ""},
		{"our scanner", append(repeat(10, func(i int) sessions.Event {
			return attempt(conn("10.20.0.30", fmt.Sprint("10.20.0.25:", 25+i)), float64(i), "refused")
		}), odd(conn("10.20.0.30", "10.20.0.25:25"), 20, sessions.NotSMTP)), ""},
		{"greeted by 421, refused and silent", append(append(repeat(4, func(i int) sessions.Event {
			return closed(a(), float64(i), sessions.Session{Banner: sessions.Banner{Code: 421, Text: "4.3.2 shutting down"}})
		}), repeat(3, func(i int) sessions.Event { return away(a(), i+4, sessions.EndUnanswered) })...),
			repeat(3, func(i int) sessions.Event {
				return closed(a(), float64(i+9), sessions.Session{Duration: 90e9, End: sessions.EndClosed, TLS: sessions.TLS{Mode: "none"}})
			})...), "ServiceUnavailable"},
		{"421 in the middle", repeat(10, func(i int) sessions.Event { return command(one, float64(i), "MAIL", 421) }), "ServiceUnavailable"},
		{"421 for a limit, or to a silent client", append(repeat(20, func(i int) sessions.Event {
			return closed(a(), float64(i), sessions.Session{Banner: sessions.Banner{Code: 421, Text: "4.7.0 too many connections"}})
		}), repeat(20, func(i int) sessions.Event {
			return &sessions.Replied{In: in(a(), float64(20+i)), Code: 421, Enhanced: "4.4.2"}
		})...), ""},
		{"ten ports open", repeat(10, func(i int) sessions.Event {
			return attempt(conn("10.20.0.10", fmt.Sprint("10.20.0.25:", 25+i)), float64(i), "established")
		}), ""},
		{"VRFY and RCPT", append(repeat(5, func(i int) sessions.Event { return command(one, float64(i), "VRFY", 252) }),
			repeat(5, func(i int) sessions.Event { return command(one, float64(i+5), "RCPT", 550) })...), "RecipientHarvesting"},
		{"RCPT out of order, over quota, deferred, taken", append(append(
			repeat(9, func(i int) sessions.Event { return command(one, float64(i), "RCPT", 503) }),
			repeat(9, func(i int) sessions.Event { return command(one, float64(i+9), "RCPT", 552) })...),
			repeat(9, func(i int) sessions.Event { return command(one, float64(i+18), "RCPT", 200+i) })...), ""},
		{"masked", events{odd(a(), 0, sessions.StartTLSMasked)}, "StartTLSStripped"},
		{"stripped", events{&sessions.Secured{In: in(a(), 0), TLS: sessions.TLS{Outcome: "stripped"}}}, "StartTLSStripped"},
		{"offered to others", append(offers(25, offer), closed(a(), 60, none), closed(a(), 61, none)), "StartTLSStripped"},
		{"offered to others, once not to this one", append(offers(25, offer), closed(a(), 60, none), closed(a(), 61, offer), closed(a(), 62, none)), ""},
		{"offered to two others", append(offers(25, offer)[1:], closed(a(), 60, none), closed(a(), 61, none)), ""},
		{"offered to one other three times", append(repeat(3, func(i int) sessions.Event {
			return closed(conn("192.0.2.1", "10.20.0.25:25"), float64(i), offer)
		}), closed(a(), 60, none), closed(a(), 61, none)), ""},
		{"offered to all but two", append(offers(25, offer), closed(conn("192.0.2.9", "10.20.0.25:25"), 59, none), closed(a(), 60, none), closed(a(), 61, none)), ""},
		{"offered to others, octets lost here", append(offers(25, offer), closed(a(), 60, lost), closed(a(), 61, lost)), ""},
		{"offered to others long ago", append(offers(25, offer), closed(a(), 90000, none), closed(a(), 90001, none)), ""},
		{"offered on another port", append(offers(587, offer), closed(a(), 60, none), closed(a(), 61, none)), ""},
		{"offered to itself before", events{closed(a(), 0, offer), closed(a(), 60, none)}, ""},
		{"no longer offered to anybody", append(append(offers(25, offer)[:2], closed(conn("192.0.2.3", "10.20.0.25:25"), 10, none)),
			closed(conn("192.0.2.1", "10.20.0.25:25"), 11, none), closed(a(), 60, none), closed(a(), 61, none)), ""},
		{"refused, then mail in clear", events{closed(a(), 0, refused)}, "StartTLSRefused"},
		{"refused, client leaves", events{closed(a(), 0, refusedGone)}, ""},
		{"injection", events{odd(a(), 0, sessions.StartTLSInjection)}, "StartTLSInjection"},
		{"smuggling", events{odd(a(), 0, sessions.Smuggling)}, "SMTPSmuggling"},
		{"look-alike only", events{odd(a(), 0, sessions.Lookalike)}, ""},
		{"HTTP", events{odd(a(), 0, sessions.NotSMTP)}, "NotSMTP"},
		{"open relay", events{mail(a(), 0, foreign)}, "OpenRelay"},
		{"percent hack", events{mail(a(), 0, sessions.Mail{From: "x@evil.test", To: []string{"y%other.test@corp.test"}})}, "OpenRelay"},
		{"bounce to elsewhere", events{mail(a(), 0, sessions.Mail{To: []string{"y@other.test"}})}, ""},
		{"refused relaying", events{mail(a(), 0, sessions.Mail{From: "x@evil.test", To: []string{"y@other.test"}, Result: "rejected"})}, ""},
		{"logged in", events{mail(a(), 0, sessions.Mail{From: "x@evil.test", To: []string{"y@other.test"}, Authenticated: true})}, ""},
		{"one of two recipients elsewhere", events{mail(a(), 0, sessions.Mail{From: "x@evil.test", To: []string{"bob@corp.test", "y@other.test"}})}, "OpenRelay"},
		{"to us", events{mail(a(), 0, sessions.Mail{From: "x@evil.test", To: []string{"bob@mail.corp.test", "postmaster"}})}, ""},
		{"from us", events{mail(a(), 0, sessions.Mail{From: "bob@corp.test", To: []string{"y@other.test"}})}, "SpoofedSender"},
		{"from us, logged in", events{mail(a(), 0, sessions.Mail{From: "bob@corp.test", To: []string{"y@other.test"}, Authenticated: true})}, ""},
		{"from us, refused", events{mail(a(), 0, sessions.Mail{From: "bob@corp.test", To: []string{"alice@corp.test"}, Result: "rejected"})}, ""},
		{"from us, smuggled", events{mail(a(), 0, sessions.Mail{From: "bob@corp.test", To: []string{"alice@corp.test"}, Smuggled: true})}, "SMTPSmuggling"},
		{"our author, another's envelope", events{mail(a(), 0, sessions.Mail{From: "x@evil.test", To: []string{"alice@corp.test"},
			Header: &sessions.Header{FromAddresses: []string{"boss@corp.test"}}})}, "SpoofedSender"},
		{"another author, checks failed", events{mail(a(), 0, sessions.Mail{From: "x@evil.test", To: []string{"alice@corp.test"},
			Header: &sessions.Header{FromAddresses: []string{"service@bank.test"}, Verdicts: []sessions.Verdict{{Method: "dmarc", Result: "fail"}}}})}, "SpoofedSender"},
		{"another author, checks passed", events{mail(a(), 0, sessions.Mail{From: "x@list.test", To: []string{"alice@corp.test"},
			Header: &sessions.Header{FromAddresses: []string{"service@bank.test"}, Verdicts: []sessions.Verdict{{Method: "dmarc", Result: "pass"}}}})}, ""},
		{"certificate expired", events{certified(a(), "relay", 90, "expired")}, "CertificateInvalid"},
		{"certificate of its own making, relay", events{certified(a(), "relay", 90, "self_signed", "weak_key")}, ""},
		{"certificate of its own making, submission", events{certified(a(), "submission", 90, "self_signed")}, "CertificateInvalid"},
		{"certificate expires in 13 days", events{certified(a(), "relay", 13)}, "CertificateInvalid"},
		{"certificate good", events{certified(a(), "submission", 15)}, ""},
		{"our own server sends on", events{mail(conn("10.20.0.26", "10.20.0.25:25"), 0, foreign)}, ""},
		{"somebody else's server", events{mail(conn("10.20.0.10", "192.0.2.9:25"), 0, foreign)}, ""},
		{"program attached", events{mail(a(), 0, sessions.Mail{Attachments: []sessions.Attachment{{Filename: "a.txt"}, dangerous}})}, "DangerousAttachment"},
		{"program attached, refused", events{mail(a(), 0, sessions.Mail{Result: "rejected", Attachments: []sessions.Attachment{dangerous}})}, "DangerousAttachment"},
		{"files attached", events{mail(a(), 0, sessions.Mail{Attachments: []sessions.Attachment{{Filename: "a.pdf"}, {Filename: "b.zip", Encrypted: true}}})}, ""},
		{"ten malformed mails", repeat(10, func(i int) sessions.Event { return mail(a(), float64(i*60), malformed) }), "MalformedMessage"},
		{"nine malformed mails", repeat(19, func(i int) sessions.Event {
			if i%2 == 0 {
				return mail(a(), float64(i), sessions.Mail{})
			}
			return mail(a(), float64(i), malformed)
		}), ""},
		{"ten malformed mails of ten clients", repeat(10, func(i int) sessions.Event {
			return mail(conn(fmt.Sprint("192.0.2.", i+1), "10.20.0.25:25"), float64(i), malformed)
		}), ""},
		{"many Received", events{mail(a(), 0, sessions.Mail{Header: &sessions.Header{Received: 25}})}, "MailLoop"},
		{"one Message-ID five times", repeat(5, func(i int) sessions.Event {
			return mail(a(), float64(i*100), sessions.Mail{Header: &sessions.Header{MessageID: "<1@x>"}})
		}), "MailLoop"},
		{"one Message-ID to five members of a list", repeat(5, func(i int) sessions.Event {
			return mail(a(), float64(i*100), sessions.Mail{To: []string{fmt.Sprint("u", i, "@corp.test")}, Header: &sessions.Header{MessageID: "<1@x>"}})
		}), ""},
		{"one Message-ID deferred five times", repeat(5, func(i int) sessions.Event {
			return mail(a(), float64(i*100), sessions.Mail{Result: sessions.MailDeferred, Header: &sessions.Header{MessageID: "<1@x>"}})
		}), ""},
		{"mails without Message-ID", repeat(9, func(i int) sessions.Event { return mail(a(), float64(i), sessions.Mail{}) }), ""},
		{"five handshakes failed", repeat(5, func(i int) sessions.Event {
			return secured(conn(fmt.Sprint("192.0.2.", i+1), "10.20.0.25:25"), float64(60*i), sessions.TLS{Outcome: sessions.TLSFailed})
		}), "TLSHandshakeFailure"},
		{"four handshakes failed, one did not", append(repeat(4, func(i int) sessions.Event {
			return secured(a(), float64(i), sessions.TLS{Outcome: sessions.TLSFailed})
		}), secured(a(), 5, modern)), ""},
		{"TLS 1.1", events{secured(a(), 0, sessions.TLS{Established: true, Version: "TLSv1.1", Cipher: "ECDHE-RSA-AES128-SHA"})}, "WeakTLS"},
		{"RC4", events{secured(a(), 0, sessions.TLS{Established: true, Version: "TLSv1.2", Cipher: "ECDHE-RSA-RC4-SHA"})}, "WeakTLS"},
		{"TLS 1.2", events{secured(a(), 0, modern)}, ""},
		{"TLS 1.0 asked for, refused", events{secured(a(), 0, sessions.TLS{Outcome: sessions.TLSFailed, OfferedVersion: "TLSv1"})}, ""},
		{"submission in clear", events{mail(submit(), 0, sessions.Mail{From: "bob@corp.test", Authenticated: true})}, "UnencryptedSubmission"},
		{"submission without login", events{mail(submit(), 0, sessions.Mail{From: "bob@corp.test", Encrypted: true})}, "SpoofedSender UnencryptedSubmission"},
		{"submission inside TLS, logged in", events{mail(submit(), 0, sessions.Mail{From: "bob@corp.test", Encrypted: true, Authenticated: true})}, ""},
		{"submission in clear, refused", events{mail(submit(), 0, sessions.Mail{From: "bob@corp.test", Result: "rejected"})}, ""},
		{"a host of ours sends by itself", events{attempt(conn("10.20.0.29", "192.0.2.1:25"), 0, "refused")}, "RogueSender"},
		{"a host of ours submits elsewhere", events{attempt(conn("10.20.0.29", "192.0.2.1:587"), 0, "established")}, ""},
		{"a host of ours uses our server", events{attempt(conn("10.20.0.29", "10.20.0.25:25"), 0, "established")}, ""},
		{"our mail server sends", events{attempt(conn("10.20.0.25", "192.0.2.1:25"), 0, "established")}, ""},
		{"our scanner looks out", events{attempt(conn("10.20.0.30", "192.0.2.1:25"), 0, "established")}, ""},
		{"on a blocklist", events{said(out, 0, "RCPT", 554, "5.7.1 Service unavailable; Client host [10.20.0.25] blocked using zen.spamhaus.org")}, "BlocklistRejection"},
		{"on a blocklist, at once", events{closed(out, 0, sessions.Session{Banner: sessions.Banner{Code: 554, Text: "Your address is listed in our blacklist"}})}, "BlocklistRejection"},
		{"greylisted", events{said(out, 0, "RCPT", 450, "4.7.1 <a@b.test>: Recipient address rejected: Greylisted, see http://postgrey.test/")}, ""},
		{"a blocklist of ours", events{said(a(), 0, "RCPT", 554, "5.7.1 blocked using zen.spamhaus.org")}, ""},
		{"many deferred", append(append(repeat(25, func(i int) sessions.Event { return mail(a(), float64(i), deferred(i)) }),
			repeat(120, func(i int) sessions.Event { return mail(a(), float64(600*i+25), deferred(i)) })...),
			repeat(90, func(i int) sessions.Event {
				return mail(conn(fmt.Sprint("192.0.2.", i), "10.20.0.25:25"), 73000+float64(i), deferred(i))
			})...), "DeliveryDeferred"},
		{"deferred for four hours", repeat(5, func(i int) sessions.Event { return mail(a(), float64(3600*i), deferred(0)) }), "DeliveryDeferred"},
		{"deferred for four hours, taken in between", append(append(repeat(3, func(i int) sessions.Event { return mail(a(), float64(3600*i), deferred(0)) }),
			mail(a(), 9000, sessions.Mail{From: deferred(0).From, To: []string{"bob@corp.test"}})),
			repeat(2, func(i int) sessions.Event { return mail(a(), float64(10800+3600*i), deferred(0)) })...), ""},
		{"an outsider put off by a policy", repeat(9, func(i int) sessions.Event { return mail(a(), float64(3600*i), policy) }), ""},
		{"put off by another's policy", repeat(5, func(i int) sessions.Event { return mail(out, float64(3600*i), policy) }), "DeliveryDeferred"},
		{"deferred, then silence for a day", events{mail(a(), 0, deferred(0)), mail(a(), 86400, deferred(0))}, ""},
		{"greylisting: each deferred once", append(repeat(25, func(i int) sessions.Event { return mail(a(), float64(3600*i), deferred(i)) }),
			repeat(25, func(i int) sessions.Event { return mail(a(), float64(90000+3600*i), deferred(100+i)) })...), ""},
		{"brute force behind a proxy", repeat(5, func(i int) sessions.Event {
			return behind(denied(conn("10.20.0.10", "10.20.0.25:25"), float64(i), "bob"), "198.51.100.7")
		}), "AuthBruteForce"},
		{"five clients behind a proxy", repeat(8, func(i int) sessions.Event {
			return behind(denied(conn("10.20.0.10", "10.20.0.25:25"), float64(i), fmt.Sprint("u", i)), fmt.Sprint("198.51.100.", i))
		}), ""},
		{"open relay behind a proxy of ours", events{behind(mail(conn("10.20.0.26", "10.20.0.25:25"), 0, foreign), "198.51.100.7")}, "OpenRelay"},
		{"burst of a new client", append(repeat(25, func(i int) sessions.Event { return mail(a(), float64(i), sessions.Mail{}) }),
			repeat(250, func(i int) sessions.Event {
				return mail(conn("10.20.0.12", "10.20.0.25:25"), 25+float64(i)/400, sessions.Mail{})
			})...), "MessageRateSpike"},
		{"burst of one login from many clients", append(repeat(25, func(i int) sessions.Event { return mail(a(), float64(i), sessions.Mail{}) }),
			repeat(250, func(i int) sessions.Event {
				return mail(conn(fmt.Sprint("192.0.2.", i%200), "10.20.0.25:587"), 25+float64(i)/400,
					sessions.Mail{Login: "bob", From: fmt.Sprint("x@", i, ".test")})
			})...), "MessageRateSpike"},
		{"as many mails of as many logins", append(repeat(25, func(i int) sessions.Event { return mail(a(), float64(i), sessions.Mail{}) }),
			repeat(250, func(i int) sessions.Event {
				return mail(conn(fmt.Sprint("192.0.2.", i%200), "10.20.0.25:587"), 25+float64(i)/400,
					sessions.Mail{Login: fmt.Sprint("user", i), From: fmt.Sprint("x@", i, ".test")})
			})...), ""},
		{"busy from the start", repeat(2000, func(i int) sessions.Event { return mail(one, float64(i)/10, sessions.Mail{}) }), ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e, b := engine(t, reading(c.events...), site)
			for _, ev := range c.events {
				e.Handle(ev)
			}
			got := []string{}
			for name := range b.rules() {
				got = append(got, name)
			}
			slices.Sort(got)
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("raised %q, want %q\n%s", s, c.want, strings.Join(b.lines, "\n"))
			}
		})
	}
}

func TestRelayNeedsHome(t *testing.T) {
	e, b := engine(t, Builtin(), Options{})
	e.Handle(mail(conn("10.20.0.10", "10.20.0.25:25"), 0, sessions.Mail{From: "x@evil.test", To: []string{"y@other.test"}}))
	if len(b.lines) != 0 {
		t.Errorf("judged without knowing home: %v", b.lines)
	}
	if off := e.Off(); len(off) != 2 || off[0] != (Off{"OpenRelay", "home.domains"}) {
		t.Errorf("off: %v", off)
	}
}

func TestPlaintextCredentialsHourly(t *testing.T) {
	e, b := engine(t, Builtin(), site)
	c := conn("10.20.0.10", "10.20.0.25:25")
	for _, s := range []float64{0, 600, 1200, 3000, 3700, 4000} {
		e.Handle(exposed(c, s, "alice", "failure"))
	}
	e.Handle(exposed(c, 4100, "alice", "success"))
	e.Handle(exposed(c, 4200, "alice", "failure"))
	e.Advance(at(4200 + 3600))
	want := []string{
		"0s firing warning PlaintextCredentials [10.20.0.25 alice] 1/1",
		"1h0m0s firing warning PlaintextCredentials [10.20.0.25 alice] 4/1 repeat 1",
		"1h8m20s firing critical PlaintextCredentials [10.20.0.25 alice] 7/1 repeat 1",
		"2h8m20s firing critical PlaintextCredentials [10.20.0.25 alice] 8/1 repeat 2",
		"2h10m0s resolved critical PlaintextCredentials [10.20.0.25 alice] 8/1 repeat 2",
	}
	if !slices.Equal(b.lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(b.lines, "\n"), strings.Join(want, "\n"))
	}
}

func TestSmugglingGetsWorse(t *testing.T) {
	e, b := engine(t, Builtin(), site)
	c := conn("10.20.0.10", "10.20.0.25:25")
	e.Handle(odd(c, 0, sessions.Smuggling))
	e.Handle(mail(c, 1, sessions.Mail{From: "a@corp.test", Smuggled: true}))
	if len(b.alerts) != 2 || b.alerts[0].Severity != Warning || b.alerts[1].Severity != Critical || !b.alerts[1].Escalated {
		t.Fatalf("alerts: %q", b.lines)
	}
	if b.alerts[0].Fingerprint != b.alerts[1].Fingerprint {
		t.Error("the fingerprint changed with the severity")
	}
	if !strings.Contains(b.alerts[1].Summary, "a@corp.test") {
		t.Errorf("summary: %q", b.alerts[1].Summary)
	}
}

// TestDangerousCampaign: 500 recipients of one campaign are one alert, which
// counts them; another sender of the same relay is another.
func TestDangerousCampaign(t *testing.T) {
	e, b := engine(t, Builtin(), site)
	gateway := conn("10.20.0.26", "10.20.0.25:25")
	file := sessions.Attachment{Filename: "in\u202evoice\x1b[2J" + strings.Repeat("x", 300) + ".zip",
		Danger: []sessions.Danger{{Kind: "executable", By: "name", File: "a.exe"}}}
	for i := range 500 {
		e.Handle(mail(gateway, float64(i), sessions.Mail{From: fmt.Sprint("bounce+", i, "@evil.test"), To: []string{fmt.Sprint("u", i, "@corp.test")},
			Attachments: []sessions.Attachment{{Filename: "a.txt"}, file}}))
	}
	e.Handle(mail(gateway, 500, sessions.Mail{From: "x@other.test", To: []string{"u@corp.test"}, Attachments: []sessions.Attachment{file}}))
	e.Advance(at(500 + 3700))
	want := []string{
		"0s firing warning DangerousAttachment [10.20.0.26 evil.test] 1/1",
		"8m20s firing warning DangerousAttachment [10.20.0.26 other.test] 1/1",
		"1h0m0s firing warning DangerousAttachment [10.20.0.26 evil.test] 500/1 repeat 1",
		"1h8m19s resolved warning DangerousAttachment [10.20.0.26 evil.test] 500/1 repeat 1",
		"1h8m20s resolved warning DangerousAttachment [10.20.0.26 other.test] 1/1",
	}
	if !slices.Equal(b.lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(b.lines, "\n"), strings.Join(want, "\n"))
	}
	summary := b.alerts[0].Summary
	if len(summary) > 1000 || strings.ContainsAny(summary, "\x1b\u202e") || !strings.Contains(summary, "(executable by name of a.exe; 10.20.0.25 answered: accepted)") {
		t.Errorf("summary: %q", summary)
	}
}

// TestFilesAllocateNothing: looking through the files of an ordinary mail.
func TestFilesAllocateNothing(t *testing.T) {
	e, _ := engine(t, Builtin(), site)
	ev := mail(conn("10.20.0.10", "10.20.0.25:25"), 0, sessions.Mail{From: "a@corp.test", Attachments: []sessions.Attachment{{Filename: "a.txt"}, {Filename: "b.pdf"}, {Filename: "c.zip"}}})
	when := e.rule(t, "DangerousAttachment").triggers[0].when
	if n := testing.AllocsPerRun(100, func() { when.native(view{event: ev}) }); n > 0 || when.native(view{event: ev}) {
		t.Errorf("%v allocations a mail", n)
	}
}

func (e *Engine) rule(t *testing.T, name string) *runningRule {
	for _, r := range e.rules {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("no rule %s", name)
	return nil
}

func TestSummaries(t *testing.T) {
	e, b := engine(t, Builtin(), site)
	for i := range 5 {
		e.Handle(denied(conn("10.20.0.10", "10.20.0.25:25"), float64(i), "bob\x1b[31m"))
	}
	a := b.alerts[0]
	if want := "10.20.0.10 failed to log in 5 times within 5m, last at 10.20.0.25."; a.Summary != want {
		t.Errorf("summary %q, want %q", a.Summary, want)
	}
	if len(a.Sessions) != 5 || a.Labels.Get("client_ip") != "10.20.0.10" || !a.Started.Equal(t0) {
		t.Errorf("%+v", a)
	}
	e, b = engine(t, Builtin(), site)
	e.Handle(exposed(conn("10.20.0.10", "10.20.0.25:25"), 0, "bob\x1b[31m", "success"))
	if s := b.alerts[0].Summary + b.alerts[0].Key; strings.ContainsRune(s, 0x1b) {
		t.Errorf("a control character went through: %q", s)
	}
}
