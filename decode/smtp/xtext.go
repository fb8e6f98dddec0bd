package smtp

import "bytes"

// xtext undoes "+XX" (RFC 3461, 4); ok is false where a "+" is not followed by
// two hexadecimal digits: it stays. The result may share b.
func xtext(b []byte) (out []byte, ok bool) {
	if bytes.IndexByte(b, '+') < 0 {
		return b, true
	}
	ok = true
	out = make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '+' {
			out = append(out, b[i])
			continue
		}
		if i+2 >= len(b) || !isHex(b[i+1]) || !isHex(b[i+2]) {
			out, ok = append(out, '+'), false
			continue
		}
		out = append(out, hexDigit(b[i+1])<<4|hexDigit(b[i+2]))
		i += 2
	}
	return out, ok
}

func isHex(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func hexDigit(c byte) byte {
	if isDigit(c) {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}

// nextWord cuts the first word off; blanks around it are left out.
func nextWord(b []byte) (word, rest []byte) {
	b = trim(b)
	n := 0
	for n < len(b) && b[n] != ' ' && b[n] != '\t' {
		n++
	}
	return b[:n], b[n:]
}
