package sessions

import (
	"encoding/binary"
	"net/netip"
)

// Networks is a set of networks that is asked for each connection, by rules
// too: a network is two words and their masks. An IPv4-mapped address counts as
// the IPv4 address that it is, a zone as none.
type Networks struct{ v4, v6 []network }

type network struct{ hi, lo, hiMask, loMask uint64 }

// NewNetworks makes a set.
func NewNetworks(list []netip.Prefix) Networks {
	var n Networks
	for _, p := range list {
		if !p.IsValid() {
			continue
		}
		a := p.Addr().As16()
		bits, of := p.Bits(), &n.v6
		if p.Addr().Is4() {
			bits, of = bits+96, &n.v4
		}
		w := network{hiMask: mask(bits), loMask: mask(bits - 64)}
		w.hi, w.lo = binary.BigEndian.Uint64(a[:])&w.hiMask, binary.BigEndian.Uint64(a[8:])&w.loMask
		*of = append(*of, w)
	}
	return n
}

// mask has as many bits set, from the highest on.
func mask(bits int) uint64 {
	if bits <= 0 {
		return 0
	}
	return ^uint64(0) << max(64-bits, 0)
}

// Contain says whether an address is in one of the networks.
func (n *Networks) Contain(a netip.Addr) bool {
	if !a.IsValid() {
		return false
	}
	list := n.v6
	if a.Is4() || a.Is4In6() {
		list = n.v4
	}
	b := a.As16()
	hi, lo := binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])
	for i := range list {
		if w := &list[i]; hi&w.hiMask == w.hi && lo&w.loMask == w.lo {
			return true
		}
	}
	return false
}
