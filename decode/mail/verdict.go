package mail

import (
	"bytes"
	"strings"
)

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
func appendVerdicts(list []Verdict, b []byte) []Verdict {
	server := ""
	for first := true; len(b) > 0; first = false {
		var words [][]byte
		words, b = cutClause(b)
		switch {
		case first && len(words) > 0 && bytes.IndexByte(words[0], '=') < 0:
			server = clean(words[0])
			continue
		case len(list) >= maxVerdicts:
			return list
		}
		if v, ok := parseVerdict(words); ok {
			v.Server = server
			list = append(list, v)
		}
	}
	return list
}

// cutClause takes the words up to a semicolon; comments are none, and blanks
// around = do not cut a word.
func cutClause(b []byte) (words [][]byte, rest []byte) {
	var word []byte
	unquoted := false // a quoted string did not end: marks stand alone from there
	end := func() {
		if len(word) > 0 {
			words, word = append(words, word), nil
		}
	}
	for i := 0; i < len(b); {
		switch c := b[i]; {
		case c == ';':
			end()
			return words, b[i+1:]
		case c == '(':
			i += skipComment(b[i:])
			continue
		case c == '"' && !unquoted:
			n := skipQuoted(b[i:])
			unquoted = n == 1
			word = append(word, bytes.Trim(b[i:i+n], `"`)...)
			i += n
			continue
		case isBlank(c):
			next := bytes.TrimLeft(b[i:], " \t\r\n")
			if len(next) > 0 && next[0] != '=' && !bytes.HasSuffix(word, []byte("=")) {
				end()
			}
			i = len(b) - len(next)
			continue
		default:
			word = append(word, c)
		}
		i++
	}
	end()
	return words, nil
}

func parseVerdict(words [][]byte) (v Verdict, ok bool) {
	for i, word := range words {
		key, value, found := bytes.Cut(word, []byte("="))
		if i == 0 {
			method, _, _ := bytes.Cut(key, []byte("/")) // without its version
			v.Method, v.Result = strings.ToLower(clean(method)), strings.ToLower(clean(value))
			if !found || v.Method == "" || v.Result == "" {
				return v, false
			}
			continue
		}
		if found && len(v.Properties) < maxProperties && bytes.IndexByte(key, '.') > 0 {
			v.Properties = append(v.Properties, Property{strings.ToLower(clean(key)), clean(value)})
		}
	}
	return v, len(words) > 0
}
