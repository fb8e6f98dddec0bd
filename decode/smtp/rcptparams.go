package smtp

import "bytes"

// RcptParams are the parameters of RCPT (RFC 3461, 4.1 and 4.2).
type RcptParams struct {
	Notify       Notify
	OriginalType string // ORCPT: the address' type, rfc822 or utf-8
	Original     string // ORCPT: the address, at most 1024 octets
	Unknown      uint8  // parameters that are not known; at most 255
	Bad          uint8  // values that cannot be read; at most 255
}

// Notify says when the sender wants a report; 0 where the command does not say.
type Notify uint8

// Conditions of NOTIFY.
const (
	NotifyNever Notify = 1 << iota
	NotifySuccess
	NotifyFailure
	NotifyDelay
)

// ParseRcptParams reads the parameters of RCPT.
func ParseRcptParams(b []byte) RcptParams {
	var p RcptParams
	for range maxAttributes {
		var word []byte
		if word, b = nextWord(b); len(word) == 0 {
			return p
		}
		ok := true
		key, value := keyValue(word)
		switch {
		case isName(key, "NOTIFY"):
			p.Notify, ok = notify(value)
		case isName(key, "ORCPT"):
			ok = p.original(value)
		case isName(key, "RRVS"), isName(key, "CONPERM"), isName(key, "CONNEG"): // RFC 7293, RFC 4141: nobody asks for them
		default:
			more(&p.Unknown)
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

// notify reads a list; NEVER stands alone (RFC 3461, 4.1).
func notify(value []byte) (Notify, bool) {
	var n Notify
	for rest, again := value, true; again; {
		var word []byte
		word, rest, again = bytes.Cut(rest, []byte{','})
		switch {
		case isName(word, "NEVER"):
			n |= NotifyNever
		case isName(word, "SUCCESS"):
			n |= NotifySuccess
		case isName(word, "FAILURE"):
			n |= NotifyFailure
		case isName(word, "DELAY"):
			n |= NotifyDelay
		default:
			return 0, false
		}
	}
	if n&NotifyNever != 0 && n != NotifyNever {
		return 0, false
	}
	return n, true
}

func (p *RcptParams) original(value []byte) bool {
	kind, addr, ok := bytes.Cut(value, []byte{';'})
	if !ok || len(kind) == 0 || len(kind) > 64 {
		return false
	}
	text, ok := xtextString(addr)
	if !ok {
		return false
	}
	p.OriginalType, p.Original = printable(bytes.ToLower(kind)), text
	return true
}
