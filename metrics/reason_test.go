package metrics

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/sessions"
)

// What servers say, and why. The texts are those of the servers named.
var refusals = []struct {
	reply, reason string
}{
	{"450 4.2.0 <a@b.test>: Recipient address rejected: Greylisted, see http://postgrey.example/help", "greylisting"}, // Postgrey
	{"451 4.7.1 Greylisting in action, please come back later", "greylisting"},                                        // Exim
	{"451 4.7.1 Try again later", "greylisting"},                                                                      // Rspamd
	{"530 5.7.0 Must issue a STARTTLS command first", "tls_required"},                                                 // Postfix
	{"550 5.7.10 Encryption needed", "tls_required"},
	{"538 5.7.11", "tls_required"}, // of AUTH: there is no text
	{"535 5.7.8", "authentication"},
	{"530 5.7.0 Authentication required", "authentication"},
	{"550 5.7.26 This mail has been blocked because the sender is unauthenticated.", "authentication"}, // Gmail
	{"550 5.7.23 <a@b.test>: Recipient address rejected: Message rejected due to: SPF fail", "authentication"},
	{"554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.1", "blocklist"}, // Postfix
	{"550 5.7.1 Our system has detected that this message is suspicious due to the very low reputation of the sending IP address.", "blocklist"},        // Gmail
	{"550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).", "blocklist"},
	{"421 4.7.0 mx.test Error: too many connections from 192.0.2.1", "rate"}, // Postfix
	{"421 4.7.28 Gmail has detected an unusual rate of unsolicited mail", "rate"},
	{"452 4.5.3 Error: too many recipients", "rate"},
	{"552 5.2.2 The email account that you tried to reach is over quota", "quota"}, // Gmail
	{"452 4.3.1 Insufficient system storage", "quota"},                             // Postfix
	{"550 5.1.1 <nobody@b.test>: Recipient address rejected: User unknown in virtual mailbox table", "unknown_user"},
	{"550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", "unknown_user"}, // Exchange
	{"550 Requested action not taken: mailbox unavailable", "unknown_user"},
	{"550 No such user here", "unknown_user"},
	{"554 5.7.1 Spam message rejected", "content"},
	{"552 5.3.4 Message size exceeds fixed limit", "content"},
	{"550 5.7.1 This message contains a virus (Eicar-Test-Signature)", "content"}, // Exim
	{"554 5.7.1 <a@b.test>: Relay access denied", "policy"},                       // Postfix
	{"550 5.7.1 relaying denied", "policy"},
	{"450 4.7.25 Client host rejected: cannot find your reverse hostname, [192.0.2.1]", "policy"},
	{"450 4.1.8 <a@b.test>: Sender address rejected: Domain not found", "policy"},
	{"451 4.3.0 Error: queue file write error", "other"},
	{"503 5.5.1 Error: need MAIL command", "other"},
	{"550 ", "other"},
	// Nobody's address decides.
	{"550 5.4.0 <\"blocklist spam\"@quota.test>: no", "other"},
	{"550 5.4.0 spamhaus@greylist.test says no", "other"},
}

func reasonOf(t *testing.T, r *reasons, s *set, reply string) string {
	t.Helper()
	var code int
	if _, err := fmt.Sscan(reply[:3], &code); err != nil {
		t.Fatal(err)
	}
	j := &judge{reasons: r}
	first := s.names[j.reason(code, reply[4:])]
	if again := s.names[j.reason(code, reply[4:])]; again != first {
		t.Errorf("%q is %s, and %s when it comes again", reply, first, again)
	}
	return first
}

func TestReasons(t *testing.T) {
	r, s := newReasons(nil)
	for _, c := range refusals {
		if got := reasonOf(t, r, s, c.reply); got != c.reason {
			t.Errorf("%q is %s, want %s", c.reply, got, c.reason)
		}
	}
}

func TestOwnReasonsComeFirst(t *testing.T) {
	partner, err := NewReason("partner", "Partner.{0,9}gateway")
	if err != nil {
		t.Fatal(err)
	}
	more, err := NewReason("quota", `tablespace`)
	if err != nil {
		t.Fatal(err)
	}
	r, s := newReasons([]Reason{partner, more})
	if got := len(s.names); got != len(BuiltinReasons())+2 { // partner and other
		t.Errorf("%d names: %v", got, s.names)
	}
	for reply, want := range map[string]string{
		"550 5.1.1 the PARTNER's gateway knows no such user": "partner",
		"451 no tablespace left":                             "quota",
		"552 over quota":                                     "quota",
		"550 no such user":                                   "unknown_user",
	} {
		if got := reasonOf(t, r, s, reply); got != want {
			t.Errorf("%q is %s, want %s", reply, got, want)
		}
	}
}

func TestBadReasons(t *testing.T) {
	for _, c := range []struct{ name, pattern, want string }{
		{"", "x", "no name of a reason"},
		{"Big", "x", "no name of a reason"},
		{"a\n", "x", "no name of a reason"},
		{strings.Repeat("a", 41), "x", "no name of a reason"},
		{"other", "x", "choose another name"},
		{"a", "", "0 octets"},
		{"a", strings.Repeat("x", 1001), "1001 octets"},
		{"a", "(", "missing closing )"},
		{"a", `(a)\1`, "invalid escape"},
		{"a", "a)(b", "unexpected )"},
		{"a", "x*", "matches every reply"},
		{"a", "(x{1000}){1000}", "invalid repeat count"},
	} {
		if _, err := NewReason(c.name, c.pattern); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q, %.20q: %v, want %s", c.name, c.pattern, err, c.want)
		}
	}
}

// A refusal counts once for each reply, by who was refused where and why.
func TestRefusalsAreCounted(t *testing.T) {
	m, reg := newTest()
	c := conn("relay", "mx1")
	in := sessions.In{Conn: c}
	play(m, []sessions.Event{
		&sessions.Greeted{In: in, Banner: sessions.Banner{Code: 554, Text: "blocked using rbl.test"}},
		&sessions.Replied{In: in, Verb: "RCPT", Code: 550, Enhanced: "5.1.1", Text: "5.1.1 <a@b.test>: no"},
		&sessions.Replied{In: in, Verb: "RCPT", Code: 550, Enhanced: "5.1.1", Text: "5.1.1 <c@b.test>: no"},
		&sessions.Replied{In: in, Verb: "AUTH", Code: 535, Enhanced: "5.7.8"},
		&sessions.Replied{In: in, Verb: ".", Code: 451, Text: "what?"},
		&sessions.Replied{In: in, Verb: "RCPT", Code: 250, Text: "spam welcome"},
		&sessions.Replied{In: in, Verb: "VRFY", Code: 550, Text: "spam"},
		&sessions.Replied{In: in, Code: 421, Text: "spam"},
	})
	got := scrape(t, reg)
	for reason, n := range map[string]int{"blocklist": 1, "unknown_user": 2, "authentication": 1, "other": 1, "content": 0} {
		want := fmt.Sprintf(`mailtap_refusals_total{direction="inbound",reason="%s",role="relay",server="mx1"} %d`, reason, n)
		if !strings.Contains(got, want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
}

// To look for needles first is faster, and else the same.
func TestNeedlesChangeNothing(t *testing.T) {
	r, _ := newReasons(nil)
	for i := range r.list {
		reason := &r.list[i]
		if len(reason.needles) == 0 {
			t.Errorf("%s is always run", reason.pattern)
		}
		for _, c := range refusals {
			if subject := []byte(strings.ToLower(c.reply)); reason.matches(subject) != reason.pattern.Match(subject) {
				t.Errorf("%s and %q", reason.pattern, c.reply)
			}
		}
	}
	for pattern, want := range map[string]string{
		"Spam|virus": "[spam virus]", "a?": "[]", "(ab)+c": "[ab]", "x{2,3}y": "[x]", "[ab]c?": "[a b]", "[^a]": "[]", "é": "[]", "a|é": "[]", "a.*longer": "[longer]",
	} {
		if got := fmt.Sprint(needles("(?i)(?:" + pattern + ")")); got != want {
			t.Errorf("%s: %s, want %s", pattern, got, want)
		}
	}
}

// FuzzSubject holds what the patterns see against what they must never see.
func FuzzSubject(f *testing.F) {
	for _, c := range refusals {
		f.Add(c.reply)
	}
	f.Add("<a@b")
	f.Add("<\"x y\"@b> @ a@@b <>")
	word := regexp.MustCompile(`[^ <>()\[\]"',;]@|@[^ <>()\[\]"',;@]`)
	f.Fuzz(func(t *testing.T, text string) {
		got := appendSubject(nil, 550, text)
		if len(got) > maxReasonText+4 || !strings.HasPrefix(string(got), "550 ") {
			t.Errorf("%q of %q", got, text)
		}
		if at := word.Find(got); at != nil && at[0] != '@' {
			t.Errorf("an address is left: %q of %q", got, text)
		}
	})
}

func BenchmarkReason(b *testing.B) {
	r, _ := newReasons(nil)
	texts := make([]string, 1<<12)
	for i := range texts {
		texts[i] = fmt.Sprintf("5.1.1 <user%d@example.org>: Recipient address rejected: User unknown in virtual mailbox table", i)
	}
	b.Run("same", func(b *testing.B) {
		j := &judge{reasons: r}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			j.reason(550, texts[i%len(texts)])
		}
	})
	for i := range texts {
		texts[i] = fmt.Sprintf("4.3.0 Error: queue file write error, please tell the people of example.org, this is number %d of many", i)
	}
	b.Run("new", func(b *testing.B) { // and none matches
		j := &judge{reasons: r}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			j.reason(451, texts[i%len(texts)])
		}
	})
}
