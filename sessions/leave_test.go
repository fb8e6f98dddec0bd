package sessions_test

import (
	"testing"
	"time"

	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

const whole = "S: 220 mx\nC: EHLO a\nS: 250 mx\nC: MAIL FROM:<a@b>\nS: 250 ok\nC: QUIT\nS: 221 bye\nclose S\nclose C\n"

// TestLeave leaves out half of the connections from their beginning, and then none:
// of those that were left out nothing is ever told, the others are whole.
func TestLeave(t *testing.T) {
	const count = 4000
	segs := segments(t, whole, dialog.Options{})
	events, ended := 0, 0
	tracker := sessions.NewTracker(sessions.Options{}, sessions.HandlerFunc(func(e sessions.Event) {
		events++
		if c, ok := e.(*sessions.Closed); ok {
			if ended++; c.Session.End != sessions.EndQuit || c.Session.Lost != (sessions.Sides{}) || len(c.Session.Anomalies) > 0 {
				t.Errorf("ended as %s, lost %v, %v", c.Session.End, c.Session.Lost, c.Session.Anomalies)
			}
		}
	}))
	tracker.Leave(1 << 15)
	playRow(tracker, segs[:len(segs)/2], 0x0a000000, count)
	tracker.Leave(0)
	playRow(tracker, segs[len(segs)/2:], 0x0a000000, count)
	tracker.Close()
	left := int(tracker.Stats().Left)
	if left < count*2/5 || left > count*3/5 || ended != count-left || events%ended != 0 {
		t.Errorf("%d of %d left out, %d ended with %d events", left, count, ended, events)
	}
	if n := int(tracker.Stats().LeftPackets); n != left*len(segs) {
		t.Errorf("%d packets of those left out, %d connections of %d", n, left, len(segs))
	}
}

// TestLeftIsRemembered until it is over: its packets begin no connection, however
// long it says nothing, and a SYN that is sent again is not another.
func TestLeftIsRemembered(t *testing.T) {
	segs := segments(t, whole, dialog.Options{})
	limits := sessions.Limits{IdleTimeout: 15 * time.Minute, LingerTimeout: 10 * time.Second}
	tracker := sessions.NewTracker(sessions.Options{Limits: limits}, sessions.HandlerFunc(func(e sessions.Event) { t.Errorf("%T is told", e) }))
	tracker.Leave(1 << 16)
	tracker.Segment(&segs[0])
	tracker.Leave(0)
	tracker.Segment(&segs[0])
	for i := range segs[1:] {
		s := segs[1+i]
		s.Time += int64(i) * int64(14*time.Minute)
		tracker.Advance(s.Time)
		tracker.Segment(&s)
	}
	if st := tracker.Stats(); st.Left != 1 || st.LeftPackets != uint64(len(segs)) /* one twice, the last when it was over */ || st.Opening+st.Established+st.Closing != 0 {
		t.Errorf("%+v", st)
	}
}

// TestLeftIsForgotten when it is over, and its addresses may be used again.
func TestLeftIsForgotten(t *testing.T) {
	segs := segments(t, whole, dialog.Options{})
	ended := 0
	tracker := sessions.NewTracker(sessions.Options{}, sessions.HandlerFunc(func(e sessions.Event) {
		if c, ok := e.(*sessions.Closed); ok && c.Session.End == sessions.EndQuit {
			ended++
		}
	}))
	tracker.Leave(1 << 16)
	for i := range segs {
		tracker.Segment(&segs[i])
	}
	tracker.Leave(0)
	for i := range segs {
		segs[i].Seq += 1 << 20
		segs[i].Ack += 1 << 20
		tracker.Segment(&segs[i])
	}
	if ended != 1 || tracker.Stats().Left != 1 {
		t.Errorf("%d ended, %+v", ended, tracker.Stats())
	}
}
