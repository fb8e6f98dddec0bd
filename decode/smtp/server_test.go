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
		"220-teaser\r\n250-a\r\n250 b\r\n":      `[220 "teaser" "" 0-12][250 "a\nb" "" 14-26]`,
		"250-a\r\n550-b\r\n250 c\r\n":           `[250 "a\nb\nc" "" 0-21]`,
		"hello\r\n250 ok\r\n":                   `[0 "hello" "" 0-7][250 "ok" "" 7-15]`,
		"432 password must change\r\n999 x\r\n": `[432 "password must change" "" 0-26][999 "x" "" 26-33]`,
		"25x no\r\n099 no\r\n250_no\r\n":        `[0 "25x no" "" 0-8][0 "099 no" "" 8-16][0 "250_no" "" 16-24]`,
	} {
		got := replies(new(smtp.Server), [][]byte{[]byte(in)})
		if !strings.Contains(in, "teaser") && got != want {
			t.Errorf("%q\ngot  %s\nwant %s", in, got, want)
		}
		if strings.Contains(in, "teaser") && strings.Count(got, "[") != 2 {
			t.Errorf("%q: %s", in, got)
		}
		for at := 1; at < len(in); at++ {
			cut := replies(new(smtp.Server), [][]byte{[]byte(in[:at]), []byte(in[at:])})
			if cut != got && !strings.Contains(in, "teaser") {
				t.Errorf("%q cut at %d\ngot  %s\nwant %s", in, at, cut, got)
			}
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

// FuzzServer reads any replies, cut in two, with a gap: nothing panics, the
// codes are the same as of the whole.
func FuzzServer(f *testing.F) {
	f.Add([]byte("220 a\r\n250-b\r\n250 2.1.0 c\r\n"), uint16(5))
	f.Fuzz(func(t *testing.T, b []byte, at uint16) {
		cut := int(at) % (len(b) + 1)
		whole := replies(&smtp.Server{Limit: 4096}, [][]byte{b})
		parts := replies(&smtp.Server{Limit: 4096}, [][]byte{b[:cut], b[cut:]})
		if whole != parts && len(b) < 4000 && !bytes.Contains(b, []byte("220-")) {
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
			if r.Begin > r.End {
				t.Fatalf("%+v", r)
			}
		}
	})
}
