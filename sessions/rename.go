package sessions

import "net/netip"

// Rename gives the tracker other home networks and names of servers, as a reload
// of the configuration brings them. Connections that have begun keep what they
// were told.
func (t *Tracker) Rename(home []netip.Prefix, servers []NamedServer) {
	t.opts.Home, t.opts.Server = home, servers
	t.ident = newIdentifier(t.opts)
}
