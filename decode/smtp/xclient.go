package smtp

import "net/netip"

// XClient is what a proxy tells of the client that it speaks for: Postfix's
// XCLIENT, which replaces the client's identity, and XFORWARD, which only goes
// to the log (Postfix, XCLIENT_README and XFORWARD_README). What was not
// given, or was given as unavailable, is the zero value.
type XClient struct {
	Addr     netip.Addr // ADDR
	Port     uint16     // PORT
	Dest     netip.Addr // DESTADDR
	DestPort uint16     // DESTPORT
	Name     string     // NAME: the client's host name
	Helo     string     // HELO
	Login    string     // LOGIN: the user name of a login that the proxy took
	Proto    string     // PROTO: SMTP or ESMTP
	Ident    string     // IDENT: the proxy's queue id; XFORWARD only
	Source   string     // SOURCE: LOCAL or REMOTE; XFORWARD only
	Unknown  uint8      // attributes that no document names; at most 255
	Bad      uint8      // values that cannot be read; at most 255
}

// maxAttributes bounds the words of one command that are read.
const maxAttributes = 64

// ParseXClient reads the argument of XCLIENT or XFORWARD. Text is at most 1024
// octets an attribute.
func ParseXClient(arg []byte) XClient {
	var x XClient
	for range maxAttributes {
		var word []byte
		if word, arg = nextWord(arg); len(word) == 0 {
			break
		}
		key, value := keyValue(word)
		text, ok := xtext(value)
		if !ok {
			more(&x.Bad)
		}
		if !x.attribute(key, text) {
			more(&x.Unknown)
		}
	}
	return x
}

func (x *XClient) attribute(key, value []byte) (known bool) {
	absent := isName(value, "[UNAVAILABLE]") || isName(value, "[TEMPUNAVAIL]")
	if absent {
		value = nil
	}
	switch {
	case isName(key, "ADDR"):
		x.addr(&x.Addr, value)
	case isName(key, "DESTADDR"):
		x.addr(&x.Dest, value)
	case isName(key, "PORT"):
		x.port(&x.Port, value)
	case isName(key, "DESTPORT"):
		x.port(&x.DestPort, value)
	case isName(key, "NAME"):
		x.Name = mailboxText(value)
	case isName(key, "HELO"):
		x.Helo = mailboxText(value)
	case isName(key, "LOGIN"):
		x.Login = mailboxText(value)
	case isName(key, "PROTO"):
		x.Proto = mailboxText(value)
	case isName(key, "IDENT"):
		x.Ident = mailboxText(value)
	case isName(key, "SOURCE"):
		x.Source = mailboxText(value)
	default:
		return false
	}
	return true
}

// addr reads an address; IPv6 has a prefix, as in RFC 5321, 4.1.3.
func (x *XClient) addr(to *netip.Addr, value []byte) {
	if len(value) == 0 {
		return
	}
	const prefix = "IPV6:"
	six := equalFold(value, prefix)
	if six {
		value = value[len(prefix):]
	}
	a, err := netip.ParseAddr(string(value[:min(len(value), 64)]))
	if err != nil || six && !a.Is6() || a.Zone() != "" {
		more(&x.Bad)
		return
	}
	*to = a
}

func (x *XClient) port(to *uint16, value []byte) {
	if len(value) == 0 {
		return
	}
	p, ok := portOf(value)
	if !ok {
		more(&x.Bad)
		return
	}
	*to = p
}

// isName compares with an upper-case name in any mix of case.
func isName(word []byte, upper string) bool {
	return len(word) == len(upper) && equalFold(word, upper)
}

// more counts up to what the counter holds.
func more(n *uint8) {
	if *n < 255 {
		*n++
	}
}
