package privacy

import (
	"fmt"
	"strings"
)

// Mode says how values of a kind are shown.
type Mode string

// The modes. Not every kind has every mode.
const (
	Full      Mode = "full"      // as it is; the empty mode is full too
	Account   Mode = "account"   // an address: a pseudonym of the local part, the domain as it is
	Domain    Mode = "domain"    // an address: the domain alone
	Extension Mode = "extension" // a file: what stands behind its last dot
	Prefix    Mode = "prefix"    // a client: its network
	Pseudonym Mode = "pseudonym" // the same word for the same value, for who has the same key
	None      Mode = "none"      // not at all
	Scrubbed  Mode = "scrubbed"  // a text: without the values that the other kinds hide
)

// The modes of each kind.
var (
	AddressModes = []Mode{Full, Account, Domain, Pseudonym, None}
	SubjectModes = []Mode{Full, Pseudonym, None}
	FileModes    = []Mode{Full, Extension, Pseudonym, None}
	ClientModes  = []Mode{Full, Prefix, Pseudonym, None}
	TextModes    = []Mode{Scrubbed, None}
)

// Settings say what an output shows. The zero value shows everything.
type Settings struct {
	Addresses Mode // of mail: envelope, header, recipients
	Users     Mode // login names
	Subjects  Mode
	FileNames Mode // of attachments, and inside archives
	Clients   Mode // IP addresses
	Texts     Mode // what servers say in their own words

	PrefixV4, PrefixV6 int // bits of a client's network that Prefix shows; default 24 and 48
}

// Default lengths of a network.
const (
	DefaultPrefixV4 = 24
	DefaultPrefixV6 = 48
)

// Kind is a kind of value, and how it is shown.
type Kind struct {
	Name string
	Mode Mode
}

// Kinds lists the kinds with their modes.
func (s *Settings) Kinds() []Kind {
	return []Kind{
		{"addresses", s.Addresses}, {"users", s.Users}, {"subjects", s.Subjects},
		{"file_names", s.FileNames}, {"clients", s.Clients}, {"texts", s.Texts},
	}
}

// Name says in a word what is hidden, and how; empty for nothing.
func (s Settings) Name() string {
	var parts []string
	for _, k := range s.Kinds() {
		if k.Mode.hides() {
			parts = append(parts, k.Name+"="+string(k.Mode))
		}
	}
	if s.Clients == Prefix {
		parts = append(parts, fmt.Sprintf("networks=%d/%d", s.PrefixV4, s.PrefixV6))
	}
	return strings.Join(parts, ",")
}

func (m Mode) hides() bool { return m != "" && m != Full && m != Scrubbed }

// Hides says whether anything is hidden.
func (s Settings) Hides() bool {
	for _, k := range s.Kinds() {
		if k.Mode.hides() {
			return true
		}
	}
	return false
}

// NeedsKey says whether a mode makes pseudonyms.
func (s Settings) NeedsKey() bool {
	for _, k := range s.Kinds() {
		if k.Mode == Pseudonym || k.Mode == Account {
			return true
		}
	}
	return false
}

// tells ranks modes by how much they show.
func (m Mode) tells() int {
	switch m {
	case "", Full, Scrubbed:
		return 3
	case Account, Prefix:
		return 2
	case Domain, Extension, Pseudonym:
		return 1
	}
	return 0
}

// TellsMore names a kind of which s shows more than other does.
func (s Settings) TellsMore(other Settings) (kind string, more bool) {
	theirs := other.Kinds()
	for i, k := range s.Kinds() {
		if k.Mode.tells() > theirs[i].Mode.tells() {
			return k.Name, true
		}
	}
	return "", false
}
