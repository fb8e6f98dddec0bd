package mail

import "bytes"

// Verdict is one result of an Authentication-Results field (RFC 8601, 2.2).
// Anybody can write such a field: it says something only where the server is
// one's own.
type Verdict struct {
	Server     string     // who says so
	Method     string     // spf, dkim, dmarc and so on, lower case
	Result     string     // pass, fail, none and so on, lower case
	Properties []Property // at most maxProperties
}

// Property is what was looked at, such as header.d or smtp.mailfrom.
type Property struct{ Name, Value string }

const (
	maxProperties = 8
	maxVerdicts   = 64 // of all fields together
)

// appendVerdicts reads a field. Its first clause names the server, and each
// other one holds a result.
func (h *HeaderReader) appendVerdicts(list []Verdict, t *texts, b []byte) []Verdict {
	server := ""
	for first := true; len(b) > 0; first = false {
		b = h.scratch.cutClause(b)
		words := h.scratch.words
		switch {
		case first && len(words) > 0 && bytes.IndexByte(words[0].text, '=') < 0:
			server = t.clean(words[0].text)
			continue
		case len(list) >= maxVerdicts:
			return list
		}
		if v, ok := t.verdict(words); ok {
			v.Server = server
			list = append(list, v)
		}
	}
	return list
}

// cutClause takes the words up to a semicolon and returns what is behind it;
// comments are none, and blanks around = do not cut a word.
func (s *scratch) cutClause(b []byte) (rest []byte) {
	s.words = s.words[:0]
	var word piece
	unquoted := false // a quoted string did not end: marks stand alone from there
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c == ';':
			s.addWord(&word)
			return b[i+1:]
		case c == '(':
			i += skipComment(b[i:])
			continue
		case c == '"' && !unquoted:
			n := skipQuoted(b[i:])
			unquoted = n == 1
			inner := bytes.TrimLeft(b[i:i+n], `"`)
			from := i + n - len(inner)
			word.add(b, from, from+len(bytes.TrimRight(inner, `"`)))
			i += n
			continue
		case isBlank(c):
			next := bytes.TrimLeft(b[i:], " \t\r\n")
			if len(next) > 0 && next[0] != '=' && !bytes.HasSuffix(word.text, []byte("=")) {
				s.addWord(&word)
			}
			i = len(b) - len(next)
			continue
		}
		n := 1
		for i+n < len(b) && !isClauseMark[b[i+n]] {
			n++
		}
		word.add(b, i, i+n)
		i += n
	}
	s.addWord(&word)
	return nil
}

// isClauseMark has the octets that end a run of others in a clause.
var isClauseMark = [256]bool{';': true, '(': true, '"': true, ' ': true, '\t': true, '\r': true, '\n': true}

func (s *scratch) addWord(word *piece) {
	if len(word.text) > 0 {
		s.words = append(s.words, *word)
		*word = piece{}
	}
}

func (t *texts) verdict(words []piece) (v Verdict, ok bool) {
	for i := range words {
		key, value, found := bytes.Cut(words[i].text, []byte("="))
		if i == 0 {
			method, _, _ := bytes.Cut(key, []byte("/")) // without its version
			v.Method, v.Result = t.lower(method), t.lower(value)
			if !found || v.Method == "" || v.Result == "" {
				return v, false
			}
			continue
		}
		if found && len(v.Properties) < maxProperties && bytes.IndexByte(key, '.') > 0 {
			v.Properties = append(v.Properties, Property{t.lower(key), t.clean(value)})
		}
	}
	return v, len(words) > 0
}
