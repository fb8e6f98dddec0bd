package evidence

import (
	"bytes"
	"math"
	"slices"
	"strconv"
)

// state is what the client's next line may be.
type state uint8

const (
	commands state = iota
	exchange       // of AUTH: all is secret that is not clearly a command
	body           // until a line with a dot, or, of BDAT, as many octets as it said
	unknown        // octets are missing before: any line may belong to an exchange
	sealed         // TLS: nothing can be read, so nothing is blanked
)

// secret is a part of the client's stream that is to be blanked, and what is
// known of where the server may have said it again.
type secret struct {
	reach
	until int64 // the command behind it ends there
	hole  bool  // octets are missing there: what they were nobody knows
}

// scanner finds the secrets of a client's stream.
type scanner struct {
	client  *side
	prompts []int64 // places that the server had acknowledged when it asked for a response (334), sorted
	goes    []int64 // likewise, for the content of a message (354)
	state   state
	chunk   int64 // a BDAT's octets end there; 0: of no BDAT
	found   []secret
	open    int // of found, the first whose until is not known
}

// scan reads all of the stream.
func (s *scanner) scan() []secret {
	end := int64(0) // below all places
	if s.client.sees {
		end = s.client.zero
	}
	for i := range s.client.spans {
		p := &s.client.spans[i]
		known := i == 0 && s.client.begun
		switch {
		case s.state == sealed:
			return s.found
		case known:
			s.state = commands
		case s.state == body && p.at < s.chunk: // the hole is inside
		default:
			s.hole(end)
			s.state, s.chunk = unknown, 0
		}
		end = p.end()
		from := 0
		if known {
			from = s.socks(p)
		}
		s.span(p, from)
	}
	if s.state != sealed {
		s.hole(end + 1) // the last may be missing; one number may be a FIN's
	}
	return s.found
}

// socks blanks the user name and the password of a SOCKS5 client (RFC 1929, 2),
// and gives where it goes on.
func (s *scanner) socks(p *span) int {
	b := p.data
	if len(b) < 2 || b[0] != 5 {
		return 0
	}
	at := 2 + int(b[1])
	if len(b) <= at || b[at] != 1 {
		return 0
	}
	for range 2 {
		at++
		if at >= len(b) {
			s.state = unknown
			return len(b)
		}
		from := at + 1
		at = min(at+int(b[at]), len(b)-1)
		if from <= at {
			s.secret(p.at+int64(from), p.at+int64(at)+1)
		}
	}
	return at + 1
}

// span takes one run of octets line by line. Lines end at CR, at LF, and where
// the octets of a BDAT do.
func (s *scanner) span(p *span, from int) {
	for from < len(p.data) {
		if s.state != body && isRecord(p.data[from:]) {
			s.state = sealed
			s.settle(p.at + int64(from))
			return
		}
		end := len(p.data)
		if n := bytes.IndexAny(p.data[from:], "\r\n"); n >= 0 {
			end = from + n
		}
		next := end
		if next < len(p.data) {
			next++
			if p.data[end] == '\r' && next < len(p.data) && p.data[next] == '\n' {
				next++
			}
		}
		if s.state == body && s.chunk > 0 {
			if left := s.chunk - p.at; left <= int64(from) {
				s.state, s.chunk = commands, 0
			} else if left < int64(next) {
				end, next = min(end, int(left)), int(left)
			}
		}
		behind := p.at + int64(next)
		if next == len(p.data) && p.data[next-1] != '\n' {
			behind = -1 // the rest of the line may be missing
		}
		s.line(p.data[from:end], p.at+int64(from), behind)
		from = next
	}
}

// line judges one line; next is the place behind it, -1 where that is not known.
func (s *scanner) line(line []byte, at, next int64) {
	r := reach{at, at + int64(len(line))}
	switch {
	case len(line) == 0:
	case s.asked(r, line):
		s.whole(line, r)
		s.state = exchange
	case s.client.doubtful(r):
		if verb, _, ok := command(line); !ok || verb != "MAIL" && verb != "RCPT" {
			s.secret(r.from, r.to)
		}
		s.state, s.chunk = unknown, 0
	case s.state == body:
		s.content(line, r)
	default:
		s.dialog(line, r, next)
	}
}

// asked says whether the server had asked for this line when it was sent. Of a
// client that sends all at once, the server asks when the responses are long
// there: what follows is a command, if it looks like one.
func (s *scanner) asked(r reach, line []byte) bool {
	if s.state == commands {
		if _, _, ok := command(line); ok {
			return false
		}
	}
	i, _ := slices.BinarySearch(s.prompts, r.from-1)
	return i < len(s.prompts) && s.prompts[i] < r.to
}

func (s *scanner) content(line []byte, r reach) {
	if argument, ok := strictAuth(line); ok { // the server may take it for a command (SMTP smuggling)
		s.argument(line, argument, r)
		s.state, s.chunk = exchange, 0
	} else if s.chunk == 0 && len(line) == 1 && line[0] == '.' {
		s.state = commands
	}
}

func (s *scanner) dialog(line []byte, r reach, next int64) {
	verb, argument, clear := command(line)
	if clear {
		s.settle(r.to)
	}
	if at, ok := authArgument(line); ok && (clear || s.state == commands) {
		s.argument(line, at, r)
		s.state = exchange
		return
	}
	if !clear {
		switch {
		case s.state != commands:
			s.whole(line, r)
		default:
			s.foreign(line, r)
		}
		return
	}
	s.state = commands
	switch verb {
	case "BURL":
		s.argument(line, argument, r) // its URL has a token in it (RFC 4467, 3)
	case "DATA":
		if _, ok := slices.BinarySearch(s.goes, next); ok {
			s.state = body
		}
	case "BDAT":
		if n, err := strconv.ParseInt(string(line[argument:argument+digits(line[argument:])]), 10, 48); err == nil && n > 0 && next >= 0 {
			s.state, s.chunk = body, next+n
		}
	}
}

func digits(b []byte) int {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return n
}

// foreign blanks what clients of other protocols send to a mail port: what an HTTP
// proxy asked for before the dialog (RFC 9110, 11.7.2), and the logins of POP3 (RFC
// 1939, 7) and IMAP (RFC 9051, 6.2.2 and 6.2.3).
func (s *scanner) foreign(line []byte, r reach) {
	name, _, ok := bytes.Cut(line, []byte(":"))
	if ok && bytes.HasSuffix(bytes.ToLower(bytes.TrimFunc(name, blankRune)), []byte("authorization")) {
		s.argument(line, len(name)+1, r)
		return
	}
	first := skip(line, skip(line, 0, true), false)
	second := skip(line, skip(line, first, true), false)
	switch word := string(bytes.ToUpper(bytes.TrimFunc(line[first:second], blankRune))); {
	case bytes.EqualFold(bytes.TrimFunc(line[:first], blankRune), []byte("PASS")):
		s.argument(line, skip(line, first, true), r)
	case word == "LOGIN" || word == "AUTHENTICATE":
		s.argument(line, skip(line, second, true), r)
	}
}

// argument blanks a line from a place on.
func (s *scanner) argument(line []byte, from int, r reach) {
	rest := bytes.TrimRightFunc(line[from:], blankRune)
	if !harmless(rest) {
		s.secret(r.from+int64(from), r.from+int64(from+len(rest)))
	}
}

func (s *scanner) whole(line []byte, r reach) {
	if !harmless(line) {
		s.secret(r.from, r.to)
	}
}

func (s *scanner) secret(from, to int64) {
	s.found = append(s.found, secret{reach: reach{from, to}, until: math.MaxInt64})
}

// hole notes that octets are missing from a place on.
func (s *scanner) hole(at int64) {
	s.found = append(s.found, secret{reach: reach{at, at}, until: math.MaxInt64, hole: true})
}

// settle notes that what the server says of the secrets so far it says before
// it answers a command that ends at a place.
func (s *scanner) settle(end int64) {
	for ; s.open < len(s.found); s.open++ {
		s.found[s.open].until = end
	}
}
