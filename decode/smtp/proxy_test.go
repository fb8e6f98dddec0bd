package smtp_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/decode/smtp"
)

// proxyV2 makes a header of version 2.
func proxyV2(command, family byte, rest string) string {
	return "\r\n\r\n\x00\r\nQUIT\n" + string([]byte{0x20 | command, family, byte(len(rest) >> 8), byte(len(rest))}) + rest
}

func octets(s string) string {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

const (
	inet4 = "\xc6\x33\x64\x01\xc0\x00\x02\x19\x13\x88\x00\x19" // 198.51.100.1:5000 to 192.0.2.25:25
	want4 = "v2 198.51.100.1:5000 192.0.2.25:25"
)

// The first eight are what haproxy 2.6 and a client made by hand sent to
// Postfix.
var proxyHeaders = []struct{ in, want string }{
	{"PROXY TCP4 10.20.0.11 10.20.0.18 34366 2525\r\n", "v1 10.20.0.11:34366 10.20.0.18:2525"},
	{octets("0d0a0d0a000d0a515549540a2111000c0a14000b0a140012863f09de"), "v2 10.20.0.11:34367 10.20.0.18:2526"},
	{"PROXY TCP4 198.51.100.20 203.0.113.5 51234 25\r\n", "v1 198.51.100.20:51234 203.0.113.5:25"},
	{"PROXY TCP6 2001:db8::7 2001:db8::25 51235 25\r\n", "v1 [2001:db8::7]:51235 [2001:db8::25]:25"},
	{"PROXY UNKNOWN\r\n", "v1 invalid AddrPort invalid AddrPort"},
	{octets("0d0a0d0a000d0a515549540a2111000cc6336415cb007105c8240019"), "v2 198.51.100.21:51236 203.0.113.5:25"},
	{octets("0d0a0d0a000d0a515549540a2121002b20010db800000000000000000000000920010db8000000000000000000000025c825001904000461626364"), "v2 [2001:db8::9]:51237 [2001:db8::25]:25"},
	{octets("0d0a0d0a000d0a515549540a20000000"), "v2 invalid AddrPort invalid AddrPort local"},

	{"PROXY UNKNOWN ffff::1 x 1 2 and more\r\n", "v1 invalid AddrPort invalid AddrPort"},
	{"PROXY UNKNOWN " + strings.Repeat("x", 91) + "\r\n", "v1 invalid AddrPort invalid AddrPort"},
	{"PROXY TCP6 ::ffff:192.0.2.1 ::1 0 65535\r\n", "v1 [::ffff:192.0.2.1]:0 [::1]:65535"},
	{proxyV2(1, 0x11, inet4), want4},
	{proxyV2(1, 0x12, inet4), want4},
	{proxyV2(1, 0x11, inet4+"\x02\x00\x0bmail.a.test"), want4 + " mail.a.test"},
	{proxyV2(1, 0x11, inet4+"\x20\x00\x05\x01\x00\x00\x00\x00\x04\x00\x00"), want4 + " tls"},
	{proxyV2(1, 0x11, inet4+"\x20\x00\x05\x00\x00\x00\x00\x00"), want4},
	{proxyV2(1, 0x00, "what is not known"[:0]), "v2 invalid AddrPort invalid AddrPort"},
	{proxyV2(1, 0x31, strings.Repeat("/", 216)), "v2 invalid AddrPort invalid AddrPort"},
	{proxyV2(0, 0x11, "ignored"), "v2 invalid AddrPort invalid AddrPort local"},
}

func describe(h smtp.ProxyHeader) string {
	s := fmt.Sprintf("v%d %v %v", h.Version, h.Source, h.Dest)
	if h.Local {
		s += " local"
	}
	if h.Authority != "" {
		s += " " + h.Authority
	}
	if h.TLS {
		s += " tls"
	}
	return s
}

func TestProxy(t *testing.T) {
	for _, tt := range proxyHeaders {
		in := tt.in + "EHLO a\r\n"
		for n := range in {
			h, used, st := smtp.ParseProxy([]byte(in[:n]))
			if n < len(tt.in) {
				if st != smtp.ProxyMore || used != 0 {
					t.Fatalf("%q: state %d, %d octets", in[:n], st, used)
				}
				continue
			}
			if st != smtp.ProxyDone || used != len(tt.in) || describe(h) != tt.want {
				t.Fatalf("%q: state %d, %d octets, %s; want %s", in[:n], st, used, describe(h), tt.want)
			}
		}
	}
}

// TestNoProxy has what is no header, and what begins like one; n says how many
// octets the header claims.
func TestNoProxy(t *testing.T) {
	for _, tt := range []struct {
		in string
		n  int
		st smtp.ProxyState
	}{
		{"EHLO a\r\n", 0, smtp.ProxyNone},
		{"PROX\r\n", 0, smtp.ProxyNone},
		{"PROXY\r\n", 0, smtp.ProxyNone},
		{"proxy TCP4 1.2.3.4 1.2.3.4 1 1\r\n", 0, smtp.ProxyNone},
		{"\r\nQUIT\r\n", 0, smtp.ProxyNone},
		{"PROXY \r\n", 8, smtp.ProxyBad},
		{"PROXY TCP4\r\n", 12, smtp.ProxyBad},
		{"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n", 35, smtp.ProxyBad},
		{"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n", 38, smtp.ProxyBad},
		{"PROXY TCP4 192.0.2.1 192.0.2.2  2\r\n", 35, smtp.ProxyBad},
		{"PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n", 37, smtp.ProxyBad},
		{"PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n", 37, smtp.ProxyBad},
		{"PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n", 40, smtp.ProxyBad},
		{"PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n", 38, smtp.ProxyBad},
		{"PROXY TCP4 ::1 ::1 1 2\r\n", 24, smtp.ProxyBad},
		{"PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n", 36, smtp.ProxyBad},
		{"PROXY TCP6 fe80::1%a ::1 1 2\r\n", 30, smtp.ProxyBad},
		{"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n", 36, smtp.ProxyBad},
		{"PROXY UNKNOWN " + strings.Repeat("x", 92) + "\r\n", 0, smtp.ProxyBad},
		{"\r\n\r\n\x00\r\nQUIT\n\x11\x11\x00\x00", 0, smtp.ProxyBad},
		{proxyV2(2, 0x11, inet4), 28, smtp.ProxyBad},
		{proxyV2(1, 0x41, inet4), 28, smtp.ProxyBad},
		{proxyV2(1, 0x13, inet4), 28, smtp.ProxyBad},
		{proxyV2(1, 0x11, inet4[:11]), 27, smtp.ProxyBad},
		{proxyV2(1, 0x21, inet4), 28, smtp.ProxyBad},
		{proxyV2(1, 0x11, inet4+"\x02\x00"), 30, smtp.ProxyBad},
		{proxyV2(1, 0x11, inet4+"\x02\x00\x05abcd"), 35, smtp.ProxyBad},
		{proxyV2(1, 0x11, inet4+"\x04\x10\x00"+strings.Repeat("x", 4096)), 16 + 12 + 3 + 4096, smtp.ProxyBad},
	} {
		h, n, st := smtp.ParseProxy([]byte(tt.in))
		if st != tt.st || n != tt.n || h != (smtp.ProxyHeader{}) {
			t.Errorf("%.60q: state %d, %d octets, %+v; want state %d, %d", tt.in, st, n, h, tt.st, tt.n)
		}
	}
}

// FuzzProxy holds that what is told of some octets is told of all that begin
// with them, and that the wait is bounded.
func FuzzProxy(f *testing.F) {
	for _, tt := range proxyHeaders {
		f.Add([]byte(tt.in), uint16(3))
		f.Add([]byte(tt.in+"EHLO a\r\n"), uint16(14))
	}
	f.Fuzz(func(t *testing.T, b []byte, at uint16) {
		h, n, st := smtp.ParseProxy(b)
		if n > len(b) && st == smtp.ProxyDone || n < 0 || len(b) > 5000 && st == smtp.ProxyMore {
			t.Fatalf("state %d, %d octets of %d", st, n, len(b))
		}
		if st == smtp.ProxyDone && (h.Version != 1 && h.Version != 2 || h.Source.IsValid() != h.Dest.IsValid() || len(h.Authority) > 3*255) {
			t.Fatalf("%+v", h)
		}
		if st != smtp.ProxyDone && h != (smtp.ProxyHeader{}) {
			t.Fatalf("state %d with %+v", st, h)
		}
		cut := int(at) % (len(b) + 1)
		h2, n2, st2 := smtp.ParseProxy(b[:cut])
		if st2 != smtp.ProxyMore && (h2 != h || n2 != n || st2 != st) {
			t.Fatalf("%d octets of %q: state %d, then %d", cut, b, st2, st)
		}
	})
}
