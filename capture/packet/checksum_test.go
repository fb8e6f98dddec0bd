package packet

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// slow is RFC 1071 as it is written.
func slow(b []byte) uint16 {
	var total uint32
	for i := 0; i+1 < len(b); i += 2 {
		total += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 == 1 {
		total += uint32(b[len(b)-1]) << 8
	}
	for total > 0xffff {
		total = total>>16 + total&0xffff
	}
	return uint16(total)
}

func TestChecksum(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for n := range 3000 {
		b := make([]byte, tcpHeader+rnd.IntN(200))
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		s := Segment{whole: b}
		s.SetEnds(netip.MustParseAddrPort("192.0.2.1:25"), netip.MustParseAddrPort("198.51.100.7:4000"))
		if n%2 == 1 {
			s.SetEnds(netip.MustParseAddrPort("[2001:db8::1]:25"), netip.MustParseAddrPort("[2001:db8::ffff]:4000"))
		}
		pseudo := append(append([]byte(nil), s.From().Addr().AsSlice()...), s.To().Addr().AsSlice()...)
		pseudo = binary.BigEndian.AppendUint32(append(pseudo, 0, 6), uint32(len(b)))
		b[16], b[17] = 0, 0
		good := ^slow(append(pseudo[:len(pseudo):len(pseudo)], b...))
		binary.BigEndian.PutUint16(b[16:], good)
		if got := s.Checksum(); got != ChecksumGood {
			t.Fatalf("%d octets: %v, want good", len(b), got)
		}
		binary.BigEndian.PutUint16(b[16:], slow(pseudo))
		if got := s.Checksum(); got != ChecksumOffloaded && good != slow(pseudo) {
			t.Fatalf("pseudo-header alone: %v", got)
		}
		binary.BigEndian.PutUint16(b[16:], good)
		b[rnd.IntN(len(b))] ^= 1 << rnd.IntN(8)
		if got := s.Checksum(); got == ChecksumGood {
			t.Fatalf("a flipped bit in %d octets counts as good", len(b))
		}
	}
	if got := (&Segment{}).Checksum(); got != ChecksumUnknown {
		t.Errorf("nothing captured: %v", got)
	}
}

func BenchmarkChecksum(b *testing.B) {
	s := Segment{whole: make([]byte, 1460)}
	s.SetEnds(netip.MustParseAddrPort("192.0.2.1:25"), netip.MustParseAddrPort("198.51.100.7:4000"))
	b.SetBytes(1460)
	b.ReportAllocs()
	for b.Loop() {
		s.Checksum()
	}
}
