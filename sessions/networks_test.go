package sessions

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

// TestNetworks holds the set against net/netip.
func TestNetworks(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	address := func() netip.Addr {
		var b [16]byte
		for i := range b {
			b[i] = byte(random.IntN(2)) // few, so that they meet
		}
		switch random.IntN(4) {
		case 0:
			return netip.AddrFrom4([4]byte(b[:4]))
		case 1:
			return netip.AddrFrom16(netip.AddrFrom4([4]byte(b[:4])).As16())
		case 2:
			return netip.AddrFrom16(b).WithZone("eth0")
		}
		return netip.AddrFrom16(b)
	}
	hits := 0
	for range 20000 {
		list := make([]netip.Prefix, 1+random.IntN(3))
		for i := range list {
			a := address().WithZone("")
			list[i] = netip.PrefixFrom(a, random.IntN(a.BitLen()+1))
		}
		set, a := NewNetworks(list), address()
		want := false
		for _, p := range list {
			want = want || p.Contains(a.Unmap().WithZone(""))
		}
		if got := set.Contain(a); got != want {
			t.Fatalf("%v in %v: %v, want %v", a, list, got, want)
		}
		if want {
			hits++
		}
	}
	if hits < 1000 {
		t.Errorf("only %d of the addresses were in a network", hits)
	}
	empty := NewNetworks([]netip.Prefix{{}})
	if empty.Contain(netip.MustParseAddr("10.0.0.1")) || empty.Contain(netip.Addr{}) {
		t.Error("an empty set contains an address")
	}
}
