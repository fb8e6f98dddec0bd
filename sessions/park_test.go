package sessions_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// TestParked parks every connection of the real captures behind its greeting, as
// it came and without its first segment: the events are the same.
func TestParked(t *testing.T) {
	parked := 0
	for _, r := range connections(t) {
		o := r.options(t)
		tell := func(segments []packet.Segment, park bool) string {
			var b strings.Builder
			tracker := sessions.NewTracker(o, sessions.HandlerFunc(func(e sessions.Event) {
				describe(&b, e)
				if c, ok := e.(*sessions.Closed); ok {
					fmt.Fprintln(&b, c.Conn.ID, c.Session.End, c.Session.Banner.Delay)
				}
			}))
			if park {
				tracker.ParkAtOnce()
			}
			for i := range segments {
				s := segments[i]
				tracker.Segment(&s)
				parked += tracker.Parked()
			}
			tracker.Close()
			if n := tracker.Parked(); n != 0 {
				t.Fatalf("%s: %d are parked in the end", r.name, n)
			}
			return b.String()
		}
		for missed := range min(2, len(r.segments)) {
			if got, want := tell(r.segments[missed:], true), tell(r.segments[missed:], false); got != want {
				t.Errorf("%s without its first %d\ngot\n%s\nwant\n%s", r.name, missed, firstDifference(got, want), firstDifference(want, got))
			}
		}
	}
	if parked == 0 {
		t.Error("nothing was parked")
	}
}

// TestParkedBehind has connections parked the later the more others talk, and
// sooner again when those have ended.
func TestParkedBehind(t *testing.T) {
	tracker := sessions.NewTracker(sessions.Options{Memory: 1 << 40}, sessions.HandlerFunc(func(sessions.Event) {}))
	all := segments(t, "S: 220 mx\nC: EHLO a\nS: 250 mx\nC: QUIT\nS: 221 bye\nclose S\nclose C\n", dialog.Options{})
	greeted, talking := 4, 6 // segments
	play := func(first, count, from, to int) {
		for i := first; i < first+count; i++ {
			for _, s := range all[from:to] {
				for _, a := range []*packet.Address{&s.Src, &s.Dst} {
					if a.Lo == 0xc0000201 { // the client's
						a.Lo = 0x0a000000 + uint64(i)
					}
				}
				tracker.Segment(&s)
			}
		}
	}
	play(0, 1100, 0, greeted)
	if n := tracker.Parked(); n != 1100-1024 {
		t.Errorf("%d of 1100 parked, none of which talks", n)
	}
	play(10_000, 8000, 0, talking)
	was := tracker.Parked()
	play(20_000, 2000, 0, greeted)
	if n := tracker.Parked(); n != was {
		t.Errorf("%d of 2000 parked beside 8000 that talk", n-was)
	}
	play(10_000, 8000, talking, len(all))
	play(30_000, 4000, 0, greeted)
	if n, open := tracker.Parked(), 1100+2000+4000; n < open-1100 {
		t.Errorf("%d of %d parked when nobody talks any more", n, open)
	}
}

// TestFlood floods a small table with what anybody can forge: bare SYNs, SYNs that
// bring octets, and segments out of nowhere. Those go, the session stays.
func TestFlood(t *testing.T) {
	forged := []packet.Segment{
		{Flags: packet.SYN},
		{Flags: packet.SYN, Payload: []byte("EHLO a\r\n"), Length: 8},
		{Flags: packet.ACK, Payload: []byte("MAIL FROM:<>\r\n"), Length: 14},
	}
	for _, s := range forged {
		for _, o := range []sessions.Options{{Limits: sessions.Limits{Connections: 1000}}, {Memory: 300 << 10}} {
			flood(t, s, o)
		}
	}
}

func flood(t *testing.T, forged packet.Segment, o sessions.Options) {
	t.Helper()
	ends := map[string]int{}
	tracker := sessions.NewTracker(o, sessions.HandlerFunc(func(e sessions.Event) {
		if c, ok := e.(*sessions.Closed); ok && !(c.Session.End == sessions.EndQuit && c.Session.Partial) { // the rest of one that was let go
			ends[c.Session.End]++
		}
	}))
	dialog := segments(t, "S: 220 mx\nC: EHLO a\nS: 250 mx\nC: QUIT\nS: 221 bye\n", dialog.Options{})
	half := len(dialog) / 2
	for i := range dialog[:half] {
		tracker.Segment(&dialog[i])
	}
	for i := range 20000 {
		s := forged
		s.Time, s.TTL, s.Src, s.Dst, s.SrcPort, s.DstPort = dialog[half].Time+int64(i), 64, packet.Address{Lo: uint64(i) + 1<<24}, packet.Address{Lo: 1}, 9, 25
		tracker.Segment(&s)
	}
	if n := ends[sessions.EndEvicted]; n < 18000 || n >= 20000 {
		t.Errorf("flags %#x: %d of 20000 were let go", forged.Flags, n)
	}
	for i := range dialog[half:] {
		tracker.Segment(&dialog[half+i])
	}
	tracker.Close()
	if ends[sessions.EndQuit] != 1 {
		t.Errorf("flags %#x, %d octets: the session did not outlive the flood: %v", forged.Flags, forged.Length, ends)
	}
}

// TestExpireInParts has more attempts due at once than end in one call: the others
// end in the next ones.
func TestExpireInParts(t *testing.T) {
	var ended []int64
	tracker := sessions.NewTracker(sessions.Options{Limits: sessions.Limits{Connections: 160}}, sessions.HandlerFunc(func(e sessions.Event) {
		if c, ok := e.(*sessions.Closed); ok && c.Session.End == sessions.EndUnanswered {
			ended = append(ended, c.Conn.Start.UnixNano())
		}
	}))
	for i := range 45 {
		tracker.Segment(&packet.Segment{Time: 1e18 + int64(i), Src: packet.Address{Lo: uint64(i) + 1<<24}, Dst: packet.Address{Lo: 1}, SrcPort: 9, DstPort: 25, Flags: packet.SYN, TTL: 64})
	}
	for i, want := range []int{10, 20, 30, 40, 45, 45} {
		tracker.Advance(1e18 + int64(100+i)*1e9)
		if len(ended) != want {
			t.Fatalf("after %d calls %d have ended, want %d", i+1, len(ended), want)
		}
	}
	if s := tracker.Stats(); s.Opening != 0 {
		t.Errorf("%d are left", s.Opening)
	}
}
