package mail

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// crlf makes the lines of a message as they go over the wire.
func crlf(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }

func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}

// tell writes what a message told, a line for each fact.
func tell(m *Message) string {
	var b strings.Builder
	for _, a := range m.Attachments() {
		fmt.Fprintf(&b, "%q %s %d", a.Filename, a.ContentType, a.Size)
		for _, more := range []string{a.Disposition, a.Charset, a.SHA256[:min(8, len(a.SHA256))]} {
			if more != "" {
				b.WriteString(" " + more)
			}
		}
		if a.Truncated {
			b.WriteString(" truncated")
		}
		if a.Forwarded > 0 {
			fmt.Fprintf(&b, " forwarded=%d", a.Forwarded)
		}
		if len(a.Names) > 0 {
			fmt.Fprintf(&b, " names=%q", a.Names)
		}
		if a.Encrypted {
			b.WriteString(" encrypted")
		}
		if len(a.Danger) > 0 {
			b.WriteString(" danger=" + dangers(a))
		}
		b.WriteString("\n")
	}
	if p := m.Protection(); p != "" {
		b.WriteString(p + "\n")
	}
	if r := m.Report(); r != nil {
		fmt.Fprintf(&b, "report %+v\n", *r)
	}
	for _, o := range m.Oddities() {
		b.WriteString("odd " + o + "\n")
	}
	return b.String()
}

// readIn gives a message in pieces of so many octets.
func readIn(m *Message, content string, width int) string {
	for at := 0; at < len(content); at += width {
		m.Write([]byte(content[at:min(at+width, len(content))]))
	}
	m.End()
	return tell(m)
}

// dangers writes them as kind/by, with a file behind it.
func dangers(a Attachment) string {
	var list []string
	for _, d := range a.Danger {
		text := d.Kind + "/" + d.By
		if d.File != "" {
			text += "/" + d.File
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

func mixed(parts ...string) string {
	return "Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n" + strings.Join(parts, "\n--b\n") + "\n--b--\nepilogue\n"
}

// named is a part with a file of the given header lines.
func named(header, content string) string {
	return "Content-Disposition: attachment; " + header + "\n\n" + content
}

var messages = []struct{ name, content, want string }{
	{"text", "Subject: x\n\nHello\n", ""},
	{"text part", mixed("\nHello"), ""},
	{"no header", "Hello\n--b\n", ""},
	{"attachment", mixed("Content-Type: text/plain\n\nHello", named("filename=a.txt", "file\n")),
		`"a.txt" text/plain 6 attachment ` + shortHash("file\r\n") + "\n"},
	{"only part", "Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\nSGVs\nbG8=\n",
		`"a.pdf" application/pdf 5 ` + shortHash("Hello") + "\n"},
	{"empty file", mixed(named("filename=a", "")), `"a" text/plain 0 attachment ` + shortHash("") + "\n"},
	{"part without content", mixed("Content-Disposition: attachment; filename=a"), `"a" text/plain 0 attachment ` + shortHash("") + "\n"},
	{"without a name", mixed("Content-Type: image/png\n\nx"), `"" image/png 1 ` + shortHash("x") + "\n"},
	{"no slash in the type", mixed("Content-Type: foo\n\nx"), ""},

	// Boundaries.
	{"quoted", "Content-Type: multipart/mixed; boundary=\"a b'()+_,-./:=?\"\n\n--a b'()+_,-./:=?\n" + named("filename=x", "1") + "\n--a b'()+_,-./:=?--\n",
		`"x" text/plain 1 attachment ` + shortHash("1") + "\n"},
	{"blanks behind", "Content-Type: multipart/mixed; boundary=\"b \"\n\n--b \t\n" + named("filename=x", "1") + "\n--b-- \n" + named("filename=y", "2"),
		`"x" text/plain 1 attachment ` + shortHash("1") + "\n"},
	{"looks like one", mixed(named("filename=x", "--\n-\n--bb\n--b-\n--b--x\n --b\n-- b\n")),
		`"x" text/plain ` + fmt.Sprint(len("--\n-\n--bb\n--b-\n--b--x\n --b\n-- b\n")+7) + " attachment " + shortHash(crlf("--\n-\n--bb\n--b-\n--b--x\n --b\n-- b\n")) + "\n"},
	{"one is a prefix", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=b--\n\n--b--\n" + named("filename=x", "1") + "\n--b----\n--b\n" + named("filename=y", "2") + "\n--b--\n",
		`"x" text/plain 1 attachment ` + shortHash("1") + "\n" + `"y" text/plain 1 attachment ` + shortHash("2") + "\n"},
	{"parent closes child", mixed("Content-Type: multipart/mixed; boundary=c\n\n--c\n"+named("filename=x", "1"), named("filename=y", "2")),
		`"x" text/plain 1 attachment ` + shortHash("1") + "\n" + `"y" text/plain 1 attachment ` + shortHash("2") + "\nodd mime_unclosed\n"},
	{"unclosed", "Content-Type: multipart/mixed; boundary=b\n\n--b\n" + named("filename=x", "1\n"), `"x" text/plain 3 attachment ` + shortHash("1\r\n") + "\nodd mime_unclosed\n"},
	{"ends in the last delimiter", "Content-Type: multipart/mixed; boundary=b\n\n--b\n" + named("filename=x", "1\n--b--"), `"x" text/plain 1 attachment ` + shortHash("1") + "\n"},
	{"two values", "Content-Type: multipart/mixed; boundary=b; boundary=c\n\n--c\n" + named("filename=x", "1") + "\n--b\n" + named("filename=y", "2") + "\n--b--\n",
		`"y" text/plain 1 attachment ` + shortHash("2") + "\nodd mime_conflicting_boundary\nodd mime_duplicate_parameter\n"},
	{"two fields", "Content-Type: multipart/mixed; boundary=b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n" + named("filename=x", "1") + "\n--b\n\n--b--\n",
		"odd mime_conflicting_boundary\nodd mime_duplicate_field\n"},
	{"two fields that agree", "Content-Type: multipart/mixed; boundary=b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n--b--\n", "odd mime_duplicate_field\n"},
	{"child has the parent's", mixed("Content-Type: multipart/mixed; boundary=b\n\n--b\n" + named("filename=x", "1")),
		`"x" text/plain 1 attachment ` + shortHash("1") + "\nodd mime_conflicting_boundary\nodd mime_unclosed\n"},
	{"none", "Content-Type: multipart/mixed\n\n--b\n" + named("filename=x", "1"), "odd mime_missing_boundary\n"},
	{"header runs into the delimiter", "Content-Type: multipart/mixed; boundary=b\n--b\n" + named("filename=x", "1") + "\n--b--\n", `"x" text/plain 1 attachment ` + shortHash("1") + "\nodd mime_bad_header\n"},
	{"part's header runs into the delimiter", mixed("Content-Type: multipart/mixed; boundary=\"fo o\"\n--fo o\n" + named("filename=x", "1") + "\n--fo o--"),
		`"x" text/plain 1 attachment ` + shortHash("1") + "\nodd mime_bad_header\n"},
	{"multipart in base64", "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n--b\n\nx\n--b--\n", "odd mime_bad_encoding\n"},

	// Names.
	{"RFC 2231", mixed(named("filename*0*=UTF-8''M%C3%A4;\n filename*1=\"rz%20 \";\n filename*2*=%20x.pdf", "")), `"März%20  x.pdf" text/plain 0 attachment ` + shortHash("") + "\n"},
	{"out of order", mixed(named("filename*1=b; filename*0=a; filename*3=d", "")), `"ab" text/plain 0 attachment ` + shortHash("") + "\n"},
	{"extended wins", mixed(named("filename=plain; filename*=iso-8859-1'de'%FC", "")), `"ü" text/plain 0 attachment ` + shortHash("") + "\n"},
	{"encoded word in quotes", mixed(named(`filename="=?utf-8?Q?gr=C3=B6=C3=9Fen?=.csv"`, "")), `"größen.csv" text/plain 0 attachment ` + shortHash("") + "\n"},
	{"encoded word bare", mixed(named(`filename==?utf-8?B?w7w=?=`, "")), `"ü" text/plain 0 attachment ` + shortHash("") + "\n"},
	{"encoded words bare", mixed(named(`filename==?utf-8?B?w7w=?= =?utf-8?B?w7w=?=; x`, "")), `"üü" text/plain 0 attachment ` + shortHash("") + "\n"},
	{"blanks without quotes", mixed(named("filename=my (old) file.txt ; x=y", "")), `"my (old) file.txt" text/plain 0 attachment ` + shortHash("") + "\n"},
	{"no semicolons", mixed("Content-Type: application/zip name=\"a.zip\" charset=utf-8\n\n"), `"a.zip" application/zip 0 utf-8 ` + shortHash("") + "\n"},
	{"comments", mixed("Content-Type: text/plain (a; name=b); (c) charset=us-ascii (Plain text); name=d\n\n"), `"d" text/plain 0 us-ascii ` + shortHash("") + "\n"},
	{"quoted pair", mixed(named(`filename="a\"b;c"; x`, "")), `"a\"b;c" text/plain 0 attachment ` + shortHash("") + "\n"},
	{"quote without end", mixed(named(`filename="a b`, "")), `"a b" text/plain 0 attachment ` + shortHash("") + "\n"},
	{"two names", mixed(named("filename=a; filename=b", "")), `"a" text/plain 0 attachment ` + shortHash("") + "\nodd mime_duplicate_parameter\n"},
	{"controls", mixed(named("filename=\"a\x00b\x1b\"", "")), "\"a\uFFFDb\uFFFD\" text/plain 0 attachment " + shortHash("") + "\nodd header_controls\nodd mime_name_controls\n"},
	{"turned", mixed(named("filename*=utf-8''a%E2%80%AEfdp.exe", "")), `"a\u202efdp.exe" text/plain 0 attachment ` + shortHash("") + " danger=executable/name disguised/name\nodd mime_name_controls\n"},
	{"long", mixed(named("filename="+strings.Repeat("ü", 300), "")), `"` + strings.Repeat("ü", 255) + `" text/plain 0 attachment ` + shortHash("") + "\nodd mime_name_limit\n"},

	// Encodings.
	{"base64 with junk", mixed(named("filename=a\nContent-Transfer-Encoding: base64", "SG Vs!bG8g\nd29y\tbGQ=\n")), `"a" text/plain 11 attachment ` + shortHash("Hello world") + "\nodd mime_bad_encoding\n"},
	{"base64 behind padding", mixed(named("filename=a\nContent-Transfer-Encoding: Base64", "SGVsbG8=SGVsbG8=")), `"a" text/plain 10 attachment ` + shortHash("HelloHello") + "\nodd mime_bad_encoding\n"},
	{"base64 without padding", mixed(named("filename=a\nContent-Transfer-Encoding: base64", "SGVsbG8")), `"a" text/plain 5 attachment ` + shortHash("Hello") + "\n"},
	{"quoted-printable", mixed(named("filename=a\nContent-Transfer-Encoding: quoted-printable", "a=3Db=3d \t\nc=\nd= \t\ne f\n=41=")),
		`"a" text/plain 14 attachment ` + shortHash("a=b=\r\ncde f\r\nA") + "\n"},
	{"quoted-printable that is none", mixed(named("filename=a\nContent-Transfer-Encoding: quoted-printable", "=G1=4G=\rx=4\n= a==41=4")),
		`"a" text/plain 20 attachment ` + shortHash("=G1=4G=\rx=4\r\n= a=A=4") + "\nodd mime_bad_encoding\n"},
	{"uuencode", mixed(named("filename=a\nContent-Transfer-Encoding: x-uuencode", "x\nbegin 644 a\n%2&5L;&\\ \n \nend\nx")), `"a" text/plain 5 attachment ` + shortHash("Hello") + "\n"},
	{"unknown encoding", mixed(named("filename=a\nContent-Transfer-Encoding: rot13", "Uryyb")), `"a" text/plain 5 attachment ` + shortHash("Uryyb") + "\nodd mime_unknown_encoding\n"},

	// Messages in messages.
	{"forwarded", "Subject: outer\n" + mixed("Content-Type: message/rfc822\n\nSubject: inner\nContent-Type: multipart/mixed; boundary=c\n\n--c\n"+named("filename=x", "1")+"\n--c--"),
		`"" message/rfc822 121 ` + shortHash(crlf("Subject: inner\nContent-Type: multipart/mixed; boundary=c\n\n--c\n"+named("filename=x", "1")+"\n--c--")) + "\n" +
			`"x" text/plain 1 attachment ` + shortHash("1") + " forwarded=1\n"},
	{"forwarded in base64", mixed("Content-Type: message/rfc822; name=m.eml\nContent-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString([]byte(named("filename=x", "1")))),
		`"m.eml" message/rfc822 46 ` + shortHash(named("filename=x", "1")) + "\n" + `"x" text/plain 1 attachment ` + shortHash("1") + " forwarded=1\n"},
	{"digest", "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: one\n\ntext\n--b--\n", `"" message/rfc822 20 ` + shortHash(crlf("Subject: one\n\ntext")) + "\n"},

	// Protection.
	{"S/MIME signed", "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\n\n--b\n\nx\n--b\nContent-Type: application/pkcs7-signature; name=smime.p7s\n\ny\n--b--\n",
		`"smime.p7s" application/pkcs7-signature 1 ` + shortHash("y") + "\nsmime-signed\n"},
	{"S/MIME encrypted", "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\n\nx", `"smime.p7m" application/pkcs7-mime 1 ` + shortHash("x") + "\nsmime-encrypted\n"},
	{"S/MIME opaque", "Content-Type: application/x-pkcs7-mime; smime-type=signed-data; name=smime.p7m\n\nx", `"smime.p7m" application/x-pkcs7-mime 1 ` + shortHash("x") + "\nsmime-signed\n"},
	{"PGP encrypted", "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\n\n--b--\n", "pgp-encrypted\n"},
	{"PGP signed", "Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b\n\n--b--\n", "pgp-signed\n"},
	{"PGP inline", "\n----\nHi\n-----BEGIN PGP MESSAGE-----\n", "pgp-encrypted\n"},
	{"PGP inline signed", mixed("\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: x\n"), "pgp-signed\n"},
	{"PGP in a forwarded message", mixed("Content-Type: message/rfc822\n\n\n-----BEGIN PGP MESSAGE-----\n"), `"" message/rfc822 31 ` + shortHash("\r\n-----BEGIN PGP MESSAGE-----\r\n") + "\n"},
	{"PGP quoted", "\n> -----BEGIN PGP MESSAGE-----\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n-----BEGIN PGP SIGNATURE-----\n", ""},

	// Reports.
	{"bounce", "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nSorry\n--b\nContent-Type: message/delivery-status\n\n" +
		"Reporting-MTA: dns; mx.test\n\nFinal-Recipient: rfc822; a@b.test\nAction: Failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no\n such user\n\nOriginal-Recipient: rfc822;x@y.test\nFinal-Recipient: rfc822;c@d.test\nRemote-MTA: dns;d.test\nAction: delayed\n" +
		"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <1@b.test>\nContent-Type: application/pdf; name=never.pdf\n\n--b--\n",
		"report {Kind:delivery-status ReportingMTA:mx.test OriginalMessageID:<1@b.test> Recipients:[" +
			"{Final:a@b.test Original: Action:failed Status:5.1.1 RemoteMTA: DiagnosticCode:smtp; 550 no such user} " +
			"{Final:c@d.test Original:x@y.test Action:delayed Status: RemoteMTA:d.test DiagnosticCode:}] Disposition: FeedbackType: SourceIP:}\n"},
	{"receipt", "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; a@b.test\nOriginal-Message-ID: <1@x>\nDisposition: manual-action/MDN-sent-manually; displayed\n--b--\n",
		"report {Kind:disposition-notification ReportingMTA: OriginalMessageID:<1@x> Recipients:[{Final:a@b.test Original: Action: Status: RemoteMTA: DiagnosticCode:}] Disposition:manual-action/MDN-sent-manually; displayed FeedbackType: SourceIP:}\n"},
	{"abuse", "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nSource-IP: 192.0.2.1\n--b\nContent-Type: message/rfc822\n\nMessage-ID: <2@x>\n\nx\n--b--\n",
		"report {Kind:feedback-report ReportingMTA: OriginalMessageID:<2@x> Recipients:[] Disposition: FeedbackType:abuse SourceIP:192.0.2.1}\n"},
	{"returned message is no report of ours", mixed("Content-Type: message/rfc822\n\nContent-Type: multipart/report; report-type=delivery-status; boundary=c\n\n--c\nContent-Type: text/plain\n\n--c--"),
		`"" message/rfc822 113 ` + shortHash(crlf("Content-Type: multipart/report; report-type=delivery-status; boundary=c\n\n--c\nContent-Type: text/plain\n\n--c--")) + "\n"},
	{"duplicate header", "Subject: a\nSubject: b\n\nx", "odd duplicate_header\n"},
}

// TestMessages reads each case whole, in pieces of each width, and cut in two
// at each place.
func TestMessages(t *testing.T) {
	for _, c := range messages {
		t.Run(c.name, func(t *testing.T) {
			content := crlf(c.content)
			var m Message
			for width := len(content); width > 0; width-- {
				m.Reset()
				if got := readIn(&m, content, width); got != c.want {
					t.Fatalf("pieces of %d\n%swant\n%s", width, got, c.want)
				}
			}
			for cut := range content {
				m.Reset()
				m.Write([]byte(content[:cut]))
				m.Write([]byte(content[cut:]))
				if m.End(); tell(&m) != c.want {
					t.Fatalf("cut at %d\n%swant\n%s", cut, tell(&m), c.want)
				}
			}
		})
	}
}

// TestBareLF: lines that end with LF alone have the same parts.
func TestBareLF(t *testing.T) {
	for _, c := range messages {
		var whole, bare Message
		readIn(&whole, crlf(c.content), 1<<20)
		readIn(&bare, c.content, 1<<20)
		want, got := whole.Attachments(), bare.Attachments()
		for i := range min(len(want), len(got)) {
			want[i].Size, want[i].SHA256, got[i].Size, got[i].SHA256 = 0, "", 0, ""
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || !slices.Equal(bare.Oddities(), whole.Oddities()) {
			t.Errorf("%s\n%v %v\nwant\n%v %v", c.name, got, bare.Oddities(), want, whole.Oddities())
		}
	}
}

// TestNoEnd cuts each message at each place and does not say that it is over:
// what is told is true of the whole one.
func TestNoEnd(t *testing.T) {
	for _, c := range messages {
		content := crlf(c.content)
		var whole, m Message
		readIn(&whole, content, len(content)+1)
		for cut := range content {
			m.Reset()
			m.Write([]byte(content[:cut]))
			if err := isPrefix(m.Attachments(), whole.Attachments()); err != nil {
				t.Fatalf("%s, cut at %d: %v", c.name, cut, err)
			}
		}
	}
}

func isPrefix(got, whole []Attachment) error {
	if len(got) > len(whole) {
		return fmt.Errorf("%d files of %d", len(got), len(whole))
	}
	for i, a := range got {
		w := whole[i]
		if a.Filename != w.Filename || a.Size > w.Size || !a.Truncated && a.SHA256 != w.SHA256 || a.Truncated && a.SHA256 != "" {
			return fmt.Errorf("%+v, whole %+v", a, w)
		}
	}
	return nil
}
