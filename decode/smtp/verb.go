package smtp

import "bytes"

// Verb is a command; it indexes tables of verbs.
type Verb uint8

// The commands that a record or a metric names (RFC 5321, 4.1.1 where not said else).
const (
	HELO Verb = iota
	EHLO
	LHLO // RFC 2033
	MAIL
	RCPT
	DATA
	BDAT // RFC 3030
	RSET
	VRFY
	EXPN
	HELP
	NOOP
	QUIT
	AUTH     // RFC 4954
	STARTTLS // RFC 3207
	ETRN     // RFC 1985
	TURN     // RFC 821
	ATRN     // RFC 2645
	SEND     // RFC 821
	SOML
	SAML
	XCLIENT
	XFORWARD
	BURL // RFC 4468
	XEXPS
	XANONYMOUSTLS
	Unknown  // what no standard names
	EndOfDot // pseudo-command: the line with the dot that ends DATA
	NumVerbs = iota
)

// Verbs lists the names of the commands by Verb.
var Verbs = [...]string{
	"HELO", "EHLO", "LHLO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "VRFY", "EXPN", "HELP", "NOOP", "QUIT",
	"AUTH", "STARTTLS", "ETRN", "TURN", "ATRN", "SEND", "SOML", "SAML", "XCLIENT", "XFORWARD", "BURL", "X-EXPS", "X-ANONYMOUSTLS",
}

// Other stands for every command that is not in Verbs.
const Other = "OTHER"

// String names the verb.
func (v Verb) String() string {
	switch {
	case int(v) < len(Verbs):
		return Verbs[v]
	case v == EndOfDot:
		return "."
	}
	return Other
}

// verbOf finds the verb that a word names in any mix of case.
func verbOf(word []byte) Verb {
	for v, name := range Verbs {
		if len(word) == len(name) && equalFold(word, name) {
			return Verb(v)
		}
	}
	return Unknown
}

// equalFold compares with an upper-case name; ASCII only, as commands are.
func equalFold(word []byte, upper string) bool {
	if len(word) < len(upper) {
		return false
	}
	for i := range len(upper) {
		c := word[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != upper[i] {
			return false
		}
	}
	return true
}

// Parse splits a command line without its line end into verb and argument.
// White space around the argument is left out.
func Parse(line []byte) (Verb, []byte) {
	line = trim(line)
	n := 0
	for n < len(line) && line[n] != ' ' && line[n] != '\t' {
		n++
	}
	// "MAIL FROM:<a>" is also met as "MAILFROM:<a>" by nobody that servers take; it stays unknown.
	return verbOf(line[:n]), trim(line[n:])
}

func trim(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0 }

// WellFormed says whether a line is a command by the full grammar. After a
// loss, or behind an end-of-data look-alike, only such a line counts as a
// command: prose that begins with "mail" does not.
func WellFormed(line []byte) bool {
	verb, arg := Parse(line)
	switch verb {
	case MAIL:
		return equalFold(arg, "FROM:") && len(arg) > 5
	case RCPT:
		return equalFold(arg, "TO:") && len(arg) > 3
	case HELO, EHLO, LHLO:
		return len(arg) > 0 && !hasSpace(arg)
	case DATA, RSET, QUIT, STARTTLS:
		return len(arg) == 0
	case BDAT:
		_, _, ok := ParseBDAT(arg)
		return ok
	case AUTH:
		return len(arg) > 0 && mechanism(arg)
	case NOOP, HELP:
		return !hasSpace(arg)
	case VRFY, EXPN, ETRN:
		return len(arg) > 0 && !hasSpace(arg)
	}
	return false
}

// mechanism checks the grammar of RFC 4954, 4: a mechanism's name in upper
// case (any case is met), then at most one initial response.
func mechanism(arg []byte) bool {
	words := 1
	for _, c := range arg {
		if c == ' ' {
			words++
			continue
		}
		if words == 1 && !isMechanismOctet(c) {
			return false
		}
	}
	return words <= 2
}

func isMechanismOctet(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

func hasSpace(b []byte) bool {
	for _, c := range b {
		if c == ' ' || c == '\t' {
			return true
		}
	}
	return false
}

// ParseBDAT reads the argument of BDAT: a decimal size and perhaps LAST
// (RFC 3030, 2).
func ParseBDAT(arg []byte) (size int64, last, ok bool) {
	n := 0
	for n < len(arg) && '0' <= arg[n] && arg[n] <= '9' {
		if size > 1<<40 {
			return 0, false, false
		}
		size = size*10 + int64(arg[n]-'0')
		n++
	}
	rest := trim(arg[n:])
	last = len(rest) == 4 && equalFold(rest, "LAST")
	return size, last, n > 0 && (last || len(rest) == 0)
}

// OtherProtocol says whether a client's line is the begin of HTTP, SSH or
// another protocol that is met on mail ports.
func OtherProtocol(line []byte) bool {
	line = trim(line)
	if bytes.HasPrefix(line, []byte("SSH-")) || bytes.HasPrefix(line, []byte("RFB ")) {
		return true
	}
	method, rest, _ := bytes.Cut(line, []byte{' '})
	switch string(method) {
	case "GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "DELETE", "PRI", "PATCH", "TRACE":
		return bytes.Contains(rest, []byte("HTTP/"))
	case "REGISTER", "INVITE":
		return bytes.Contains(rest, []byte("SIP/"))
	}
	return false
}
