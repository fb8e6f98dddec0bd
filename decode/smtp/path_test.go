package smtp_test

import (
	"strings"
	"testing"

	"github.com/mailtap/mailtap/decode/smtp"
)

func TestParseAddress(t *testing.T) {
	long := strings.Repeat("x", 2000) + "@a"
	for _, tt := range []struct {
		arg, mailbox, params string
		flags                uint8
	}{
		{"FROM:<a@b> SIZE=1", "a@b", "SIZE=1", 0},
		{"FROM:<>", "", "", 0},
		{"FROM: <> BODY=7BIT", "", "BODY=7BIT", 0},
		{"FROM:", "", "", 0},
		{"", "", "", 0},
		{"TO: <a@b>", "a@b", "", 0},
		{"TO :\t<a@b>", "a@b", "", 0},
		{"TO:<Postmaster>", "Postmaster", "", 0},
		{"TO:postmaster", "postmaster", "", smtp.NoBrackets},
		{"TO:a@b", "a@b", "", smtp.NoBrackets},
		{"TO:a@b NOTIFY=NEVER", "a@b", "NOTIFY=NEVER", smtp.NoBrackets},
		{`TO:"a b"@c NOTIFY=NEVER`, `"a b"@c`, "NOTIFY=NEVER", smtp.NoBrackets},
		{`TO:"a b@c NOTIFY=NEVER`, `"a`, "b@c NOTIFY=NEVER", smtp.NoBrackets | smtp.Unclosed},
		{"FROM <a@b> X=Y", "a@b", "X=Y", smtp.NoColon},
		{"TO<@a:b@c>", "@a:b@c", "", smtp.NoColon | smtp.SourceRoute},
		{"from a@b", "a@b", "", smtp.NoColon | smtp.NoBrackets},
		{"nothing here", "", "", 0},
		{"fromage <a@b>", "", "", 0},
		{`TO:<"a>b c"@d>`, `"a>b c"@d`, "", 0},
		{`TO:<"a,b> c"@d> X=Y`, `"a,b> c"@d`, "X=Y", 0},
		{`TO:<"a\">b"@d> X=Y`, `"a\">b"@d`, "X=Y", 0},
		{`TO:<a\>b@d>`, `a\>b@d`, "", 0},
		{"TO:<@a,@b:c@d>", "@a,@b:c@d", "", smtp.SourceRoute},
		{"TO:<a%b@c>", "a%b@c", "", 0},
		{"TO:<a!b!c>", "a!b!c", "", 0},
		{"TO:<a b@c>", "a b@c", "", 0},
		{"FROM:<jörg@exämple.de> SMTPUTF8", "jörg@exämple.de", "SMTPUTF8", 0},
		{"FROM:<a\x00b\xff@c>", "a\ufffdb\ufffd@c", "", 0},
		{"FROM:<a@b", "a@b", "", smtp.Unclosed},
		{`FROM:<"a@b> SIZE=1`, `"a@b`, "SIZE=1", smtp.Unclosed},
		{"FROM:<a@b>SIZE=1", "a@b", "SIZE=1", smtp.TrailingJunk},
		{"FROM:<a@b>; rm -rf", "a@b", "; rm -rf", smtp.TrailingJunk},
		{"FROM:<" + long + ">", long[:1024], "", smtp.OverlongPath},
	} {
		got := smtp.ParseAddress([]byte(tt.arg))
		if got.Mailbox != tt.mailbox || string(got.Params) != tt.params || got.Flags != tt.flags {
			t.Errorf("%.40q: %.60q, parameters %q, flags %06b; want %.60q, %q, %06b", tt.arg, got.Mailbox, got.Params, got.Flags, tt.mailbox, tt.params, tt.flags)
		}
		if mailbox, params := smtp.Path([]byte(tt.arg)); mailbox != tt.mailbox || string(params) != tt.params {
			t.Errorf("%.40q: Path says %q, %q", tt.arg, mailbox, params)
		}
	}
}

// FuzzPath takes any argument of MAIL and RCPT apart: what is kept is bounded,
// is text, and was in the argument.
func FuzzPath(f *testing.F) {
	for _, s := range []string{
		"FROM:<a@b> SIZE=1 BODY=8BITMIME RET=FULL ENVID=a+2Bb BY=-5;NT AUTH=<>", `TO:<"a>b c"@d> NOTIFY=NEVER ORCPT=rfc822;a+40b`,
		"TO:<@a,@b:c@d>", `from "a b`, "FROM:<\x00\xff", "ADDR=IPV6:::1 PORT=25 NAME=[UNAVAILABLE]",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, arg []byte) {
		a := smtp.ParseAddress(arg)
		if len(a.Mailbox) > 3*1024 || len(a.Params) > len(arg) {
			t.Fatalf("%d octets of %d", len(a.Mailbox), len(arg))
		}
		if strings.ContainsAny(a.Mailbox, "\r\n\x00") {
			t.Fatalf("%q", a.Mailbox)
		}
		if !strings.ContainsRune(a.Mailbox, '\ufffd') && !strings.Contains(string(arg), a.Mailbox) {
			t.Fatalf("%q is not in %q", a.Mailbox, arg)
		}
		m := smtp.ParseMailParams(a.Params)
		if m.Size < -1 || len(m.Body) > 60 || m.More != nil && (m.More.Priority < -9 || m.More.Priority > 9 || m.More.HoldFor < 0) {
			t.Fatalf("%+v", m)
		}
		r := smtp.ParseRcptParams(a.Params)
		if r.Notify > 15 || r.Notify&smtp.NotifyNever != 0 && r.Notify != smtp.NotifyNever || len(r.Original) > 3*1024 {
			t.Fatalf("%+v", r)
		}
		x := smtp.ParseXClient(arg)
		if x.Addr.Zone() != "" || len(x.Name) > 3*1024 {
			t.Fatalf("%+v", x)
		}
	})
}
