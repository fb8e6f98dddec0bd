package syslog

import (
	"strings"
	"testing"
	"time"
)

func TestMessage(t *testing.T) {
	at := time.Date(2026, 3, 9, 9, 7, 6, 5_999, time.FixedZone("", 3600))
	b := AppendHeader(nil, Header{Facility: 16, Severity: Informational, Time: at, Hostname: "tap 1", PID: 7, MsgID: "mail"})
	b = AppendParam(b, "session", `a"b]c\d`+"\n\x80ü")
	b = AppendParam(b, "empty", "")
	b = append(AppendEnd(b), "text"...)
	want := `<134>1 2026-03-09T08:07:06.000005Z tap_1 mailtap 7 mail [mailtap@32473 session="a\"b\]c\\d??ü"] text`
	if string(b) != want {
		t.Errorf("got  %s\nwant %s", b, want)
	}
	if got := string(AppendFrame([]byte("x"), []byte("abc"))); got != "x3 abc" {
		t.Errorf("frame %q", got)
	}
}

func TestNamesAreBoundedAndPlain(t *testing.T) {
	for in, want := range map[string]string{"": "-", "mx1.example.org": "mx1.example.org", "a=b] \"": "a_b___", "ü\n": "__", strings.Repeat("x", 40): strings.Repeat("x", 32)} {
		if got := Word(in, 32); got != want {
			t.Errorf("Word(%q) is %q, want %q", in, got, want)
		}
	}
	if n, ok := Facility("local0"); n != 16 || !ok {
		t.Errorf("local0 is %d, %v", n, ok)
	}
	if _, ok := Facility("local9"); ok {
		t.Error("local9 is taken for a facility")
	}
	if got := OneLine("a\r\nb\u2028\xff"); got != "a??b??" {
		t.Errorf("OneLine: %q", got)
	}
}
