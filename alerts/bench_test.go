package alerts

import (
	"fmt"
	"testing"

	"github.com/mailtap/mailtap/sessions"
)

// missing are ordinary events, one of each kind, that match no rule but those
// that count everything.
func missing() map[string]sessions.Event {
	c := conn("10.20.0.10", "10.20.0.25:25")
	none := sessions.Session{Helo: sessions.Helo{Verb: "EHLO"}, Extensions: []string{"SIZE"}, TLS: sessions.TLS{Mode: "none"}}
	return map[string]sessions.Event{
		"attempt": attempt(c, 0, "established"),
		"session": closed(c, 0, none),
		"command": command(c, 0, "RCPT", 250),
		"auth":    accepted(c, 0, "alice"),
		"mail":    mail(c, 0, sessions.Mail{From: "a@evil.test", To: []string{"b@corp.test"}, Header: &sessions.Header{MessageID: "<1@x>"}}),
		"tls":     &sessions.Secured{In: in(c, 0), TLS: sessions.TLS{Outcome: "established"}},
		"anomaly": odd(c, 0, sessions.BareLF),
		"capture": &captured{Capture{Time: t0, Source: "eth0", Packets: 3000}},
	}
}

// matching are events that built-in rules are about, by rule and kind.
func matching() map[string]sessions.Event {
	c := conn("192.0.2.10", "10.20.0.25:25")
	submission := conn("192.0.2.10", "10.20.0.25:587")
	submission.Role = sessions.RoleSubmission
	fromOutside := mail(c, 0, sessions.Mail{From: "a@corp.test", To: []string{"b@corp.test"}})
	blocked := &sessions.Replied{In: in(conn("10.20.0.25", "192.0.2.1:25"), 0), Verb: "RCPT", Code: 550, Text: "5.7.1 blocked using zen.spamhaus.org"}
	return map[string]sessions.Event{
		"PlaintextCredentials/auth":     exposed(c, 0, "alice", "failure"),
		"AuthBruteForce/auth":           denied(c, 0, "alice"),
		"PasswordSpray/auth":            denied(c, 0, "alice"),
		"DistributedBruteForce/auth":    denied(c, 0, "alice"),
		"AuthSuccessAfterFailures/auth": denied(c, 0, "alice"),
		"ConnectionRateSpike/attempt":   attempt(c, 0, "established"),
		"MessageRateSpike/mail":         fromOutside,
		"ConnectionScan/attempt":        attempt(c, 0, "refused"),
		"RecipientHarvesting/command":   command(c, 0, "RCPT", 550),
		"StartTLSStripped/anomaly":      odd(c, 0, sessions.StartTLSMasked),
		"StartTLSStripped/tls":          &sessions.Secured{In: in(c, 0), TLS: sessions.TLS{Outcome: sessions.TLSStripped}},
		"StartTLSStripped/session": closed(c, 0, sessions.Session{Helo: sessions.Helo{Verb: "EHLO"}, Extensions: []string{"SIZE"},
			TLS: sessions.TLS{Mode: sessions.TLSNone}}),
		"StartTLSRefused/session":   closed(c, 0, sessions.Session{Auth: []sessions.Auth{{}}, TLS: sessions.TLS{Offered: true, Requested: true}}),
		"StartTLSInjection/anomaly": odd(c, 0, sessions.StartTLSInjection),
		"OpenRelay/mail":            mail(c, 0, sessions.Mail{From: "x@evil.test", To: []string{"y@other.test"}}),
		"SpoofedSender/mail":        fromOutside,
		"CertificateInvalid/tls": &sessions.Secured{In: in(submission, 0), TLS: sessions.TLS{
			Certificate: &sessions.Certificate{SHA256: "ab", NotAfter: t0, Problems: []string{"expired"}}}},
		"MailLoop/mail":              mail(c, 0, sessions.Mail{Header: &sessions.Header{Received: 30, MessageID: "<1@x>"}}),
		"SMTPSmuggling/anomaly":      odd(c, 0, sessions.Smuggling),
		"SMTPSmuggling/mail":         mail(c, 0, sessions.Mail{Smuggled: true}),
		"NotSMTP/anomaly":            odd(c, 0, sessions.NotSMTP),
		"TLSHandshakeFailure/tls":    &sessions.Secured{In: in(c, 0), TLS: sessions.TLS{Outcome: sessions.TLSFailed}},
		"WeakTLS/tls":                &sessions.Secured{In: in(c, 0), TLS: sessions.TLS{Established: true, Version: "TLSv1.1"}},
		"UnencryptedSubmission/mail": mail(submission, 0, sessions.Mail{From: "a@corp.test", To: []string{"b@corp.test"}}),
		"RogueSender/attempt":        attempt(conn("10.20.0.29", "192.0.2.1:25"), 0, "established"),
		"BlocklistRejection/command": blocked,
		"BlocklistRejection/session": closed(conn("10.20.0.25", "192.0.2.1:25"), 0, sessions.Session{
			Banner: sessions.Banner{Code: 554, Text: "Your address is listed in our blacklist"}}),
		"ServiceUnavailable/session": away(c, 0, sessions.EndRefused),
		"ServiceUnavailable/command": command(c, 0, "MAIL", 421),
		"DangerousAttachment/mail":   dangerousMail(c),
		"MalformedMessage/mail":      mail(c, 0, sessions.Mail{Malformed: []string{"mime_conflicting_boundary"}}),
		"DeliveryDeferred/mail":      mail(c, 0, sessions.Mail{Result: sessions.MailDeferred, From: "a@evil.test", To: []string{"b@corp.test"}}),
		"CaptureLoss/capture":        &captured{Capture{Time: t0, Source: "eth0", Packets: 3000, Dropped: 300}},
	}
}

func dangerousMail(c *sessions.Conn) sessions.Event {
	return mail(c, 0, sessions.Mail{From: "a@evil.test", To: []string{"b@corp.test"}, Attachments: []sessions.Attachment{
		{Filename: "a.pdf"}, {Filename: "b.pdf.exe", Danger: []sessions.Danger{{Kind: "executable", By: "name"}}}}})
}

// ruleEngine has one rule alone.
func ruleEngine(t testing.TB, r Rule) *Engine {
	t.Helper()
	e, err := NewEngine(RuleSet{Rules: []Rule{r}}, site)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// give is Handle, for a capture's losses too.
func give(e *Engine, ev sessions.Event) {
	if c, ok := ev.(*captured); ok {
		e.Capture(c.Capture)
		return
	}
	e.Handle(ev)
}

// BenchmarkRule measures each rule alone: an event of its kind that it is not
// about, and one that it is about, again and again of one group.
func BenchmarkRule(b *testing.B) {
	other, own := missing(), matching()
	for _, r := range Builtin().Rules {
		for _, k := range r.Events() {
			for name, ev := range map[string]sessions.Event{"miss": other[k], "match": own[r.Name+"/"+k]} {
				if ev == nil {
					continue
				}
				b.Run(r.Name+"/"+k+"/"+name, func(b *testing.B) {
					e := ruleEngine(b, r)
					b.ReportAllocs()
					for b.Loop() {
						give(e, ev)
					}
				})
			}
		}
	}
	b.Run("all/command", func(b *testing.B) { run(b, Builtin(), other["command"]) })
	b.Run("all/denied", func(b *testing.B) { run(b, Builtin(), own["AuthBruteForce/auth"]) })
	b.Run("all/unread", func(b *testing.B) {
		run(b, Builtin(), &sessions.Opened{In: in(conn("10.20.0.10", "10.20.0.25:25"), 0)})
	})
}

// TestRulesAllocateNothing holds that nothing is compiled, looked up by
// reflection or put into memory for an event that a rule is not about, nor for
// one that only lengthens what fires or counts already.
func TestRulesAllocateNothing(t *testing.T) {
	other, own := missing(), matching()
	for _, r := range Builtin().Rules {
		for _, k := range r.Events() {
			for name, ev := range map[string]sessions.Event{"miss": other[k], "match": own[r.Name+"/"+k]} {
				if ev == nil || k == "capture" {
					continue
				}
				e := ruleEngine(t, r)
				for range 3 * MaxThreshold { // until all is met
					e.Handle(ev)
				}
				if n := testing.AllocsPerRun(100, func() { e.Handle(ev) }); n != 0 {
					t.Errorf("%s/%s, %s: %v allocations an event", r.Name, k, name, n)
				}
			}
		}
	}
}

// TestConditionsAreNative holds that no built-in condition needs the machine,
// but those of a capture's losses, which come once a second.
func TestConditionsAreNative(t *testing.T) {
	e, _ := engine(t, Builtin(), site)
	for _, r := range e.rules {
		for i, x := range r.triggers {
			for _, c := range []*condition{x.when, x.also, x.forgive} {
				if c != nil && c.program != nil && c.native == nil && x.kind != kindCapture {
					t.Errorf("%s: trigger %d: a condition runs on the machine", r.Name, i+1)
				}
			}
		}
	}
}

// TestMatchingMatches holds that the events of the benchmark are what they say.
func TestMatchingMatches(t *testing.T) {
	other, own := missing(), matching()
	holds := func(r Rule, ev sessions.Event) bool {
		e := ruleEngine(t, r)
		k, _ := kindOf(ev)
		e.event++
		e.view.event = ev
		e.facts.take(ev)
		for _, x := range e.byKind[k] {
			if e.holds(x, x.when) || e.holds(x, x.also) {
				return true
			}
		}
		return false
	}
	everything := map[string]bool{"ConnectionRateSpike": true, "MessageRateSpike": true, "AuthSuccessAfterFailures": true, "MailLoop": true, "StartTLSStripped": true,
		"DeliveryDeferred": true, "ServiceUnavailable": true}
	for _, r := range Builtin().Rules {
		for _, k := range r.Events() {
			switch ev := own[r.Name+"/"+k]; {
			case ev == nil:
				t.Errorf("%s/%s: no benchmark has an event that it is about", r.Name, k)
			case !holds(r, ev):
				t.Errorf("%s/%s: the event does not match", r.Name, k)
			}
			if !everything[r.Name] && contract[r.Name] != "" && holds(r, other[k]) {
				t.Errorf("%s/%s: the other event matches", r.Name, k)
			}
		}
	}
}

func run(b *testing.B, set RuleSet, ev sessions.Event) {
	e, err := NewEngine(set, site)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		e.Handle(ev)
	}
}

func BenchmarkManyClients(b *testing.B) {
	e, err := NewEngine(Builtin(), site)
	if err != nil {
		b.Fatal(err)
	}
	var evs []sessions.Event
	for i := range 100_000 {
		evs = append(evs, denied(conn(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), "10.20.0.25:25"), 0, "alice"))
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		e.Handle(evs[i%len(evs)])
		i++
	}
}
