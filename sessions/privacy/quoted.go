package privacy

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// quoted are values that a text may quote, in lower case, with what is to stand in
// their place. The lengths of those that begin alike are beside them: peers choose
// the values and the text, and no text may cost more than a few looks a letter.
type quoted struct {
	shown   map[string]string
	lengths map[start][]int // longest first
	crowded bool            // too many begin alike: texts are left out
}

type start [quotedLetters]byte

const (
	quotedLetters = 3  // of the shortest value that is looked for: shorter ones are parts of ordinary words, and tell little
	maxLengths    = 24 // of values that begin alike
	longestQuoted = 1024
)

func newQuoted() *quoted {
	return &quoted{shown: make(map[string]string), lengths: make(map[start][]int)}
}

func (q *quoted) clone() *quoted {
	if q == nil {
		return nil
	}
	out := &quoted{shown: maps.Clone(q.shown), lengths: make(map[start][]int, len(q.lengths)), crowded: q.crowded}
	for k, list := range q.lengths {
		out.lengths[k] = slices.Clone(list)
	}
	return out
}

func (q *quoted) add(word, shown string) {
	if len(word) < quotedLetters || len(word) > longestQuoted || word == shown {
		return
	}
	word = lowered(word)
	if _, known := q.shown[word]; known {
		return
	}
	q.shown[word] = shown
	k, n := startOf(word), len(word)
	at, known := slices.BinarySearchFunc(q.lengths[k], n, func(a, b int) int { return b - a })
	if known {
		return
	}
	if q.lengths[k] = slices.Insert(q.lengths[k], at, n); len(q.lengths[k]) > maxLengths {
		q.crowded = true
	}
}

// at finds the longest value at the start of s, as a word of its own.
func (q *quoted) at(s string) (length int, shown string, ok bool) {
	if q == nil || len(s) < quotedLetters {
		return 0, "", false
	}
	var room [128]byte
	for _, n := range q.lengths[startOf(s)] {
		if n > len(s) || n < len(s) && isAlphanumeric(s[n]) {
			continue
		}
		word := room[:0]
		for i := range n {
			word = append(word, lower(s[i]))
		}
		if shown, ok := q.shown[string(word)]; ok {
			return n, shown, true
		}
	}
	return 0, "", false
}

func startOf(s string) (k start) {
	for i := range k {
		k[i] = lower(s[i])
	}
	return k
}

// lowered is s with its ASCII letters in lower case: as long as it was.
func lowered(s string) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = lower(c)
	}
	return string(b)
}

// quoteMailbox has texts quote neither an account nor its parts.
func (m *Mask) quoteMailbox(mode Mode, s string) {
	if s == "" || !mode.hides() {
		return
	}
	s = strings.Trim(s, "<> \t")
	local, domain := s, ""
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		local, domain = s[:at], s[at+1:]
	} else if at := strings.IndexByte(s, '\\'); at > 0 {
		local, domain = s[at+1:], s[:at]
	}
	m.words.add(s, m.mailbox(mode, s))
	shown := m.mailbox(mode, local)
	m.words.add(local, shown)
	m.words.add(strings.Trim(local, `"`), shown)
	switch mode {
	case Pseudonym:
		m.words.add(domain, m.domain(domain))
	case None:
		m.words.add(domain, hidden)
	}
}

// quoteClient has texts not quote a client's address in the form that names of
// hosts have.
func (m *Mask) quoteClient(ends *quoted, a netip.Addr) {
	if a = a.Unmap(); !a.Is4() {
		return
	}
	b := a.As4()
	slices.Reverse(b[:])
	turned := netip.AddrFrom4(b)
	for _, form := range []netip.Addr{a, turned} {
		for _, sign := range []string{"-", "_"} {
			ends.add(strings.ReplaceAll(form.String(), ".", sign), strings.ReplaceAll(m.client(form).String(), ".", sign))
		}
	}
}
