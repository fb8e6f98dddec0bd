package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// captureOf writes frames of segments as a capture file. Identifications count
// as Linux counts them.
type captureOf struct {
	file []byte
	ids  [2]uint16
}

func newCapture() *captureOf {
	return &captureOf{file: []byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00\x00")}
}

func (c *captureOf) frame(ns int64, frame []byte) {
	us := ns / 1000
	for _, v := range []uint32{uint32(us / 1e6), uint32(us % 1e6), uint32(len(frame)), uint32(len(frame))} {
		c.file = binary.LittleEndian.AppendUint32(c.file, v)
	}
	c.file = append(c.file, frame...)
}

// ipv4 makes the IP packet of a segment; its checksums are right.
func (c *captureOf) ipv4(s *packet.Segment) []byte {
	side := 0
	if s.Src.Lo > s.Dst.Lo {
		side = 1
	}
	c.ids[side]++
	from, to := s.From().Addr().As4(), s.To().Addr().As4()
	b := []byte{0x45, 0, 0, 0, 0, 0, 0x40, 0, s.TTL, 6, 0, 0}
	binary.BigEndian.PutUint16(b[2:], uint16(40+len(s.Payload)))
	binary.BigEndian.PutUint16(b[4:], c.ids[side])
	b = append(append(b, from[:]...), to[:]...)
	t := binary.BigEndian.AppendUint16(nil, s.SrcPort)
	t = binary.BigEndian.AppendUint16(t, s.DstPort)
	t = binary.BigEndian.AppendUint32(t, s.Seq)
	t = binary.BigEndian.AppendUint32(t, s.Ack)
	t = append(append(t, 0x50, s.Flags, 2, 0, 0, 0, 0, 0), s.Payload...)
	pseudo := append(append(append([]byte{}, from[:]...), to[:]...), 0, 6, byte(len(t)>>8), byte(len(t)))
	binary.BigEndian.PutUint16(t[16:], internetSum(append(pseudo, t...)))
	return append(b, t...)
}

func internetSum(b []byte) uint16 {
	var sum uint32
	for i, octet := range b {
		sum += uint32(octet) << (8 * (1 - i&1))
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

const macs = "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02"

func ether(ip []byte) []byte { return append([]byte(macs+"\x08\x00"), ip...) }

func vlan(ip []byte) []byte { return append([]byte(macs+"\x81\x00\x00\x07\x08\x00"), ip...) }

func dialogOf(t *testing.T, name string, o dialog.Options) []packet.Segment {
	t.Helper()
	text, err := os.ReadFile("../../sessions/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := dialog.Segments(string(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestReadTwice reads a capture that has every packet twice, as two mirror
// sessions on the two sides of a router give it: at once, and by pairs.
func TestReadTwice(t *testing.T) {
	whole := dialogOf(t, "plain.txt", dialog.Options{})
	for i := range whole {
		whole[i].Time -= (whole[i].Time - whole[0].Time) / 5 * 4 // each comes 2 ms after the one before
	}
	plain, atOnce, pairs := newCapture(), newCapture(), newCapture()
	var waiting [][]byte
	for i := range whole {
		s := &whole[i]
		ip := plain.ipv4(s)
		again := append([]byte{}, ip...)
		again[8]--
		plain.frame(s.Time, ether(ip))
		atOnce.frame(s.Time, ether(ip))
		atOnce.frame(s.Time+1000, vlan(again))
		pairs.frame(s.Time, ether(ip))
		if waiting = append(waiting, vlan(again)); i%2 == 1 || i == len(whole)-1 {
			for _, frame := range waiting {
				pairs.frame(s.Time+1000, frame)
			}
			waiting = nil
		}
	}
	read := func(c *captureOf, format, shards string) string {
		_, out, errs := call(string(c.file), "read", "--log.level", "error", "--sensor", "test", "--shards", shards, "--format", format, "-")
		return out + errs
	}
	want := read(plain, "json", "1")
	if !strings.Contains(want, `"event":"mail"`) || strings.Contains(want, "retransmitted") {
		t.Fatalf("of every packet once:\n%s", want)
	}
	for _, c := range []*captureOf{atOnce, pairs} {
		for _, shards := range []string{"1", "3"} {
			if got := read(c, "json", shards); got != want {
				t.Errorf("%s shards\ngot\n%s\nwant\n%s", shards, got, want)
			}
		}
		if report := read(c, "text", "2"); !strings.Contains(report, fmt.Sprintf("packets left out  %d: %[1]d duplicate\n", len(whole))) {
			t.Errorf("%d copies are not counted:\n%s", len(whole), report)
		}
	}
	late := newCapture()
	for i := range whole {
		s := &whole[i]
		s.Time = whole[0].Time + int64(i)*1e9
		late.frame(s.Time, ether(late.ipv4(s)))
		if len(s.Payload) > 0 {
			late.frame(s.Time+200e6, ether(late.ipv4(s)))
		}
	}
	if got := read(late, "json", "2"); !strings.Contains(got, `"retransmitted":{"client":269,"server":198}`) {
		t.Errorf("what was sent again is not counted:\n%s", got)
	}
}
