package smtp

import "bytes"

// maxPath bounds a mailbox that is kept, in octets. RFC 5321, 4.5.3.1.3 allows
// 256.
const maxPath = 1024

func mailboxText(b []byte) string { return printable(b[:min(len(b), maxPath)]) }

// Address is the argument of MAIL or RCPT, taken apart (RFC 5321, 4.1.2).
type Address struct {
	Mailbox string // without brackets; "" for the null path; a source route stays: it shows where the client wanted the mail to go
	Params  []byte // what stands behind it; borrowed
	Flags   uint8
}

// Flags of an Address.
const (
	NoBrackets   = 1 << iota // the mailbox stands bare
	Unclosed                 // "<" or a quote without its end
	SourceRoute              // "@a,@b:" before the mailbox (RFC 5321, appendix C)
	OverlongPath             // cut at 1024 octets
	TrailingJunk             // octets directly behind ">"
	NoColon                  // FROM or TO without ":"
)

// Path is the mailbox and the parameters of ParseAddress.
func Path(arg []byte) (mailbox string, params []byte) {
	a := ParseAddress(arg)
	return a.Mailbox, a.Params
}

// ParseAddress reads the argument of MAIL or RCPT. It takes what servers take:
// blanks around the colon, no brackets, no colon. Without FROM or TO there is
// no mailbox.
func ParseAddress(arg []byte) Address {
	var a Address
	path, ok := afterColon(arg)
	if !ok {
		if path, ok = afterKeyword(arg); !ok {
			return a
		}
		a.Flags |= NoColon
	}
	if len(path) == 0 {
		return a
	}
	if path[0] != '<' {
		a.bare(path)
		return a
	}
	end, whole := closing(path)
	if !whole {
		a.Flags |= Unclosed
	}
	if end < 0 {
		a.mailbox(path[1:])
		return a
	}
	a.mailbox(path[1:end])
	if rest := path[end+1:]; len(rest) > 0 && !isSpace(rest[0]) {
		a.Flags |= TrailingJunk
	}
	a.Params = trim(path[end+1:])
	return a
}

// afterColon returns what stands behind "FROM:" or "TO:"; the word before the
// colon may be any.
func afterColon(arg []byte) ([]byte, bool) {
	for i, c := range arg {
		switch c {
		case ':':
			return trim(arg[i+1:]), true
		case '<', '@', '"':
			return nil, false // a colon behind it is a source route's, or inside quotes
		}
	}
	return nil, false
}

// afterKeyword returns what stands behind FROM or TO where the colon is missing.
func afterKeyword(arg []byte) ([]byte, bool) {
	n := 0
	for n < len(arg) && arg[n] != '<' && !isSpace(arg[n]) {
		n++
	}
	if !isName(arg[:n], "FROM") && !isName(arg[:n], "TO") {
		return nil, false
	}
	return trim(arg[n:]), true
}

// bare reads a mailbox without brackets: it ends at the first blank outside
// quotes.
func (a *Address) bare(path []byte) {
	a.Flags |= NoBrackets
	quoted := false
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case isSpace(c) && !quoted:
			a.mailbox(path[:i])
			a.Params = trim(path[i:])
			return
		}
	}
	if quoted { // the quote has no end: blanks count again
		a.Flags |= Unclosed
		word, rest := nextWord(path)
		a.mailbox(word)
		a.Params = trim(rest)
		return
	}
	a.mailbox(path)
}

func (a *Address) mailbox(b []byte) {
	if len(b) > maxPath {
		a.Flags |= OverlongPath
	}
	if len(b) > 0 && b[0] == '@' && bytes.IndexByte(b, ':') > 0 {
		a.Flags |= SourceRoute
	}
	a.Mailbox = mailboxText(b)
}

// closing finds the bracket that closes arg[0]; brackets inside quotes do not
// count. Where quotes have no end it is the last one, and whole is false.
func closing(arg []byte) (at int, whole bool) {
	quoted := false
	for i := 1; i < len(arg); i++ {
		switch arg[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		case '>':
			if !quoted {
				return i, true
			}
		}
	}
	return bytes.LastIndexByte(arg, '>'), false
}
