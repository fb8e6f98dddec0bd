package alerts

import (
	"net/netip"
	"strings"

	"github.com/mailtap/mailtap/sessions"
)

// home knows what is ours: networks, domains, mail servers; whom we let scan;
// and which accounts are watched closely.
type home struct {
	networks sessions.Networks // those configured, else private address space
	domains  map[string]bool
	servers  sessions.Networks
	named    bool // servers are
	scanners sessions.Networks
	accounts map[string]bool // lower case
	learned  *learned        // nil: servers is all there is to know
}

func newHome(o Options) *home {
	if len(o.HomeNetworks) == 0 {
		o.HomeNetworks = privateSpace()
	}
	h := &home{
		networks: sessions.NewNetworks(o.HomeNetworks), domains: make(map[string]bool, len(o.HomeDomains)),
		servers: sessions.NewNetworks(o.MailServers), named: len(o.MailServers) > 0,
		scanners: sessions.NewNetworks(o.Scanners), accounts: make(map[string]bool, len(o.MonitoredAccounts)),
	}
	for _, d := range o.HomeDomains {
		h.domains[canonicalDomain(d)] = true
	}
	for _, a := range o.MonitoredAccounts {
		h.accounts[strings.ToLower(a)] = true
	}
	if o.LearnServers {
		h.learned = newLearned(o.MaxServers, int64(o.LearnTime))
	}
	return h
}

// privateSpace is what counts as home where nothing is configured, as for the
// direction of a connection (RFC 1918, RFC 4193, RFC 3927, RFC 4291). Shared
// space (RFC 6598) is the provider's, not ours.
func privateSpace() []netip.Prefix {
	var all []netip.Prefix
	for _, p := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10", "::1/128"} {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}

func (h *home) hasAddress(a netip.Addr) bool { return h.networks.Contain(a) }
func (h *home) isScanner(a netip.Addr) bool  { return h.scanners.Contain(a) }

// isMailServer holds for a known mail server, and for any address as long as too
// little is known to deny it.
func (h *home) isMailServer(a netip.Addr) bool {
	if !a.IsValid() {
		return false
	}
	if h.learned != nil && h.learned.may(a.Unmap().WithZone("")) {
		return true
	}
	return h.servers.Contain(a) || h.learned == nil && !h.named
}

// tick tells packet time to what is learned.
func (h *home) tick(now int64) {
	if h.learned != nil {
		h.learned.tick(now)
	}
}

// monitors holds for an account that is watched closely. An entry without a
// domain means the account in any domain.
func (h *home) monitors(user string) bool {
	if len(h.accounts) == 0 || user == "" {
		return false
	}
	user = lower(user)
	local, _, _ := strings.Cut(user, "@")
	return h.accounts[user] || h.accounts[local]
}

// hasDomain holds for a home domain and what is below it, and for the address
// literal of a home address (RFC 5321, 4.1.3).
func (h *home) hasDomain(d string) bool {
	d = canonicalDomain(d)
	if strings.HasPrefix(d, "[") {
		a, err := netip.ParseAddr(strings.TrimPrefix(strings.Trim(d, "[]"), "ipv6:"))
		return err == nil && h.hasAddress(a)
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
