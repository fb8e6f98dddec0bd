package sessions

import "github.com/mailtap/mailtap/capture/packet"

// link is the way that a connection's first packet came.
type link struct {
	vlans   []uint16
	tunnels []string
}

// links numbers the ways that were seen: an entry keeps the number.
type links struct {
	all  []link
	seen map[linkKey]uint32
}

type linkKey struct {
	vlans   [packet.MaxVLANs]uint16
	tunnels [packet.MaxTunnels]packet.Tunnel
	counts  [2]uint8
}

// maxLinks bounds what is numbered; identifiers of tunnels are in a sender's hands.
const maxLinks = 1 << 14

// tooManyLinks is the number of all ways beyond.
const tooManyLinks = ^uint32(0)

// of returns the number of the way of a segment, 0 for a plain one.
func (l *links) of(s *packet.Segment) uint32 {
	if s.VLANCount == 0 && s.TunnelCount == 0 {
		return 0
	}
	k := linkKey{s.VLANs, s.Tunnels, [2]uint8{s.VLANCount, s.TunnelCount}}
	if n, ok := l.seen[k]; ok {
		return n
	}
	if len(l.all) == maxLinks {
		return tooManyLinks
	}
	if l.seen == nil {
		l.seen = map[linkKey]uint32{}
	}
	l.all = append(l.all, linkOf(s))
	l.seen[k] = uint32(len(l.all))
	return uint32(len(l.all))
}

func linkOf(s *packet.Segment) (l link) {
	l.vlans = append(l.vlans, s.VLANs[:s.VLANCount]...)
	for _, t := range s.Tunnels[:s.TunnelCount] {
		l.tunnels = append(l.tunnels, t.String())
	}
	return l
}

// get returns the way of a number, nil for a plain one.
func (l *links) get(n uint32) *link {
	if n == 0 || n == tooManyLinks {
		return nil
	}
	return &l.all[n-1]
}
