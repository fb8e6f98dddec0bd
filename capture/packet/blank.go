package packet

import "encoding/binary"

// Part is a part of a payload: from a place up to another.
type Part struct{ From, To int }

// Blank overwrites parts of the payload with fill, in the packet that the
// segment has borrowed them from, and mends a checksum that was right, so that
// a copy without its secrets still reads as the packet did. What of a part was
// not captured is passed over. A checksum around a tunnel stays right too: the
// sum of what it covers is the same.
func (s *Segment) Blank(fill byte, parts ...Part) {
	good := s.Checksum() == ChecksumGood
	for _, p := range parts {
		for i := max(p.From, 0); i < min(p.To, len(s.Payload)); i++ {
			s.Payload[i] = fill
		}
	}
	if !good {
		return
	}
	binary.BigEndian.PutUint16(s.whole[16:], 0)
	s.Sum = ^fold(add(s.pseudoHeader(), sum(s.whole)))
	binary.BigEndian.PutUint16(s.whole[16:], s.Sum)
}
