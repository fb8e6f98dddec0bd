package packet

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/mailtap/mailtap/capture"
)

// ipv4TCP is a bare packet with a payload; good says whether its checksum is right.
func ipv4TCP(payload string, good bool) capture.Packet {
	b := append(make([]byte, 40), payload...)
	b[0], b[8], b[9] = 0x45, 64, 6
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	copy(b[12:], []byte{192, 0, 2, 1, 192, 0, 2, 25})
	binary.BigEndian.PutUint16(b[20:], 40000)
	binary.BigEndian.PutUint16(b[22:], 25)
	b[32], b[33] = 5<<4, ACK
	total := sum(b[12:20]) + 0
	field := ^fold(add(add(total, uint64(6+len(b)-20)), sum(b[20:])))
	if !good {
		field ^= 0x55
	}
	binary.BigEndian.PutUint16(b[36:], field)
	return capture.Packet{Data: b, Length: len(b), Link: capture.LinkRaw}
}

func TestBlank(t *testing.T) {
	for _, c := range []struct {
		from, to int
		want     string
	}{
		{0, 6, "******"}, {2, 4, "se**et"}, {1, 2, "s*cret"}, {-3, 1, "*ecret"}, {5, 99, "secre*"}, {3, 3, "secret"}, {4, 2, "secret"}, {9, 12, "secret"},
	} {
		for _, good := range []bool{true, false} {
			p := ipv4TCP("secret", good)
			was := bytes.Clone(p.Data)
			var s, again Segment
			d := Decoder{}
			if why := d.Decode(&p, &s); why != OK || (s.Checksum() == ChecksumGood) != good {
				t.Fatalf("%v, checksum %v", why, s.Checksum())
			}
			s.Blank('*', Part{c.from, c.to})
			if d.Decode(&p, &again) != OK || string(again.Payload) != c.want || (again.Checksum() == ChecksumGood) != good || again.Sum != s.Sum {
				t.Errorf("%d to %d: %q, checksum %v, was right: %v", c.from, c.to, again.Payload, again.Checksum(), good)
			}
			copy(was[36:38], p.Data[36:38])
			copy(was[40:], p.Data[40:])
			if !bytes.Equal(was, p.Data) {
				t.Error("other octets changed")
			}
		}
	}
	// Of a packet that the snap length cut no checksum can be mended.
	p := ipv4TCP("secret", true)
	p.Data = p.Data[:43]
	var s Segment
	d := Decoder{}
	d.Decode(&p, &s)
	if s.Blank('*', Part{0, 2}, Part{2, 6}); string(p.Data[40:]) != "***" {
		t.Errorf("%q", p.Data[40:])
	}
}
