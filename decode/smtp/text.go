package smtp

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// Text copies octets as valid UTF-8 without control characters, at most max.
func Text(b []byte, max int) string {
	return printable(b[:min(len(b), max)])
}

// Text is the text of a reply on one line, as Text copies it.
func (r *Reply) Text(max int) string {
	var room [512]byte
	return string(r.AppendText(room[:0], max))
}

// AppendText appends what Text returns.
func (r *Reply) AppendText(dst []byte, max int) []byte {
	text := r.Lines[:min(len(r.Lines), max)]
	begin := len(dst)
	dst = append(dst, text...)
	for line := dst[begin:]; ; {
		i := bytes.IndexByte(line, '\n')
		if i < 0 {
			break
		}
		line[i] = ' '
		line = line[i+1:]
	}
	if !clean(dst[begin:]) {
		dst = append(dst[:begin], printable(dst[begin:])...)
	}
	return dst
}

// printable copies text as valid UTF-8 without control characters.
func printable(b []byte) string {
	if clean(b) {
		return string(b)
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(string(b), string(utf8.RuneError)))
}

// clean says whether all octets are printable ASCII, eight at a time: the
// highest bit of an octet is set where the octet is none, is below a blank or
// is DEL.
func clean(b []byte) bool {
	const ones = 0x0101010101010101
	for ; len(b) >= 8; b = b[8:] {
		if x := binary.LittleEndian.Uint64(b); (x|(x-' '*ones)|(x+ones))&(0x80*ones) != 0 {
			return false
		}
	}
	for _, c := range b {
		if c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}
