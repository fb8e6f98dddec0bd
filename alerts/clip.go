package alerts

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxText bounds what a hostile peer can put into a key, label or summary.
const maxText = 200

// Clip makes a text fit for people: valid, bounded, without control characters
// (a user name may hold an escape sequence for the reader's terminal). Of
// different texts it makes different ones, but for chance.
func Clip(s string) string {
	if len(s) <= maxText && clean(s) {
		return s
	}
	mark := fingerprint(s, nil)
	if len(s) > maxText {
		s = s[:maxText]
	}
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
	return s + "~" + mark
}

func clean(s string) bool {
	i := 0
	for i < len(s) && s[i] >= ' ' && s[i] < 0x7f {
		i++
	}
	for _, r := range s[i:] {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// text writes what an expression yielded.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return Clip(v)
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return Number(v)
	case []string:
		return Clip(strings.Join(v, ", "))
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case nil:
		return ""
	}
	return Clip(fmt.Sprint(v))
}
