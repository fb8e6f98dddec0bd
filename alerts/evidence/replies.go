package evidence

import (
	"bytes"
	"encoding/base64"
	"math"
	"slices"
	"strings"
)

// lines calls do with each line of a side and the place where it begins.
func (s *side) lines(do func(line []byte, at int64)) {
	for i := range s.spans {
		p := &s.spans[i]
		at := p.at
		for line := range bytes.SplitAfterSeq(p.data, []byte("\n")) {
			do(line, at)
			at += int64(len(line))
		}
	}
}

// acks lists, sorted, what the server had acknowledged when it sent replies of
// a code.
func (s *side) acks(code string) []int64 {
	var out []int64
	s.lines(func(line []byte, at int64) {
		if !bytes.HasPrefix(line, []byte(code)) {
			return
		}
		for i := range s.pieces {
			if p := &s.pieces[i]; p.at <= at && at < p.end() && p.ack >= 0 {
				out = append(out, p.ack)
				return
			}
		}
	})
	slices.Sort(out)
	return out
}

// speaksAsClient says whether what counts as the server sends commands: where a
// connection was met midway, its sides may be the wrong way round.
func (s *side) speaksAsClient() bool {
	sent, replied := 0, 0
	s.lines(func(line []byte, _ int64) {
		if _, _, ok := command(bytes.TrimRight(line, "\r\n")); ok {
			sent++
		}
		if len(line) >= 4 && digits(line) == 3 && (line[3] == ' ' || line[3] == '-') {
			replied++
		}
	})
	return sent > replied
}

const (
	gram      = 6    // octets of a secret that are known again
	maxEcho   = 4096 // octets of one secret that are looked for
	leastEcho = 4    // octets: a shorter secret stands in any text
)

// echoes finds what a server says again of a client's secrets: some quote the
// line that they did not understand. They do so before the next reply.
func (s *side) echoes(client *side, secrets []secret) []reach {
	var out []reach
	for i := 0; i < len(secrets); {
		from, until := secrets[i].from, secrets[i].until
		if secrets[i].hole {
			out = append(out, s.errors(s.answers(from, until))...)
			i++
			continue
		}
		var said [][]byte
		for ; i < len(secrets) && secrets[i].until == until && !secrets[i].hole; i++ {
			said = append(said, forms(client.octets(secrets[i].reach))...)
		}
		out = append(out, s.search(said, s.answers(from, until))...)
	}
	return out
}

// octets gives a part of the stream.
func (s *side) octets(r reach) []byte {
	for i := range s.spans {
		if p := &s.spans[i]; p.at <= r.from && r.to <= p.end() {
			return p.data[r.from-p.at : r.to-p.at]
		}
	}
	return nil
}

// forms is a secret as it may be said again: as it is, and decoded.
func forms(b []byte) [][]byte {
	b = b[:min(len(b), maxEcho)]
	out := [][]byte{b}
	for word := range bytes.FieldsSeq(b) {
		plain, err := base64.StdEncoding.DecodeString(string(word))
		if err != nil {
			plain, _ = base64.RawStdEncoding.DecodeString(strings.TrimRight(string(word), "="))
		}
		out = append(out, bytes.FieldsFunc(plain, func(r rune) bool { return r <= 1 })...)
	}
	return out
}

// answers is where the server's replies stand to what a client sent between two
// places.
func (s *side) answers(from, until int64) reach {
	r := reach{math.MaxInt64, math.MaxInt64}
	last := int64(-1)
	for i := range s.pieces {
		p := &s.pieces[i]
		if p.ack < 0 || p.ack > from {
			r.from = min(r.from, p.at)
		}
		if p.ack <= until {
			last = max(last, p.end())
		}
	}
	if until != math.MaxInt64 {
		r.to = last
	}
	return r
}

// search finds six octets of any of the texts, or a shorter text, in any case,
// within a part of the stream.
func (s *side) search(texts [][]byte, within reach) []reach {
	known := pieces4to6(texts)
	var out []reach
	for i := range s.spans {
		p := &s.spans[i]
		from, to := max(within.from-p.at, 0), min(within.to-p.at, int64(len(p.data)))
		if from >= to {
			continue
		}
		text := lower(p.data[from:to])
		for n := leastEcho; n <= gram; n++ {
			for j := 0; len(known[n]) > 0 && j+n <= len(text); j++ {
				if known[n][string(text[j:j+n])] {
					at := p.at + from + int64(j)
					out = append(out, reach{at, at + int64(n)})
				}
			}
		}
	}
	return out
}

// pieces4to6 are what texts are known by, by length: all parts of six octets, or
// a shorter text as it is.
func pieces4to6(texts [][]byte) (known [gram + 1]map[string]bool) {
	for n := range known {
		known[n] = map[string]bool{}
	}
	for _, text := range texts {
		text = lower(text)
		if n := len(text); n >= leastEcho && n < gram {
			known[n][string(text)] = true
		}
		for i := 0; i+gram <= len(text); i++ {
			known[gram][string(text[i:i+gram])] = true
		}
	}
	return known
}

// errors is the text of all replies in a part of the stream that may quote what
// the client sent: of all but 2yz and 3yz. Codes stay.
func (s *side) errors(within reach) []reach {
	var out []reach
	s.lines(func(line []byte, at int64) {
		line = bytes.TrimRight(line, "\r\n")
		if !within.meets(at, at+int64(len(line))) {
			return
		}
		code := digits(line) == 3
		if code && (line[0] == '2' || line[0] == '3') {
			return
		}
		from := 0
		if code {
			from = min(4, len(line))
			from += enhanced(line[from:])
		}
		out = append(out, reach{at + int64(from), at + int64(len(line))})
	})
	return out
}

// enhanced is the length of an enhanced code (RFC 3463, 2).
func enhanced(b []byte) int {
	at := 0
	for i, most := range []int{1, 3, 3} {
		n := digits(b[at:])
		if n == 0 || n > most || i < 2 && (at+n >= len(b) || b[at+n] != '.') {
			return 0
		}
		at += n + 1
	}
	return min(at, len(b)) // with the blank behind it
}

// lower is for octets, not letters: it keeps their number.
func lower(b []byte) []byte {
	out := slices.Clone(b)
	for i, c := range out {
		if c >= 'A' && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return out
}
