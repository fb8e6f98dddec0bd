package mail

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Hop is what a Received field tells (RFC 5321, 4.4).
type Hop struct {
	From string    // the name that the client gave
	IP   string    // its address, as the server noted it in brackets
	By   string    // the server
	With string    // the protocol, upper case
	Time time.Time // UTC; zero where it cannot be read
}

// hop reads the clauses of a Received field; the first of each counts.
func (t *texts) hop(b []byte) Hop {
	hop := Hop{Time: receivedTime(b)}
	if i := bytes.LastIndexByte(b, ';'); i >= 0 {
		b = b[:i]
	}
	clause := noClause
	for len(b) > 0 {
		var word []byte
		if b[0] == '(' {
			n := skipComment(b)
			word, b = b[:n], b[n:]
			if clause == fromClause && hop.IP == "" {
				hop.IP = t.addressIn(word)
			}
			continue
		}
		word, b = cutWord(b)
		if c := clauseOf(word); c != noClause {
			clause = c
		} else if len(word) > 0 {
			t.set(&hop, clause, word)
		}
	}
	return hop
}

// clause is one of RFC 5321, 4.4.
type clause uint8

const (
	noClause clause = iota
	fromClause
	byClause
	withClause
	otherClause // id, for, via
)

// clauseOf knows the words that begin a clause.
func clauseOf(word []byte) clause {
	var lower [4]byte
	if len(word) < 2 || len(word) > len(lower) {
		return noClause
	}
	for i, c := range word {
		lower[i] = lowerCase(c)
	}
	switch string(lower[:len(word)]) {
	case "from":
		return fromClause
	case "by":
		return byClause
	case "with":
		return withClause
	case "id", "for", "via":
		return otherClause
	}
	return noClause
}

func (t *texts) set(h *Hop, clause clause, word []byte) {
	switch {
	case clause == fromClause && h.From == "":
		h.From = t.clean(word)
		if h.IP == "" { // a client that names itself by its address
			h.IP = t.bracketed(word)
		}
	case clause == byClause && h.By == "":
		h.By = t.clean(word)
	case clause == withClause && (h.With == "" || h.With == "MICROSOFT"): // "Microsoft SMTP Server"
		h.With = protocol(word)
	}
}

// protocol is a word in upper case; those of RFC 3848 and some others cost no
// memory.
func protocol(word []byte) string {
	switch string(word) {
	case "ESMTP", "esmtp":
		return "ESMTP"
	case "ESMTPS", "esmtps":
		return "ESMTPS"
	case "ESMTPA", "esmtpa":
		return "ESMTPA"
	case "ESMTPSA", "esmtpsa":
		return "ESMTPSA"
	case "SMTP", "smtp":
		return "SMTP"
	case "LMTP", "lmtp":
		return "LMTP"
	case "HTTP", "http":
		return "HTTP"
	case "Microsoft":
		return "MICROSOFT"
	}
	return strings.ToUpper(clean(word))
}

// cutWord takes the octets up to a blank or a comment, and the blanks behind.
func cutWord(b []byte) (word, rest []byte) {
	i := 0
	if len(b) > 0 && !isBlank(b[0]) {
		for i = 1; i < len(b) && !isBlank(b[i]) && b[i] != '('; {
			i++
		}
	}
	j := i
	for j < len(b) && isBlank(b[j]) {
		j++
	}
	return b[:i], b[j:]
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// addressIn is the address in the comment behind a client's name: in brackets
// behind the name that it resolves to, or all of the comment.
func (t *texts) addressIn(comment []byte) string {
	if ip := t.bracketed(comment); ip != "" {
		return ip
	}
	b := bytes.Trim(comment[:min(len(comment), 64)], "() ")
	if !mayBeAddress(b) {
		return ""
	}
	text := string(b)
	if _, err := netip.ParseAddr(text); err != nil {
		return ""
	}
	return text
}

// mayBeAddress spares what is no address by its first octets the reading.
func mayBeAddress(b []byte) bool {
	for _, c := range b {
		switch {
		case c == '.' || c == ':':
			return true
		case hexDigit(c) > 15:
			return false
		}
	}
	return false
}

// bracketed is the address literal in b (RFC 5321, 4.1.3).
func (t *texts) bracketed(b []byte) string {
	from := bytes.IndexByte(b, '[') + 1
	length := bytes.IndexByte(b[from:], ']')
	if from == 0 || length < 0 || length > 45 {
		return ""
	}
	text := t.clean(b[from : from+length])
	if len(text) > 5 && strings.EqualFold(text[:5], "IPv6:") {
		text = text[5:]
	}
	return text
}

// Signature is what a DKIM-Signature says of its signer (RFC 6376, 3.5).
type Signature struct{ Domain, Selector string }

// ARC sums the ARC-Seal fields up (RFC 8617, 4.1.3).
type ARC struct {
	Instances int    // the highest i=
	Result    string // cv= of that one: none, pass or fail
}

func (a *ARC) add(t *texts, seal []byte) {
	instance, result := tags(seal, "i", "cv")
	i, err := strconv.ParseUint(strings.ToLower(strings.ReplaceAll(clean(instance), " ", "")), 10, 8)
	if err == nil && int(i) > a.Instances {
		a.Instances, a.Result = int(i), t.squeezed(result)
	}
}

// tags reads two values of a tag list (RFC 6376, 3.2), which may be folded
// anywhere but within tag names. Blanks in them do not count.
func tags(list []byte, first, second string) (a, b []byte) {
	var hasFirst, hasSecond bool
	for len(list) > 0 && !(hasFirst && hasSecond) {
		var pair []byte
		pair, list, _ = bytes.Cut(list, []byte(";"))
		key, value, found := bytes.Cut(pair, []byte("="))
		if !found {
			continue
		}
		switch key = bytes.TrimSpace(key); {
		case !hasFirst && string(key) == first:
			a, hasFirst = bytes.TrimSpace(value), true
		case !hasSecond && string(key) == second:
			b, hasSecond = bytes.TrimSpace(value), true
		}
	}
	return a, b
}
