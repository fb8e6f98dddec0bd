package smtp_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/decode/smtp"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func TestExchange(t *testing.T) {
	tests := []struct {
		name  string
		arg   string
		lines []string // challenge and answer in turn
		user  string
		authz string
		open  bool // a secret was in it
	}{
		{"plain", "plain " + b64("\x00bob\x00hunter2"), nil, "bob", "", true},
		{"plain, authzid", "PLAIN " + b64("boss\x00bob\x00hunter2"), nil, "bob", "boss", true},
		{"plain, continued", "PLAIN", []string{"", b64("\x00bob\x00hunter2")}, "bob", "", true},
		{"plain, empty first", "PLAIN =", []string{"", b64("\x00bob\x00hunter2")}, "bob", "", true},
		{"plain, no secret", "PLAIN " + b64("\x00bob\x00"), nil, "bob", "", false},
		{"plain, damaged", "PLAIN !!!!", nil, "", "", false},
		{"login", "LOGIN", []string{b64("Username:"), b64("bob"), b64("Password:"), b64("hunter2")}, "bob", "", true},
		{"login, user first", "LOGIN " + b64("bob"), []string{b64("Password:"), b64("hunter2")}, "bob", "", true},
		{"login, no prompts", "LOGIN", []string{"", b64("bob"), "", b64("hunter2")}, "bob", "", true},
		{"login, password asked first", "LOGIN", []string{b64("Password:"), b64("hunter2"), b64("User Name"), b64("bob")}, "bob", "", true},
		{"login, cancelled", "LOGIN", []string{b64("Username:"), b64("bob"), b64("Password:"), "*"}, "bob", "", false},
		{"cram", "CRAM-MD5", []string{b64("<1@a>"), b64("bob smith 0123456789abcdef")}, "bob smith", "", false},
		{"digest", "DIGEST-MD5", []string{"", b64(`charset=utf-8,username="b\"ob",realm="x",authzid="boss"`), "", ""}, `b"ob`, "boss", false},
		{"scram", "SCRAM-SHA-256 " + b64("n,a=boss,n=b=2Co=3Db,r=nonce"), []string{b64("r=nonce,s=x,i=1"), b64("c=biws,r=nonce,p=proof")}, "b,o=b", "boss", false},
		{"xoauth2", "XOAUTH2 " + b64("user=bob@a\x01auth=Bearer tok\x01\x01"), nil, "bob@a", "", true},
		{"oauthbearer", "OAUTHBEARER " + b64("n,a=bob@a,\x01host=x\x01auth=Bearer tok\x01\x01"), nil, "bob@a", "", true},
		{"external", "EXTERNAL " + b64("bob"), nil, "", "bob", false},
		{"unpadded", "PLAIN " + strings.TrimRight(b64("\x00bo\x00hunter2"), "="), nil, "bo", "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var e smtp.Exchange
			e.Start([]byte(tt.arg))
			for i := 0; i+1 < len(tt.lines); i += 2 {
				e.Respond([]byte(tt.lines[i+1]), []byte(tt.lines[i]))
			}
			if e.Username != tt.user || e.Authzid != tt.authz || e.Secret != tt.open {
				t.Errorf("user %q, authzid %q, secret %v", e.Username, e.Authzid, e.Secret)
			}
			if s := fmt.Sprintf("%+v", e); strings.Contains(s, "hunter2") || strings.Contains(s, "tok") {
				t.Errorf("the secret is kept: %s", s)
			}
		})
	}
}

// FuzzExchange reads any answers of any mechanism.
func FuzzExchange(f *testing.F) {
	f.Add("PLAIN AGEAYg==", "VXNlcm5hbWU6", "Ym9i", "")
	f.Add("SCRAM-SHA-1 biwsbj1h", "", "", "*")
	f.Add("DIGEST-MD5", "", b64(`username="a\`), "")
	f.Fuzz(func(t *testing.T, arg, challenge, one, two string) {
		var e smtp.Exchange
		e.Start([]byte(arg))
		e.Respond([]byte(one), []byte(challenge))
		e.Respond([]byte(two), []byte(challenge))
		if len(e.Username) > 3*320 || len(e.Authzid) > 3*320 {
			t.Fatalf("%d octets of identity", len(e.Username)+len(e.Authzid))
		}
	})
}
