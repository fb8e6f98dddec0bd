package smtp_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/decode/smtp"
)

var firstOctets = []struct{ octets, want string }{
	{"EHLO client.example\r\n", ""},
	{"MAIL FROM:<a@b>\r\n", ""},
	{"HELP\r\n", ""},
	{"220 mail.example ESMTP\r\n", ""},
	{"220 (vsFTPd 3.0.3)\r\n", ""},
	{"\r\n", ""},
	{"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c", ""},
	{"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", ""},
	{"Gr\xc3\xbc\xc3\x9fe aus M\xc3\xbcnchen\r\n", ""},
	{"\xc3\xa9cole et tout le reste de la ligne ici\r\n", ""},
	{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "http"},
	{"GET /\r\n", "http"},
	{"GET me a coffee\r\n", ""},
	{"GET " + strings.Repeat("x", 3000), ""},
	{"CONNECT mail:25 HTTP/1.1\r\n", "http"},
	{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http"},
	{"HTTP/1.1 400 Bad Request\r\n", "http"},
	{"OPTIONS sip:a@b SIP/2.0\r\n", "sip"},
	{"SIP/2.0 200 OK\r\n", "sip"},
	{"OPTIONS / RTSP/1.0\r\n", "rtsp"},
	{"RTSP/1.0 200 OK\r\n", "rtsp"},
	{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", "tls"},
	{"\x16\x03\x03\x00\x7a\x02\x00", "tls"},
	{"\x15\x03\x01\x00\x02\x02\x28", "tls"},
	{"\x80\x2e\x01\x03\x01\x00\x15", "tls"},
	{"SSH-2.0-OpenSSH_9.2\r\n", "ssh"},
	{"RFB 003.008\n", "rfb"},
	{"+OK POP3 ready\r\n", "pop3"},
	{"+OK\r\n", "pop3"},
	{"* OK [CAPABILITY IMAP4rev1] ready\r\n", "imap"},
	{"* BYE too busy\r\n", "imap"},
	{"*\r\n", ""},
	{"*1\r\n$4\r\nPING\r\n", "redis"},
	{"-ERR unknown command\r\n", "redis"},
	{"\x04\x01\x00\x19\xc0\x00\x02\x01bob\x00", "socks4"},
	{"\x05\x01\x00", "socks5"},
	{"\x05\x02\x00\x02", "socks5"},
	{"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00", "rdp"},
	{"\x00\x00\x00\x85\xffSMBr\x00", "smb"},
	{"\x00\x00\x00\xc0\xfeSMB@\x00", "smb"},
	{"\x81\x00\x00\x44 CKFDENEC", "smb"},
	{"\xff\xfb\x1f\xff\xfd\x03", "telnet"},
	{"\x01\x02\x03\x04\x05\x06", "binary"},
	{"\x00\x1e\x00\x06\x01\x00\x00\x01", "binary"},
	{"\x00hello\r\n", ""},
}

func TestRecognise(t *testing.T) {
	for _, tt := range firstOctets {
		name, need := smtp.Recognise([]byte(tt.octets))
		if name != tt.want || need {
			t.Errorf("%.40q: %q, need %v; want %q", tt.octets, name, need, tt.want)
		}
		everyPrefix(t, []byte(tt.octets))
	}
}

// everyPrefix holds that what was told of fewer octets is told of more.
func everyPrefix(t *testing.T, b []byte) {
	t.Helper()
	name, need := smtp.Recognise(b)
	for n := range b {
		early, more := smtp.Recognise(b[:n])
		if !more && (early != name || need) {
			t.Fatalf("%q: %q of %d octets, then %q, need %v", b, early, n, name, need)
		}
		if more && early != "" {
			t.Fatalf("%q: %q before it is sure", b[:n], early)
		}
	}
	if need && len(b) > 2048 {
		t.Fatalf("%d octets do not suffice", len(b))
	}
}

func FuzzRecognise(f *testing.F) {
	for _, tt := range firstOctets {
		f.Add([]byte(tt.octets))
	}
	f.Fuzz(func(t *testing.T, b []byte) { everyPrefix(t, b[:min(len(b), 300)]) })
}

func TestOtherProtocol(t *testing.T) {
	for line, want := range map[string]bool{
		"GET / HTTP/1.1\r\n": true, "SSH-2.0-x\r\n": true, "RFB 003.008\n": true, "INVITE sip:a SIP/2.0\r\n": true,
		"GET lost\r\n": false, "SSH\r\n": false, "NOOP\r\n": false, "": false, "*\r\n": false, "Host: a\r\n": false, "\x01\x02\x03\x04\r\n": false,
	} {
		if got := smtp.OtherProtocol([]byte(line)); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
	if name, _ := smtp.Recognise(bytes.Repeat([]byte("A"), 10)); name != "" {
		t.Errorf("%q", name)
	}
}
