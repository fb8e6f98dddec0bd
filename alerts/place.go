package alerts

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// written is the file's text from a scalar on: errors in its value are placed
// by it.
func (r *reader) written(n *yaml.Node) string {
	if r.line == nil {
		r.line = []int{0}
		for i := range len(r.body) {
			if r.body[i] == '\n' {
				r.line = append(r.line, i+1)
			}
		}
	}
	if n.Line < 1 || n.Line > len(r.line) {
		return ""
	}
	text := r.body[r.line[n.Line-1]:]
	for column := 1; column < n.Column && text != ""; column++ {
		_, size := utf8.DecodeRuneInString(text)
		text = text[size:]
	}
	return text
}

// part is a piece of a source, the character i its first.
func (s *source) part(text string, i int) source {
	return source{text: text, at: s.place(i), whole: s.whole, skip: s.skip + i, from: s.from, raw: s.raw}
}

// place finds where the character i of a source stands in the file. YAML folds
// lines, drops indentation and reads escapes, but what is not white space stands
// in the file in the same order: both are walked together. Where they part (an
// escape by number), the place behind the last character that was found is given.
func (s *source) place(i int) position {
	if s.raw == "" {
		return s.at
	}
	w := walker{rest: s.raw, at: s.from}
	w.open()
	left, behind := s.skip+i, w.at
	for _, r := range s.whole {
		if unicode.IsSpace(r) {
			if left == 0 {
				return behind
			}
			left--
			continue
		}
		if !w.find(r) {
			return behind
		}
		if left == 0 {
			return w.at
		}
		left--
		w.take()
		behind = w.at
	}
	return behind
}

// walker goes through a scalar as it is written in the file.
type walker struct {
	rest  string
	at    position // of rest
	quote byte     // ' or ", 0: none
}

func (w *walker) take() rune {
	r, size := utf8.DecodeRuneInString(w.rest)
	w.rest = w.rest[size:]
	if r == '\n' {
		w.at.line, w.at.column = w.at.line+1, 1
	} else {
		w.at.column++
	}
	return r
}

// open goes to the value: behind a tag, a quote, or the line of a block's sign.
func (w *walker) open() {
	for strings.HasPrefix(w.rest, "!") {
		for w.rest != "" && w.rest[0] > ' ' {
			w.take()
		}
		w.space()
	}
	if w.rest == "" {
		return
	}
	switch w.rest[0] {
	case '\'', '"':
		w.quote = w.rest[0]
		w.take()
	case '|', '>':
		for w.rest != "" && w.take() != '\n' {
		}
	}
	w.space()
}

func (w *walker) space() {
	for w.rest != "" {
		if r, _ := utf8.DecodeRuneInString(w.rest); !unicode.IsSpace(r) {
			return
		}
		w.take()
	}
}

// find goes to the next character of the value, if it is this one.
func (w *walker) find(r rune) bool {
	for w.space(); w.quote == '"' && len(w.rest) > 1 && w.rest[0] == '\\'; w.space() {
		if strings.IndexByte("ntr \n_NLP", w.rest[1]) < 0 { // else white space
			if strings.IndexByte(`"\/`, w.rest[1]) < 0 {
				return false
			}
			w.take()
			break
		}
		w.take()
		w.take()
	}
	if w.quote == '\'' && r == '\'' {
		w.take() // it stands twice
	}
	have, _ := utf8.DecodeRuneInString(w.rest)
	return w.rest != "" && have == r
}
