package smtp_test

import (
	"testing"

	"github.com/mailtap/mailtap/decode/smtp"
)

func TestParse(t *testing.T) {
	for line, want := range map[string]struct {
		verb smtp.Verb
		arg  string
	}{
		"EHLO a\r\n":                       {smtp.EHLO, "a"},
		"  eHlO\t a \t\r\n":                {smtp.EHLO, "a"},
		"QUIT \r\n":                        {smtp.QUIT, ""},
		"STARTTLS now\r\n":                 {smtp.STARTTLS, "now"},
		"help\n":                           {smtp.HELP, ""},
		"ETRN @example.org\r\n":            {smtp.ETRN, "@example.org"},
		"TURN\r\n":                         {smtp.TURN, ""},
		"ATRN a,b\r\n":                     {smtp.ATRN, "a,b"},
		"SEND FROM:<a>\r\n":                {smtp.SEND, "FROM:<a>"},
		"soml from:<a>\r\n":                {smtp.SOML, "from:<a>"},
		"Saml FROM:<a>\r\n":                {smtp.SAML, "FROM:<a>"},
		"xclient NAME=a\r\n":               {smtp.XCLIENT, "NAME=a"},
		"XFORWARD ADDR=b\r\n":              {smtp.XFORWARD, "ADDR=b"},
		"BURL imap://a LAST\r\n":           {smtp.BURL, "imap://a LAST"},
		"X-EXPS GSSAPI\r\n":                {smtp.XEXPS, "GSSAPI"},
		"x-anonymoustls\r\n":               {smtp.XANONYMOUSTLS, ""},
		"XEXCH50 1024 2\r\n":               {smtp.XEXCH50, "1024 2"},
		"X-LINK2STATE LAST CHUNK={00}\r\n": {smtp.XLINK2STATE, "LAST CHUNK={00}"},
		// No standard names these: they stay what a server must refuse.
		"DEBUG\r\n": {smtp.Unknown, ""}, "WIZ\r\n": {smtp.Unknown, ""}, "ONEX\r\n": {smtp.Unknown, ""}, "VERB ON\r\n": {smtp.Unknown, "ON"},
		"XRDST a\r\n": {smtp.Unknown, "a"}, "MAILFROM:<a>\r\n": {smtp.Unknown, ""}, "EHLO\x00\r\n": {smtp.EHLO, ""}, "EH\x00LO\r\n": {smtp.Unknown, ""},
		"\r\n": {smtp.Unknown, ""}, "QUITE\r\n": {smtp.Unknown, ""}, "QUI\r\n": {smtp.Unknown, ""},
	} {
		verb, arg := smtp.Parse([]byte(line))
		if verb != want.verb || string(arg) != want.arg {
			t.Errorf("%q: %v %q, want %v %q", line, verb, arg, want.verb, want.arg)
		}
	}
	for v := smtp.HELO; v < smtp.Unknown; v++ {
		if got, _ := smtp.Parse([]byte(v.String())); got != v {
			t.Errorf("%v is read as %v", v, got)
		}
	}
	if len(smtp.Verbs) != int(smtp.Unknown) {
		t.Errorf("%d names for %d verbs", len(smtp.Verbs), smtp.Unknown)
	}
}

func TestParseBDAT(t *testing.T) {
	for arg, want := range map[string]struct {
		size int64
		last bool
		ok   bool
	}{
		"0": {0, false, true}, "5 LAST": {5, true, true}, "5\tlast ": {5, true, true}, "005": {5, false, true},
		"1099511627776": {1 << 40, false, true}, "1099511627777": {}, "9223372036854775807": {}, "9223372036854775808 LAST": {},
		"18446744073709551616 LAST": {}, "15555555557777777777 LAST": {}, "99999999999999999999999999999999": {},
		"": {}, "-1": {}, "-1 LAST": {}, "+5": {}, "0x5": {}, "5.": {}, "5LAST": {}, "LAST": {}, "LAST 5": {}, "5 LASTX": {}, "5 LAST x": {}, "5 6": {}, "5,6": {}, "٥": {},
	} {
		size, last, ok := smtp.ParseBDAT([]byte(arg))
		if size != want.size || last != want.last || ok != want.ok {
			t.Errorf("%q: %d %v %v", arg, size, last, ok)
		}
	}
}

func TestParseBURLAndXEXCH50(t *testing.T) {
	for arg, want := range map[string][2]bool{
		"imap://a/b;URLAUTH=c LAST": {true, true}, "imap://a": {false, true}, "": {}, "imap://a b": {}, "imap://a LAST b": {},
	} {
		if last, ok := smtp.ParseBURL([]byte(arg)); ok != want[1] || ok && last != want[0] {
			t.Errorf("BURL %q: %v %v", arg, last, ok)
		}
	}
	for arg, want := range map[string]int64{
		"1024 2": 1024, "0 1": 0, "1024": -1, "-1 2": -1, "2147483648 1": 2147483648, "99999999999999999999 1": -1, "a 1": -1, "1 a": -1, "": -1,
	} {
		size, ok := smtp.ParseXEXCH50([]byte(arg))
		if !ok {
			size = -1
		}
		if size != want {
			t.Errorf("XEXCH50 %q: %d", arg, size)
		}
	}
}
