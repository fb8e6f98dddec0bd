package mail

import (
	"fmt"
	"strings"
	"testing"
)

// TestMalformed: each way to hide a part by its name, and what ordinary mail
// does too.
func TestMalformed(t *testing.T) {
	part := func(header, body string) string { return mixed(header + "\n\n" + body) }
	file := "Content-Disposition: attachment; filename=a.bin\nContent-Transfer-Encoding: "
	for _, c := range []struct{ name, content, want string }{
		{"two boundaries", "Content-Type: multipart/mixed; boundary=b; boundary=c\n\n--b\n\nx\n--b--\n", "mime_conflicting_boundary mime_duplicate_parameter"},
		{"two Content-Type", "Content-Type: multipart/mixed; boundary=b\nContent-Type: multipart/mixed; boundary=c\n\n--b\n\nx\n--b--\n", "mime_conflicting_boundary mime_duplicate_field"},
		{"a boundary in sections besides", "Content-Type: multipart/mixed; boundary=b; boundary*0=c; boundary*1=d\n\n--cd\n\nx\n--cd--\n", "mime_conflicting_boundary"},
		{"a boundary percent-encoded besides", "Content-Type: multipart/mixed; boundary=b; boundary*=''%63\n\n--c\n\nx\n--c--\n", "mime_conflicting_boundary"},
		{"no boundary", "Content-Type: multipart/mixed\n\n--b\n\nx\n", "mime_missing_boundary"},
		{"empty boundary", "Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\nx\n", "mime_missing_boundary"},
		{"one boundary for two", mixed("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx"), "mime_conflicting_boundary mime_unclosed"},
		{"no end", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n", "mime_unclosed"},
		{"two encodings", part("Content-Transfer-Encoding: base64\nContent-Transfer-Encoding: 7bit", "QQ=="), "mime_duplicate_field"},
		{"unknown encoding", part(file+"base46", "QQ=="), "mime_unknown_encoding"},
		{"two encodings in one", part(file+"base64, 7bit", "QQ=="), "mime_unknown_encoding"},
		{"encoded multipart", "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: base64\n\n--b\n\nx\n--b--\n", "mime_bad_encoding"},
		{"junk in base64", part(file+"base64", "QUJD*EZH"), "mime_bad_encoding"},
		{"data behind padding", part(file+"base64", "QQ==QQ=="), "mime_bad_encoding"},
		{"two subjects", "Subject: a\nSubject: b\n\nx\n", "duplicate_header"},
		{"NUL in a header", part("Content-Type: text/plain\x00; name=a.txt", "x"), "header_controls"},
		{"NUL in the subject", "Subject: a\x00b\n\nx\n", "header_controls"},
		{"bare CR in a header", part("Content-Type: text/plain;\r name=a.txt", "x"), "header_controls"},
		{"a line that is no field", part("Content-Type: text/plain\nno field\nContent-Transfer-Encoding: base64", "QQ=="), "mime_bad_header"},
		{"the same ahead of the parts", "Content-Type: multipart/mixed; boundary=b\nno field\n\n--b\n\nx\n--b--\n", "mime_bad_header"},
		{"other names", part("Content-Type: a/b; name=a.exe\nContent-Disposition: attachment; filename=a.txt", "x"), "mime_conflicting_name"},
		{"deep", deep(30, "multipart"), "mime_depth_limit mime_unclosed"},

		{"ordinary", part("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable", "x=C3=BC"), ""},
		{"no MIME-Version", part("Content-Type: text/html", "<p>"), ""},
		{"text without header", "Hello\nyou\n", ""},
		{"text behind a header without an empty line", "Subject: a\nHello you\n", ""},
		{"mailbox line", "From a@b Mon Nov 23 10:00:00 2026\nSubject: a\n\nHello\n", ""},
		{"a blank ahead of the colon", "Subject : a\n\nHello\n", ""},
		{"base64 without padding", part(file+"base64", "QUI"), ""},
		{"base64 with blanks", part(file+"base64", " QUJD \n\tQUJD\n"), ""},
		{"encoding in odd case", part(file+"BASE64 (RFC 2045)", "QUJD"), ""},
		{"folded parameter", part("Content-Type: text/plain;\n\tname=\"a.txt\"", "x"), ""},
		{"no delimiter at all", "Content-Type: multipart/mixed; boundary=b\n\nText for old readers.\n", ""},
		{"many results", strings.Repeat("Authentication-Results: mx; spf=pass\n", 40) + "\nx\n", ""},
		{"report", "Content-Type: multipart/report; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nAction: failed\n--b\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nx\n--b--\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			content := strings.ReplaceAll(strings.ReplaceAll(c.content, "\r\n", "\n"), "\n", "\r\n")
			for width := range len(content) {
				var m Message
				readIn(&m, content, width+1)
				if got := strings.Join(m.Malformed(), " "); got != c.want {
					t.Fatalf("pieces of %d: %q, want %q", width+1, got, c.want)
				}
			}
		})
	}
}

// TestMalformedByLoss: what a gap makes of a good mail is no defect of it,
// and what stood before it stays one.
func TestMalformedByLoss(t *testing.T) {
	good := crlf("Subject: a\nContent-Type: multipart/mixed;\n boundary=b\n\n--b\nContent-Type: text/plain; name=a.txt;\n charset=utf-8\nContent-Transfer-Encoding: base64\n\nQUJDQUJD\nQUJD\n--b--\n")
	bad := crlf("Subject: b\n") + good
	for at := range len(good) {
		for size := 1; at+size <= len(good); size += 1 + size/3 {
			var m Message
			m.Write([]byte(good[:at]))
			m.Lost(int64(size))
			m.Write([]byte(good[at+size:]))
			m.End()
			if got := m.Malformed(); len(got) > 0 {
				t.Fatalf("%d octets lost at %d: %v", size, at, got)
			}
		}
	}
	head := strings.Index(bad, "\r\n\r\n") + 4
	var m Message
	m.Write([]byte(bad[:head]))
	m.Lost(10)
	m.Write([]byte(bad[head+10:]))
	m.End()
	if got := fmt.Sprint(m.Malformed()); got != "[duplicate_header]" {
		t.Errorf("before the loss: %s", got)
	}
}
