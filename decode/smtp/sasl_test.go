package smtp_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/mailtap/mailtap/decode/smtp"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

const secret = "hunter2-Wonder"

// The lines of a transcript: "C: " the client's, "S: " the text of a 334.
var transcripts = []struct {
	name  string
	lines string
	want  string // what the exchange tells
}{
	{"plain", "C: plain " + b64("\x00bob\x00"+secret), "PLAIN user=bob secret"},
	{"plain, authzid", "C: PLAIN " + b64("boss\x00bob\x00"+secret), "PLAIN user=bob authzid=boss secret"},
	{"plain, continued", "C: PLAIN\nS: \nC: " + b64("\x00bob\x00"+secret), "PLAIN user=bob secret"},
	{"plain, empty first", "C: PLAIN =\nS: \nC: " + b64("\x00bob\x00"+secret), "PLAIN user=bob secret"},
	{"plain, empty", "C: PLAIN =\nS: \nC: ", "PLAIN"},
	{"plain, no secret", "C: PLAIN " + b64("\x00bob\x00"), "PLAIN user=bob"},
	{"plain, damaged", "C: PLAIN ###not-base64###", "PLAIN odd"},
	{"plain, first NUL forgotten", "C: PLAIN " + b64("bob\x00"+secret), "PLAIN secret odd"},
	{"plain, no NUL", "C: PLAIN " + b64("bob:"+secret), "PLAIN odd"},
	{"plain, tabs", "C: PLAIN\t \t" + b64("\x00bob\x00"+secret) + " ", "PLAIN user=bob secret"},
	{"plain, folded", "C: PLAIN AGJv Yg" + b64("\x00bob\x00" + secret)[6:], "PLAIN user=bob secret odd"},
	{"plain, unpadded", "C: PLAIN " + strings.TrimRight(b64("\x00bo\x00"+secret), "="), "PLAIN user=bo secret"},
	{"plain, UTF-8", "C: PLAIN " + b64("\x00jörg@exämple\x00"+secret), "PLAIN user=jörg@exämple secret"},
	{"plain, swaks and Dovecot", "C: PLAIN\nS: \nC: AGJvYgBCdWlsZGVyLU1vc3MtMTI=", "PLAIN user=bob secret"},
	{"plain, cancelled", "C: PLAIN\nS: \nC: *", "PLAIN cancelled"},
	{"login", "C: LOGIN\nS: VXNlcm5hbWU6\nC: Ym9i\nS: UGFzc3dvcmQ6\nC: " + b64(secret), "LOGIN user=bob secret"},
	{"login, user first", "C: LOGIN " + b64("bob") + "\nS: UGFzc3dvcmQ6\nC: " + b64(secret), "LOGIN user=bob secret"},
	{"login, no prompts", "C: LOGIN\nS: \nC: " + b64("bob") + "\nS: \nC: " + b64(secret), "LOGIN user=bob secret"},
	{"login, prompts in words", "C: LOGIN\nS: Username:\nC: " + b64("bob") + "\nS: Password:\nC: " + b64(secret), "LOGIN user=bob secret"},
	{"login, prompts with NUL", "C: LOGIN\nS: VXNlciBOYW1lAA==\nC: " + b64("bob") + "\nS: UGFzc3dvcmQA\nC: " + b64(secret), "LOGIN user=bob secret"},
	{"login, prompts of another tongue", "C: LOGIN\nS: " + b64("Benutzer:") + "\nC: " + b64("bob") + "\nS: " + b64("Kennwort:") + "\nC: " + b64(secret), "LOGIN user=bob secret"},
	{"login, password asked first", "C: LOGIN\nS: " + b64("Password:") + "\nC: " + b64(secret) + "\nS: " + b64("User Name") + "\nC: " + b64("bob"), "LOGIN user=bob secret"},
	{"login, cancelled", "C: LOGIN\nS: VXNlcm5hbWU6\nC: Y2Fyb2w=\nS: UGFzc3dvcmQ6\nC:  * ", "LOGIN user=carol cancelled"},
	{"login, both in one line", "C: LOGIN " + b64("bob") + " " + b64(secret), "LOGIN user=bob secret odd"},
	{"login, both behind the prompt", "C: LOGIN\nS: VXNlcm5hbWU6\nC: " + b64("bobo") + " " + b64(secret), "LOGIN user=bobo secret odd"},
	{"login, not encoded", "C: LOGIN\nS: VXNlcm5hbWU6\nC: bob@example.org\nS: UGFzc3dvcmQ6\nC: " + secret, "LOGIN secret odd"},
	{"login, phrase not encoded", "C: LOGIN\nS: UGFzc3dvcmQ6\nC: my " + secret, "LOGIN secret odd"},
	{"login, empty lines", "C: LOGIN\nS: VXNlcm5hbWU6\nC: \nS: UGFzc3dvcmQ6\nC: ", "LOGIN"},
	{"cram", "C: CRAM-MD5\nS: " + b64("<1@a>") + "\nC: " + b64("bob smith 0123456789abcdef0123456789abcdef"), "CRAM-MD5 user=bob smith"},
	{"cram, a password for the digest", "C: CRAM-MD5\nS: " + b64("<1@a>") + "\nC: " + b64("bob "+secret), "CRAM-MD5 odd"},
	{"cram, plain's form", "C: CRAM-MD5\nS: " + b64("<1@a>") + "\nC: " + b64("\x00bob\x00my "+secret), "CRAM-MD5 odd"},
	{"digest", "C: DIGEST-MD5\nS: \nC: " + b64(`charset=utf-8,username="b\"ob",realm="x",authzid="boss"`) + "\nS: \nC: ", `DIGEST-MD5 user=b"ob authzid=boss`},
	{"digest, gsasl", "C: DIGEST-MD5\nS: cmVhbG09ImNvcnAudGVzdCI=\nC: " + b64(`username="alice", realm="corp.test", nonce="7uMP1Rs6bB6VMZCzFV9rNg==", cnonce="KucPo+cFMdR7fQpC4eJKTw==", nc=00000001, qop=auth, digest-uri="smtp/mail.corp.test", response=8df9fb02acf74d8a81ac7227141497f9, charset=utf-8`) + "\nS: cnNwYXV0aD1m\nC: ", "DIGEST-MD5 user=alice"},
	{"scram, gsasl", "C: SCRAM-SHA-1\nS: \nC: biwsbj1hbGljZSxyPWhKRm12UUVkdyttVCtVeExWQWJHYUJncQ==\nS: cj1oSkZtdlFFZHcr\n" +
		"C: Yz1iaXdzLHI9aEpGbXZRRWR3K21UK1V4TFZBYkdhQmdxVFgtKnohTVpbXDsoQygtTE1bO0V+ayg3UUowNkFMND0/VmVqTT1QWHdbRmdCR24uK3dTZS99Mnw6SX02Mj4pJixwPUxJU2FwV0V0SGFKUEN0c2diRVVaM3BQeklTaz0=\nS: dj1aVURiWkVHdGdrMjN5QXN5Wjc1aTZqeUlia1k9\nC: ", "SCRAM-SHA-1 user=alice"},
	{"scram, authzid", "C: SCRAM-SHA-256 " + b64("n,a=boss,n=b=2Co=3Db,r=nonce") + "\nS: " + b64("r=nonce,s=x,i=1") + "\nC: " + b64("c=biws,r=nonce,p=proof"), "SCRAM-SHA-256 user=b,o=b authzid=boss"},
	{"scram, bound", "C: SCRAM-SHA-512-PLUS " + b64("p=tls-server-end-point,,n=bob,r=nonce"), "SCRAM-SHA-512-PLUS user=bob"},
	{"xoauth2", "C: XOAUTH2 " + b64("user=bob@a\x01auth=Bearer "+secret+"\x01\x01"), "XOAUTH2 user=bob@a secret"},
	{"xoauth2, refused", "C: XOAUTH2 " + b64("user=bob@a\x01auth=Bearer "+secret+"\x01\x01") + "\nS: " + b64(`{"status":"400","schemes":"Bearer"}`) + "\nC: ", "XOAUTH2 user=bob@a secret"},
	{"xoauth2, continued", "C: XOAUTH2\nS: \nC: " + b64("user=bob@a\x01Auth=Bearer "+secret+"\x01\x01"), "XOAUTH2 user=bob@a secret"},
	{"oauthbearer", "C: OAUTHBEARER " + b64("n,a=bob@a,\x01host=x\x01auth=Bearer "+secret+"\x01\x01") + "\nS: e30=\nC: AQ==", "OAUTHBEARER user=bob@a secret"},
	{"external", "C: EXTERNAL " + b64("bob"), "EXTERNAL authzid=bob"},
	{"external, empty", "C: EXTERNAL =", "EXTERNAL"},
	{"anonymous", "C: ANONYMOUS " + b64("sirhc@example.org"), "ANONYMOUS authzid=sirhc@example.org"},
	{"kerberos 4", "C: KERBEROS_V4\nS: 5wMFJA==\nC: " + b64("\x04\x08"+secret), "KERBEROS_V4"},
	{"kerberos 5", "C: KERBEROS_V5 " + b64("x"), "KERBEROS_V5"},
	{"ntlm", "C: NTLM\nS: ntlm supported\nC: " + b64(type1) + "\nS: " + b64(type2) + "\nC: " + b64(type3(true)), `NTLM user=jörg domain=CORP target=CORP workstation=PC-7`},
	{"ntlm, at once", "C: NTLM " + b64(type1) + "\nS: " + b64(type2) + "\nC: " + b64(type3(false)), `NTLM user=jorg domain=CORP target=CORP workstation=PC-7`},
	{"ntlm, anonymous", "C: NTLM\nS: \nC: " + b64(ntlmFields(true, "", "", "")), "NTLM"},
	{"ntlm, without a domain", "C: NTLM\nS: \nC: " + b64(ntlmFields(true, "", "bob@corp", "")), "NTLM user=bob@corp"},
	{"ntlm, turned round", "C: NTLM\nS: " + b64(type3(true)) + "\nC: " + b64(type2), "NTLM"},
	{"ntlm, cut", "C: NTLM\nS: \nC: " + b64(type3(true)[:40]), "NTLM odd"},
	{"ntlm, no message", "C: NTLM " + b64("\x00bob\x00"+secret), "NTLM"},
	{"x-exps", "C: NTLM\nS: \nC: " + b64(spnego(type1)) + "\nS: " + b64(spnego(type2)) + "\nC: " + b64(spnego(type3(true))), `NTLM user=jörg domain=CORP target=CORP workstation=PC-7`},
	{"spnego with ntlm", "C: GSS-SPNEGO " + b64(spnego(type1)) + "\nS: " + b64(spnego(type2)) + "\nC: " + b64(spnego(type3(true))), `GSS-SPNEGO user=jörg domain=CORP target=CORP workstation=PC-7`},
	{"gssapi", "C: GSSAPI " + b64(kerberosToken()) + "\nS: \nC: \nS: " + b64("\x05\x04") + "\nC: " + b64("\x05\x04\x00\xff"), "GSSAPI target=smtp/mail.corp.test@CORP.TEST"},
	{"gssapi, identity", "C: GSSAPI " + b64(kerberosToken()) + "\nS: YA==\nC: \nS: BQQ=\nC: " + b64("\x05\x04\x04\xff\x00\x0c\x00\x00seqofaaa\x01\x00\x00\x00alicechecksum12ab"), "GSSAPI authzid=alice target=smtp/mail.corp.test@CORP.TEST"},
	{"gssapi, identity, rotated", "C: GSSAPI " + b64("\x05\x04\x04\xff\x00\x0c\x00\x0cseqofaaachecksum12ab\x01\x00\x00\x00alice"), "GSSAPI authzid=alice"},
	{"gssapi, sealed", "C: GSSAPI " + b64("\x05\x04\x06\xff\x00\x0c\x00\x00seqofaaa\x01\x00\x00\x00alicechecksum12ab"), "GSSAPI"},
	{"gssapi, no identity", "C: GSSAPI " + b64("\x05\x04\x04\xff\x00\x0c\x00\x00seqofaaa\x01\x00\x00\x00checksum12ab"), "GSSAPI"},
	{"spnego with kerberos", "C: GSSAPI " + b64(spnego(kerberosToken())), "GSSAPI target=smtp/mail.corp.test@CORP.TEST"},
	{"exchangeauth", "C: EXCHANGEAUTH SHA256 " + b64(kerberosToken()), "EXCHANGEAUTH target=smtp/mail.corp.test@CORP.TEST"},
	{"gssapi, cut", "C: GSSAPI " + b64(kerberosToken()[:60]), "GSSAPI"},
	{"unknown mechanism", "C: X-TOKEN\nS: \nC: " + b64(secret), "X-TOKEN"},
	{"a secret for the mechanism", "C: " + secret, ""},
	{"base64 for the mechanism", "C: " + b64(secret), ""},
	{"no mechanism", "C: ", ""},
	{"lower case", "C: login\nS: VXNlcm5hbWU6\nC: Ym9i", "LOGIN user=bob"},
}

func tell(e *smtp.Exchange) string {
	s := e.Mechanism
	for _, f := range []struct{ name, value string }{
		{"user", e.Username}, {"domain", e.Domain}, {"authzid", e.Authzid}, {"target", e.Target}, {"workstation", e.Workstation},
	} {
		if f.value != "" {
			s += " " + f.name + "=" + f.value
		}
	}
	for _, f := range []struct {
		name string
		set  bool
	}{{"secret", e.Secret}, {"cancelled", e.Cancelled}, {"odd", e.Odd}, {"overrun", e.Overrun}} {
		if f.set {
			s += " " + f.name
		}
	}
	return s
}

func play(e *smtp.Exchange, lines string) {
	challenge := ""
	for i, line := range strings.Split(lines, "\n") {
		switch said := line[3:]; {
		case i == 0:
			e.Start([]byte(said))
		case line[0] == 'S':
			challenge = said
		default:
			e.Respond([]byte(said), []byte(challenge))
		}
	}
}

func TestExchange(t *testing.T) {
	for _, tt := range transcripts {
		t.Run(tt.name, func(t *testing.T) {
			var e smtp.Exchange
			play(&e, tt.lines)
			if got := tell(&e); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			noSecret(t, &e)
			if all := fmt.Sprintf("%+v", e); strings.Contains(all, "response") || strings.Contains(all, ntResponse) {
				t.Errorf("a response is kept: %s", all)
			}
		})
	}
}

// noSecret looks for the secret in all that an exchange keeps, as it stands, in
// capitals and in base64.
func noSecret(t *testing.T, e *smtp.Exchange) {
	t.Helper()
	all := strings.ToUpper(fmt.Sprintf("%+v %#v", *e, *e))
	for _, s := range []string{secret, secret[:8], b64(secret), b64(secret)[:8], b64("\x00" + secret)[2:10], "Builder"} {
		if strings.Contains(all, strings.ToUpper(s)) {
			t.Errorf("the exchange keeps a secret of %d octets", len(s))
		}
	}
}

// TestExchangeLost loses the client's first line: without a prompt, what comes
// may be the password.
func TestExchangeLost(t *testing.T) {
	var e smtp.Exchange
	e.Start([]byte("LOGIN"))
	e.Lost()
	e.Respond([]byte(b64(secret)), nil)
	if got := tell(&e); got != "LOGIN secret" || !e.Unsure() {
		t.Errorf("%s", got)
	}
	noSecret(t, &e)
}

func TestExchangeLimit(t *testing.T) {
	e := smtp.Exchange{Limit: 3}
	for range 2 { // Start keeps the limit
		e.Start([]byte("SCRAM-SHA-1"))
		for range 3 {
			e.Respond([]byte("eA=="), nil)
		}
		if e.Overrun {
			t.Error("too early")
		}
		e.Respond([]byte(b64("n,,n=bob,r=x")), nil)
		if !e.Overrun || e.Username != "" {
			t.Errorf("%+v", e)
		}
		if e.Respond([]byte("*"), nil); !e.Cancelled {
			t.Error("a cancel is always read")
		}
	}
	e = smtp.Exchange{}
	e.Start([]byte("PLAIN"))
	for range 100 {
		e.Respond([]byte("eA=="), nil)
	}
	if !e.Overrun {
		t.Error("no default")
	}
}

// TestExchangeOfPeers reads a login by NTLM that another project captured.
func TestExchangeOfPeers(t *testing.T) {
	file := filepath.Join("..", "..", "..", "shared", "peers", "arkime", "ntlm_synthetic.pcap")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Skip("the captures of other projects are not here")
	}
	b = b[max(bytes.Index(b, []byte("250-AUTH NTLM")), 0):] // logins by other protocols stand before
	lines := regexp.MustCompile(`(334 )?(TlRMTVNTUAA[A-Za-z0-9+/=]+)\r\n`).FindAllSubmatch(b, -1)
	var e smtp.Exchange
	var challenge []byte
	e.Start([]byte("NTLM"))
	for _, l := range lines {
		switch {
		case len(l[1]) > 0:
			challenge = l[2]
		default:
			e.Respond(l[2], challenge)
		}
		if e.Username != "" {
			break
		}
	}
	if got := tell(&e); got != `NTLM user=jack domain=SMTPDOM target=SMTPTGT workstation=SMTPHOST` {
		t.Errorf("%s from %d messages", got, len(lines))
	}
}

const ntResponse = "NNNNNNNNNNNNNNNNNNNNNNNN"

const type1 = "NTLMSSP\x00\x01\x00\x00\x00\x07\x82\x08\xa2\x00\x00\x00\x00\x20\x00\x00\x00\x00\x00\x00\x00\x20\x00\x00\x00"

var type2 = "NTLMSSP\x00\x02\x00\x00\x00\x08\x00\x08\x00\x30\x00\x00\x00\x05\x82\x89\xa2\x01\x23\x45\x67\x89\xab\xcd\xef" +
	strings.Repeat("\x00", 16) + wide("CORP")

func type3(unicode bool) string {
	if unicode {
		return ntlmFields(true, "CORP", "jörg", "PC-7")
	}
	return ntlmFields(false, "CORP", "jorg", "PC-7")
}

func wide(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

// ntlmFields makes an AUTHENTICATE message.
func ntlmFields(unicode bool, domain, user, workstation string) string {
	head := []byte("NTLMSSP\x00\x03\x00\x00\x00")
	payload := ""
	flags := uint32(2)
	if unicode {
		flags, domain, user, workstation = 1, wide(domain), wide(user), wide(workstation)
	}
	for _, f := range []string{ntResponse, ntResponse, domain, user, workstation, "KKKKKKKKKKKKKKKK"} {
		head = binary.LittleEndian.AppendUint16(head, uint16(len(f)))
		head = binary.LittleEndian.AppendUint16(head, uint16(len(f)))
		head = binary.LittleEndian.AppendUint32(head, uint32(64+len(payload)))
		payload += f
	}
	head = binary.LittleEndian.AppendUint32(head, flags)
	return string(head) + payload
}

func element(tag byte, parts ...string) string {
	body := strings.Join(parts, "")
	if len(body) < 0x80 {
		return string([]byte{tag, byte(len(body))}) + body
	}
	return string([]byte{tag, 0x82, byte(len(body) >> 8), byte(len(body))}) + body
}

// spnego wraps a token (RFC 4178, 4.2.1).
func spnego(token string) string {
	return element(0x60, "\x06\x06\x2b\x06\x01\x05\x05\x02", element(0xa0, element(0x30, element(0xa2, element(0x04, token)))))
}

// kerberosToken makes an AP-REQ (RFC 4120, 5.5.1) with its GSSAPI frame.
func kerberosToken() string {
	number := func(n byte) string { return element(0x02, string([]byte{n})) }
	sealed := element(0x30, element(0xa0, number(18)), element(0xa2, element(0x04, strings.Repeat("E", 300))))
	ticket := element(0x61, element(0x30,
		element(0xa0, number(5)),
		element(0xa1, element(0x1b, "CORP.TEST")),
		element(0xa2, element(0x30, element(0xa0, number(2)), element(0xa1, element(0x30, element(0x1b, "smtp"), element(0x1b, "mail.corp.test"))))),
		element(0xa3, sealed)))
	request := element(0x6e, element(0x30, element(0xa0, number(5)), element(0xa1, number(14)),
		element(0xa2, "\x03\x05\x00\x20\x00\x00\x00"), element(0xa3, ticket), element(0xa4, sealed)))
	return element(0x60, "\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02", "\x01\x00", request)
}

// FuzzExchange plays transcripts of any lines: names are bounded text, and the
// lines after the first of PLAIN and LOGIN's password leave no trace.
func FuzzExchange(f *testing.F) {
	for _, tt := range transcripts {
		f.Add(tt.lines)
	}
	f.Add("C: SCRAM-SHA-1 biwsbj1h\nS: \nC: *")
	f.Add("C: DIGEST-MD5\nS: \nC: " + b64(`username="a\`))
	f.Fuzz(func(t *testing.T, lines string) {
		var whole []string
		for _, l := range strings.Split(lines, "\n") {
			if len(l) < 3 {
				l = "C: " + l
			}
			whole = append(whole, l)
		}
		var e smtp.Exchange
		play(&e, strings.Join(whole, "\n"))
		for _, name := range []string{e.Username, e.Authzid, e.Target, e.Workstation} {
			if len(name) > 3*320 || strings.ContainsAny(name, "\r\n\x00") {
				t.Fatalf("%q", name)
			}
		}
		if len(e.Mechanism) > 20 || strings.ToUpper(e.Mechanism) != e.Mechanism {
			t.Fatalf("%q", e.Mechanism)
		}

		// Whatever was said before, a password that is asked for is not kept.
		e.Start([]byte("LOGIN"))
		for i, l := range whole {
			if i < 8 {
				e.Respond([]byte(l[3:]), []byte("UGFzc3dvcmQ6"))
			}
		}
		if e.Username != "" || e.Authzid != "" {
			t.Fatalf("%+v", e)
		}
	})
}
