package sessions_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture/packet"
)

// forge is a segment with other octets and a TTL that ends before its receiver.
func forge(s packet.Segment) packet.Segment {
	s.Payload = bytes.Repeat([]byte("X"), s.Length)
	s.TTL = 3
	return s
}

// TestForgedTTL puts a forged copy before and behind each segment: what its
// receiver took is told.
func TestForgedTTL(t *testing.T) {
	whole := plainDialog(t)
	told := func(s []packet.Segment) string { return withoutBytes(withoutAnomalies(facts(play(t, s)))) }
	want := told(whole)
	for i, s := range whole {
		if s.Length == 0 {
			continue
		}
		for what, at := range map[string]int{"before": i, "behind": i + 1} {
			if got := told(slices.Insert(slices.Clone(whole), at, forge(s))); got != want {
				t.Errorf("%s packet %d\ngot\n%s\nwant\n%s", what, i, got, want)
			}
		}
	}
}

// TestPathChanges lets the TTL of both directions change in mid-connection, and
// of one direction alternate: all of it is read.
func TestPathChanges(t *testing.T) {
	whole := plainDialog(t)
	told := func(s []packet.Segment) string { return withoutTimes(withoutAnomalies(facts(play(t, s)))) }
	want := told(whole)
	for from := range whole {
		changed, alternates := slices.Clone(whole), slices.Clone(whole)
		for i := from; i < len(whole); i++ {
			changed[i].TTL--
			alternates[i].TTL -= uint8(i/2) % 2
		}
		if got := told(changed); got != want {
			t.Errorf("changed at packet %d\ngot\n%s\nwant\n%s", from, got, want)
		}
		if got := told(alternates); got != want {
			t.Errorf("alternating from packet %d\ngot\n%s\nwant\n%s", from, got, want)
		}
	}
}

// TestForgedReset sends a RST in place whose TTL is odd: it counts only where
// the dialog does not go on.
func TestForgedReset(t *testing.T) {
	whole := plainDialog(t)
	for i := 4; i < len(whole)-5; i++ {
		rst := whole[i]
		rst.Seq += uint32(rst.Length)
		rst.Payload, rst.Length, rst.Flags, rst.TTL = nil, 0, packet.RST|packet.ACK, 250
		if got := play(t, slices.Insert(slices.Clone(whole), i+1, rst)); !strings.Contains(got, `"end":"quit"`) || !strings.Contains(got, "4ABC") {
			t.Errorf("behind packet %d\n%s", i, got)
		}
		if got := play(t, append(slices.Clone(whole[:i+1]), rst)); !strings.Contains(got, `"end":"reset"`) && !bytes.Contains(whole[i].Payload, []byte("QUIT")) {
			t.Errorf("as the last behind packet %d\n%s", i, got)
		}
	}
}
