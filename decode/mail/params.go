package mail

import (
	"bytes"
	"strings"
)

// params are the parameters of a Content-Type or Content-Disposition field
// (RFC 2045, 5.1), read as mail readers do: comments, missing semicolons,
// blanks in values and quotes that do not end are put up with.
type params struct {
	list     []param
	have     uint8 // bits by paramName
	several  uint8 // those that came in more forms than one
	repeated uint8 // those that have two values: the first counts
}

type param struct {
	name     paramName
	extended bool   // percent-encoded, with a charset in the first section (RFC 2231, 4)
	section  int    // -1 where it is whole (3), again where it is a second one
	value    []byte // borrowed from the field, or a copy
}

const again = -2

// maxSections bounds how many parameters, or sections of them, are kept.
const maxSections = 64

// paramName is one of the parameters that are read.
type paramName uint8

const (
	paramBoundary paramName = iota
	paramCharset
	paramFile
	paramFilename
	paramReportType
	paramProtocol
	paramSMIMEType
	paramUnknown
)

// paramOf knows a name in lower case.
func paramOf(name []byte) paramName {
	switch string(name) {
	case "boundary":
		return paramBoundary
	case "charset":
		return paramCharset
	case "name":
		return paramFile
	case "filename":
		return paramFilename
	case "report-type":
		return paramReportType
	case "protocol":
		return paramProtocol
	case "smime-type":
		return paramSMIMEType
	}
	return paramUnknown
}

// read takes the value off a field and reads the parameters behind it, which
// are told while the field stays.
func (p *params) read(b []byte) (value string) {
	*p = params{list: p.list[:0]}
	value, b = cutType(b)
	for len(b) > 0 {
		b = p.parse(b)
	}
	return value
}

// cutType takes the value off, in lower case.
func cutType(b []byte) (value string, rest []byte) {
	b = skipBlanks(b)
	i := 0
	for i < len(b) && !isBlank(b[i]) && b[i] != ';' && b[i] != '(' {
		i++
	}
	return lower(b[:i]), b[i:]
}

// skipBlanks passes over white space and comments.
func skipBlanks(b []byte) []byte {
	for {
		for len(b) > 0 && isBlank(b[0]) {
			b = b[1:]
		}
		if len(b) == 0 || b[0] != '(' {
			return b
		}
		b = b[skipComment(b):]
	}
}

// parse takes one parameter off, or at least one octet.
func (p *params) parse(b []byte) []byte {
	b = skipBlanks(b)
	i := 0
	for i < len(b) && isParamName[b[i]] {
		i++
	}
	name := b[:i]
	b = skipBlanks(b[i:])
	switch {
	case i == 0 && len(b) > 0:
		return b[1:]
	case len(b) == 0 || b[0] != '=':
		return b // a word that is no parameter
	}
	value, rest := cutValue(skipBlanks(b[1:]), isFileName(name))
	p.add(name, value)
	return rest
}

// isParamName has the octets of a token (RFC 2045, 5.1), less those that
// end it here.
var isParamName = paramOctets()

func paramOctets() (table [256]bool) {
	for c := range table {
		table[c] = c > ' ' && c != 0x7f && strings.IndexByte(`();="<>,:\`, byte(c)) < 0
	}
	return table
}

func isFileName(param []byte) bool {
	return len(param) >= 4 && equalFold(param[:4], "name") || len(param) >= 8 && equalFold(param[:8], "filename")
}

// cutValue takes a value off. One without quotes goes to the semicolon, or to
// a blank behind which a parameter begins, or a comment: but names of files
// have parentheses.
func cutValue(b []byte, fileName bool) (value, rest []byte) {
	if len(b) > 0 && b[0] == '"' {
		return cutQuoted(b)
	}
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] == ';':
			return bytes.TrimSpace(b[:i]), b[i+1:]
		case isBlank(b[i]) && (beginsParam(b[i:]) || !fileName && i+1 < len(b) && b[i+1] == '('):
			return bytes.TrimSpace(b[:i]), b[i:]
		}
	}
	return bytes.TrimSpace(b), nil
}

// beginsParam looks no farther than one word, so a value costs its length.
func beginsParam(b []byte) bool {
	i := 1
	for i < len(b) && isParamName[b[i]] {
		i++
	}
	return i > 1 && i < len(b) && b[i] == '='
}

// cutQuoted takes a quoted string off and undoes its quoted pairs. One that
// does not end goes to the end.
func cutQuoted(b []byte) (value, rest []byte) {
	plain := 1
	for plain < len(b) && b[plain] != '"' && b[plain] != '\\' {
		plain++
	}
	if value = b[1:plain:plain]; plain == len(b) || b[plain] == '"' {
		return value, b[min(plain+1, len(b)):]
	}
	for i := plain; i < len(b); i++ {
		switch c := b[i]; c {
		case '"':
			return value, b[i+1:]
		case '\\':
			if i++; i < len(b) {
				value = append(value, b[i])
			}
		default:
			value = append(value, c)
		}
	}
	return value, nil
}

// longestParam is how much of a name is looked at, with its section.
const longestParam = 40

// add keeps a parameter that is wanted. Its name may end with *, *n or *n*
// (RFC 2231).
func (p *params) add(name, value []byte) {
	var buf [longestParam]byte
	base, section, continued := bytes.Cut(appendLower(buf[:0], name[:min(len(name), longestParam)]), []byte("*"))
	n := param{name: paramOf(base), section: -1, value: value}
	if n.name == paramUnknown {
		return
	}
	if continued {
		section, extended := bytes.CutSuffix(section, []byte("*"))
		n.extended = extended || len(section) == 0
		if len(section) > 0 {
			n.section = sectionNumber(section)
			if n.section < 0 {
				return
			}
		}
	}
	if len(p.list) >= maxSections {
		return
	}
	for i := range p.list {
		if before := &p.list[i]; before.name == n.name && before.section == n.section && before.extended == n.extended {
			if bytes.Equal(before.value, value) {
				return
			}
			if p.repeated |= 1 << n.name; n.section != -1 {
				return
			}
			n.section = again // and on, until it is among those
		}
	}
	p.list = append(p.list, n)
	p.several |= p.have & (1 << n.name)
	p.have |= 1 << n.name
}

// sectionNumber is -1 for what is none.
func sectionNumber(s []byte) int {
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' || n > maxSections {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// find returns the octets of a parameter and the charset that it names. What
// is extended wins over the same in plain, which is there for old readers.
func (p *params) find(name paramName) (value []byte, set charset, found bool) {
	if p.have&(1<<name) == 0 {
		return nil, charset{}, false
	}
	if v, ok := p.section(name, -1, true); ok {
		value, set = decodeExtended(v.value)
		return value, set, true
	}
	for n := 0; ; n++ {
		v, ok := p.section(name, n, true)
		if !ok {
			v, ok = p.section(name, n, false)
		}
		switch {
		case !ok && n > 0:
			return value, set, true
		case !ok:
			v, ok = p.section(name, -1, false)
			return v.value, charset{}, ok
		case v.extended && n == 0:
			value, set = decodeExtended(v.value)
		case v.extended:
			value = appendPercent(value, v.value)
		default:
			value = append(value, v.value...)
		}
	}
}

// others says whether a parameter came in more forms than one.
func (p *params) others(name paramName) bool {
	return p.several&(1<<name) != 0
}

func (p *params) section(name paramName, n int, extended bool) (*param, bool) {
	for i := range p.list {
		if v := &p.list[i]; v.name == name && v.section == n && v.extended == extended {
			return v, true
		}
	}
	return &param{}, false
}

// text is a parameter that is a word of ASCII, such as a charset.
func (p *params) text(name paramName) string {
	value, _, found := p.find(name)
	if !found {
		return ""
	}
	return lower(bytes.TrimSpace(value))
}

// decodeExtended reads charset'language'octets (RFC 2231, 4).
func decodeExtended(b []byte) (value []byte, set charset) {
	name, rest, found := bytes.Cut(b, []byte("'"))
	_, octets, again := bytes.Cut(rest, []byte("'"))
	if !found || !again {
		return appendPercent(nil, b), charset{}
	}
	return appendPercent(nil, octets), charsetOf(name)
}

// appendPercent undoes %XX; an escape that is none stays.
func appendPercent(out, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '%' && i+2 < len(b) {
			if high, low := hexDigit(b[i+1]), hexDigit(b[i+2]); high|low < 16 {
				c = high<<4 | low
				i += 2
			}
		}
		out = append(out, c)
	}
	return out
}
