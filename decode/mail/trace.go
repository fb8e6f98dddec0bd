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

// parseHop reads the clauses of a Received field; the first of each counts.
func parseHop(b []byte) Hop {
	hop := Hop{Time: receivedTime(b)}
	if i := bytes.LastIndexByte(b, ';'); i >= 0 {
		b = b[:i]
	}
	clause := ""
	for len(b) > 0 {
		var word []byte
		if b[0] == '(' {
			n := skipComment(b)
			word, b = b[:n], b[n:]
			if clause == "from" && hop.IP == "" {
				hop.IP = addressIn(word)
			}
			continue
		}
		word, b = cutWord(b)
		if key := clauseOf(word); key != "" {
			clause = key
		} else if len(word) > 0 {
			hop.set(clause, word)
		}
	}
	return hop
}

// clauseOf knows the words that begin a clause.
func clauseOf(word []byte) string {
	for _, key := range [...]string{"from", "by", "with", "id", "for", "via"} {
		if equalFold(word, key) {
			return key
		}
	}
	return ""
}

func (h *Hop) set(clause string, word []byte) {
	switch {
	case clause == "from" && h.From == "":
		h.From = clean(word)
		if h.IP == "" {
			h.IP = bracketed(word) // a client that names itself by its address
		}
	case clause == "by" && h.By == "":
		h.By = clean(word)
	case clause == "with" && (h.With == "" || h.With == "MICROSOFT"): // "Microsoft SMTP Server"
		h.With = strings.ToUpper(clean(word))
	}
}

// cutWord takes the octets up to a blank or a comment, and the blanks behind.
func cutWord(b []byte) (word, rest []byte) {
	i := 0
	for i < len(b) && !isBlank(b[i]) && (b[i] != '(' || i == 0) {
		i++
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
func addressIn(comment []byte) string {
	if ip := bracketed(comment); ip != "" {
		return ip
	}
	text := string(bytes.Trim(comment[:min(len(comment), 64)], "() "))
	if _, err := netip.ParseAddr(text); err != nil {
		return ""
	}
	return text
}

// bracketed is the address literal in b (RFC 5321, 4.1.3).
func bracketed(b []byte) string {
	_, rest, found := bytes.Cut(b, []byte("["))
	address, _, ends := bytes.Cut(rest, []byte("]"))
	if !found || !ends || len(address) > 45 {
		return ""
	}
	text := clean(address)
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

func (a *ARC) add(seal []byte) {
	i, err := strconv.ParseUint(tag(seal, "i"), 10, 8)
	if err == nil && int(i) > a.Instances {
		a.Instances, a.Result = int(i), tag(seal, "cv")
	}
}
