package alerts

import (
	"net/netip"
	"strings"

	"github.com/expr-lang/expr"
)

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
	tests := map[string]func(string) bool{"is_home_domain": h.hasDomain, "is_foreign": h.foreign, "is_monitored": h.monitors}
	for name, test := range h.addressTests() {
		tests[name] = func(text string) bool {
			a, err := netip.ParseAddr(text)
			return err == nil && test(a)
		}
	}
	return tests
}

// addressTests are those that take an address.
func (h *home) addressTests() map[string]func(netip.Addr) bool {
	return map[string]func(netip.Addr) bool{"is_home": h.hasAddress, "is_mail_server": h.isMailServer, "is_scanner": h.isScanner}
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
