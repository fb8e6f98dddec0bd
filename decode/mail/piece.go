package mail

// piece is a word of a field: a part of the field's octets, or a copy where
// something was taken out of its middle.
type piece struct {
	text []byte
	end  int // where it ends in the field; -1 for a copy
}

// add makes the piece longer by what stands in the field from one place to
// the other.
func (p *piece) add(field []byte, from, to int) {
	switch {
	case len(p.text) == 0:
		p.text, p.end = field[from:to:to], to
	case p.end == from:
		p.text, p.end = field[from-len(p.text):to:to], to
	default:
		p.text, p.end = append(p.text, field[from:to]...), -1
	}
}

// of is the piece as it stands in a text that has the same octets as the
// field; not ok where it stands nowhere.
func (p *piece) of(text string) (part string, ok bool) {
	if p.end < 0 || len(text) < p.end {
		return "", false
	}
	return text[p.end-len(p.text) : p.end], true
}
