package mail

import "strings"

// texts makes the strings of a header out of one allocation, in which they
// stand behind each other.
type texts struct{ together strings.Builder }

const (
	maxTogether = 4 << 10 // octets: a string that is kept holds those around it
	fewTogether = 128     // where more came than was expected
)

// expect says how many octets will come, about.
func (t *texts) expect(n int) {
	if n > 0 {
		t.together.Grow(min(n, maxTogether))
	}
}

// room makes room for a text of n octets and says where it begins.
func (t *texts) room(n int) (from int) {
	if n > t.together.Cap()-t.together.Len() {
		t.together.Reset()
		t.together.Grow(max(n, fewTogether))
	}
	return t.together.Len()
}

// add takes octets that are clean.
func (t *texts) add(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	from := t.room(len(b))
	t.together.Write(b)
	return t.together.String()[from:]
}

// clean makes text of octets that hold no encoded words.
func (t *texts) clean(raw []byte) string {
	switch {
	case isPlain(raw):
		return t.add(raw)
	case !isFolded(raw):
		return t.add(replaceControls(appendUTF8(nil, raw)))
	}
	from := t.room(len(raw))
	for _, c := range raw {
		if isBlank(c) {
			c = ' '
		}
		t.together.WriteByte(c)
	}
	return t.together.String()[from:]
}

// lower makes text in lower case.
func (t *texts) lower(raw []byte) string {
	var buf [longestCommon]byte
	if len(raw) > len(buf) || !isPlain(raw) {
		return strings.ToLower(clean(raw))
	}
	word := appendLower(buf[:0], raw)
	if common := commonWord(word); common != "" {
		return common
	}
	return t.add(word)
}

// squeezed is lower without blanks.
func (t *texts) squeezed(raw []byte) string {
	if !isFolded(raw) {
		return strings.ToLower(strings.ReplaceAll(clean(raw), " ", ""))
	}
	from := t.room(len(raw))
	for _, c := range raw {
		if !isBlank(c) {
			t.together.WriteByte(lowerCase(c))
		}
	}
	return t.together.String()[from:]
}
