package main

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
)

// A renumbered frame is the same frame of another client port, with a
// checksum that holds as far as it held before.
func TestRenumber(t *testing.T) {
	d, err := newDemoSource(1)
	if err != nil {
		t.Fatal(err)
	}
	changed := 0
	var before, after packet.Segment
	var decoder packet.Decoder
	for _, p := range d.packets {
		frame := bytes.Clone(p.Data)
		renumber(frame, 3)
		if decoder.Decode(&p, &before) != packet.OK {
			if !bytes.Equal(frame, p.Data) {
				t.Fatal("a frame without TCP was changed")
			}
			continue
		}
		if r := decoder.Decode(&capture.Packet{Data: frame, Length: p.Length, Link: p.Link}, &after); r != packet.OK {
			t.Fatal(r)
		}
		if checksum(p.Data) != checksum(frame) {
			t.Fatalf("the checksum of %v changed from %04x to %04x", before.From(), checksum(p.Data), checksum(frame))
		}
		if before.From() != after.From() || before.To() != after.To() {
			changed++
		}
	}
	if changed < 4000 {
		t.Errorf("only %d frames have other ports", changed)
	}
}

// checksum sums up a segment with its pseudo header; ffff where it is right.
func checksum(frame []byte) uint16 {
	tcp := tcpOffset(frame)
	addresses, length := frame[26:34], int(binary.BigEndian.Uint16(frame[16:]))-(tcp-14)
	if frame[12] == 0x86 {
		addresses, length = frame[22:54], int(binary.BigEndian.Uint16(frame[18:]))
	}
	sum := uint32(6 + length)
	for _, b := range [][]byte{addresses, frame[tcp : tcp+length]} {
		for i := 0; i+1 < len(b); i += 2 {
			sum += uint32(binary.BigEndian.Uint16(b[i:]))
		}
		if len(b)%2 == 1 {
			sum += uint32(b[len(b)-1]) << 8
		}
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	return uint16(sum)
}

// The demo plays, alerts and delivers, and its first screen says what to open.
func TestDemo(t *testing.T) {
	status, stdout, stderr := call("", "demo", "--web.listen-address", "127.0.0.1:0", "--speed", "100", "--duration", "4s")
	if status != 0 || stderr != "" {
		t.Errorf("status %d, %q", status, stderr)
	}
	for _, want := range []string{
		"/metrics ", "alert    ", "PlaintextCredentials", "AuthBruteForce", "PasswordSpray", "StartTLSStripped", "SMTPSmuggling",
		"webhook  POST v4 firing AuthBruteForce to receiver demo",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the demo does not say %q:\n%s", want, stdout)
		}
	}
}
