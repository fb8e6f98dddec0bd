package privacy

import (
	"strings"

	"golang.org/x/net/idna"
)

// hidden stands for a value that is not shown: one that was never there stays
// absent, and an empty sender is the null one.
const hidden = "*"

// address is a mail address, or what stands where one should.
func (m *Mask) address(s string) string { return m.mailbox(m.settings.Addresses, s) }

// user is a login name: a word, a mail address, or DOMAIN\word.
func (m *Mask) user(s string) string { return m.mailbox(m.settings.Users, s) }

// mailbox hides an account. One account is one pseudonym wherever it stands: that of
// a login is the local part's of the address with the same name.
func (m *Mask) mailbox(mode Mode, s string) string {
	if s == "" || !mode.hides() {
		return s
	}
	s = strings.Trim(s, "<> \t")
	local, domain, join := s, "", ""
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		local, domain, join = s[:at], s[at+1:], "@"
	} else if at := strings.IndexByte(s, '\\'); at > 0 {
		local, domain, join = s[at+1:], s[:at], `\`
	}
	switch mode {
	case Account:
		local = m.local(local)
	case Domain:
		local = hidden
	case Pseudonym:
		local, domain = m.local(local), m.domain(domain)
	default:
		return hidden
	}
	if join == `\` {
		return domain + join + local
	}
	return local + join + domain
}

func (m *Mask) local(s string) string {
	if s == "" || isWord(s, "p-") {
		return s
	}
	if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' { // the quotes change nothing (RFC 5321, 4.1.2)
		s = strings.ReplaceAll(s[1:len(s)-1], `\`, "")
	}
	return "p-" + m.pseudonym(aMailbox, strings.ToLower(s))
}

// isWord says whether a value is a pseudonym already.
func isWord(s, head string) bool {
	return len(s) == len(head)+wordLetters && strings.HasPrefix(s, head) &&
		strings.Trim(s[len(head):], "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// anywhere is the domain of all pseudonyms of domains: there is none (RFC 2606, 2).
const anywhere = ".invalid"

// domain is the pseudonym of a domain: one domain is one, in Unicode or not.
func (m *Mask) domain(s string) string {
	s = strings.ToLower(strings.TrimSuffix(s, "."))
	if s == "" || isWord(strings.TrimSuffix(s, anywhere), "d-") {
		return s
	}
	if ascii, err := idna.Punycode.ToASCII(s); err == nil {
		s = ascii
	}
	return "d-" + m.pseudonym(aDomain, s) + anywhere
}

// domainOnly is a field that holds a domain of an address, without its local part.
func (m *Mask) domainOnly(s string) string {
	switch m.settings.Addresses {
	case Pseudonym:
		return m.domain(s)
	case None:
		return hidden
	}
	return s
}

// subject is a mail's.
func (m *Mask) subject(s string) string {
	switch {
	case s == "" || !m.settings.Subjects.hides():
		return s
	case m.settings.Subjects == Pseudonym:
		return "s-" + m.pseudonym(aSubject, s)
	}
	return hidden
}

// maxExtension is how long an extension is that is shown.
const maxExtension = 8

// file is the name of one. What kind of file it is may be told, not its name.
func (m *Mask) file(s string) string {
	if s == "" || !m.settings.FileNames.hides() {
		return s
	}
	extension := ""
	if dot := strings.LastIndexByte(s, '.'); dot >= 0 && len(s)-dot-1 <= maxExtension && alphanumeric(s[dot+1:]) {
		extension = strings.ToLower(s[dot:])
	}
	switch m.settings.FileNames {
	case Extension:
		return hidden + extension
	case Pseudonym:
		return "f-" + m.pseudonym(aFile, s) + extension
	}
	return hidden
}

func alphanumeric(s string) bool {
	for i := range len(s) {
		if !isAlphanumeric(s[i]) {
			return false
		}
	}
	return s != ""
}

// messageID is a Message-ID, or several of them.
func (m *Mask) messageIDs(s string) string {
	if s == "" || !m.settings.Addresses.hides() {
		return s
	}
	var out []string
	for _, id := range strings.Fields(s) {
		id = strings.Trim(id, "<>,")
		if id == "" {
			continue
		}
		if m.settings.Addresses == Domain && strings.IndexByte(id, '@') < 0 {
			id = hidden
		}
		out = append(out, "<"+m.address(id)+">")
	}
	return strings.Join(out, " ")
}
