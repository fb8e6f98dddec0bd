package privacy

import (
	"net/netip"
	"slices"
	"strings"
)

// reply is what a server says in its own words.
func (m *Mask) reply(s string) string {
	if m.settings.Texts == None && s != "" {
		return hidden
	}
	return m.scan(s, m.words)
}

// host is a text that names a host, which stays, as a greeting does; an address of a
// client goes.
func (m *Mask) host(s string) string { return m.scan(s, nil) }

// list is a field that holds addresses with names of people: the addresses stay.
func (m *Mask) list(s string) string {
	if s == "" || !m.settings.Addresses.hides() {
		return s
	}
	var out []string
	for from := 0; ; {
		start, end, ok := nextAddress(s, from)
		if !ok {
			break
		}
		out = append(out, m.address(s[start:end]))
		from = end
	}
	if len(out) == 0 {
		return hidden
	}
	return strings.Join(out, ", ")
}

// scan writes a text without what must not be in it.
func (m *Mask) scan(s string, words *quoted) string {
	if s == "" {
		return s
	}
	if words != nil && words.crowded {
		return hidden
	}
	var b strings.Builder
	start, end, found := nextAddress(s, 0)
	clients := m.settings.Clients.hides()
	done := 0 // what stands before it is in b
	put := func(from, to int, shown string) {
		b.WriteString(s[done:from])
		b.WriteString(shown)
		done = to
	}
	for i := 0; i < len(s); {
		if found && i == start {
			put(start, end, m.inText(s[start:end], words))
			i = end
			start, end, found = nextAddress(s, end)
			continue
		}
		if i > 0 && isAlphanumeric(s[i-1]) {
			i++
			continue
		}
		if clients {
			if n, shown := m.clientAt(s[i:]); n > 0 && (i == 0 || s[i-1] != '.') {
				put(i, i+n, shown)
				i += n
				continue
			}
		}
		n, shown, ok := m.ends.at(s[i:])
		if !ok {
			n, shown, ok = words.at(s[i:])
		}
		if ok && (!found || i+n <= start) {
			put(i, i+n, shown)
			i += n
			continue
		}
		i++
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

// inText is an address in a text. Where addresses are shown, one may still be a
// login name.
func (m *Mask) inText(s string, words *quoted) string {
	if m.settings.Addresses.hides() {
		return m.address(s)
	}
	if n, shown, ok := words.at(s); ok && n == len(s) {
		return shown
	}
	return s
}

// nextAddress finds what looks like a mail address at from or behind it.
func nextAddress(s string, from int) (start, end int, ok bool) {
	for at := from; ; at++ {
		next := strings.IndexByte(s[at:], '@')
		if next < 0 {
			return 0, 0, false
		}
		at += next
		start, end = localStart(s, from, at), domainEnd(s, at+1)
		if end > at+1 {
			return start, end, true
		}
	}
}

// localStart is where the local part before an @ begins.
func localStart(s string, from, at int) int {
	start := at
	if at > from && s[at-1] == '"' { // RFC 5321, 4.1.2: a Quoted-string may hold anything
		if open := strings.LastIndexByte(s[from:at-1], '"'); open >= 0 {
			return from + open
		}
	}
	for start > from && inLocal(s[start-1]) {
		start--
	}
	for start < at && strings.IndexByte("'`", s[start]) >= 0 {
		start++
	}
	// smtp.mailfrom=bob@example.org (RFC 8601, 2.2), but bounce-bob=example.org@lists.
	if name, _, ok := strings.Cut(s[start:at], "="); ok && isProperty(name) {
		start += len(name) + 1
	}
	return start
}

var properties = []string{"from", "to", "envelope-from", "mfrom", "mailfrom", "sender", "recipient", "rcpt", "id", "email", "auth", "for", "user"}

func isProperty(name string) bool {
	name = strings.ToLower(name)
	for _, head := range []string{"smtp.", "header.", "policy.", "body."} {
		if strings.HasPrefix(name, head) {
			return true
		}
	}
	return slices.Contains(properties, name)
}

// inLocal says whether an octet may stand in a local part (RFC 5322, 3.2.3; RFC 6531, 3.3).
func inLocal(c byte) bool {
	return isAlphanumeric(c) || c >= 0x80 || strings.IndexByte("!#$%&'*+-/=?^_`{|}~.", c) >= 0
}

// domainEnd is where the domain behind an @ ends.
func domainEnd(s string, from int) int {
	if from < len(s) && s[from] == '[' { // an address literal
		if n := strings.IndexByte(s[from:], ']'); n > 0 {
			return from + n + 1
		}
	}
	end := from
	for end < len(s) && (isAlphanumeric(s[end]) || s[end] >= 0x80 || s[end] == '-' || s[end] == '.' || s[end] == '_') {
		end++
	}
	for end > from && (s[end-1] == '.' || s[end-1] == '-') {
		end--
	}
	return end
}

// clientAt reads an IP address at the start of s, and gives what is to stand in its
// place. The server's own stays.
func (m *Mask) clientAt(s string) (n int, shown string) {
	for n < len(s) && n < maxAddress && (s[n] >= '0' && s[n] <= '9' || s[n] >= 'a' && s[n] <= 'f' || s[n] >= 'A' && s[n] <= 'F' || s[n] == '.' || s[n] == ':') {
		n++
	}
	if n < len("::1") {
		return 0, ""
	}
	run := strings.TrimRight(s[:n], ".:")
	for _, form := range []string{run, s[:n], before(run, ':')} {
		if strings.Count(form, ".") != 3 && strings.Count(form, ":") < 2 {
			continue
		}
		if len(form) < len(s) && isAlphanumeric(s[len(form)]) {
			continue
		}
		if a, err := netip.ParseAddr(form); err == nil && a.Unmap() != m.keep {
			return len(form), m.client(a).String()
		}
	}
	return 0, ""
}

// maxAddress is how long an IP address and a port are, at most.
const maxAddress = len("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535")

func before(s string, c byte) string {
	if i := strings.IndexByte(s, c); i >= 0 {
		return s[:i]
	}
	return s
}

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || lower(c) >= 'a' && lower(c) <= 'z'
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
