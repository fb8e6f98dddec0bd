package evidence

import (
	"bytes"
	"slices"
)

// What a client's line says, read with more doubt than a server reads it: what
// may be a secret counts as one.

// authWord is the length of the name of an AUTH command that octets begin with: of
// AUTH (RFC 4954) or of Exchange's own ([MS-XEXPS]). 0: they begin with neither.
func authWord(b []byte) int {
	for _, word := range [...]string{"AUTH", "X-EXPS"} {
		if len(b) >= len(word) && bytes.EqualFold(b[:len(word)], []byte(word)) {
			return len(word)
		}
	}
	return 0
}

// authArgument finds AUTH as a word in a line, and where what follows the name of
// the mechanism begins: behind the end of the line where nothing does.
func authArgument(line []byte) (at int, ok bool) {
	for i := range line {
		n := authWord(line[i:])
		if n == 0 || i > 0 && letter(line[i-1]) {
			continue
		}
		at = i + n
		first := len(bytes.TrimFunc(line[:i], blankRune)) == 0
		if at < len(line) && !isBlank(line[at]) && !(first && line[at] == '=') {
			continue
		}
		if at < len(line) {
			at++
		}
		at = skip(line, at, true)
		at = skip(line, at, false)
		return skip(line, at, true), true
	}
	return 0, false
}

// strictAuth is for the inside of messages: a line that is an AUTH command and
// nothing else.
func strictAuth(line []byte) (at int, ok bool) {
	at = skip(line, 0, true)
	n := authWord(line[at:])
	if at += n; n == 0 || at == len(line) || !isBlank(line[at]) {
		return 0, false
	}
	at = skip(line, at, true)
	end := skip(line, at, false)
	if end == at || slices.ContainsFunc(line[at:end], func(c byte) bool { return !letter(c) && c != '-' && c != '_' }) {
		return 0, false
	}
	at = skip(line, end, true)
	if skip(line, skip(line, at, false), true) != len(line) {
		return 0, false
	}
	return at, true
}

// skip passes over blanks, or over what is none.
func skip(line []byte, at int, blanks bool) int {
	for at < len(line) && isBlank(line[at]) == blanks {
		at++
	}
	return at
}

func isBlank(c byte) bool   { return c <= ' ' }
func blankRune(r rune) bool { return r <= ' ' }
func letter(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// shape is what must follow a verb so that the line is that command and cannot
// be the response of an AUTH exchange.
type shape uint8

const (
	bare   shape = iota // nothing
	word                // one word, or nothing
	colon               // FROM: or TO:
	number              // digits first
	equals              // NAME=value
	free                // anything behind a blank
)

func shapeOf(verb string) (shape, bool) {
	switch verb {
	case "DATA", "RSET", "QUIT", "NOOP", "STARTTLS", "HELP", "TURN":
		return bare, true
	case "EHLO", "HELO", "LHLO":
		return word, true
	case "MAIL", "RCPT", "SEND", "SOML", "SAML":
		return colon, true
	case "BDAT":
		return number, true
	case "XCLIENT", "XFORWARD":
		return equals, true
	case "AUTH", "X-EXPS", "BURL", "PROXY", "CONNECT":
		return free, true
	}
	return bare, false
}

// longestVerb is that of the table.
const longestVerb = 8

// command reads a line as a command of the table; its verb is upper case.
func command(line []byte) (verb string, argument int, ok bool) {
	end := skip(line, 0, false)
	if end == 0 || end > longestVerb {
		return "", 0, false
	}
	verb = string(bytes.ToUpper(line[:end]))
	want, known := shapeOf(verb)
	if !known {
		return "", 0, false
	}
	argument = skip(line, end, true)
	rest := bytes.TrimRightFunc(line[argument:], blankRune)
	switch want {
	case bare:
		ok = len(rest) == 0
	case word:
		ok = skip(rest, 0, false) == len(rest)
	case colon:
		name, _, found := bytes.Cut(rest, []byte(":"))
		name = bytes.TrimFunc(name, blankRune)
		ok = found && (bytes.EqualFold(name, []byte("FROM")) || bytes.EqualFold(name, []byte("TO")))
	case number:
		ok = len(rest) > 0 && rest[0] >= '0' && rest[0] <= '9'
	case equals:
		ok = bytes.IndexByte(rest, '=') > 0
	case free:
		ok = len(rest) > 0
	}
	return verb, argument, ok
}

// harmless responses say nothing: an empty one, and the end of an exchange (RFC
// 4954, 4).
func harmless(line []byte) bool {
	return len(line) == 0 || len(line) == 1 && (line[0] == '*' || line[0] == '=' || line[0] == '.')
}

// record of TLS: what begins so is no line (RFC 8446, 5.1).
func isRecord(b []byte) bool {
	return len(b) >= 3 && b[0] >= 20 && b[0] <= 23 && b[1] == 3 && b[2] <= 4
}
