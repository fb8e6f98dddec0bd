package mail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// read writes content in pieces of so many octets and returns the fields and
// the body's octets.
func read(h *HeaderReader, content []byte, width int) (Fields, []byte) {
	for at := 0; at < len(content); {
		piece := content[at:min(at+width, len(content))]
		n := h.Write(piece)
		at += n
		if h.Done() {
			return h.Fields(), append(append([]byte(nil), h.Leftover()...), content[at:]...)
		}
	}
	return h.Fields(), nil
}

// basic leaves out what is told of the same octets in another form; those
// have tests of their own.
func basic(f Fields) Fields {
	f.FromAddresses, f.ToAddresses, f.CcAddresses, f.ReplyToAddresses = nil, nil, nil, nil
	f.Cc, f.ReturnPath = "", ""
	f.Hops, f.Verdicts, f.Signatures = nil, nil, nil
	return f
}

const ordinary = "Return-Path: <sender@client.test>\r\n" +
	"Received: from client.test (client.test [10.20.0.10])\r\n\tby mail.corp.test (Postfix) with ESMTPS id 3A58A9FA7E5\r\n\tfor <alice@corp.test>; Mon, 23 Nov 2026 10:00:02 +0100 (CET)\r\n" +
	"Received: from localhost by client.test; Mon, 23 Nov 2026 09:00:00 +0000\r\n" +
	"Authentication-Results: mail.corp.test;\r\n\tspf=pass smtp.mailfrom=client.test;\r\n\tdkim=pass header.d=client.test\r\n" +
	"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=Client.\r\n\ttest; s=s1; h=from:to:subject;\r\n\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n\tb=AAAA==\r\n" +
	"Date: Mon, 23 Nov 2026 09:59:58 +0100\r\n" +
	"From: =?UTF-8?Q?J=C3=BCrgen?= <sender@client.test>\r\n" +
	"To: Alice <alice@corp.test>,\r\n Bob <bob@corp.test>\r\n" +
	"Subject: =?UTF-8?B?5pel5pys6Kqe44Gu5Lu2?=\r\n =?UTF-8?B?5ZCN44OG44K544OI?=\r\n" +
	"Message-ID: <corpus.17@client.test>\r\n" +
	"User-Agent: Mutt/2.2.9\r\n" +
	"MIME-Version: 1.0\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\n" +
	"Content-Transfer-Encoding: 8bit\r\n" +
	"X-Spam-Status: No\r\n" +
	"\r\n"

var ordinaryFields = Fields{
	Subject:        "日本語の件名テスト",
	From:           "Jürgen <sender@client.test>",
	To:             "Alice <alice@corp.test>, Bob <bob@corp.test>",
	MessageID:      "<corpus.17@client.test>",
	Date:           "Mon, 23 Nov 2026 09:59:58 +0100",
	UserAgent:      "Mutt/2.2.9",
	Received:       2,
	AuthResults:    []string{"mail.corp.test; spf=pass smtp.mailfrom=client.test; dkim=pass header.d=client.test"},
	DKIMDomains:    []string{"client.test"},
	NewestReceived: time.Date(2026, 11, 23, 9, 0, 2, 0, time.UTC),
	DateTime:       time.Date(2026, 11, 23, 8, 59, 58, 0, time.UTC),
}

var headers = []struct {
	name, content string
	want          Fields
	body          string // nil body is told from an empty one by done
	done          bool
}{
	{"ordinary", ordinary + "Hello\r\n", ordinaryFields, "Hello\r\n", true},
	{"bare LF", strings.ReplaceAll(ordinary, "\r\n", "\n") + "Hello\n", ordinaryFields, "Hello\n", true},
	{"empty", "\r\n", Fields{}, "", true},
	{"no header", "test\r\nSubject: x\r\n", Fields{}, "test\r\nSubject: x\r\n", true},
	{"body without empty line", "Subject: x\r\nHello, you\r\n", Fields{Subject: "x"}, "Hello, you\r\n", true},
	{"8-bit line", "Subject: x\r\nGr\xc3\xbc\xc3\x9fe\r\n", Fields{Subject: "x"}, "Gr\xc3\xbc\xc3\x9fe\r\n", true},
	{"continuation of nothing", " x\r\nSubject: x\r\n", Fields{}, " x\r\nSubject: x\r\n", true},
	{"CR alone", "Subject: x\r\n\rSubject: y\r\n", Fields{Subject: "x"}, "\rSubject: y\r\n", true},
	{"no name", ": x\r\n", Fields{}, ": x\r\n", true},
	{"no colon", "Subject\r\n", Fields{}, "Subject\r\n", true},
	{"ends with the header", "Subject: x\r\n", Fields{Subject: "x"}, "", false},
	{"ends in a field", "Subject: x\r\nFrom: a@", Fields{Subject: "x"}, "", false},
	{"ends in a continuation", "Subject: x\r\n y", Fields{Subject: "x"}, "", false},
	{"any case", "SUBJECT: x\r\nmessage-id:<a@b>\r\nx-MAILER : M\r\n\r\n", Fields{Subject: "x", MessageID: "<a@b>", UserAgent: "M"}, "", true},
	{"blanks before the colon", "Subject \t : x\r\n\r\n", Fields{Subject: "x"}, "", true},
	{"mailbox line", "From a@b Mon Nov 23 10:00:00 2026\r\nSubject: x\r\n\r\n", Fields{Subject: "x"}, "", true},
	{"mailbox line later", "Subject: x\r\nFrom a@b\r\n", Fields{Subject: "x"}, "From a@b\r\n", true},
	{"folded", "Subject:\r\n x\r\n\ty \r\n\r\n", Fields{Subject: "x y"}, "", true},
	{"folded on blanks", "Subject: x\r\n   \r\n y\r\n\r\n", Fields{Subject: "x    y"}, "", true},
	{"first of two", "Subject: x\r\nSubject: y\r\nFrom: a@b\r\nFROM: c@d\r\nCc: e\r\nCc: f\r\nX: 1\r\nX: 2\r\n\r\n",
		Fields{Subject: "x", From: "a@b", Duplicates: []string{"From", "Cc", "Subject"}}, "", true},
	{"controls", "Subject: a\x00b\x1b[31m\tc\rd\x7f\r\n\r\n", Fields{Subject: "a\uFFFDb\uFFFD[31m c d\uFFFD"}, "", true},
	{"bad date", "Date: yesterday\r\nReceived: from a\r\n\r\n", Fields{Date: "yesterday", Received: 1}, "", true},
	{"agent once", "X-Mailer: A\r\nUser-Agent: B\r\n\r\n", Fields{UserAgent: "A", Duplicates: nil}, "", true},
}

// TestHeaders reads each case whole and in every other width of pieces.
func TestHeaders(t *testing.T) {
	for _, c := range headers {
		t.Run(c.name, func(t *testing.T) {
			var h HeaderReader
			for width := len(c.content); width > 0; width-- {
				got, body := read(&h, []byte(c.content), width)
				if !reflect.DeepEqual(basic(got), c.want) {
					t.Fatalf("pieces of %d\n%+v, want\n%+v", width, got, c.want)
				}
				if string(body) != c.body || h.Done() != c.done {
					t.Fatalf("pieces of %d: body %q done %v, want %q %v", width, body, h.Done(), c.body, c.done)
				}
				h.Reset()
			}
		})
	}
}

func TestEveryCut(t *testing.T) {
	var h HeaderReader
	for cut := range ordinary {
		h.Reset()
		n := h.Write([]byte(ordinary[:cut]))
		n += h.Write([]byte(ordinary[cut:]))
		if got := h.Fields(); n != len(ordinary) || !reflect.DeepEqual(basic(got), ordinaryFields) {
			t.Fatalf("cut at %d: %d octets\n%+v", cut, n, got)
		}
	}
}

func TestLimits(t *testing.T) {
	many := strings.Repeat("Authentication-Results: a\r\nDKIM-Signature: d=b\r\n", 5)
	for _, c := range []struct {
		name, content string
		options       Options
		want          Fields
	}{
		{"header", "Subject: x\r\nX: 0123456789\r\nFrom: a@b\r\n\r\n", Options{MaxHeader: 20}, Fields{Subject: "x", LimitReached: true}},
		{"header to the octet", "Subject: x\r\n\r\nbody", Options{MaxHeader: 14}, Fields{Subject: "x"}},
		{"field", "Subject: 0123456789\r\n 01234\r\nFrom: a@b\r\n\r\n", Options{MaxField: 8}, Fields{Subject: "0123456", From: "a@b", Overlong: true}},
		{"half a character", "Subject: \xc3\xbc\xc3\xbc\xc3\xbc\r\n\r\n", Options{MaxField: 4}, Fields{Subject: "ü", Overlong: true}},
		{"results", many + "\r\n", Options{MaxResults: 2}, Fields{AuthResults: []string{"a", "a"}, DKIMDomains: []string{"b", "b"}, LimitReached: true}},
		{"name", strings.Repeat("x", 2000) + ": y\r\nSubject: x\r\n\r\n", Options{}, Fields{LimitReached: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for width := len(c.content); width > 0; width-- {
				h := HeaderReader{Options: c.options}
				if got, _ := read(&h, []byte(c.content), width); !h.Done() || !reflect.DeepEqual(basic(got), c.want) {
					t.Fatalf("pieces of %d\n%+v, want\n%+v", width, got, c.want)
				}
			}
		})
	}
}

// TestMemoryIsBounded: a header that never ends and is all wanted fields.
func TestMemoryIsBounded(t *testing.T) {
	var h HeaderReader
	line := []byte("DKIM-Signature: " + strings.Repeat("d", 9000) + "\r\n")
	for n := 0; n < 2<<20; n += len(line) {
		h.Write(line)
	}
	if !h.Done() || !h.Fields().LimitReached || cap(h.buf) > 512<<10 {
		t.Errorf("done %v, %d octets held", h.Done(), cap(h.buf))
	}
	h.Reset()
	if cap(h.buf) > maxIdle {
		t.Errorf("%d octets kept idle", cap(h.buf))
	}
}

func TestWriteAllocatesNothing(t *testing.T) {
	var h HeaderReader
	content := []byte(ordinary + "body")
	if n := testing.AllocsPerRun(100, func() {
		h.Reset()
		h.Write(content)
		h.Write(content)
	}); n > 0 {
		t.Errorf("%v allocations a header", n)
	}
}

func TestDates(t *testing.T) {
	want := time.Date(2026, 11, 23, 9, 5, 7, 0, time.UTC)
	for _, text := range []string{
		"Mon, 23 Nov 2026 09:05:07 +0000", "Mon, 23 Nov 2026 10:05:07 +0100 (CET)", "23 nov 2026 4:05:07 EST",
		"Mon (day), 23 Nov (month (nested)) 26 09:05:07 GMT", "Mon,23 Nov 2026 09 : 05 : 07 -0000", "Fri, 23 November 2026 14:35:07 +0530",
		"Mon, 23 Nov 126 09:05:07 Z",
	} {
		if got := parseDate([]byte(text)); !got.Equal(want) {
			t.Errorf("%q is %v", text, got)
		}
	}
	for _, text := range []string{
		"", "Mon", "Mon, 23 Nov 2026", "Mon, 23 Nov 2026 09:05:07", "Mon, 32 Nov 2026 09:05:07 +0000", "Mon, 23 Foo 2026 09:05 +0000",
		"23 Nov 2026 24:00 +0000", "23 Nov 2026 09.05 +0000", "Mon, 23 Nov 2026 09:05:07 +",
	} {
		if got := parseDate([]byte(text)); !got.IsZero() {
			t.Errorf("%q is %v", text, got)
		}
	}
	if got := receivedTime([]byte("from a (b; c) by d; Mon, 23 Nov 2026 09:05:07 +0000 (UTC; x)")); !got.Equal(want) {
		t.Errorf("received at %v", got)
	}
}

// TestCaptures holds the reader against mails of the corpus: each subject
// that the truth names is read where a header begins in the capture.
func TestCaptures(t *testing.T) {
	root := findShared(t)
	for _, name := range []string{"12_smtputf8_8bitmime", "33_spoofing_headers", "23_mail_loop"} {
		capture, err := os.ReadFile(filepath.Join(root, "corpus", name, "capture.pcap"))
		if err != nil {
			t.Skip("needs the corpus: ", err)
		}
		found := make(map[string]bool)
		for _, start := range []string{"Date: ", "From: ", "To: ", "Received: ", "Authentication-Results: "} {
			for rest := capture; len(rest) > 0; rest = rest[1:] {
				i := bytes.Index(rest, []byte(start))
				if i < 0 {
					break
				}
				var h HeaderReader
				rest = rest[i:]
				h.Write(rest)
				found[h.Fields().Subject] = true
			}
		}
		for _, subject := range subjects(t, filepath.Join(root, "corpus", name, "truth.json")) {
			if !found[subject] {
				t.Errorf("%s: %q was not read", name, subject)
			}
		}
	}
}

func subjects(t *testing.T, path string) (list []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var truth struct {
		Sessions []struct{ Mails []struct{ Subject string } }
	}
	if err := json.Unmarshal(text, &truth); err != nil {
		t.Fatal(err)
	}
	for _, session := range truth.Sessions {
		for _, mail := range session.Mails {
			if mail.Subject != "" {
				list = append(list, mail.Subject)
			}
		}
	}
	if len(list) == 0 {
		t.Errorf("no subject in %s", path)
	}
	return list
}

// findShared walks up to the directory that holds shared test material.
func findShared(t *testing.T) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "shared", "corpus")); err == nil {
			return filepath.Join(dir, "shared")
		}
	}
	t.Skip("needs the corpus")
	return ""
}

func FuzzHeader(f *testing.F) {
	for _, c := range headers {
		f.Add([]byte(c.content), uint(3))
	}
	for _, c := range words {
		f.Add([]byte("Subject: "+c.raw+"\r\n\r\n"), uint(7))
	}
	f.Fuzz(func(t *testing.T, content []byte, cut uint) {
		h := HeaderReader{Options: Options{MaxHeader: 3000, MaxField: 200, MaxResults: 2}}
		want, body := read(&h, content, 1<<20)
		for _, width := range []int{1, 2, 1 + int(cut%97)} {
			h.Reset()
			got, rest := read(&h, content, width)
			if !reflect.DeepEqual(got, want) || !bytes.Equal(rest, body) {
				t.Fatalf("pieces of %d\n%+v %q, whole\n%+v %q", width, got, rest, want, body)
			}
		}
		for _, text := range append(append([]string{want.Subject, want.From, want.To, want.MessageID, want.Date, want.UserAgent}, want.AuthResults...), want.DKIMDomains...) {
			checkClean(t, text)
		}
		checkClean(t, fmt.Sprintf("%+v", want)) // all the others
	})
}

// checkClean holds a text against what Fields says of all.
func checkClean(t *testing.T, text string) {
	t.Helper()
	if strings.ToValidUTF8(text, "") != text || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c >= 0x7f && c < 0xa0 }) {
		t.Fatalf("unclean %q", text)
	}
}

func BenchmarkWrite(b *testing.B) {
	var h HeaderReader
	content := []byte(ordinary)
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		h.Reset()
		h.Write(content)
	}
}

func BenchmarkHeader(b *testing.B) {
	content := []byte("Received: from client.test (client.test [10.20.0.10]) by mail.corp.test with ESMTPS id 3A58A9FA7E5\r\n\tfor <alice@corp.test>; Mon, 23 Nov 2026 10:00:02 +0100 (CET)\r\n" +
		"Date: Mon, 23 Nov 2026 09:59:58 +0100\r\nFrom: Sender <sender@client.test>\r\nTo: Alice <alice@corp.test>\r\nSubject: Minutes of the meeting\r\nMessage-ID: <corpus.17@client.test>\r\n" +
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\nX-Spam-Status: No\r\nX-Spam-Score: 0.1\r\nList-Id: <a.b.test>\r\nPrecedence: bulk\r\nX-Virus: clean\r\nReturn-Path: <a@b.test>\r\n\r\n")
	for name, content := range map[string][]byte{"ordinary15lines": content, "encodedAndSigned": []byte(ordinary)} {
		b.Run(name, func(b *testing.B) {
			var h HeaderReader
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			for b.Loop() {
				h.Reset()
				h.Write(content)
				h.Fields()
			}
		})
	}
}
