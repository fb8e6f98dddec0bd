package mail

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var words = []struct{ name, raw, want string }{
	{"plain", "plain", "plain"},
	{"raw UTF-8", "Grüße aus Köln – 日本語 ✓", "Grüße aus Köln – 日本語 ✓"},
	{"raw windows-1252", "Gr\xfc\xdfe \x96 caf\xe9", "Grüße – café"},
	{"B", "=?UTF-8?B?R3LDvMOfZSBhdXMgS8O2bG4=?=", "Grüße aus Köln"},
	{"Q", "=?iso-8859-1?Q?Gr=FC=DFe_aus_K=F6ln?=", "Grüße aus Köln"},
	{"lower case", "Re: =?utf-8?q?=c3=a9t=C3=A9?= plain", "Re: été plain"},
	{"ISO-2022-JP", "=?ISO-2022-JP?B?GyRCRnxLXDhsGyhC?=", "日本語"},
	{"two words", "=?UTF-8?B?5pel?= =?UTF-8?B?5pys?=", "日本"},
	{"cut character", "=?UTF-8?B?5pel5g==?=\t=?utf-8?B?nKw=?=", "日本"},
	{"cut character, two encodings", "=?UTF-8?B?5pel5g==?= =?utf-8?Q?=9C=AC?=", "日本"},
	{"two charsets", "=?UTF-8?Q?=C3=A9?= =?iso-8859-1?Q?=E8?=", "éè"},
	{"no blanks between", "=?utf-8?Q?a?==?utf-8?Q?b?=x=?utf-8?Q?c?=y", "abxcy"},
	{"empty word", "a=?utf-8?B??=b", "ab"},
	{"blanks kept", "4spaces    =?iso-8859-1?Q?=E5?=     5spaces", "4spaces    å     5spaces"},
	{"blanks at the edges", "=?utf-8?Q?_a_?=", " a "},
	{"blanks inside Q", "=?utf-8?Q?a b  c?=", "a b  c"},
	{"gb2312", "test =?gb2312?B?suLK1A==?=", "test 测试"},
	{"windows-1252", "=?windows-1252?Q?What=92s?=", "What’s"},
	{"koi8-r", "=?KOI8-R?B?8NLP18XSy8E=?=", "Проверка"},
	{"language", "=?utf-8*de?Q?=C3=BC?=", "ü"},
	{"unknown charset", "=?x-nothing?Q?=FC?= =?utf-8?Q?a?=", "=?x-nothing?Q?=FC?= a"},
	{"unknown encoding", "=?utf-8?X?abc?=", "=?utf-8?X?abc?="},
	{"unfinished", "=?utf-8?Q?abc", "=?utf-8?Q?abc"},
	{"unfinished, then whole", "=?utf-8 =?utf-8?Q?a?=", "=?utf-8 a"},
	{"nested start", "=?=?utf-8?Q?a?=", "=?a"},
	{"bad escape", "=?utf-8?Q?a=Gb=?=", "a=Gb="},
	{"no padding", "=?utf-8?B?YQ?=", "a"},
	{"padding inside", "=?utf-8?B?YQ==Yg==?=", "ab"},
	{"blanks in B", "=?utf-8?B?Y W J j?=", "abc"},
	{"invalid UTF-8 in a word", "=?utf-8?Q?a=FFb?=", "a\uFFFDb"},
	{"ASCII that is not", "=?us-ascii?Q?=E9?=", "é"},
	{"line end in a word", "=?utf-8?Q?a=0D=0ASubject:_b?=", "a  Subject: b"},
	{"quoted name", `"=?utf-8?Q?J=C3=BCrgen?=" <j@x>`, `"Jürgen" <j@x>`},
}

func TestDecode(t *testing.T) {
	for _, c := range words {
		t.Run(c.name, func(t *testing.T) {
			if got := new(decoder).decode(&texts{}, []byte(c.raw)); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestDecodeIsLinear: starts of words without ends must not cost a search
// each, nor words of unknown charsets.
func TestDecodeIsLinear(t *testing.T) {
	for _, raw := range []string{
		strings.Repeat("=?utf-8?q?", 800), strings.Repeat("=?", 4000) + "?=", strings.Repeat("=?x?q?", 1300) + "?=", strings.Repeat("=?utf-8?b??=", 650),
		strings.Repeat("=?utf-8?q?a?= ", 500) + "=?",
	} {
		start := time.Now()
		for range 10 {
			if !utf8.ValidString(new(decoder).decode(&texts{}, []byte(raw))) {
				t.Error("not UTF-8")
			}
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%.20q took %v", raw, took/10)
		}
	}
}

func BenchmarkDecodeHostile(b *testing.B) {
	var d decoder
	for name, raw := range map[string]string{
		"starts": strings.Repeat("=?utf-8?q?", 800) + "?=", "unknown": strings.Repeat("=?x?q?", 1300) + "?=", "empty": strings.Repeat("=?utf-8?b??=", 650),
		"marks": strings.Repeat("=?", 4000) + "?=", "charsets": strings.Repeat("=?koi8-r?b?YQ==?==?gb2312?b?YQ==?=", 240),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d.decode(&texts{}, []byte(raw))
			}
		})
	}
}

// TestPlain tries each octet at each place of texts of some lengths.
func TestPlain(t *testing.T) {
	for size := range 20 {
		b := []byte(strings.Repeat("a", size))
		if !isPlain(b) {
			t.Errorf("%q is not plain", b)
		}
		for at := range b {
			for c := range 256 {
				b[at] = byte(c)
				if want := c >= ' ' && c <= '~'; isPlain(b) != want {
					t.Errorf("octet %d at %d of %d: not %v", c, at, size, want)
				}
			}
			b[at] = 'a'
		}
	}
}
