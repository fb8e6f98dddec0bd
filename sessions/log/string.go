package log

import (
	"slices"
	"unicode/utf8"
)

// plain tells the octets that stand in a JSON string as they are. DEL is not
// among them: records are read on terminals.
var plain = func() (t [256]bool) {
	for c := 0x20; c < 0x7f; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// Eight octets at once: ones times an octet is that octet eight times.
const (
	ones   = 0x0101010101010101
	highs  = 0x80 * ones
	spaces = ones * ' '
)

// allPlain tells whether the eight octets of x are plain. Each term has an
// octet's high bit where it is not: beyond ASCII, a control, DEL, a quote, a
// backslash. A borrow or carry into the next octet comes only from one that is
// not plain itself.
func allPlain(x uint64) bool {
	return (x|(x-ones*0x20)|(x+ones)|((x^ones*'"')-ones)|((x^ones*'\\')-ones))&highs == 0
}

// load8 and load4 are octets of s from i on; the compiler makes one load of each.
func load8(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func load4(s string, i int) uint64 {
	s = s[i : i+4]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}

// plainStart is how many octets at the start of s are surely plain. It is
// len(s) where all are.
func plainStart(s string) int {
	n := len(s)
	var rest uint64
	switch {
	case n >= 8:
		for i := 0; i+8 < n; i += 8 {
			if !allPlain(load8(s, i)) {
				return i
			}
		}
		rest = load8(s, n-8) // again some that were seen
	case n >= 4:
		rest = load4(s, 0) | load4(s, n-4)<<32
	case n > 0:
		rest = uint64(s[0]) | uint64(s[n/2])<<8 | uint64(s[n-1])<<16 | spaces&^0xffffff
	default:
		return 0
	}
	if !allPlain(rest) {
		return max(0, n-8)
	}
	return n
}

// appendString writes s as a JSON string (RFC 8259, 7). What is no UTF-8
// becomes U+FFFD. C1 controls are escaped like C0 ones, because a terminal obeys
// both, and U+2028 and U+2029 because JavaScript takes them for line ends.
func appendString(b []byte, s string) []byte {
	n := len(b)
	b = slices.Grow(b, len(s)+2)[:n+len(s)+2]
	b[n] = '"'
	copy(b[n+1:], s)
	b[len(b)-1] = '"'
	if plain := plainStart(s); plain < len(s) {
		return appendEscaped(b[:n+1+plain], s[plain:])
	}
	return b
}

// appendEscaped writes the rest of a string, and its closing quote, where
// something in it must be escaped or is beyond ASCII.
func appendEscaped(b []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		if plain[s[i]] {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r >= 0xa0 && r != 0x2028 && r != 0x2029 && (r != utf8.RuneError || size > 1) {
			i += size
			continue
		}
		b = append(b, s[start:i]...)
		b = appendEscape(b, r)
		i += size
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

const hexDigits = "0123456789abcdef"

func appendEscape(b []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(b, '\\', byte(r))
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	case utf8.RuneError:
		return append(b, "\uFFFD"...)
	}
	return append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}
