package syslog

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Facilities are the names of syslog's facilities by their numbers (RFC 5424,
// 6.2.1).
var Facilities = [...]string{"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
	"ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}

// Facility is the number of a facility's name.
func Facility(name string) (number int, ok bool) {
	number = slices.Index(Facilities[:], name)
	return number, number >= 0
}

// Severities in use (RFC 5424, 6.2.1).
const (
	Critical      = 2
	Warning       = 4
	Notice        = 5
	Informational = 6
)

// sdID names our structured data; 32473 is the enterprise number that RFC 5612
// sets aside for those who have none.
const sdID = "mailtap@32473"

// Most octets of a name in the header (RFC 5424, 6).
const (
	maxHostname = 255
	maxMsgID    = 32
)

// Header is what a message begins with. Its app name is mailtap.
type Header struct {
	Facility, Severity int
	Time               time.Time
	Hostname           string // "-" where empty
	PID                int
	MsgID              string // the kind of message; "-" where empty
}

// AppendHeader writes the header and opens the structured data: parameters and
// AppendEnd follow.
func AppendHeader(b []byte, h Header) []byte {
	b = append(b, '<')
	b = strconv.AppendInt(b, int64(h.Facility*8+h.Severity), 10)
	b = append(b, ">1 "...)
	b = h.Time.UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z")
	b = append(b, ' ')
	b = append(b, Word(h.Hostname, maxHostname)...)
	b = append(b, " mailtap "...)
	b = strconv.AppendInt(b, int64(h.PID), 10)
	b = append(b, ' ')
	b = append(b, Word(h.MsgID, maxMsgID)...)
	return append(b, " ["+sdID...)
}

// AppendParam writes a parameter of the structured data, none where the value is
// empty (RFC 5424, 6.3.3).
func AppendParam(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, ' ')
	b = append(b, name...)
	b = append(b, '=', '"')
	for _, r := range value {
		switch r = printable(r); r {
		case '\\', '"', ']':
			b = append(b, '\\', byte(r))
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// AppendEnd closes the structured data; the text follows.
func AppendEnd(b []byte) []byte { return append(b, ']', ' ') }

// AppendFrame writes a message with its length before it (RFC 6587, 3.4.1).
func AppendFrame(b, message []byte) []byte {
	b = strconv.AppendInt(b, int64(len(message)), 10)
	b = append(b, ' ')
	return append(b, message...)
}

// Word is a name as the header and the names of structured data have it:
// printable ASCII without what ends or splits it, "-" for nothing.
func Word(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f || r == '=' || r == ']' || r == '"' {
			return '_'
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return s[:min(len(s), most)]
}

// OneLine is a text without control characters and damaged octets.
func OneLine(s string) string { return strings.Map(printable, s) }

func printable(r rune) rune {
	if r == utf8.RuneError || !unicode.IsPrint(r) {
		return '?'
	}
	return r
}
