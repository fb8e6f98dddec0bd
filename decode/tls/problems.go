package tls

import (
	"net/netip"
	"strings"
	"time"
)

// What Problems finds.
const (
	ProblemExpired       = "expired"        // NotAfter has passed
	ProblemNameMismatch  = "name_mismatch"  // made for another name than the client asked for
	ProblemNotYetValid   = "not_yet_valid"  // NotBefore is to come
	ProblemSelfSigned    = "self_signed"    // signed by its own key
	ProblemWeakKey       = "weak_key"       // RSA or DSA under 2048 bits, a curve under 224
	ProblemWeakSignature = "weak_signature" // MD2, MD5 or SHA-1, on the leaf or an intermediate that is no root
)

// Problems names what is wrong with the certificate at a time, for a client
// that sent this server name, sorted; "" stands for none, and no name is then
// a mismatch. Whether a trusted root stands behind it is not looked at, nor
// the dates of the chain. Where not all names of the certificate are known
// (it could not be read whole, or Options.MaxNames was reached) a name that is
// not among them is no mismatch. For a client's certificate sni is "".
func (c *Certificate) Problems(at time.Time, sni string) []string {
	var list []string
	add := func(problem string, is bool) {
		if is {
			list = append(list, problem)
		}
	}
	add(ProblemExpired, at.After(c.NotAfter))
	add(ProblemNameMismatch, sni != "" && !c.namesCut && !c.covers(sni))
	add(ProblemNotYetValid, at.Before(c.NotBefore))
	add(ProblemSelfSigned, c.SelfSigned)
	add(ProblemWeakKey, c.weakKey)
	add(ProblemWeakSignature, c.weakSignature)
	return list
}

// covers says whether the certificate is made for a name (RFC 9525, 6; the
// common name by RFC 6125, 6.4.4). A client that has only an address sends it
// for a name, against RFC 6066, 3: then it must be one of the addresses.
func (c *Certificate) covers(sni string) bool {
	if address, err := netip.ParseAddr(sni); err == nil {
		for _, name := range c.Names[c.hosts:] {
			if own, err := netip.ParseAddr(name); err == nil && own.Unmap() == address.Unmap() {
				return true
			}
		}
		return false
	}
	for _, name := range c.Names[:c.hosts] {
		if matches(name, sni) {
			return true
		}
	}
	return c.commonName != "" && matches(c.commonName, sni)
}

// matches compares host names without regard to case or the root's dot. An
// asterisk stands for the whole of the leftmost label (RFC 9525, 6.3).
func matches(pattern, host string) bool {
	pattern, host = strings.TrimSuffix(pattern, "."), strings.TrimSuffix(host, ".")
	if parent, wild := strings.CutPrefix(pattern, "*."); wild {
		label, rest, _ := strings.Cut(host, ".")
		return label != "" && parent != "" && strings.EqualFold(parent, rest)
	}
	return pattern != "" && strings.EqualFold(pattern, host)
}
