package mail

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// deep makes multiparts in each other, without ends.
func deep(levels int, kind string) string {
	var b strings.Builder
	for i := range levels {
		if kind == "message/rfc822" {
			b.WriteString("Content-Type: message/rfc822\r\n\r\n")
			continue
		}
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	return b.String() + "Content-Disposition: attachment; filename=x\r\n\r\nx"
}

// hostile are messages that are made to cost time or memory.
func hostile() []struct{ name, head, again, odd string } {
	header := "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
	file := header + "--b\r\nContent-Disposition: attachment; filename=a\r\n"
	long := strings.Repeat("x", 990)
	prefixes := ""
	for i := range 19 {
		prefixes += fmt.Sprintf("Content-Type: multipart/mixed; boundary=%s\r\n\r\n--%s\r\n", long[:900+i], long[:900+i])
	}
	return []struct{ name, head, again, odd string }{
		{"parts", header, "--b\r\n\r\n", OddPartsLimit},
		{"parts with names", header, "--b\r\nContent-Disposition: attachment; filename=a\r\n\r\nx\r\n", OddAttachmentsLimit},
		{"base64 blanks", file + "Content-Transfer-Encoding: base64\r\n\r\n", strings.Repeat(" ", 76) + "\r\n", ""},
		{"base64 padding", file + "Content-Transfer-Encoding: base64\r\n\r\n", "QQ==", OddBadEncoding},
		{"base64 junk", file + "Content-Transfer-Encoding: base64\r\n\r\n", "!", OddBadEncoding},
		{"quoted blanks", file + "Content-Transfer-Encoding: quoted-printable\r\n\r\n", " \t", ""},
		{"quoted escapes", file + "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "=\r=", OddBadEncoding},
		{"quoted soft breaks", file + "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "= \r\n", ""},
		{"uu lines", file + "Content-Transfer-Encoding: uuencode\r\n\r\nbegin \r\n", "M\n", OddBadEncoding},
		{"nearly delimiters", header + "--b\r\n\r\n", "--", ""},
		{"short nearly delimiters", header + "--b\r\n\r\n", "\n--", ""},
		{"line ends", header + "--b\r\n\r\n", "\n", ""},
		{"prefixes", prefixes, "--" + long[:919] + "\r\n", ""},
		{"blanks behind a boundary", header + "--b", " ", ""},
		{"header of a part", header + "--b\r\n", "X: y\r\n", OddPartHeaderLimit},
		{"parameters", header, "--b\r\nContent-Disposition: x; " + strings.Repeat("name*=;name*1=;name=x;name*63*=", 250) + "\r\n\r\n", ""},
		{"comments", header, "--b\r\nContent-Disposition: x; " + strings.Repeat("(=", 4000) + "\r\n\r\n", ""},
		{"archive", file + "\r\n", "PK\x03\x04\x14\x00\x00\x00\x00\x00________\x00\x00\x00\x00____\x01\x00\x00\x00x", ""},
		{"archive search", file + "\r\nPK\x03\x04\x14\x00\x08\x00\x00\x00________\x00\x00\x00\x00____\x01\x00\x00\x00x", "PK\x01\x02", ""},
		{"archive search P", file + "\r\nPK\x03\x04\x14\x00\x08\x00\x00\x00________\x00\x00\x00\x00____\x01\x00\x00\x00x", "PPK", ""},
		{"archive long names", file + "\r\n", "PK\x03\x04\x14\x00\x00\x00\x00\x00________\x00\x00\x00\x00____\xff\xff\x00\x00x", ""},
		{"archive names beyond the limit", file + "\r\n" + string(manyEntries(200)), "PK\x03\x04\x14\x00\x00\x00\x00\x00________\x00\x00\x00\x00____\x05\x00\x00\x00z.exe", OddEntriesLimit},
		{"archive ends", file + "\r\n" + storedZip("a", "b"), "PK\x05\x06", ""},
		{"archive with octets ahead", header + "--b\r\nContent-Type: application/zip; name=a.zip\r\n\r\n", "PK\x03\x04PK\x01\x02", ""},
		{"RAR 5", file + "\r\nRar!\x1a\x07\x01\x00", "cccc\x0b\x02\x00\x00\x00\x00\x00\x00\x03abc", OddEntriesLimit},
		{"RAR 5 extra", file + "\r\nRar!\x1a\x07\x01\x00", "cccc\xff\x3f\x02\x01\xf0\x3f\x00\x00\x00\x00\x00\x01a" + strings.Repeat("\x01\x02", 4000), ""},
		{"RAR 4", file + "\r\nRar!\x1a\x07\x00", "\x00\x00\x74\x00\x00\x07\x00", ""},
		{"tar", file + "\r\n", tarOf("a.exe")[:tarBlock] + strings.Repeat("x", tarBlock), OddEntriesLimit},
		{"tar of long names", file + "\r\n", tarOf("x:" + strings.Repeat("path=", 900))[:6*tarBlock], ""},
		{"OLE2", file + "\r\n\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", string(compound("_VBA_PROJECT")[1024:]), ""},
		{"parameters twice", header, "--b\r\nContent-Disposition: x; " + strings.Repeat("filename=a.exe; filename=b.txt; ", 250) + "\r\n\r\n", OddDuplicateParameter},
		{"winmail", file + "\r\n\x78\x9f\x3e\x22\x00\x00", "\x02\x10\x80\x01\x00\x01\x00\x00\x00a\x00\x00", OddEntriesLimit},
		{"report", "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n", "Final-Recipient: a\r\n\r\n", OddRecipientsLimit},
		{"report line", "Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n", "x", ""},
		{"depth", deep(1000, "multipart"), "x", OddDepthLimit},
		{"messages", deep(1000, "message/rfc822"), "x", OddDepthLimit},
	}
}

// manyEntries is the start of an archive.
func manyEntries(n int) (b []byte) {
	for i := range n {
		b = append(b, fmt.Sprintf("PK\x03\x04\x14\x00\x00\x00\x00\x00________\x00\x00\x00\x00____\x04\x00\x00\x00%04d", i)...)
	}
	return b
}

// TestHostile reads some megabytes of each: in bounded time and memory, and
// what was reached is named.
func TestHostile(t *testing.T) {
	const size = 4 << 20
	for _, c := range hostile() {
		t.Run(c.name, func(t *testing.T) {
			block := bytes.Repeat([]byte(c.again), 1+(32<<10)/len(c.again))
			var m Message
			start := time.Now()
			m.Write([]byte(c.head))
			for n := 0; n < size; n += len(block) {
				m.Write(block)
			}
			m.End()
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("%d MB took %v", size>>20, took)
			}
			if c.odd != "" && !slices.Contains(m.Oddities(), c.odd) {
				t.Errorf("%v without %s", m.Oddities(), c.odd)
			}
			checkBounds(t, &m)
		})
	}
}

// checkBounds holds what a message told against the defaults of Options.
func checkBounds(t *testing.T, m *Message) {
	t.Helper()
	list := m.Attachments()
	if len(list) > 100 || len(m.Oddities()) > len(oddityNames) || !slices.IsSorted(m.Oddities()) {
		t.Errorf("%d files, %v", len(list), m.Oddities())
	}
	for _, a := range list {
		if len([]rune(a.Filename)) > 255 || len(a.Names) > 100 || len(a.ContentType) > maxMediaType || len(a.Charset) > longestCharset {
			t.Errorf("%+v", a)
		}
		if len(a.Danger) > 24 { // six kinds by name and by content, of the file and of one in it
			t.Errorf("%v", a.Danger)
		}
		for _, d := range a.Danger {
			if len([]rune(d.File)) > 255 {
				t.Errorf("%q", d.File)
			}
		}
		for _, name := range a.Names {
			if len([]rune(name)) > 255 {
				t.Errorf("%q", name)
			}
		}
	}
	if r := m.Report(); r != nil && len(r.Recipients) > 100 {
		t.Errorf("%d recipients", len(r.Recipients))
	}
}

// TestHostileFields: one field's worth of what may be slow to read.
func TestHostileFields(t *testing.T) {
	for _, again := range []string{"(", ")", "\"", "\\\"", "\"\\", "a@b,", "<a@b", "a@b ", ";", "a=b;", "a=b c.d=e ", "from ", "from [", "=", "i=1;", "(\\", "@"} {
		value := strings.Repeat(again, 8000/len(again)) + "\r\n"
		var h HeaderReader
		for _, name := range []string{"From", "To", "Received", "Authentication-Results", "DKIM-Signature", "ARC-Seal", "Content-Type", "List-Id"} {
			for range 16 {
				h.Write([]byte(name + ": " + value))
			}
		}
		start := time.Now()
		h.Fields()
		h.describe(plainText, 255)
		if took := time.Since(start); took > time.Second {
			t.Errorf("%q took %v", again, took)
		}
	}
}

// BenchmarkHostile shows what a megabyte of each costs.
func BenchmarkHostile(b *testing.B) {
	for _, c := range hostile() {
		block := bytes.Repeat([]byte(c.again), (1<<20)/len(c.again))
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(block)))
			for b.Loop() {
				var m Message
				m.Write([]byte(c.head))
				for at := 0; at < len(block); at += 1448 {
					m.Write(block[at:min(at+1448, len(block))])
				}
			}
		})
	}
}

func TestSmallLimits(t *testing.T) {
	o := Options{MaxParts: 2, MaxDepth: 2, MaxAttachments: 1, MaxName: 3, MaxEntries: 1, MaxRecipients: 1, MaxPartHeader: 100}
	file := named("filename=abcdef", "x")
	for _, c := range []struct{ name, content, want string }{
		{"parts", mixed("\n", file, file), "\"abc\" text/plain 1 attachment " + shortHash("x") + "\nodd mime_name_limit\nodd mime_parts_limit\n"},
		{"attachments", mixed(file, file), "\"abc\" text/plain 1 attachment " + shortHash("x") + "\nodd mime_attachments_limit\nodd mime_name_limit\n"},
		{"depth", deep(3, "multipart"), "odd mime_depth_limit\nodd mime_unclosed\n"},
		{"part header", mixed("X: " + strings.Repeat("x", 100) + "\n" + file), "odd mime_header_limit\n"},
	} {
		m := Message{Options: o}
		if got := readIn(&m, crlf(strings.ReplaceAll(c.content, "\r", "")), 1<<20); got != c.want {
			t.Errorf("%s\n%swant\n%s", c.name, got, c.want)
		}
	}
	few := Message{Options: Options{MaxForwarded: 2}}
	if readIn(&few, deep(4, "message/rfc822"), 1<<20); len(few.Attachments()) != 3 || !slices.Contains(few.Oddities(), OddDepthLimit) {
		t.Errorf("forwarded: %s", tell(&few))
	}
	m := Message{Options: Options{HeadersOnly: true}}
	if got := readIn(&m, crlf("Subject: x\n"+mixed(file)), 1<<20); got != "" || m.Fields().Subject != "x" {
		t.Errorf("headers only: %s", got)
	}
}
