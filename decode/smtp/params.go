package smtp

import (
	"bytes"
	"math"
	"time"
)

// MailParams are the parameters of MAIL (RFC 5321, 4.1.1.11). What most mail
// has stands here; the rest behind More, which is nil where none was given.
type MailParams struct {
	Size       int64  // SIZE, octets (RFC 1870); -1 where absent
	Body       string // BODY, upper case (RFC 6152, RFC 3030)
	SMTPUTF8   bool   // RFC 6531
	RequireTLS bool   // RFC 8689
	Unknown    uint8  // parameters that are not known; at most 255
	Bad        uint8  // values that cannot be read; at most 255
	More       *MailOptions
}

// MailOptions are the rarer parameters of MAIL. Text is at most 1024 octets.
type MailOptions struct {
	Return      string    // RET: FULL or HDRS (RFC 3461, 4.3)
	EnvelopeID  string    // ENVID (RFC 3461, 4.4)
	Auth        string    // AUTH: who submitted the mail, "<>" where that is not known (RFC 4954, 5)
	Submitter   string    // SUBMITTER (RFC 4405)
	Org         string    // XOORG: the organisation that sends (Exchange)
	ByTime      int64     // BY: seconds, may be below zero (RFC 2852)
	ByMode      string    // BY: R or N, then T for a trace; "" where absent
	HoldFor     int64     // HOLDFOR: seconds (RFC 4865)
	HoldUntil   time.Time // HOLDUNTIL (RFC 4865)
	Priority    int8      // MT-PRIORITY: -9 to 9 (RFC 6710)
	HasPriority bool
}

// ParseMailParams reads the parameters of MAIL.
func ParseMailParams(b []byte) MailParams {
	p := MailParams{Size: -1}
	for range maxAttributes {
		var word []byte
		if word, b = nextWord(b); len(word) == 0 {
			return p
		}
		ok := true
		key, value := keyValue(word)
		switch {
		case isName(key, "SIZE"):
			p.Size, ok = decimal(value, 20)
		case isName(key, "BODY"):
			p.Body = bodyType(value)
		case isName(key, "SMTPUTF8"):
			p.SMTPUTF8 = true
		case isName(key, "REQUIRETLS"):
			p.RequireTLS = true
		default:
			ok = p.rare(key, value)
		}
		if !ok {
			more(&p.Bad)
		}
	}
	if len(trim(b)) > 0 {
		more(&p.Unknown)
	}
	return p
}

// keyValue splits at the first "=".
func keyValue(word []byte) (key, value []byte) {
	key, value, _ = bytes.Cut(word, []byte{'='})
	return key, value
}

// bodyType names a known type without making a string.
func bodyType(value []byte) string {
	for _, name := range [...]string{"8BITMIME", "7BIT", "BINARYMIME"} {
		if isName(value, name) {
			return name
		}
	}
	return printable(bytes.ToUpper(value[:min(len(value), 20)]))
}

// decimal reads a number without a sign; -1 where it is none, or too long.
func decimal(b []byte, digits int) (int64, bool) {
	if len(b) == 0 || len(b) > digits {
		return -1, false
	}
	n := int64(0)
	for _, c := range b {
		d := int64(c - '0')
		if d > 9 || n > (math.MaxInt64-d)/10 {
			return -1, false
		}
		n = n*10 + d
	}
	return n, true
}

// rare reads what few mails have.
func (p *MailParams) rare(key, value []byte) (ok bool) {
	var m MailOptions
	if p.More != nil {
		m = *p.More
	}
	known, ok := m.read(key, value)
	if !known {
		more(&p.Unknown)
		return true
	}
	if ok {
		p.More = &m
	}
	return ok
}

func (m *MailOptions) read(key, value []byte) (known, ok bool) {
	ok = true
	switch {
	case isName(key, "RET"):
		m.Return, ok = oneOf(value, "FULL", "HDRS")
	case isName(key, "ENVID"):
		m.EnvelopeID, ok = xtextString(value)
	case isName(key, "AUTH"):
		m.Auth, ok = authOf(value)
	case isName(key, "SUBMITTER"):
		m.Submitter, ok = xtextString(value)
	case isName(key, "XOORG"):
		m.Org, ok = xtextString(value)
	case isName(key, "BY"):
		ok = m.by(value)
	case isName(key, "HOLDFOR"):
		m.HoldFor, ok = decimal(value, 9) // RFC 4865, 4.2
	case isName(key, "HOLDUNTIL"):
		var err error
		m.HoldUntil, err = time.Parse(time.RFC3339, string(value[:min(len(value), 64)]))
		ok = err == nil
	case isName(key, "MT-PRIORITY"):
		ok = m.priority(value)
	default:
		return false, true
	}
	return true, ok
}

// authOf reads AUTH=: xtext, or "<>"; brackets around a mailbox are met too.
func authOf(value []byte) (string, bool) {
	if n := len(value); n > 2 && value[0] == '<' && value[n-1] == '>' {
		value = value[1 : n-1]
	}
	return xtextString(value)
}

func xtextString(value []byte) (string, bool) {
	text, ok := xtext(value)
	return mailboxText(text), ok && len(text) > 0 && len(text) <= maxPath
}

func oneOf(value []byte, names ...string) (string, bool) {
	for _, name := range names {
		if isName(value, name) {
			return name, true
		}
	}
	return "", false
}

// by reads BY=time;mode (RFC 2852, 4).
func (m *MailOptions) by(value []byte) bool {
	count, mode, _ := bytes.Cut(value, []byte{';'})
	digits, negative := bytes.CutPrefix(count, []byte{'-'})
	n, ok := decimal(digits, 9)
	if !ok {
		return false
	}
	if negative {
		n = -n
	}
	m.ByTime = n
	m.ByMode, ok = oneOf(mode, "R", "N", "RT", "NT")
	return ok
}

func (m *MailOptions) priority(value []byte) bool {
	digits, negative := bytes.CutPrefix(value, []byte{'-'})
	n, ok := decimal(digits, 1)
	if !ok || negative && n == 0 {
		return false
	}
	if negative {
		n = -n
	}
	m.Priority, m.HasPriority = int8(n), true
	return true
}
