package sessions

import (
	"slices"
	"testing"

	"github.com/mailtap/mailtap/decode/smtp"
)

// More commands of a kind than fit into few, and back again.
func TestVerbCountsBeyondFew(t *testing.T) {
	var c verbCounts
	for n := range 1000 {
		c.add(smtp.RCPT)
		if got := c.of(smtp.RCPT); got != n+1 {
			t.Fatalf("%d after %d", got, n+1)
		}
	}
	c.add(smtp.EHLO)
	c.add(smtp.EndOfDot) // is no command
	if got, want := c.counts(), []Count{{"EHLO", 1}, {"RCPT", 1000}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for n := 1000; n > 0; n-- {
		c.takeBack(smtp.RCPT)
		if got := c.of(smtp.RCPT); got != n-1 {
			t.Fatalf("%d, want %d", got, n-1)
		}
	}
	c.takeBack(smtp.RCPT)
	if got := c.counts(); !slices.Equal(got, []Count{{"EHLO", 1}}) {
		t.Errorf("taken back: %v", got)
	}
}

// More codes than few has places, and one more often than it counts: each stands
// once, by name.
func TestCodeCountsBeyondFew(t *testing.T) {
	var c codeCounts
	want := map[string]int{}
	texts := &texts{}
	add := func(code uint16, times int) {
		for range times {
			c.add(code)
		}
		want[texts.code(uint32(code))] += times
	}
	for code := range uint16(9) {
		add(554-code, 1+int(code))
	}
	add(554, 140_000) // in few
	add(546, 140_000) // in more
	got := c.counts(texts)
	if len(got) != len(want) || !slices.IsSortedFunc(got, byName) {
		t.Errorf("%v", got)
	}
	for _, of := range got {
		if want[of.Name] != of.N {
			t.Errorf("%s: %d, want %d", of.Name, of.N, want[of.Name])
		}
	}
}

// Commands beyond a room are answered in their order, and the room that others get
// next holds nothing of them.
func TestRoomIsLeftEmpty(t *testing.T) {
	tracker := &Tracker{}
	s := &session{f: &flow{t: tracker}}
	for round := range 3 {
		for i := range 11 {
			s.wait(command{verb: smtp.RCPT, arg: "a secret place", begin: int64(i)})
		}
		s.putBack(command{begin: -1})
		for want := int64(-1); want < 11; want++ {
			if c := s.shift(); c.begin != want {
				t.Fatalf("round %d: %d, want %d", round, c.begin, want)
			}
		}
		if s.room != nil || len(tracker.rooms.spare) != 1 {
			t.Fatalf("round %d: the room is not given back: %d", round, len(tracker.rooms.spare))
		}
		for _, c := range tracker.rooms.spare[0].first {
			if c.arg != "" || c.begin != 0 {
				t.Errorf("round %d: left behind: %+v", round, c)
			}
		}
	}
}
