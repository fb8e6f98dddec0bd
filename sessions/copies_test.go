package sessions_test

import (
	"bytes"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// marked gives segments as an intake does: each knows whether it is a copy.
func marked(segments []packet.Segment) []packet.Segment {
	var c packet.Copies
	out := slices.Clone(segments)
	for i := range out {
		out[i].Copy = c.Has(&out[i])
	}
	return out
}

// behindRouter is the copy of a mirror on the other side of a router.
func behindRouter(s packet.Segment, late time.Duration) packet.Segment {
	s.TTL--
	s.VLANs[0], s.VLANCount = 7, 1
	s.Time += int64(late)
	return s
}

// twice shows each of n neighbours, then the copy of each.
func twice(segments []packet.Segment, n int, copyOf func(packet.Segment) packet.Segment) []packet.Segment {
	var out []packet.Segment
	for part := range slices.Chunk(segments, n) {
		out = append(out, part...)
		for _, s := range part {
			out = append(out, copyOf(s))
		}
	}
	return out
}

// TestCopiesChangeNothing shows every packet of every conversation twice.
func TestCopiesChangeNothing(t *testing.T) {
	ways := map[string]func([]packet.Segment) []packet.Segment{
		"at once": func(s []packet.Segment) []packet.Segment {
			return twice(s, 1, func(s packet.Segment) packet.Segment { return s })
		},
		"behind a router": func(s []packet.Segment) []packet.Segment {
			return twice(s, 1, func(s packet.Segment) packet.Segment { return behindRouter(s, 9*time.Millisecond) })
		},
		"the handshake's in pairs": func(s []packet.Segment) []packet.Segment { // they are of one time
			return append(twice(s[:2], 2, func(s packet.Segment) packet.Segment { return behindRouter(s, time.Millisecond) }), s[2:]...)
		},
		"in pairs": func(s []packet.Segment) []packet.Segment {
			return twice(s, 2, func(s packet.Segment) packet.Segment { return behindRouter(s, -time.Millisecond) })
		},
		"three times": func(s []packet.Segment) []packet.Segment {
			return twice(twice(s, 1, func(s packet.Segment) packet.Segment { return s }), 2, func(s packet.Segment) packet.Segment { return s })
		},
	}
	six := dialog.Options{Client: netip.MustParseAddrPort("[2001:db8::1]:40000"), Server: netip.MustParseAddrPort("[2001:db8::25]:25")}
	for file, text := range conversations(t) {
		if bytes.Contains([]byte(text), []byte("# midstream")) {
			continue // no SYN tells that there are copies
		}
		for name, way := range ways {
			for _, o := range []dialog.Options{{}, six} {
				whole := segments(t, text, o)
				want := play(t, whole)
				if got := play(t, marked(way(whole))); got != want {
					t.Errorf("%s %s\ngot\n%s\nwant\n%s", file, name, got, want)
				}
			}
		}
	}
}

// TestRetransmissionIsNoCopy sends a command again after 200 ms.
func TestRetransmissionIsNoCopy(t *testing.T) {
	whole := plainDialog(t)
	at := slices.IndexFunc(whole, func(s packet.Segment) bool { return bytes.HasPrefix(s.Payload, []byte("MAIL")) })
	again := whole[at]
	again.Time += int64(200 * time.Millisecond)
	for i := at + 1; i < len(whole); i++ {
		whole[i].Time += int64(250 * time.Millisecond)
	}
	whole = slices.Insert(whole, at+1, again)
	count := 0
	for _, s := range marked(whole) {
		if s.Copy {
			count++
		}
	}
	got := play(t, marked(whole))
	if want := play(t, whole); got != want || count > 0 || !bytes.Contains([]byte(got), []byte(`"retransmitted":{"client":57`)) {
		t.Errorf("%d copies\n%s\nwant\n%s", count, got, want)
	}
}

// TestForgedFirstCopy lets a packet with other octets stand before the real
// one, with the same header: for the TTL it is kept aside, and the real one
// counts.
func TestForgedFirstCopy(t *testing.T) {
	text, err := os.ReadFile("testdata/plain.txt")
	if err != nil {
		t.Fatal(err)
	}
	whole := segments(t, string(text), dialog.Options{})
	at := slices.IndexFunc(whole, func(s packet.Segment) bool { return bytes.HasPrefix(s.Payload, []byte("MAIL")) })
	forged := whole[at]
	forged.TTL, forged.Payload = 5, bytes.Replace(forged.Payload, []byte("alice"), []byte("wrong"), 1)
	all := twice(slices.Insert(slices.Clone(whole), at, forged), 1, func(s packet.Segment) packet.Segment { return s })
	got := play(t, marked(all))
	if !bytes.Contains([]byte(got), []byte(`"from":"alice@`)) || bytes.Contains([]byte(got), []byte(`"from":"wrong@`)) {
		t.Errorf("the forged sender counts:\n%s", got)
	}
}

// Copies are counted.
func TestCopiesAreCounted(t *testing.T) {
	whole := plainDialog(t)
	tracker := sessions.NewTracker(sessions.Options{}, sessions.HandlerFunc(func(sessions.Event) {}))
	tracker.Segments(marked(twice(whole, 1, func(s packet.Segment) packet.Segment { return s })))
	if got := tracker.Stats().Copies; got != uint64(len(whole)) {
		t.Errorf("%d copies of %d packets", got, len(whole))
	}
}
