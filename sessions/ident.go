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
	home   Networks
	server []named
	roles  map[uint16]string
}

type named struct {
	networks Networks
	name     string
}

func newIdentifier(o Options) identifier {
	if len(o.Home) == 0 {
		o.Home = privateSpace()
	}
	id := identifier{sensor: o.Sensor, home: NewNetworks(o.Home), roles: map[uint16]string{}}
	for _, s := range o.Server {
		id.server = append(id.server, named{NewNetworks(s.Networks), s.Name})
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

func (id *identifier) role(port uint16) string {
	if r, ok := id.roles[port]; ok {
		return r
	}
	return "other"
}

func (id *identifier) isServer(port uint16) bool { _, ok := id.roles[port]; return ok }

func (id *identifier) name(a netip.Addr) string {
	for i := range id.server {
		if id.server[i].networks.Contain(a) {
			return id.server[i].name
		}
	}
	return ""
}

// direction tells who talks to whom: inbound is from outside to a server of
// ours.
func (id *identifier) direction(c, s netip.Addr) string {
	in, out := id.home.Contain(c), id.home.Contain(s)
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
	var room [64]byte
	b := id.appendSessionID(room[:0], c, s, start, isn)
	n := len(b)
	names := string(appendCommunityID(b, c, s))
	return &Conn{
		ID:          names[:n],
		CommunityID: names[n:],
		Client:      c,
		Server:      s,
		ServerName:  id.name(s.Addr()),
		Role:        id.role(s.Port()),
		Direction:   id.direction(c.Addr(), s.Addr()),
		Start:       timeOf(start),
	}
}

// appendSessionID hashes what makes a connection unique over sensors and
// restarts.
func (id *identifier) appendSessionID(to []byte, c, s netip.AddrPort, start int64, isn uint32) []byte {
	b := make([]byte, 0, 128)
	b = append(b, id.sensor...)
	b = append(b, 0)
	b = appendAddr(b, c.Addr())
	b = binary.BigEndian.AppendUint16(b, c.Port())
	b = appendAddr(b, s.Addr())
	b = binary.BigEndian.AppendUint16(b, s.Port())
	b = binary.BigEndian.AppendUint64(b, uint64(start))
	b = binary.BigEndian.AppendUint32(b, isn)
	sum := sha1.Sum(b)
	return hex.AppendEncode(to, sum[:12])
}

func appendAddr(b []byte, a netip.Addr) []byte {
	if a.Is4() {
		four := a.As4()
		return append(b, four[:]...)
	}
	sixteen := a.As16()
	return append(b, sixteen[:]...)
}

// appendCommunityID appends the flow hash of the Community ID specification,
// version 1, seed 0: SHA-1 over the ordered addresses, the protocol and the ports.
func appendCommunityID(to []byte, c, s netip.AddrPort) []byte {
	if s.Compare(c) < 0 {
		c, s = s, c
	}
	b := make([]byte, 2, 64)
	b = appendAddr(b, c.Addr())
	b = appendAddr(b, s.Addr())
	b = append(b, 6, 0) // TCP, padding
	b = binary.BigEndian.AppendUint16(b, c.Port())
	b = binary.BigEndian.AppendUint16(b, s.Port())
	sum := sha1.Sum(b)
	return base64.StdEncoding.AppendEncode(append(to, "1:"...), sum[:])
}
