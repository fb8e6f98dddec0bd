package sessions_test

import (
	"encoding/binary"
	"os"
	"testing"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// onWire writes a segment as an IPv4 packet and decodes it again. wrong says
// which checksum it carries.
func onWire(t *testing.T, s packet.Segment, sum func(right, pseudo uint16) uint16) packet.Segment {
	t.Helper()
	src, dst := s.From().Addr().As4(), s.To().Addr().As4()
	tcp := make([]byte, 20, 20+len(s.Payload))
	binary.BigEndian.PutUint16(tcp, s.From().Port())
	binary.BigEndian.PutUint16(tcp[2:], s.To().Port())
	binary.BigEndian.PutUint32(tcp[4:], s.Seq)
	binary.BigEndian.PutUint32(tcp[8:], s.Ack)
	tcp[12], tcp[13] = 5<<4, s.Flags
	tcp = append(tcp, s.Payload...)
	pseudo := add16(add16(0, src[:]), dst[:]) + 6 + uint32(len(tcp))
	binary.BigEndian.PutUint16(tcp[16:], sum(^fold16(add16(pseudo, tcp)), fold16(pseudo)))
	ip := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6, 0, 0}
	binary.BigEndian.PutUint16(ip[2:], uint16(20+len(tcp)))
	frame := append(append(append(ip, src[:]...), dst[:]...), tcp...)
	var out packet.Segment
	p := capture.Packet{Time: s.Time, Data: frame, Length: len(frame), Link: capture.LinkRaw}
	if why := new(packet.Decoder).Decode(&p, &out); why != packet.OK {
		t.Fatal(why)
	}
	return out
}

func add16(total uint32, b []byte) uint32 {
	for i := 0; i < len(b); i += 2 {
		word := uint32(b[i]) << 8
		if i+1 < len(b) {
			word += uint32(b[i+1])
		}
		total += word
	}
	return total
}

func fold16(total uint32) uint16 {
	for total > 0xffff {
		total = total>>16 + total&0xffff
	}
	return uint16(total)
}

// TestChecksums leaves out segments that their receiver dropped, and believes
// captures that have no right checksum at all.
func TestChecksums(t *testing.T) {
	text, err := os.ReadFile("testdata/plain.txt")
	if err != nil {
		t.Fatal(err)
	}
	whole := segments(t, string(text), dialog.Options{})
	want := withoutAnomalies(facts(play(t, whole)))
	right := func(right, _ uint16) uint16 { return right }
	all := func(sum func(right, pseudo uint16) uint16) (out []packet.Segment) {
		for _, s := range whole {
			out = append(out, onWire(t, s, sum))
		}
		return out
	}
	for name, sum := range map[string]func(right, pseudo uint16) uint16{
		"right":                right,
		"of the pseudo-header": func(_, pseudo uint16) uint16 { return pseudo },
		"zero":                 func(_, _ uint16) uint16 { return 0 },
		"all of them wrong":    func(right, _ uint16) uint16 { return right + 1 },
	} {
		if got := withoutAnomalies(facts(play(t, all(sum)))); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
	// Before each segment, the same one with other octets and a wrong checksum.
	var forged []packet.Segment
	for _, s := range whole {
		if evil := s; s.Length > 0 {
			evil.Payload = make([]byte, s.Length)
			for i := range evil.Payload {
				evil.Payload[i] = 'X'
			}
			forged = append(forged, onWire(t, evil, func(right, _ uint16) uint16 { return right + 1 }))
		}
		forged = append(forged, onWire(t, s, right))
	}
	if got := withoutBytes(withoutAnomalies(facts(play(t, forged)))); got != withoutBytes(want) {
		t.Errorf("forged: got\n%s\nwant\n%s", got, want)
	}
}

func withoutAnomalies(s string) string { return odd.ReplaceAllString(s, "") }
