package log

import (
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// The field functions append `"key":value,` with the comma behind, and nothing
// at all where the value is unknown; end takes the last comma away. A key
// is given quoted and with its colon, so that it is copied as it stands.

func text(b []byte, key, s string) []byte {
	if s == "" {
		return b
	}
	b = append(b, key...)
	b = appendString(b, s)
	return append(b, ',')
}

func texts(b []byte, key string, list []string) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(b, key...)
	b = append(b, '[')
	for _, s := range list {
		b = appendString(b, s)
		b = append(b, ',')
	}
	return append(end(b, ']'), ',')
}

func number(b []byte, key string, n int64) []byte {
	if n == 0 {
		return b
	}
	return whole(b, key, n)
}

// whole writes zero too, for counts where it is a fact.
func whole(b []byte, key string, n int64) []byte {
	b = append(b, key...)
	b = strconv.AppendInt(b, n, 10)
	return append(b, ',')
}

func truth(b []byte, key string, v bool) []byte {
	if !v {
		return b
	}
	b = append(b, key...)
	return append(b, "true,"...)
}

func instant(b []byte, key string, t time.Time) []byte {
	if y := t.Year(); t.IsZero() || y < 0 || y > 9999 { // RFC 3339, 5.6: four digits
		return b
	}
	b = append(b, key...)
	b = appendTime(b, t)
	return append(b, ',')
}

func seconds(b []byte, key string, d time.Duration) []byte {
	b = append(b, key...)
	b = appendSeconds(b, d)
	return append(b, ',')
}

// float leaves out what JSON has no number for.
func float(b []byte, key string, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return b
	}
	b = append(b, key...)
	b = strconv.AppendFloat(b, v, 'f', -1, 64)
	return append(b, ',')
}

// open begins a nested object or list.
func open(b []byte, key string) []byte { return append(b, key...) }

// end closes an object or a list over its last comma.
func end(b []byte, bracket byte) []byte {
	if b[len(b)-1] == ',' {
		b[len(b)-1] = bracket
		return b
	}
	return append(b, bracket)
}

// appendTime writes RFC 3339 in UTC with always nine digits of the second, so
// that times sort as text.
func appendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	b = append(b, '"')
	b = digits(b, year, 4)
	b = digits(append(b, '-'), int(month), 2)
	b = digits(append(b, '-'), day, 2)
	b = digits(append(b, 'T'), hour, 2)
	b = digits(append(b, ':'), minute, 2)
	b = digits(append(b, ':'), second, 2)
	b = digits(append(b, '.'), t.Nanosecond(), 9)
	return append(b, 'Z', '"')
}

// digits writes n with leading zeros.
func digits(b []byte, n, width int) []byte {
	var d [9]byte
	for i := width - 1; i >= 0; i-- {
		d[i] = byte('0' + n%10)
		n /= 10
	}
	return append(b, d[:width]...)
}

// appendSeconds writes a duration in seconds exactly, without going through
// a float and without an exponent.
func appendSeconds(b []byte, d time.Duration) []byte {
	n := uint64(d)
	if d < 0 {
		b = append(b, '-')
		n = -n
	}
	b = strconv.AppendUint(b, n/1e9, 10)
	frac := int(n % 1e9)
	if frac == 0 {
		return b
	}
	b = digits(append(b, '.'), frac, 9)
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}

// plain tells the octets that stand in a JSON string as they are. DEL is not
// among them: records are read on terminals.
var plain = func() (t [256]bool) {
	for c := 0x20; c < 0x7f; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

const hexDigits = "0123456789abcdef"

// appendString writes s as a JSON string (RFC 8259, 7). What is no UTF-8
// becomes U+FFFD. C1 controls are escaped like C0 ones, because a terminal obeys
// both, and U+2028 and U+2029 because JavaScript takes them for line ends.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
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
