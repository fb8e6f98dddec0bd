package metrics

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Reason names why a server refuses, for the replies that its pattern matches.
// NewReason makes one.
type Reason struct {
	Name    string
	pattern *regexp.Regexp
	needles [][]byte
}

// matches says whether a reply in lower case has the reason.
func (r *Reason) matches(subject []byte) bool {
	if len(r.needles) > 0 && !slices.ContainsFunc(r.needles, func(n []byte) bool { return bytes.Contains(subject, n) }) {
		return false
	}
	return r.pattern.Match(subject)
}

func compileReason(name, pattern string) (Reason, error) {
	pattern = "(?i)(?:" + pattern + ")"
	compiled, err := regexp.Compile(pattern)
	if err != nil {
		return Reason{}, err
	}
	r := Reason{Name: name, pattern: compiled}
	for _, n := range needles(pattern) {
		r.needles = append(r.needles, []byte(n))
	}
	return r, nil
}

// Bounds of reasons.
const (
	MaxReasons    = 50 // names, the built-in ones not counted
	maxReasonName = 40 // octets
	maxPattern    = 1000
	maxReasonText = 300 // octets of a reply that are looked at
	reasonsKnown  = 512 // replies of which a shard remembers the reason
)

// NewReason makes a Reason of a pattern in RE2's syntax, of which case does not
// matter. It is matched against code and text of a reply, as in "550 5.1.1 <@>: user
// unknown": lines are joined by blanks, an address is @ alone, so that
// nobody's address decides the reason.
func NewReason(name, pattern string) (Reason, error) {
	named := len(name) > 0 && len(name) <= maxReasonName && !strings.ContainsFunc(name, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_'
	})
	switch {
	case !named:
		return Reason{}, fmt.Errorf("%.64q is no name of a reason, write 1 to %d lower-case letters, digits and _", name, maxReasonName)
	case name == other:
		return Reason{}, errors.New("other is what replies without a reason count as, choose another name")
	case len(pattern) == 0 || len(pattern) > maxPattern:
		return Reason{}, fmt.Errorf("the pattern has %d octets, allowed is 1 to %d", len(pattern), maxPattern)
	}
	_, err := regexp.Compile(pattern) // as it was written, for what the error says
	if err != nil {
		return Reason{}, fmt.Errorf("%s: %w", name, err)
	}
	r, err := compileReason(name, pattern)
	if err != nil {
		return Reason{}, fmt.Errorf("%s: %w", name, err)
	}
	if r.pattern.MatchString("") {
		return Reason{}, fmt.Errorf("the pattern %q matches every reply", pattern)
	}
	return r, nil
}

// reasons finds the reason of a refusal: the first one whose pattern matches.
type reasons struct {
	list  []Reason
	place []int // in the set, by place in list
	none  int   // the place of other
	seed  maphash.Seed
}

func newReasons(own []Reason) (*reasons, *set) {
	list := slices.Concat(own, builtinReasons())
	names := make([]string, len(list))
	for i := range list {
		names[i] = list[i].Name
	}
	s := newSet("reason", names...).withOther()
	r := &reasons{list: list, none: s.of(other), seed: maphash.MakeSeed()}
	for _, name := range names {
		r.place = append(r.place, s.of(name))
	}
	return r, s
}

// of runs the patterns.
func (r *reasons) of(subject []byte) int {
	for i := range r.list {
		if r.list[i].matches(subject) {
			return r.place[i]
		}
	}
	return r.none
}

// judge remembers the reasons of replies for a shard. Servers say the same again
// and again, and running the patterns costs microseconds; what it holds does not
// grow. The hash has a secret seed: nobody makes replies that fall together.
type judge struct {
	*reasons
	text  []byte
	known [reasonsKnown]struct {
		hash  uint64
		place int // and one; 0: nothing is known
	}
}

func (j *judge) reason(code int, text string) int {
	j.text = appendSubject(j.text[:0], code, text)
	hash := maphash.Bytes(j.seed, j.text)
	k := &j.known[hash%reasonsKnown]
	if k.place == 0 || k.hash != hash {
		k.hash, k.place = hash, j.of(j.text)+1
	}
	return k.place - 1
}

// appendSubject appends what the patterns are matched against.
func appendSubject(dst []byte, code int, text string) []byte {
	dst = append(strconv.AppendInt(dst, int64(code), 10), ' ')
	for text = text[:min(len(text), maxReasonText)]; len(text) > 0; {
		if n := pathEnd(text); n > 0 {
			dst = append(dst, "<@>"...)
			text = text[n:]
			continue
		}
		var n int
		dst, n = appendWord(dst, text)
		text = text[n:]
	}
	return dst
}

// pathEnd is the length of the path in brackets that a text begins with, 0 where it
// does not. A path may have blanks between quotes (RFC 5321, 4.1.2).
func pathEnd(text string) int {
	if text[0] != '<' {
		return 0
	}
	n := strings.IndexByte(text, '>') + 1
	if strings.IndexByte(text[:n], '@') < 0 {
		return 0
	}
	return n
}

// separators stand between words.
var separators = [256]bool{' ': true, '<': true, '>': true, '(': true, ')': true, '[': true, ']': true, '"': true, '\'': true, ',': true, ';': true}

// appendWord appends the word that a text begins with in lower case, with the
// separator behind it, or @ for an address. It returns how many octets that were.
func appendWord(dst []byte, text string) ([]byte, int) {
	begin, n, address := len(dst), 0, false
	for ; n < len(text) && !separators[text[n]]; n++ {
		c := text[n]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		address = address || c == '@'
		dst = append(dst, c)
	}
	if address {
		dst = append(dst[:begin], '@')
	}
	if n < len(text) && (text[n] != '<' || n == 0) {
		dst = append(dst, text[n])
		n++
	}
	return dst, n
}

// refusing says whether a refused command of a verb keeps mail out. What answers no
// command does not: a 421 that comes by itself ends a silence.
func refusing(verb string) bool {
	switch verb {
	case "EHLO", "HELO", "LHLO", "AUTH", "MAIL", "RCPT", "DATA", "BDAT", endOfData:
		return true
	}
	return false
}

// refused counts a refusal. Of a login there is no text, for it may quote a secret.
func (s *Shard) refused(code int, enhanced, text string, c *place) {
	if text == "" {
		text = enhanced
	}
	s.refusals.inc(c.role, c.direction, c.server, s.judge.reason(code, text))
}
