package receivers

import (
	"crypto/tls"
	"encoding/base64"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
)

func mailTo(t *testing.T, o *office, change func(*MailOptions)) *Mail {
	t.Helper()
	server, client := certificate(t)
	o.tls = server
	m := MailOptions{Server: o.start(t), From: "mailtap@home.test", To: []string{"soc@home.test", "night@home.test"}, TLS: client, Sensor: "tap1", Clock: still{t0}}
	if change != nil {
		change(&m)
	}
	r, err := NewMail(m)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func withPassword(o *MailOptions) { o.Username, o.Password = "mailtap", "hunter2" }

func TestMail(t *testing.T) {
	o := &office{offer: []string{"STARTTLS", "AUTH PLAIN LOGIN"}, inside: []string{"8BITMIME", "AUTH LOGIN PLAIN"}}
	r := mailTo(t, o, withPassword)
	a := sample(1, alerts.Firing)
	a.Summary, a.Runbook = "über\r\nBcc: evil@x.test\r\n\r\n.\r\nMAIL FROM:<evil@x.test>", "https://x.test/r"
	sends(t, r, []alerts.Alert{a})
	want := `clear: EHLO localhost
clear: STARTTLS
tls: EHLO localhost
tls: AUTH PLAIN ` + base64.StdEncoding.EncodeToString([]byte("\x00mailtap\x00hunter2")) + `
tls: MAIL FROM:<mailtap@home.test> BODY=8BITMIME
tls: RCPT TO:<soc@home.test>
tls: RCPT TO:<night@home.test>
tls: DATA
tls: QUIT`
	if o.heard() != want {
		t.Errorf("dialog\n%s\nwant\n%s", o.heard(), want)
	}
	m, err := mail.ReadMessage(strings.NewReader(o.mails[0]))
	if err != nil {
		t.Fatal(err)
	}
	subject, _ := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil || subject != "[FIRING] warning: R: über??Bcc: evil@x.test????.??MAIL FROM:<evil@x.test>" || len(m.Header) != 9 ||
		m.Header.Get("Message-Id") != "<0000000000000001.1795435200@home.test>" || m.Header.Get("Date") != "Mon, 23 Nov 2026 12:00:00 +0000" ||
		m.Header.Get("To") != "soc@home.test, night@home.test" || m.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("%v %q %d %v", err, subject, len(m.Header), m.Header)
	}
	for _, want := range []string{"client_ip    192.0.2.1\r\n", "runbook      https://x.test/r\r\n", "sensor       tap1\r\n", "[FIRING] warning: R\r\nüber??Bcc"} {
		if !strings.Contains(string(body), want) {
			t.Errorf("the body lacks %q:\n%s", want, body)
		}
	}
	if r.Answer() != "250 to the mail" {
		t.Error(r.Answer())
	}
}

// A mail that is sent again has the same Message-ID; later ones of an alert
// refer to its first.
func TestMailIDs(t *testing.T) {
	r := &Mail{options: MailOptions{From: "a@b.test"}}
	first, thread := r.ids(one(alerts.Firing))
	again, _ := r.ids(one(alerts.Firing))
	end, endThread := r.ids(one(alerts.Resolved))
	if first != again || first != thread || end == first || endThread != thread {
		t.Error(first, again, thread, end, endThread)
	}
}

func TestMailBatchAndTemplate(t *testing.T) {
	o := &office{implicit: true, inside: []string{"AUTH LOGIN"}}
	text, _ := ParseText("{{.Rule}} {{.Key}}\n.\nend")
	r := mailTo(t, o, func(m *MailOptions) { withPassword(m); m.ImplicitTLS, m.Text = true, text })
	sends(t, r, []alerts.Alert{sample(1, alerts.Firing), sample(2, alerts.Resolved)})
	if strings.Contains(o.heard(), "clear:") || !strings.Contains(o.heard(), "tls: aHVudGVyMg==") {
		t.Errorf("dialog\n%s", o.heard())
	}
	if !strings.Contains(o.mails[0], "Subject: [FIRING:2] R\r\n") || !strings.HasSuffix(o.mails[0], "\r\n\r\nR 1\r\n..\r\nend\r\n\r\nR 2\r\n..\r\nend\r\n") {
		t.Errorf("%q", o.mails[0])
	}
}

// Without TLS that is right, nothing is sent: no password, no mail.
func TestMailNeedsTLS(t *testing.T) {
	for name, c := range map[string]struct {
		o      *office
		change func(*MailOptions)
		words  string
	}{
		"not offered":       {&office{offer: []string{"AUTH PLAIN"}}, nil, "does not offer STARTTLS"},
		"refused":           {&office{offer: []string{"STARTTLS"}, answers: map[string]string{"STARTTLS": "454 no"}}, nil, "answered 454 to STARTTLS"},
		"wrong name":        {&office{offer: []string{"STARTTLS"}}, func(m *MailOptions) { m.TLS.ServerName = "other.test" }, "certificate"},
		"unknown authority": {&office{offer: []string{"STARTTLS"}}, func(m *MailOptions) { m.TLS = nil }, "certificate"},
		"implicit":          {&office{implicit: true}, func(m *MailOptions) { m.TLS.ServerName, m.ImplicitTLS = "other.test", true }, "certificate"},
		"no AUTH inside":    {&office{offer: []string{"STARTTLS", "AUTH PLAIN"}}, nil, "offers neither"},
	} {
		t.Run(name, func(t *testing.T) {
			r := mailTo(t, c.o, func(m *MailOptions) {
				withPassword(m)
				if c.change != nil {
					c.change(m)
				}
			})
			if how := fails(t, r, "hunter2"); how.Final || !strings.Contains(how.What, c.words) {
				t.Errorf("%+v", how)
			}
			if heard := c.o.heard(); strings.Contains(heard, " AUTH") || strings.Contains(heard, "MAIL") {
				t.Errorf("said\n%s", heard)
			}
		})
	}
	o := &office{}
	sends(t, mailTo(t, o, func(m *MailOptions) { m.InsecureWithoutTLS = true }), one(alerts.Firing))
	if !strings.Contains(o.heard(), "clear: DATA") {
		t.Errorf("the option sends nothing: %s", o.heard())
	}
}

func TestMailFailures(t *testing.T) {
	echo := "AUTH failed for " + base64.StdEncoding.EncodeToString([]byte("\x00mailtap\x00hunter2")) + " hunter2"
	for command, c := range map[string]struct {
		answer string
		final  bool
		words  string
	}{
		"greeting": {"554 go away", false, "answered 554 to"},
		"AUTH":     {"535 " + echo, false, "answered 535 to AUTH"},
		"MAIL":     {"550 no", true, "answered 550 to MAIL"},
		"RCPT":     {"550 no", true, "answered 550 to RCPT"},
		"RCPT ":    {"450 later", false, "answered 450 to RCPT"},
		"DATA":     {"451 later", false, "answered 451 to DATA"},
		"DATA ":    {"554 spam", true, "answered 554 to DATA"},
	} {
		o := &office{offer: []string{"STARTTLS"}, inside: []string{"AUTH PLAIN"}, answers: map[string]string{strings.TrimSpace(command): c.answer}}
		if how := fails(t, mailTo(t, o, withPassword), "hunter2", "AGh", "bWFpbHRhcA", "AG1haWx0YXAA"); how.Final != c.final || !strings.Contains(how.What, c.words) {
			t.Errorf("%s: %+v", command, how)
		}
	}
	for name, c := range map[string]struct {
		address, words string
	}{
		"refused": {nobody(t), "refused"},
		"hang":    {serve(t, silence), "in time"},
		"reset":   {serve(t, reset), ""},
		"endless": {serve(t, func(c net.Conn) {
			for {
				if _, err := c.Write([]byte("220-" + strings.Repeat("x", 4000) + "\r\n")); err != nil {
					return
				}
			}
		}), "too much"},
		"no SMTP": {serve(t, func(c net.Conn) { c.Write([]byte("HTTP/1.1 400 Bad\r\n\r\n")) }), ""},
	} {
		timeout := 10 * time.Second
		if name == "hang" {
			timeout = 50 * time.Millisecond
		}
		r, _ := NewMail(MailOptions{Server: c.address, From: "a@b.test", To: []string{"c@b.test"}, Timeout: timeout})
		if how := fails(t, r); how.Final || !strings.Contains(how.What, c.words) {
			t.Errorf("%s: %+v", name, how)
		}
	}
}

// One recipient that is refused does not keep the mail from the others.
func TestMailToSome(t *testing.T) {
	var trouble string
	o := &office{offer: []string{"STARTTLS"}, answers: map[string]string{"RCPT TO:<soc@": "550 no such user"}}
	r := mailTo(t, o, func(m *MailOptions) { m.Trouble = func(what string) { trouble = what } })
	sends(t, r, one(alerts.Firing))
	if len(o.mails) != 1 || !strings.HasSuffix(trouble, "refused recipients of a mail: soc@home.test (550)") {
		t.Errorf("%d mails, told %q", len(o.mails), trouble)
	}
}

func TestMailOptionsRefused(t *testing.T) {
	good := MailOptions{Server: "h.test:587", From: "a@b.test", To: []string{"c@b.test"}}
	for name, change := range map[string]func(*MailOptions){
		"server":           func(o *MailOptions) { o.Server = "h.test" },
		"from":             func(o *MailOptions) { o.From = "a@b.test>\r\nRCPT TO:<x@y.test" },
		"name":             func(o *MailOptions) { o.From = "A <a@b.test>" },
		"to":               func(o *MailOptions) { o.To = []string{"c@b.test\r\nBcc: d@b.test"} },
		"nobody":           func(o *MailOptions) { o.To = nil },
		"hello":            func(o *MailOptions) { o.Hello = "x\r\nMAIL" },
		"password clear":   func(o *MailOptions) { withPassword(o); o.InsecureWithoutTLS = true },
		"password of more": func(o *MailOptions) { withPassword(o); o.Password += "\nx" },
	} {
		o := good
		change(&o)
		if _, err := NewMail(o); err == nil || strings.Contains(err.Error(), "hunter2") || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewMail(good); err != nil {
		t.Error(err)
	}
	if r, _ := NewMail(good); r.options.TLS.MinVersion < tls.VersionTLS12 || r.options.TLS.ServerName != "h.test" {
		t.Error("the default of TLS")
	}
}
