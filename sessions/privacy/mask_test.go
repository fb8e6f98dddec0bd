package privacy_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/privacy"
)

var (
	aKey     = privacy.Key(strings.Repeat("k", 32))
	otherKey = privacy.Key(strings.Repeat("o", 32))
)

func everything(mode privacy.Mode) privacy.Settings {
	s := privacy.Settings{Addresses: mode, Users: mode, Subjects: mode, FileNames: mode, Clients: mode}
	return s
}

// conversation is a mail of bob@example.org to ann@example.net, one of ghost
// refused, in a session of 192.0.2.7.
func conversation() (*sessions.Conn, *sessions.MailDone) {
	c := &sessions.Conn{
		ID: "0123456789abcdef01234567", CommunityID: "1:x", Client: netip.MustParseAddrPort("192.0.2.7:50000"),
		Server: netip.MustParseAddrPort("198.51.100.25:25"), Role: "relay", Start: time.Unix(1, 0),
	}
	m := &sessions.Mail{
		From: "Bob@Example.ORG", FromKnown: true, To: []string{"ann@example.net"}, Login: "bob",
		Rejected: []sessions.Rejection{{To: "ghost@example.net", Code: 550}}, Result: sessions.MailAccepted,
		Reply: "OK ann, from bob at [192.0.2.7] via 198.51.100.25: 'Plan B' with plan.pdf", Size: -1, DeclaredSize: -1,
		Header: &sessions.Header{
			Subject: "Plan B", From: `"Robert Smith" <bob@example.org>`, To: "Ann Miller <ann@example.net>, undisclosed: ;",
			MessageID: "<abc.123@example.org>", AuthResults: []string{"mx; spf=pass smtp.mailfrom=bob@example.org smtp.auth=roberta client-ip=192.0.2.7"},
			Hops: []sessions.Hop{{From: "dsl-192-0-2-7.isp.example", IP: "192.0.2.7", By: "mx"}}, DKIMDomains: []string{"example.org"},
		},
		Attachments: []sessions.Attachment{{Filename: "plan.pdf", Names: []string{"dir/salaries.xlsx"}, Danger: []sessions.Danger{{Kind: "macro", File: "dir/salaries.xlsx"}}}},
	}
	return c, &sessions.MailDone{In: sessions.In{Conn: c, Time: time.Unix(2, 0)}, Mail: m, Helo: sessions.Helo{Verb: "EHLO", Name: "[192.0.2.7]"}}
}

func TestAMailShowsPseudonymsAndNothingElse(t *testing.T) {
	_, done := conversation()
	shown := privacy.New(everything(privacy.Pseudonym), aKey).Event(done).(*sessions.MailDone)
	m, local, domain := shown.Mail, "", ""
	if local, domain, _ = strings.Cut(m.From, "@"); !strings.HasPrefix(local, "p-") || !strings.HasSuffix(domain, ".invalid") {
		t.Errorf("the sender is %q", m.From)
	}
	if m.Login != local {
		t.Errorf("the login bob is %q, the local part of bob's address %q: one account is one pseudonym", m.Login, local)
	}
	if m.Header.From != m.From {
		t.Errorf("From is %q, the sender %q: it is the same address", m.Header.From, m.From)
	}
	if m.Header.DKIMDomains[0] != domain {
		t.Errorf("the domain of DKIM is %q, that of the sender %q", m.Header.DKIMDomains[0], domain)
	}
	if a := shown.Conn.Client.Addr(); !netip.MustParsePrefix("100::/64").Contains(a) || !strings.Contains(m.Reply, a.String()) {
		t.Errorf("the client is %s, the reply %q", a, m.Reply)
	}
	if !strings.HasSuffix(m.Attachments[0].Filename, ".pdf") || m.Attachments[0].Names[0] != m.Attachments[0].Danger[0].File {
		t.Errorf("files are %+v", m.Attachments[0])
	}
	if !strings.Contains(m.Reply, "198.51.100.25") {
		t.Errorf("the server's address is gone from %q", m.Reply)
	}
	said := strings.ToLower(strings.Join([]string{
		m.From, m.To[0], m.Rejected[0].To, m.Login, m.Reply, m.Header.Subject, m.Header.From, m.Header.To, m.Header.MessageID,
		m.Header.AuthResults[0], m.Header.Hops[0].From, m.Header.Hops[0].IP, m.Attachments[0].Filename, m.Attachments[0].Names[0],
		shown.Helo.Name, shown.Conn.ID, shown.Conn.CommunityID, shown.Conn.Client.String(),
	}, "\n"))
	for _, original := range []string{"bob", "ann", "ghost", "smith", "miller", "example.org", "example.net", "192.0.2.7", "192-0-2-7", "plan", "salaries", "abc.123", "roberta", "0123456789abcdef"} {
		if strings.Contains(said, original) {
			t.Errorf("%q is shown in:\n%s", original, said)
		}
	}
}

func TestAnEventIsNeverChanged(t *testing.T) {
	_, done := conversation()
	_, before := conversation()
	privacy.New(everything(privacy.None), aKey).Event(done)
	if done.Mail.From != before.Mail.From || done.Mail.Rejected[0] != before.Mail.Rejected[0] || done.Mail.Header.From != before.Mail.Header.From ||
		done.Mail.Attachments[0].Names[0] != before.Mail.Attachments[0].Names[0] || done.Conn.Client != before.Conn.Client {
		t.Errorf("the event is now %+v", done.Mail)
	}
}

func TestModesOfAnAddress(t *testing.T) {
	for _, c := range []struct {
		mode           privacy.Mode
		in, want, head string
	}{
		{privacy.Account, "bob@example.org", "", "p-"},
		{privacy.Domain, "bob@example.org", "*@example.org", ""},
		{privacy.Domain, "bob", "*", ""},
		{privacy.Domain, `OFFICE\bob`, `OFFICE\*`, ""},
		{privacy.None, "bob@example.org", "*", ""},
		{privacy.None, "", "", ""},
		{privacy.Full, "bob@example.org", "bob@example.org", ""},
	} {
		_, done := conversation()
		done.Mail.From = c.in
		m := privacy.New(privacy.Settings{Addresses: c.mode, Subjects: privacy.None}, aKey).Event(done).(*sessions.MailDone).Mail.From
		if c.head == "" && m != c.want || !strings.HasPrefix(m, c.head) || c.head != "" && !strings.HasSuffix(m, "@example.org") {
			t.Errorf("%s of %q is %q, want %q", c.mode, c.in, m, c.want)
		}
	}
}

func TestOneAccountIsOnePseudonymAndAnotherKeyGivesAnother(t *testing.T) {
	pseudonym := func(k privacy.Key, address string) string {
		_, done := conversation()
		done.Mail.From = address
		return privacy.New(everything(privacy.Pseudonym), k).Event(done).(*sessions.MailDone).Mail.From
	}
	first := pseudonym(aKey, "bob@example.org")
	for _, same := range []string{"BOB@example.org", "bob@EXAMPLE.org.", "<bob@example.org>", `"bob"@example.org`} {
		if got := pseudonym(aKey, same); got != first {
			t.Errorf("%s is %s, bob@example.org %s", same, got, first)
		}
	}
	if a, b := pseudonym(aKey, "x@bücher.example"), pseudonym(aKey, "x@xn--bcher-kva.example"); a != b {
		t.Errorf("one domain is %s and %s", a, b)
	}
	if got := pseudonym(aKey, first); got != first {
		t.Errorf("the pseudonym of %s is another one: %s", first, got)
	}
	for _, other := range []string{pseudonym(otherKey, "bob@example.org"), pseudonym(aKey, "rob@example.org"), pseudonym(aKey, "bob@example.net")} {
		if other == first {
			t.Errorf("%s stands for two", other)
		}
	}
}

func TestModesOfAClient(t *testing.T) {
	for _, c := range []struct {
		mode privacy.Mode
		want string
	}{{privacy.Prefix, "192.0.2.0:50000"}, {privacy.None, "0.0.0.0:0"}} {
		_, done := conversation()
		shown := privacy.New(privacy.Settings{Clients: c.mode}, aKey).Event(done).(*sessions.MailDone)
		if got := shown.Conn.Client.String(); got != c.want {
			t.Errorf("%s shows %s, want %s", c.mode, got, c.want)
		}
		if shown.Conn.ID == done.Conn.ID || shown.Conn.CommunityID != "" || strings.Contains(shown.Mail.Reply, "192.0.2.7") {
			t.Errorf("%s shows id %s, community id %q, %q", c.mode, shown.Conn.ID, shown.Conn.CommunityID, shown.Mail.Reply)
		}
	}
	m := privacy.New(privacy.Settings{Clients: privacy.None}, aKey)
	if once := m.Session("0123456789abcdef01234567"); m.Session(once) != once {
		t.Error("an id is hidden twice")
	}
}

// A reply may quote what an earlier command named.
func TestARefusalQuotesNobody(t *testing.T) {
	c, _ := conversation()
	m := privacy.New(privacy.Settings{Addresses: privacy.None}, aKey)
	in := sessions.In{Conn: c, Time: time.Unix(2, 0)}
	first := m.Event(&sessions.Replied{In: in, Verb: "RCPT", Code: 550, Argument: "ghost@example.net", Text: "5.1.1 <ghost@example.net>: ghost unknown at example.net"}).(*sessions.Replied)
	if first.Text != "5.1.1 <*>: * unknown at *" {
		t.Errorf("the refusal is %q", first.Text)
	}
	later := m.Event(&sessions.Replied{In: in, Verb: ".", Code: 550, Text: "no such user: Ghost"}).(*sessions.Replied)
	if later.Text != "no such user: *" {
		t.Errorf("the later refusal is %q", later.Text)
	}
	users := privacy.New(privacy.Settings{Users: privacy.None}, aKey)
	if denied := users.Event(&sessions.Replied{In: in, Verb: "AUTH", Code: 535, Text: "bob: wrong password"}).(*sessions.Replied); denied.Text != "*" {
		t.Errorf("a failed login tells %q", denied.Text)
	}
	verified := m.Event(&sessions.Replied{In: in, Verb: "VRFY", Code: 250, Argument: "ann", Text: "Ann Miller <ann@example.net>"}).(*sessions.Replied)
	if verified.Text != "*" || verified.Argument != "*" {
		t.Errorf("VRFY tells %q %q", verified.Argument, verified.Text)
	}
}

func TestTextsKeepTheirWords(t *testing.T) {
	_, done := conversation()
	for text, want := range map[string]string{
		"4.7.1 try again, version 5.10.1.2.3":     "4.7.1 try again, version 5.10.1.2.3",
		"smtp.mailfrom=x@example.com; ok":         "smtp.mailfrom=*@example.com; ok",
		"bounce-kim=example.com@lists.test":       "*@lists.test",
		`"kim lee"@example.com said`:              "*@example.com said",
		"mail@":                                   "mail@",
		"see http://x.test/?a=1&ip=203.0.113.9&b": "see http://x.test/?a=1&ip=0.0.0.0&b",
		"[IPv6:2001:db8::7]:25 and ::1":           "[IPv6:::]:25 and ::",
		"203.0.113.9:25.":                         "0.0.0.0:25.",
	} {
		done.Mail.Reply = text
		got := privacy.New(privacy.Settings{Addresses: privacy.Domain, Clients: privacy.None}, aKey).Event(done).(*sessions.MailDone).Mail.Reply
		if got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

func TestTextsLeftOutAreLeftOut(t *testing.T) {
	_, done := conversation()
	m := privacy.New(privacy.Settings{Texts: privacy.None}, aKey).Event(done).(*sessions.MailDone).Mail
	if m.Reply != "*" || m.Header.AuthResults[0] != "*" || m.From != "Bob@Example.ORG" {
		t.Errorf("shown is %q, %q, %q", m.Reply, m.Header.AuthResults, m.From)
	}
}

func TestNothingHiddenIsNoMask(t *testing.T) {
	for _, s := range []privacy.Settings{{}, everything(privacy.Full), {Texts: privacy.Scrubbed, PrefixV4: 24}} {
		m := privacy.New(s, aKey)
		if m != nil {
			t.Errorf("%+v hides something", s)
		}
		_, done := conversation()
		if m.Event(done) != sessions.Event(done) || m.Session("x") != "x" || m.Fingerprint("x") != "x" {
			t.Errorf("%+v changes something", s)
		}
	}
}

func TestKeysAreReadStrictly(t *testing.T) {
	k := privacy.NewKey()
	if got, err := privacy.ParseKey([]byte(k.Text())); err != nil || string(got) != string(k) {
		t.Errorf("a key's own text is %v, %v", got, err)
	}
	for _, bad := range []string{"", "secret", strings.Repeat("0", 62), strings.Repeat("z", 64), strings.Repeat("0", 130)} {
		if _, err := privacy.ParseKey([]byte(bad)); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("the key %q: %v", bad, err)
		}
	}
}

func FuzzTexts(f *testing.F) {
	f.Add("550 <ghost@example.net> [192.0.2.7] unknown", "ghost@example.net")
	f.Add("x@[::1]@y", `"a b"@c`)
	f.Fuzz(func(t *testing.T, text, address string) {
		_, done := conversation()
		done.Mail.Reply, done.Mail.From = text, address
		for _, mode := range []privacy.Mode{privacy.Pseudonym, privacy.None, privacy.Domain} {
			privacy.New(everything(mode), aKey).Event(done)
		}
	})
}

// No text may cost much, whoever wrote it: peers choose what is looked for, and
// where.
func TestHostileTextsAreCheap(t *testing.T) {
	_, done := conversation()
	for i := range 2000 {
		done.Mail.To = append(done.Mail.To, strings.Repeat("a", 3+i%200)+"@"+strings.Repeat("b", i%60)+".example")
	}
	m := privacy.New(everything(privacy.Pseudonym), aKey)
	for _, piece := range []string{":", "1.", "aaa ", "@", "a@", `"`, "a=", "aaa-", "f:"} {
		done.Mail.Reply = strings.Repeat(piece, 64<<10/len(piece))
		begin := time.Now()
		m.Event(done)
		if took := time.Since(begin); took > 5*time.Second { // it takes milliseconds
			t.Errorf("64 KiB of %q take %s", piece, took)
		} else {
			t.Logf("64 KiB of %q take %s", piece, took)
		}
	}
}
