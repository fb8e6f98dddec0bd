package mail

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/ianaindex"
)

// clean makes text of octets that hold no encoded words.
func clean(raw []byte) string {
	if isPlain(raw) {
		return string(raw)
	}
	return string(replaceControls(appendUTF8(nil, raw)))
}

// each has the octet 1 in every place.
const each = 0x0101010101010101

// isPlain says whether all octets are of ' ' to '~', which are text as they
// stand: eight at a time, of which one that is not sets a highest bit.
func isPlain(b []byte) bool {
	var odd uint64
	if n := len(b); n >= 8 {
		for at := 0; at+8 < n; at += 8 {
			odd |= oddOctets(binary.LittleEndian.Uint64(b[at:]))
		}
		return (odd|oddOctets(binary.LittleEndian.Uint64(b[n-8:])))&(0x80*each) == 0
	}
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

func oddOctets(x uint64) uint64 { return x | (x - ' '*each) | (x + each) }

// isFolded says whether octets are plain but for white space, as folding
// leaves.
func isFolded(b []byte) bool {
	for _, c := range b {
		if (c < ' ' || c > '~') && !isBlank(c) {
			return false
		}
	}
	return true
}

// appendUTF8 takes raw UTF-8 (RFC 6532) as it is; what is none was most
// likely written in windows-1252, of which every octet is a character.
func appendUTF8(out, b []byte) []byte {
	b = trimPartial(b)
	if utf8.Valid(b) {
		return append(out, b...)
	}
	for _, c := range b {
		out = utf8.AppendRune(out, charmap.Windows1252.DecodeByte(c))
	}
	return out
}

// trimPartial takes off the start of a character that a limit cut. Behind
// nothing but ASCII it is more likely a whole one in windows-1252.
func trimPartial(b []byte) []byte {
	for i := len(b) - 1; i >= 0 && i >= len(b)-utf8.UTFMax+1; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) && utf8.Valid(b[:i]) && !isASCII(b[:i]) {
				return b[:i]
			}
			break
		}
	}
	return b
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// replaceControls puts a space for a tab or the end of a line, which could
// forge a line of a log, and U+FFFD for any other control character.
func replaceControls(b []byte) []byte {
	for _, c := range b {
		if c < ' ' || c == 0x7f || c == 0xc2 { // U+0080 to U+009F begin with C2
			return bytes.Map(replaceControl, b)
		}
	}
	return b
}

func replaceControl(c rune) rune {
	switch {
	case c == '\t' || c == '\r' || c == '\n':
		return ' '
	case c < ' ' || c >= 0x7f && c < 0xa0:
		return utf8.RuneError
	}
	return c
}

// charset is how the octets of encoded words are to be read.
type charset struct {
	label    string            // lower case
	encoding encoding.Encoding // nil for UTF-8
}

func (c charset) unknown() bool { return c.label == "" }

// longestCharset bounds what is looked up (RFC 2978, 2.3: 40 octets).
const longestCharset = 40

// charsetOf finds a charset by the name in an encoded word, which may have a
// language behind it (RFC 2231, 5). What browsers know comes first: their
// names and readings, such as windows-1252 for iso-8859-1, are what senders mean.
func charsetOf(name []byte) charset {
	name, _, _ = bytes.Cut(name, []byte("*"))
	if equalFold(name, "utf-8") || equalFold(name, "utf8") {
		return charset{label: "utf-8"}
	}
	if len(name) > longestCharset {
		return charset{}
	}
	label := strings.ToLower(string(name))
	e, err := htmlindex.Get(label)
	if err != nil || e == encoding.Replacement {
		if e, err = ianaindex.MIME.Encoding(label); err != nil || e == nil {
			return charset{}
		}
	}
	return charset{label, e}
}

// append converts octets to UTF-8; what the charset does not have becomes U+FFFD.
func (c charset) append(out, b []byte) []byte {
	switch {
	case len(b) == 0:
		return out
	case c.encoding != nil:
		b, _ = c.encoding.NewDecoder().Bytes(b) // what could be converted is better than nothing
	}
	if utf8.Valid(b) {
		return append(out, b...)
	}
	return append(out, bytes.ToValidUTF8(b, []byte("\uFFFD"))...)
}
