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
	const names = "janfebmaraprmayjunjulaugsepoctnovdec"
	if len(word) < 3 {
		return 0
	}
	for i := 0; i < len(names); i += 3 {
		if equalFold(word[:3], names[i:i+3]) {
			return time.Month(i/3 + 1)
		}
	}
	return 0
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
