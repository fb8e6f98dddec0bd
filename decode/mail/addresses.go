package mail

import "bytes"

// addresses lists the addr-specs of an address list (RFC 5322, 3.4), at most
// so many, and says whether there were more. It is as lenient as mail readers:
// blanks may stand for commas, and what has no @ is no address. Where a
// mailbox has angle brackets, an address in its name is none: that is how
// names are forged.
func addresses(raw []byte, limit int) (list []string, cut bool) {
	if len(raw) == 0 {
		return nil, false
	}
	p := addressParser{limit: limit, word: make([]byte, 0, 64)}
	for i := 0; i < len(raw); {
		i += p.step(raw[i:])
	}
	p.endMailbox()
	return p.list, p.cut
}

type addressParser struct {
	word  []byte   // without quotes and blanks around
	bare  [][]byte // words with an @ outside brackets
	angle []byte
	inAngle,
	hasAngle bool
	unquoted bool // a quoted string did not end: marks stand alone from there

	list  []string
	limit int
	cut   bool
}

// step takes one element off: a comment, a quoted string or an octet.
func (p *addressParser) step(b []byte) int {
	switch c := b[0]; {
	case c == '(':
		p.endWord()
		return skipComment(b)
	case c == '"' && !p.unquoted:
		n := skipQuoted(b)
		p.unquoted = n == 1
		if n < len(b) && b[n] == '@' { // a quoted local part
			p.word = append(p.word, b[:n]...)
		}
		return n
	case c == '<':
		p.endWord()
		p.inAngle = true
	case c == '>':
		p.endWord()
		p.inAngle = false
	case c == ':': // behind a group's name, or a route (RFC 5322, 4.4)
		p.word, p.bare = p.word[:0], nil
	case c == ',' && p.inAngle && len(p.word) > 0 && p.word[0] == '@':
		p.word = p.word[:0]
	case c == ',' || c == ';':
		p.endMailbox()
	case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		p.endWord()
	default:
		p.word = append(p.word, c)
	}
	return 1
}

func (p *addressParser) endWord() {
	switch {
	case bytes.IndexByte(p.word, '@') <= 0 || bytes.HasPrefix(p.word, []byte("=?")): // or an encoded word
	case p.inAngle:
		p.angle, p.hasAngle = bytes.Clone(p.word), true
	default:
		p.bare = append(p.bare, bytes.Clone(p.word))
	}
	p.word = p.word[:0]
}

func (p *addressParser) endMailbox() {
	p.endWord()
	if p.hasAngle {
		p.add(p.angle)
	} else {
		for _, address := range p.bare {
			p.add(address)
		}
	}
	p.bare, p.angle, p.inAngle, p.hasAngle = nil, nil, false, false
}

func (p *addressParser) add(address []byte) {
	if len(p.list) >= p.limit {
		p.cut = true
		return
	}
	p.list = append(p.list, clean(address))
}

// skipComment is how long the comment is that b begins with; comments nest.
func skipComment(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(b)
}

// skipQuoted is how long the quoted string is that b begins with. One that
// does not end is taken for a mark that stands alone: length 1.
func skipQuoted(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 1
}
