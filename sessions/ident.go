package sessions

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
)

// identifier judges addresses and ports by the site's configuration.
type identifier struct {
	sensor string
	home   []netip.Prefix
	server []NamedServer
	roles  map[uint16]string
}

func newIdentifier(o Options) identifier {
	id := identifier{sensor: o.Sensor, home: o.Home, server: o.Server, roles: map[uint16]string{}}
	if len(id.home) == 0 {
		id.home = privateSpace()
	}
	for _, p := range o.Ports {
		id.roles[p.Port] = p.Role
	}
	return id
}

// privateSpace is what counts as home where nothing is configured (RFC 1918,
// RFC 4193, RFC 3927, RFC 4291).
func privateSpace() []netip.Prefix {
	var all []netip.Prefix
	for _, p := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10", "::1/128"} {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}

func contains(ps []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap()
	for _, p := range ps {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func (id *identifier) role(port uint16) string {
	if r, ok := id.roles[port]; ok {
		return r
	}
	return "other"
}

func (id *identifier) isServer(port uint16) bool { _, ok := id.roles[port]; return ok }

func (id *identifier) name(a netip.Addr) string {
	for i := range id.server {
		if contains(id.server[i].Networks, a) {
			return id.server[i].Name
		}
	}
	return ""
}

// direction tells who talks to whom: inbound is from outside to a server of
// ours.
func (id *identifier) direction(c, s netip.Addr) string {
	in, out := contains(id.home, c), contains(id.home, s)
	switch {
	case in && out:
		return "internal"
	case in:
		return "outbound"
	case out:
		return "inbound"
	}
	return "external"
}

// conn makes the identity of a connection that began at start, nanoseconds.
func (id *identifier) conn(c, s netip.AddrPort, start int64, isn uint32) *Conn {
	return &Conn{
		ID:          id.sessionID(c, s, start, isn),
		CommunityID: communityID(c, s),
		Client:      c,
		Server:      s,
		ServerName:  id.name(s.Addr()),
		Role:        id.role(s.Port()),
		Direction:   id.direction(c.Addr(), s.Addr()),
		Start:       timeOf(start),
	}
}

// sessionID hashes what makes a connection unique over sensors and restarts.
func (id *identifier) sessionID(c, s netip.AddrPort, start int64, isn uint32) string {
	b := make([]byte, 0, 128)
	b = append(b, id.sensor...)
	b = append(b, 0)
	b = appendAddr(b, c)
	b = appendAddr(b, s)
	b = binary.BigEndian.AppendUint64(b, uint64(start))
	b = binary.BigEndian.AppendUint32(b, isn)
	sum := sha1.Sum(b)
	return hex.EncodeToString(sum[:12])
}

func appendAddr(b []byte, a netip.AddrPort) []byte {
	b = append(b, a.Addr().AsSlice()...)
	return binary.BigEndian.AppendUint16(b, a.Port())
}

// communityID is the flow hash of the Community ID specification, version 1,
// seed 0: SHA-1 over the ordered addresses, the protocol and the ports.
func communityID(c, s netip.AddrPort) string {
	if s.Compare(c) < 0 {
		c, s = s, c
	}
	b := make([]byte, 2, 64)
	b = append(b, c.Addr().AsSlice()...)
	b = append(b, s.Addr().AsSlice()...)
	b = append(b, 6, 0) // TCP, padding
	b = binary.BigEndian.AppendUint16(b, c.Port())
	b = binary.BigEndian.AppendUint16(b, s.Port())
	sum := sha1.Sum(b)
	return "1:" + base64.StdEncoding.EncodeToString(sum[:])
}
