package mail

import "bytes"

// addressParser lists the addr-specs of an address list (RFC 5322, 3.4), at
// most so many. It is as lenient as mail readers: blanks may stand for commas,
// and what has no @ is no address. Where a mailbox has angle brackets, an
// address in its name is none: that is how names are forged.
type addressParser struct {
	field []byte
	text  string // has the same octets; or is empty

	word  piece   // without quotes and blanks around
	bare  []piece // words with an @ outside brackets
	angle piece
	inAngle,
	hasAngle bool
	unquoted bool // a quoted string did not end: marks stand alone from there

	texts *texts
	list  []string
	count int
	limit int
	cut   bool // there were more
}

func (p *addressParser) parse() {
	for i := 0; i < len(p.field); {
		i += p.step(i)
	}
	p.endMailbox()
}

// isMark has the octets that mean something in an address list.
var isMark = [256]bool{'(': true, '"': true, '<': true, '>': true, ':': true, ',': true, ';': true, ' ': true, '\t': true, '\r': true, '\n': true}

// step takes one element off: a comment, a quoted string, a mark, or the
// octets up to the next one.
func (p *addressParser) step(i int) int {
	b := p.field[i:]
	switch c := b[0]; {
	case c == '(':
		p.endWord()
		return skipComment(b)
	case c == '"' && !p.unquoted:
		n := skipQuoted(b)
		p.unquoted = n == 1
		if n < len(b) && b[n] == '@' { // a quoted local part
			p.word.add(p.field, i, i+n)
		}
		return n
	case c == '<':
		p.endWord()
		p.inAngle = true
	case c == '>':
		p.endWord()
		p.inAngle = false
	case c == ':': // behind a group's name, or a route (RFC 5322, 4.4)
		p.word, p.bare = piece{}, p.bare[:0]
	case c == ',' && p.inAngle && len(p.word.text) > 0 && p.word.text[0] == '@':
		p.word = piece{}
	case c == ',' || c == ';':
		p.endMailbox()
	case isBlank(c):
		p.endWord()
	default:
		n := 1
		for n < len(b) && !isMark[b[n]] {
			n++
		}
		p.word.add(p.field, i, i+n)
		return n
	}
	return 1
}

func (p *addressParser) endWord() {
	switch word := p.word.text; {
	case len(word) == 0:
		return
	case bytes.IndexByte(word, '@') <= 0 || bytes.HasPrefix(word, []byte("=?")): // or an encoded word
	case p.inAngle:
		p.angle, p.hasAngle = p.word, true
	default:
		p.bare = append(p.bare, p.word)
	}
	p.word = piece{}
}

func (p *addressParser) endMailbox() {
	p.endWord()
	if p.hasAngle {
		p.add(&p.angle)
	} else {
		for i := range p.bare {
			p.add(&p.bare[i])
		}
	}
	p.bare, p.inAngle, p.hasAngle = p.bare[:0], false, false
}

func (p *addressParser) add(address *piece) {
	if p.count >= p.limit {
		p.cut = true
		return
	}
	p.count++
	text, ok := address.of(p.text)
	if !ok {
		text = p.texts.clean(address.text)
	}
	p.list = append(p.list, text)
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
