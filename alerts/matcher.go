package alerts

import (
	"hash/maphash"
	"regexp"
	"sync/atomic"
)

// matcher answers a pattern. Ciphers are few and servers repeat what they say, so an
// answer is remembered until that of another text takes its place: a pattern costs
// some hundred times what a look at it does. Shards ask at the same time.
type matcher struct {
	pattern *regexp.Regexp
	seed    maphash.Seed
	known   [64]atomic.Pointer[matched]
}

// matched is a text and what the pattern says of it.
type matched struct {
	text   string
	answer bool
}

// maxMatched bounds the texts that are remembered, in octets: longer ones come from
// somebody who does not repeat himself.
const maxMatched = 256

func newMatcher(pattern *regexp.Regexp) *matcher {
	return &matcher{pattern: pattern, seed: maphash.MakeSeed()}
}

func (m *matcher) match(text string) bool {
	if len(text) > maxMatched {
		return m.pattern.MatchString(text)
	}
	at := &m.known[maphash.String(m.seed, text)%uint64(len(m.known))]
	if k := at.Load(); k != nil && k.text == text {
		return k.answer
	}
	k := &matched{text, m.pattern.MatchString(text)}
	at.Store(k)
	return k.answer
}
