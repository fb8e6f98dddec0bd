package smtp

import (
	"bytes"
	"encoding/base64"
)

// decode64 reads base64 as servers do: with or without padding. What it
// returns may be a secret: the caller clears it.
func decode64(b []byte) ([]byte, bool) {
	b = bytes.TrimRight(trim(b), "=")
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(b)))
	n, err := base64.RawStdEncoding.Decode(out, b)
	if err != nil {
		clear(out)
		return nil, false
	}
	return out[:n], true
}

// withoutBlanks copies b without the blanks inside it; some clients fold their
// base64.
func withoutBlanks(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for _, c := range b {
		if !isSpace(c) {
			out = append(out, c)
		}
	}
	return out
}

// Base64 says whether a line could be an answer in an AUTH exchange.
func Base64(line []byte) bool {
	line = trim(line)
	if len(line) == 1 && line[0] == '*' {
		return true
	}
	for i, c := range line {
		ok := 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/' || c == '=' && i > 0
		if !ok {
			return false
		}
	}
	return len(line)%4 == 0
}
