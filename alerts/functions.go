package alerts

import (
	"net/netip"
	"strings"

	"github.com/expr-lang/expr"
)

// home knows which networks and domains are ours.
type home struct {
	networks []netip.Prefix
	domains  map[string]bool // lower case, no dot at the end
}

func newHome(networks []netip.Prefix, domains []string) *home {
	h := &home{networks: networks, domains: make(map[string]bool, len(domains))}
	for _, d := range domains {
		h.domains[canonicalDomain(d)] = true
	}
	return h
}

func canonicalDomain(d string) string { return lower(strings.TrimSuffix(d, ".")) }

// lower is strings.ToLower, quicker where there is nothing to do.
func lower(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'Z' || c >= 0x80 {
			return strings.ToLower(s)
		}
	}
	return s
}

func (h *home) hasAddressText(text string) bool {
	a, err := netip.ParseAddr(text)
	return err == nil && h.hasAddress(a)
}

func (h *home) hasAddress(a netip.Addr) bool {
	a = a.Unmap()
	for _, n := range h.networks {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// hasDomain holds for a home domain and what is below it, and for the address
// literal of a home address (RFC 5321, 4.1.3).
func (h *home) hasDomain(d string) bool {
	d = canonicalDomain(d)
	if strings.HasPrefix(d, "[") {
		return h.hasAddressText(strings.TrimPrefix(strings.Trim(d, "[]"), "ipv6:"))
	}
	for d != "" {
		if h.domains[d] {
			return true
		}
		_, d, _ = strings.Cut(d, ".")
	}
	return false
}

// foreign holds for an address whose mail goes to a domain that is not ours in
// the end; not for one without a domain, which is local.
func (h *home) foreign(address string) bool {
	d := routedDomain(address)
	return d != "" && !h.hasDomain(d)
}

// domainOf is what stands behind the last @: also for a source route
// (RFC 5321, appendix C: @a,@b:user@c goes to c in the end).
func domainOf(address string) string {
	i := strings.LastIndexByte(address, '@')
	if i < 0 {
		return ""
	}
	return canonicalDomain(strings.TrimSuffix(address[i+1:], ">"))
}

// routedDomain is where a server that honours old routing would send the
// address in the end: "user%far@here" (percent hack), "user@far"@here and
// far!user@here (bang path) all go to far. Relay probes use these.
func routedDomain(address string) string {
	i := strings.LastIndexByte(address, '@')
	if i < 0 {
		return ""
	}
	local := strings.Trim(address[:i], `"`)
	if strings.HasPrefix(local, "@") { // a source route: its last domain counts
		return domainOf(address)
	}
	if j := strings.LastIndexAny(local, "@%"); j >= 0 && plausibleDomain(local[j+1:]) {
		return canonicalDomain(local[j+1:])
	}
	if j := strings.IndexByte(local, '!'); j >= 0 && plausibleDomain(local[:j]) {
		return canonicalDomain(local[:j])
	}
	return domainOf(address)
}

// plausibleDomain keeps a percent sign that is part of a name from being read
// as a route: two labels at least, of letters, digits and hyphens.
func plausibleDomain(d string) bool {
	dots := 0
	for i := range len(d) {
		switch c := d[i]; {
		case c == '.':
			if i == 0 || d[i-1] == '.' {
				return false
			}
			dots++
		case c == '-' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z':
		default:
			return false
		}
	}
	return dots > 0 && d[len(d)-1] != '.'
}

// textFunctions and testFunctions are what expressions can call beside expr's
// own builtins, by name.
func textFunctions() map[string]func(string) string {
	return map[string]func(string) string{"domain": domainOf, "routed_domain": routedDomain}
}

func (h *home) testFunctions() map[string]func(string) bool {
	return map[string]func(string) bool{"is_home_domain": h.hasDomain, "is_foreign": h.foreign, "is_home": h.hasAddressText}
}

// functions tells the expression machine of them.
func functions(h *home) []expr.Option {
	// The clock would make the same capture give other alerts.
	out := []expr.Option{expr.DisableBuiltin("now")}
	for name, f := range textFunctions() {
		out = append(out, expr.Function(name, func(p ...any) (any, error) {
			s, _ := p[0].(string)
			return f(s), nil
		}, new(func(string) string)))
	}
	for name, f := range h.testFunctions() {
		out = append(out, expr.Function(name, func(p ...any) (any, error) {
			s, _ := p[0].(string)
			return f(s), nil
		}, new(func(string) bool)))
	}
	return out
}
