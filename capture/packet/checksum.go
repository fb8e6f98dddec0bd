package packet

import (
	"encoding/binary"
	"math/bits"
)

// Checksum says what a segment's checksum tells (RFC 9293, 3.1).
type Checksum uint8

// Verdicts. A sender's own capture shows checksums that the network card has
// still to fill in, and a receiver's shows merged segments whose checksum was
// not made anew: both carry the sum of the pseudo-header alone.
const (
	ChecksumUnknown   Checksum = iota // not all octets were captured
	ChecksumGood                      // what a receiver takes
	ChecksumOffloaded                 // of the pseudo-header alone: it tells nothing
	ChecksumBad                       // a receiver drops it
)

// Checksum judges the segment. It reads all of its octets; Payload must not
// have changed since Decode.
func (s *Segment) Checksum() Checksum {
	if len(s.whole) < tcpHeader {
		return ChecksumUnknown
	}
	pseudo := s.pseudoHeader()
	field := binary.BigEndian.Uint16(s.whole[16:])
	switch {
	case fold(add(pseudo, sum(s.whole))) == 0xffff:
		return ChecksumGood
	case field == fold(pseudo) || field == ^fold(pseudo) || field == 0:
		return ChecksumOffloaded
	}
	return ChecksumBad
}

// pseudoHeader sums the addresses, the protocol and the length (RFC 9293, 3.1;
// RFC 8200, 8.1).
func (s *Segment) pseudoHeader() uint64 {
	rest := uint64(len(s.whole)) + 6
	return add(add(add(add(rest, s.Src.Hi), s.Src.Lo), s.Dst.Hi), s.Dst.Lo)
}

// sum adds octets as big-endian words, with the carries brought round: any
// word size gives the same ones' complement sum once folded (RFC 1071, 2).
func sum(b []byte) uint64 {
	var total, carry uint64
	for len(b) >= 32 {
		total, carry = bits.Add64(total, binary.BigEndian.Uint64(b), carry)
		total, carry = bits.Add64(total, binary.BigEndian.Uint64(b[8:]), carry)
		total, carry = bits.Add64(total, binary.BigEndian.Uint64(b[16:]), carry)
		total, carry = bits.Add64(total, binary.BigEndian.Uint64(b[24:]), carry)
		b = b[32:]
	}
	for len(b) >= 8 {
		total, carry = bits.Add64(total, binary.BigEndian.Uint64(b), carry)
		b = b[8:]
	}
	total = add(total, carry)
	var last [8]byte
	copy(last[:], b)
	return add(total, binary.BigEndian.Uint64(last[:]))
}

func add(a, b uint64) uint64 {
	total, carry := bits.Add64(a, b, 0)
	return total + carry
}

func fold(total uint64) uint16 {
	for total > 0xffff {
		total = total>>16 + total&0xffff
	}
	return uint16(total)
}
