package smtp

import "encoding/binary"

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
	XEXCH50     // Exchange 2000 and 2003: Size octets follow the 354
	XLINK2STATE // Exchange 2000 and 2003; CVE-2005-0560
	Unknown     // what no standard names
	EndOfDot    // pseudo-command: the line with the dot that ends DATA
	NumVerbs    = iota
)

// Verbs lists the names of the commands by Verb.
var Verbs = [...]string{
	"HELO", "EHLO", "LHLO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "VRFY", "EXPN", "HELP", "NOOP", "QUIT",
	"AUTH", "STARTTLS", "ETRN", "TURN", "ATRN", "SEND", "SOML", "SAML", "XCLIENT", "XFORWARD", "BURL", "X-EXPS", "X-ANONYMOUSTLS", "XEXCH50", "X-LINK2STATE",
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

// verbOf finds the verb that a word names in any mix of case. Of the common
// verbs, all of four letters, a word is compared at once: the bit of the case
// is left out, which makes a capital of nothing but a letter.
func verbOf(word []byte) Verb {
	if len(word) == 4 {
		switch binary.BigEndian.Uint32(word) &^ 0x20202020 {
		case 'H'<<24 | 'E'<<16 | 'L'<<8 | 'O':
			return HELO
		case 'E'<<24 | 'H'<<16 | 'L'<<8 | 'O':
			return EHLO
		case 'M'<<24 | 'A'<<16 | 'I'<<8 | 'L':
			return MAIL
		case 'R'<<24 | 'C'<<16 | 'P'<<8 | 'T':
			return RCPT
		case 'D'<<24 | 'A'<<16 | 'T'<<8 | 'A':
			return DATA
		case 'B'<<24 | 'D'<<16 | 'A'<<8 | 'T':
			return BDAT
		case 'R'<<24 | 'S'<<16 | 'E'<<8 | 'T':
			return RSET
		case 'N'<<24 | 'O'<<16 | 'O'<<8 | 'P':
			return NOOP
		case 'Q'<<24 | 'U'<<16 | 'I'<<8 | 'T':
			return QUIT
		case 'A'<<24 | 'U'<<16 | 'T'<<8 | 'H':
			return AUTH
		}
	}
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
	case XEXCH50:
		_, ok := ParseXEXCH50(arg)
		return ok
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
	word, rest := nextWord(arg)
	size, ok = chunkSize(word)
	rest = trim(rest)
	last = isName(rest, "LAST")
	if !ok || !last && len(rest) > 0 {
		return 0, false, false
	}
	return size, last, true
}

// maxChunk bounds the size of a chunk that is believed, in octets: above it a
// server refuses the command, and what follows are commands.
const maxChunk = 1 << 40

func chunkSize(word []byte) (size int64, ok bool) {
	for _, c := range word {
		if size = size*10 + int64(c-'0'); !isDigit(c) || size > maxChunk {
			return 0, false
		}
	}
	return size, len(word) > 0
}

// ParseBURL says whether a BURL ends the message (RFC 4468, 3.2). Its URL may
// carry the right to read a mailbox (URLAUTH, RFC 4467): a secret.
func ParseBURL(arg []byte) (last, ok bool) {
	url, rest := nextWord(arg)
	rest = trim(rest)
	last = isName(rest, "LAST")
	return last, len(url) > 0 && (last || len(rest) == 0)
}

// ParseXEXCH50 reads the octets that follow the 354 and the number of
// recipients they are for ([MS-XEXCH50]; CVE-2003-0714: negative sizes).
func ParseXEXCH50(arg []byte) (size int64, ok bool) {
	word, rest := nextWord(arg)
	size, ok = chunkSize(word)
	if _, count := chunkSize(trim(rest)); !count {
		return 0, false
	}
	return size, ok
}
