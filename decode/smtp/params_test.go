package smtp_test

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/decode/smtp"
)

func TestMailParams(t *testing.T) {
	none := smtp.MailParams{Size: -1}
	with := func(f func(*smtp.MailParams)) smtp.MailParams { p := none; f(&p); return p }
	rare := func(m smtp.MailOptions) smtp.MailParams { p := none; p.More = &m; return p }
	bad := with(func(p *smtp.MailParams) { p.Bad = 1 })
	for in, want := range map[string]smtp.MailParams{
		"":                               none,
		"SIZE=0":                         with(func(p *smtp.MailParams) { p.Size = 0 }),
		"size=12345":                     with(func(p *smtp.MailParams) { p.Size = 12345 }),
		"SIZE=9223372036854775807":       with(func(p *smtp.MailParams) { p.Size = 1<<63 - 1 }),
		"SIZE=9223372036854775808":       bad,
		"SIZE=-1":                        bad,
		"SIZE=+1":                        bad,
		"SIZE":                           bad,
		"BODY=8bitmime":                  with(func(p *smtp.MailParams) { p.Body = "8BITMIME" }),
		"BODY=7BIT":                      with(func(p *smtp.MailParams) { p.Body = "7BIT" }),
		"BODY=BINARYMIME":                with(func(p *smtp.MailParams) { p.Body = "BINARYMIME" }),
		"BODY=odd":                       with(func(p *smtp.MailParams) { p.Body = "ODD" }),
		"SMTPUTF8  REQUIRETLS":           with(func(p *smtp.MailParams) { p.SMTPUTF8, p.RequireTLS = true, true }),
		"X=1 Y\tZ=":                      with(func(p *smtp.MailParams) { p.Unknown = 3 }),
		"RET=hdrs":                       rare(smtp.MailOptions{Return: "HDRS"}),
		"RET=FULL ENVID=QQ+2B314159":     rare(smtp.MailOptions{Return: "FULL", EnvelopeID: "QQ+314159"}),
		"RET=SOME":                       bad,
		"AUTH=<>":                        rare(smtp.MailOptions{Auth: "<>"}),
		"AUTH=e+3Dmc2@example.com":       rare(smtp.MailOptions{Auth: "e=mc2@example.com"}),
		"AUTH=<a@b>":                     rare(smtp.MailOptions{Auth: "a@b"}),
		"AUTH=":                          bad,
		"BY=120;R":                       rare(smtp.MailOptions{ByTime: 120, ByMode: "R"}),
		"BY=-5;nt":                       rare(smtp.MailOptions{ByTime: -5, ByMode: "NT"}),
		"BY=5":                           bad,
		"BY=;R":                          bad,
		"HOLDFOR=86400":                  rare(smtp.MailOptions{HoldFor: 86400}),
		"HOLDFOR=1234567890":             bad,
		"HOLDUNTIL=2026-01-02T03:04:05Z": rare(smtp.MailOptions{HoldUntil: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}),
		"HOLDUNTIL=tomorrow":             bad,
		"MT-PRIORITY=-9":                 rare(smtp.MailOptions{Priority: -9, HasPriority: true}),
		"MT-PRIORITY=0":                  rare(smtp.MailOptions{HasPriority: true}),
		"MT-PRIORITY=10":                 bad,
		"XOORG=contoso.com":              rare(smtp.MailOptions{Org: "contoso.com"}),
		"SUBMITTER=a+2Bb@c":              rare(smtp.MailOptions{Submitter: "a+b@c"}),
		"ENVID=a+zz":                     bad,
	} {
		if got := smtp.ParseMailParams([]byte(in)); !reflect.DeepEqual(got, want) {
			t.Errorf("%q\ngot  %+v %+v\nwant %+v %+v", in, got, got.More, want, want.More)
		}
	}
	if got := smtp.ParseMailParams([]byte(strings.Repeat("A=1 ", 500))); got.Unknown != 65 {
		t.Errorf("%d parameters counted", got.Unknown)
	}
}

// TestMailParamsAllocate holds the common case free of garbage.
func TestMailParamsAllocate(t *testing.T) {
	in := []byte("SIZE=12345 BODY=8BITMIME SMTPUTF8")
	if n := testing.AllocsPerRun(100, func() { smtp.ParseMailParams(in) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestRcptParams(t *testing.T) {
	for in, want := range map[string]smtp.RcptParams{
		"":                               {},
		"NOTIFY=NEVER":                   {Notify: smtp.NotifyNever},
		"notify=Success,FAILURE,delay":   {Notify: smtp.NotifySuccess | smtp.NotifyFailure | smtp.NotifyDelay},
		"NOTIFY=NEVER,DELAY":             {Bad: 1},
		"NOTIFY=":                        {Bad: 1},
		"ORCPT=rfc822;Bob+40x@Ivory.EDU": {OriginalType: "rfc822", Original: "Bob@x@Ivory.EDU"},
		"ORCPT=utf-8;jörg@x X=Y":         {OriginalType: "utf-8", Original: "jörg@x", Unknown: 1},
		"ORCPT=a@b":                      {Bad: 1},
		"RRVS=2026-01-02T03:04:05Z":      {},
	} {
		if got := smtp.ParseRcptParams([]byte(in)); got != want {
			t.Errorf("%q: %+v, want %+v", in, got, want)
		}
	}
}

func TestXClient(t *testing.T) {
	for in, want := range map[string]smtp.XClient{
		"": {},
		"NAME=spike.porcupine.org ADDR=168.100.189.2": {Name: "spike.porcupine.org", Addr: netip.MustParseAddr("168.100.189.2")},
		"ADDR=IPV6:2001:db8::1 PORT=40000 DESTADDR=192.0.2.1 DESTPORT=25": {
			Addr: netip.MustParseAddr("2001:db8::1"), Port: 40000, Dest: netip.MustParseAddr("192.0.2.1"), DestPort: 25},
		"name=[UNAVAILABLE] addr=[tempunavail] PORT=[UNAVAILABLE] HELO=b+20c LOGIN=bob PROTO=ESMTP": {Helo: "b c", Login: "bob", Proto: "ESMTP"},
		"IDENT=4ABC SOURCE=REMOTE":                {Ident: "4ABC", Source: "REMOTE"},
		"ADDR=300.1.1.1 PORT=70000 HELO=a+g FOO=": {Bad: 3, Helo: "a+g", Unknown: 1},
		"ADDR=fe80::1%eth0":                       {Bad: 1},
		"ADDR=IPV6:192.0.2.1":                     {Bad: 1},
	} {
		if got := smtp.ParseXClient([]byte(in)); got != want {
			t.Errorf("%q\ngot  %+v\nwant %+v", in, got, want)
		}
	}
}
