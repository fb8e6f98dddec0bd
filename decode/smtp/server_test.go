package smtp_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/decode/smtp"
)

func replies(s *smtp.Server, pieces [][]byte) string {
	var out strings.Builder
	var r smtp.Reply
	offset := int64(0)
	for i, p := range pieces {
		p = bytes.Clone(p)
		s.Feed(p, offset, int64(i))
		offset += int64(len(p))
		for s.Next(&r) {
			fmt.Fprintf(&out, "[%d %q %q %d-%d]", r.Code, r.Lines, r.Enhanced, r.Begin, r.End)
			if r.Long {
				out.WriteString("+")
			}
		}
		clear(p)
	}
	return out.String()
}

func TestReplies(t *testing.T) {
	for in, want := range map[string]string{
		"220 hi\r\n":                            `[220 "hi" "" 0-8]`,
		"250-a\r\n250-b\r\n250 c\r\n":           `[250 "a\nb\nc" "" 0-21]`,
		"250\r\n251\n":                          `[250 "" "" 0-5][251 "" "" 5-9]`,
		"250-a\n250 b\n221 c\n":                 `[250 "a\nb" "" 0-12][221 "c" "" 12-18]`,
		"550 5.1.1 no\r\n":                      `[550 "5.1.1 no" "5.1.1" 0-14]`,
		"550 4.1.1 no\r\n":                      `[550 "4.1.1 no" "" 0-14]`,
		"250 2.1.10\r\n":                        `[250 "2.1.10" "2.1.10" 0-12]`,
		"220-teaser\r\n250-a\r\n250 b\r\n":      `[220 "teaser" "" 0-12][250 "a\nb" "" 12-26]`,
		"220-teaser\r\n421 x\r\n250 b\r\n":      `[220 "teaser" "" 0-12][421 "x" "" 12-19][250 "b" "" 19-26]`,
		"220-teaser\n220 real\n":                `[220 "teaser\nreal" "" 0-20]`,
		"\r\n\n250 a\r\n\r\n":                   `[250 "a" "" 3-10]`,
		"250\ta\tb\r\n":                         `[250 "a\tb" "" 0-9]`,
		"250-\r\n250 \r\n":                      `[250 "\n" "" 0-12]`,
		"250-a\r\nnoise\r\n250 b\r\n":           `[250 "a\nb" "" 0-21]`,
		"250 a\x00b\r\n\x00250 c\r\n":           `[250 "a\x00b" "" 0-9][0 "\x00250 c" "" 9-17]`,
		" 250 a\r\nsmtp: 250 b\r\n":             `[0 " 250 a" "" 0-8][0 "smtp: 250 b" "" 8-21]`,
		"100 a\r\n000 b\r\n1000 c\r\n25\r\n":    `[100 "a" "" 0-7][0 "000 b" "" 7-14][0 "1000 c" "" 14-22][0 "25" "" 22-26]`,
		"550 #5.1.0 no\r\n":                     `[550 "#5.1.0 no" "5.1.0" 0-15]`,
		"550 5.1.1234 no\r\n":                   `[550 "5.1.1234 no" "" 0-17]`,
		"550 5.1 no\r\n":                        `[550 "5.1 no" "" 0-12]`,
		"354 3.0.0 go\r\n":                      `[354 "3.0.0 go" "" 0-14]`,
		"550 5.1.1: no\r\n":                     `[550 "5.1.1: no" "5.1.1" 0-15]`,
		"550-no\r\n550 5.7.1\r\n":               `[550 "no\n5.7.1" "5.7.1" 0-19]`,
		"250-a\r\n550-b\r\n250 c\r\n":           `[250 "a\nb\nc" "" 0-21]`,
		"hello\r\n250 ok\r\n":                   `[0 "hello" "" 0-7][250 "ok" "" 7-15]`,
		"432 password must change\r\n999 x\r\n": `[432 "password must change" "" 0-26][999 "x" "" 26-33]`,
		"25x no\r\n099 no\r\n250_no\r\n":        `[0 "25x no" "" 0-8][0 "099 no" "" 8-16][0 "250_no" "" 16-24]`,
	} {
		got := replies(new(smtp.Server), [][]byte{[]byte(in)})
		if got != want {
			t.Errorf("%q\ngot  %s\nwant %s", in, got, want)
		}
		for at := 1; at < len(in); at++ {
			cut := replies(new(smtp.Server), [][]byte{[]byte(in[:at]), []byte(in[at:])})
			if cut != got {
				t.Errorf("%q cut at %d\ngot  %s\nwant %s", in, at, cut, got)
			}
		}
	}
}

// TestOneReplyForAll reads two servers with one Reply: the lines that one joins
// are not seen in the other's.
func TestOneReplyForAll(t *testing.T) {
	var r smtp.Reply
	var all [2]smtp.Server
	offset := int64(0)
	for i := range 100 {
		for j := range all {
			in := fmt.Sprintf("250-%d of %d\r\n250-2.1.0 more\r\n250 end\r\n250 %d\r\n", i, j, i)
			all[j].Feed([]byte(in), offset, 0)
			want := fmt.Sprintf("%d of %d\n2.1.0 more\nend", i, j)
			if !all[j].Next(&r) || string(r.Lines) != want || string(r.Enhanced) != "2.1.0" {
				t.Fatalf("%+v, want %q", r, want)
			}
			if !all[j].Next(&r) || string(r.Lines) != fmt.Sprint(i) || len(r.Enhanced) > 0 || all[j].Next(&r) || all[j].Partial() {
				t.Fatalf("%+v, want %d", r, i)
			}
			if j == 1 {
				offset += int64(len(in))
			}
		}
	}
}

// TestReplyText: one line of valid text, of any octets.
func TestReplyText(t *testing.T) {
	for in, want := range map[string]string{
		"":                                   "",
		"Ok":                                 "Ok",
		"a\nb\n\nc":                          "a b  c",
		"0123456\x7f89":                      "0123456\ufffd89",
		"01234567\x1f89abcdef":               "01234567\ufffd89abcdef",
		"01234567\x0089abcdef":               "01234567\ufffd89abcdef",
		"Gr\xc3\xbc\xc3\x9fe aus M\xfcnchen": "Gr\u00fc\u00dfe aus M\ufffdnchen",
		"\xff\xfe\xfd":                       "\ufffd",
		"a\tb":                               "a\ufffdb",
		strings.Repeat("x", 40):              strings.Repeat("x", 30),
	} {
		r := smtp.Reply{Lines: []byte(in)}
		if got := r.Text(30); got != want {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
		if got := string(r.AppendText([]byte("before\n"), 30)); got != "before\n"+want {
			t.Errorf("%q appended gives %q, want %q", in, got, want)
		}
		if string(r.Lines) != in {
			t.Errorf("%q became %q", in, r.Lines)
		}
	}
}

func TestReplyLimit(t *testing.T) {
	s := smtp.Server{Limit: 100}
	var r smtp.Reply
	s.Feed([]byte("250-"+strings.Repeat("x", 1000)+"\r\n"+strings.Repeat("250-y\r\n", 1000)+"250 z\r\n221 bye\r\n"), 0, 0)
	if !s.Next(&r) || !r.Long || len(r.Lines) > 101 || r.Code != 250 {
		t.Errorf("%+v", r)
	}
	if !s.Next(&r) || r.Long || r.Code != 221 {
		t.Errorf("%+v", r)
	}
}

func BenchmarkReplies(b *testing.B) {
	data := []byte("250-mail.example.org\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250 8BITMIME\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n")
	var s smtp.Server
	var r smtp.Reply
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	offset := int64(0)
	for b.Loop() {
		s.Feed(data, offset, 0)
		offset += int64(len(data))
		for s.Next(&r) {
		}
	}
}

// FuzzServer reads any replies, cut in two, with a gap: nothing panics, the
// codes are the same as of the whole.
func FuzzServer(f *testing.F) {
	for _, s := range []string{
		"220 a\r\n250-b\r\n250 2.1.0 c\r\n", "220-teaser\r\n250-a\r\n250 b\r\n", "\r\n\n250\r\n", "250-" + strings.Repeat("x", 90) + "\r\n250 y\r\n",
		"334 VXNlcm5hbWU6\r\n", "250-a\r\n550-b\r\nnoise\r\n250 c\n", "999\t\x00\n99\n",
	} {
		f.Add([]byte(s), uint16(5))
		f.Add([]byte(s), uint16(13))
	}
	f.Fuzz(func(t *testing.T, b []byte, at uint16) {
		cut := int(at) % (len(b) + 1)
		whole := replies(&smtp.Server{Limit: 64}, [][]byte{b})
		parts := replies(&smtp.Server{Limit: 64}, [][]byte{b[:cut], b[cut:]})
		if whole != parts {
			t.Fatalf("cut at %d of %q\nwhole %s\nparts %s", cut, b, whole, parts)
		}
		var s smtp.Server
		var r smtp.Reply
		s.Feed(b[:cut], 0, 0)
		for s.Next(&r) {
		}
		s.Gap(3)
		s.Feed(b[cut:], int64(cut)+3, 1)
		for s.Next(&r) {
			if r.Begin > r.End || len(r.Lines) > 64<<10 || r.Code > 999 || r.Code != 0 && r.Code < 100 {
				t.Fatalf("%+v", r)
			}
		}
		var raw smtp.Server // the other state: all is opaque
		raw.SetRaw()
		raw.Feed(b, 0, 0)
		if got := raw.Next(&r); got != (len(b) > 0) || !bytes.Equal(r.Raw, b) {
			t.Fatalf("raw: %+v", r)
		}
	})
}
