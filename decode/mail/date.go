package mail

import (
	"bytes"
	"time"
)

// maxClauses bounds how many semicolons of a Received field are tried for its
// date, from the last on: a comment behind the date may hold more.
const maxClauses = 3

// receivedTime reads the date at the end of a Received field (RFC 5322, 3.6.7).
func receivedTime(b []byte) time.Time {
	end := len(b)
	for range maxClauses {
		i := bytes.LastIndexByte(b[:end], ';')
		if i < 0 {
			break
		}
		if t := parseDate(b[i+1:]); !t.IsZero() {
			return t
		}
		end = i
	}
	return time.Time{}
}

// parseDate reads a date-time (RFC 5322, 3.3 and 4.3): names in any case,
// years of two digits, named zones, comments. Zero where it is none.
func parseDate(b []byte) time.Time {
	if t, ok := usualDate(b); ok {
		return t
	}
	s := scanner{b: b}
	if s.peekLetter() { // day of the week: never checked, often wrong
		s.word()
		s.literal(',')
	}
	day := s.number(2)
	month := monthOf(s.word())
	year := fullYear(s.number(4))
	hour := s.number(2)
	s.require(':')
	minute := s.number(2)
	second := 0
	if s.literal(':') {
		second = s.number(2)
	}
	offset := s.zone()
	if s.bad || month == 0 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}
	}
	return time.Date(year, month, day, hour, minute, second, 0, time.UTC).Add(-offset)
}

// fullYear completes a short year (RFC 5322, 4.3).
func fullYear(y int) int {
	switch {
	case y < 50:
		return y + 2000
	case y < 1000:
		return y + 1900
	}
	return y
}

func monthOf(word []byte) time.Month {
	if len(word) < 3 {
		return 0
	}
	var lower [3]byte
	for i := range lower {
		lower[i] = lowerCase(word[i])
	}
	switch string(lower[:]) {
	case "jan":
		return time.January
	case "feb":
		return time.February
	case "mar":
		return time.March
	case "apr":
		return time.April
	case "may":
		return time.May
	case "jun":
		return time.June
	case "jul":
		return time.July
	case "aug":
		return time.August
	case "sep":
		return time.September
	case "oct":
		return time.October
	case "nov":
		return time.November
	case "dec":
		return time.December
	}
	return 0
}

// usualDate reads a date as nearly all programs write it, such as
// "Mon, 23 Nov 2026 10:00:02 +0100", as the scanner does. Not ok for any other.
func usualDate(b []byte) (t time.Time, ok bool) {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	if len(b) > 5 && isLetter(b[0]) && isLetter(b[1]) && isLetter(b[2]) && b[3] == ',' && b[4] == ' ' {
		b = b[5:]
	}
	day, n := 0, 0
	for n < 2 && n < len(b) && '0' <= b[n] && b[n] <= '9' {
		day = day*10 + int(b[n]-'0')
		n++
	}
	const rest = len(" Nov 2026 10:00:02 +0100")
	if n == 0 || len(b) < n+rest {
		return t, false
	}
	b = b[n : n+rest]
	if b[0] != ' ' || b[4] != ' ' || b[9] != ' ' || b[12] != ':' || b[15] != ':' || b[18] != ' ' || b[19] != '+' && b[19] != '-' {
		return t, false
	}
	century, year, hour, minute, second := digits(b[5:]), digits(b[7:]), digits(b[10:]), digits(b[13:]), digits(b[16:])
	hours, minutes := digits(b[20:]), digits(b[22:])
	month := monthOf(b[1:4])
	if century|year|hour|minute|second|hours|minutes < 0 || month == 0 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 {
		return t, false
	}
	offset := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if b[19] == '-' {
		offset = -offset
	}
	return time.Date(fullYear(century*100+year), month, day, hour, minute, second, 0, time.UTC).Add(-offset), true
}

// digits is a number of two, negative where it is none.
func digits(b []byte) int {
	high, low := b[0]-'0', b[1]-'0'
	if high > 9 || low > 9 {
		return -1
	}
	return int(high)*10 + int(low)
}

// scanner takes the parts of a date off; bad is set where one is missing.
type scanner struct {
	b   []byte
	bad bool
}

// blanks passes over white space and comments, which nest (RFC 5322, 3.2.2).
func (s *scanner) blanks() {
	depth := 0
	for i, c := range s.b {
		switch {
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case depth == 0 && c != ' ' && c != '\t' && c != '\r' && c != '\n':
			s.b = s.b[i:]
			return
		}
	}
	s.b = nil
}

func (s *scanner) peekLetter() bool {
	s.blanks()
	return len(s.b) > 0 && isLetter(s.b[0])
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func (s *scanner) word() []byte {
	s.blanks()
	i := 0
	for i < len(s.b) && isLetter(s.b[i]) {
		i++
	}
	word := s.b[:i]
	s.b = s.b[i:]
	return word
}

func (s *scanner) literal(c byte) bool {
	s.blanks()
	if len(s.b) == 0 || s.b[0] != c {
		return false
	}
	s.b = s.b[1:]
	return true
}

func (s *scanner) require(c byte) { s.bad = !s.literal(c) || s.bad }

// number reads up to so many digits.
func (s *scanner) number(digits int) int {
	s.blanks()
	n, i := 0, 0
	for i < len(s.b) && i < digits && '0' <= s.b[i] && s.b[i] <= '9' {
		n = n*10 + int(s.b[i]-'0')
		i++
	}
	s.bad = s.bad || i == 0
	s.b = s.b[i:]
	return n
}

// zone reads an offset to UTC. A missing one is no date: a delay counted from
// a guess would be hours wrong.
func (s *scanner) zone() time.Duration {
	switch {
	case s.literal('+'):
		return s.offset()
	case s.literal('-'):
		return -s.offset()
	}
	name := s.word()
	s.bad = s.bad || len(name) == 0
	return namedZone(name)
}

func (s *scanner) offset() time.Duration {
	n := s.number(4)
	return time.Duration(n/100)*time.Hour + time.Duration(n%100)*time.Minute
}

// namedZone knows the zones of RFC 5322, 4.3; any other counts as UTC, as it
// says.
func namedZone(name []byte) time.Duration {
	zones := [...]struct {
		name  string
		hours int
	}{{"est", -5}, {"edt", -4}, {"cst", -6}, {"cdt", -5}, {"mst", -7}, {"mdt", -6}, {"pst", -8}, {"pdt", -7}}
	for _, z := range zones {
		if equalFold(name, z.name) {
			return time.Duration(z.hours) * time.Hour
		}
	}
	return 0
}
