package privacy

import (
	"net/netip"
	"strings"
)

// discard is the network of pseudonyms of clients: packets of it come from nobody
// (RFC 6666), so none is taken for a real address, and it is one for who reads it.
var discard = netip.MustParseAddr("100::").As16()

// end is a client's address and port. A port tells, with the time, whom a
// provider gave a shared address: None leaves it out.
func (m *Mask) end(ap netip.AddrPort) netip.AddrPort {
	if !ap.IsValid() || !m.settings.Clients.hides() {
		return ap
	}
	port := ap.Port()
	if m.settings.Clients == None {
		port = 0
	}
	return netip.AddrPortFrom(m.client(ap.Addr()), port)
}

// client is a client's address. One that is not to be shown at all is the
// unspecified one: records stay well formed.
func (m *Mask) client(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || a.IsUnspecified() {
		return a
	}
	switch m.settings.Clients {
	case Prefix:
		bits := m.settings.PrefixV6
		if a.Is4() {
			bits = m.settings.PrefixV4
		}
		return netip.PrefixFrom(a, min(bits, a.BitLen())).Masked().Addr()
	case Pseudonym:
		out := discard
		sum := m.signer.sum(aClient, a.String())
		copy(out[8:], sum[:8])
		return netip.AddrFrom16(out)
	case None:
		if a.Is4() {
			return netip.IPv4Unspecified()
		}
		return netip.IPv6Unspecified()
	}
	return a
}

// clientText is a field that holds a client's address as text.
func (m *Mask) clientText(s string) string {
	if s == "" || !m.settings.Clients.hides() {
		return s
	}
	if a, err := netip.ParseAddr(strings.TrimPrefix(strings.Trim(s, "[] "), "IPv6:")); err == nil {
		return m.client(a).String()
	}
	return m.host(s)
}
