package sessions_test

import (
	"net/netip"
	"testing"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// playRow plays connections of clients in a row; segs are of the first one.
func playRow(tracker *sessions.Tracker, segs []packet.Segment, first, n int) {
	for i := range n {
		for _, s := range segs {
			for _, a := range []*packet.Address{&s.Src, &s.Dst} {
				if a.Lo == 0xc0000201 { // the client's
					a.Lo = uint64(first + i)
				}
			}
			tracker.Segment(&s)
		}
	}
}

// TestFloodBesideSessions floods the memory beside sessions that began together
// and so lie together, with what is of less use: none of them goes.
func TestFloodBesideSessions(t *testing.T) {
	const talking, flooding = 3000, 30_000
	text := "S: 220 mx\nC: EHLO a\nS: 250 mx\nC: MAIL FROM:<a@b>\nS: 250 ok\nC: QUIT\nS: 221 bye\nclose S\nclose C\n"
	whole := segments(t, text, dialog.Options{})
	half := len(whole) - 6
	greeted := segments(t, "S: 220 mx\n", dialog.Options{})
	forged := segments(t, "C: MAIL FROM:<forged@example.org>\n", dialog.Options{NoHandshake: true})
	for name, flood := range map[string][]packet.Segment{
		"attempts":  whole[:1],
		"opened":    whole[:3],
		"greeted":   greeted[:4],
		"midstream": forged[:1],
	} {
		ends := map[string]int{}
		tracker := sessions.NewTracker(sessions.Options{Memory: 12 << 20}, sessions.HandlerFunc(func(e sessions.Event) {
			if c, ok := e.(*sessions.Closed); ok && len(c.Session.Mails) > 0 && c.Session.Helo.Name == "a" {
				ends[c.Session.End]++
			}
		}))
		playRow(tracker, whole[:half], 0x0a000000, talking)
		playRow(tracker, flood, 0x0b000000, flooding)
		evicted := tracker.Stats().EvictedMemory
		playRow(tracker, whole[half:], 0x0a000000, talking)
		tracker.Close()
		if evicted == 0 || ends[sessions.EndQuit] != talking || len(ends) != 1 {
			t.Errorf("%s: %d let go, sessions ended as %v", name, evicted, ends)
		}
	}
}

// TestSilentBeginToTalk lets more connections talk than there is memory for: none
// is new, still the memory is kept.
func TestSilentBeginToTalk(t *testing.T) {
	const count = 20_000
	whole := segments(t, "S: 220 mx\nC: EHLO a\nS: 250 mx\n", dialog.Options{})
	tracker := sessions.NewTracker(sessions.Options{Memory: 12 << 20}, sessions.HandlerFunc(func(sessions.Event) {}))
	playRow(tracker, whole[:4], 0x0a000000, count)
	if n := tracker.Stats().EvictedMemory; n != 0 {
		t.Fatalf("%d were let go while all were silent", n)
	}
	before := heap()
	playRow(tracker, whole[4:], 0x0a000000, count)
	if grown := heap() - before; grown > 12<<20 || tracker.Stats().EvictedMemory == 0 {
		t.Errorf("%d octets more, %+v", grown, tracker.Stats())
	}
}

// TestAllTalk has no connection of less use: the longest idle go, and room is
// made without a search through all of them each time.
func TestAllTalk(t *testing.T) {
	const count = 20_000
	whole := segments(t, "S: 220 mx\nC: EHLO a\nS: 250 mx\n", dialog.Options{Client: netip.MustParseAddrPort("192.0.2.1:40000")})
	tracker := sessions.NewTracker(sessions.Options{Memory: 12 << 20}, sessions.HandlerFunc(func(sessions.Event) {}))
	before := heap()
	playRow(tracker, whole, 0x0a000000, count)
	s := tracker.Stats()
	if grown := heap() - before; grown > 20<<20 || s.EvictedMemory < count/2 || s.Established+int(s.EvictedMemory) != count {
		t.Errorf("%d octets, %+v", grown, s)
	}
}

// TestGreetedBesideFewSessions has a budget that fewer flows fill than wait behind
// their greeting before they are parked: sessions stay, and so do those that were
// greeted while parking them makes room.
func TestGreetedBesideFewSessions(t *testing.T) {
	const talking = 60
	text := "S: 220 mx\nC: EHLO a\nS: 250 mx\nC: MAIL FROM:<a@b>\nS: 250 ok\nC: QUIT\nS: 221 bye\nclose S\nclose C\n"
	whole := segments(t, text, dialog.Options{})
	half := len(whole) - 6
	for greeting, spared := range map[string]int{"S: 220 mx\n": 2000, "S: 220-mx\nS: 220 of two lines\n": 0} {
		greeted := segments(t, greeting, dialog.Options{})
		ends := map[string]int{}
		tracker := sessions.NewTracker(sessions.Options{Memory: 1 << 20}, sessions.HandlerFunc(func(e sessions.Event) {
			if c, ok := e.(*sessions.Closed); ok && c.Session.Helo.Name == "a" {
				ends[c.Session.End]++
			}
		}))
		playRow(tracker, whole[:half], 0x0a000000, talking)
		playRow(tracker, greeted[:4], 0x0b000000, spared)
		if n := tracker.Stats().EvictedMemory; n != 0 {
			t.Errorf("%q: %d were let go that parking makes room for", greeting, n)
		}
		playRow(tracker, greeted[:4], 0x0b000000+spared, 20_000)
		evicted := tracker.Stats().EvictedMemory
		playRow(tracker, whole[half:], 0x0a000000, talking)
		tracker.Close()
		if evicted == 0 || ends[sessions.EndQuit] != talking || len(ends) != 1 {
			t.Errorf("%q: %d let go, sessions ended as %v", greeting, evicted, ends)
		}
	}
}
