package smtp

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// Text copies octets as valid UTF-8 without control characters, at most max.
func Text(b []byte, max int) string {
	return printable(b[:min(len(b), max)])
}

// Text is the text of a reply on one line, as Text copies it.
func (r *Reply) Text(max int) string {
	return Text(bytes.ReplaceAll(r.Lines[:min(len(r.Lines), max)], []byte{'\n'}, []byte{' '}), max)
}

// printable copies text as valid UTF-8 without control characters.
func printable(b []byte) string {
	clean := true
	for _, c := range b {
		if c < ' ' || c >= 0x7f {
			clean = false
			break
		}
	}
	if clean {
		return string(b)
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(string(b), string(utf8.RuneError)))
}
