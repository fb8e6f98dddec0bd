package sessions_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// TestLimits reaches each limit of a session and finds its anomaly.
func TestLimits(t *testing.T) {
	hello := "S: 220 a\nC: EHLO b\nS: 250 a\n"
	long := strings.Repeat("x", 3000)
	tests := []struct {
		kind   string
		limits sessions.Limits
		text   string
	}{
		{sessions.LongLine, sessions.Limits{Line: 100}, hello + "C: NOOP " + long + "\nS: 500 no\n"},
		{sessions.LongReply, sessions.Limits{Reply: 100}, "S: 220 " + long + "\n"},
		{sessions.WaitingLimit, sessions.Limits{Waiting: 1000}, hello + "C: DATA\nC: " + long + "\n"},
		{sessions.PendingLimit, sessions.Limits{Pending: 5}, hello + strings.Repeat("C: NOOP\n", 6)},
		{sessions.MailsLimit, sessions.Limits{Mails: 1}, hello + strings.Repeat("C: MAIL FROM:<a@b>\nS: 250 ok\nC: RSET\nS: 250 ok\n", 2)},
		{sessions.RecipientsLimit, sessions.Limits{Recipients: 1}, hello + "C: MAIL FROM:<a@b>\nS: 250 ok\n" + strings.Repeat("C: RCPT TO:<c@d>\nS: 250 ok\n", 2)},
		{sessions.ExtensionsLimit, sessions.Limits{Extensions: 1}, "S: 220 a\nC: EHLO b\nS: 250-a\nS: 250-ONE\nS: 250 TWO\n"},
		{sessions.AuthLimit, sessions.Limits{Auths: 1}, hello + strings.Repeat("C: AUTH PLAIN AGEAYg==\nS: 535 no\n", 2)},
		{sessions.HeaderLimit, sessions.Limits{Header: 100}, hello + "C: MAIL FROM:<a@b>\nS: 250 ok\nC: RCPT TO:<c@d>\nS: 250 ok\nC: DATA\nS: 354 go\nC: Subject: " + long + "\nC:\nC: .\nS: 250 ok\n"},
		{sessions.HoldLimit, sessions.Limits{HeldSegments: 3}, hello + "!S: 250 lost\n" + strings.Repeat("C: NOOP\n\n", 5)},
		{sessions.OutOfOrderLimit, sessions.Limits{OutOfOrder: 2000}, hello + "!C: NOOP\n\nC: NOOP " + long + "\n"},
	}
	for _, tt := range tests {
		t.Run(tt.kind, func(t *testing.T) {
			var kinds []string
			tracker := sessions.NewTracker(sessions.Options{Limits: tt.limits}, sessions.HandlerFunc(func(e sessions.Event) {
				if a, ok := e.(*sessions.Anomaly); ok {
					kinds = append(kinds, a.Kind)
				}
			}))
			o := dialog.Options{Cut: func(b []byte) [][]byte { return chop(b, 1400) }}
			for _, s := range segments(t, tt.text, o) {
				tracker.Segment(&s)
			}
			tracker.Close()
			if !strings.Contains(strings.Join(kinds, " "), tt.kind) {
				t.Errorf("no %s among %v", tt.kind, kinds)
			}
		})
	}
}

// TestTableLimit keeps no more connections than allowed, and tells each end.
func TestTableLimit(t *testing.T) {
	ended := map[string]int{}
	tracker := sessions.NewTracker(sessions.Options{Limits: sessions.Limits{Connections: 10}}, sessions.HandlerFunc(func(e sessions.Event) {
		if c, ok := e.(*sessions.Closed); ok {
			ended[c.Session.End]++
		}
	}))
	for i := range 100 {
		o := dialog.Options{Client: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.9"), uint16(2000+i))}
		for _, s := range segments(t, "S: 220 a\n", o) {
			tracker.Segment(&s)
		}
	}
	if s := tracker.Stats(); s.Established != 10 || s.EvictedTable != 90 {
		t.Errorf("%+v", s)
	}
	tracker.Close()
	if ended[sessions.EndEvicted] != 90 || ended[sessions.EndRunning] != 10 {
		t.Errorf("%v", ended)
	}
}

// TestExpiry ends idle connections by packet time.
func TestExpiry(t *testing.T) {
	var ends []string
	tracker := sessions.NewTracker(sessions.Options{}, sessions.HandlerFunc(func(e sessions.Event) {
		if c, ok := e.(*sessions.Closed); ok {
			ends = append(ends, c.Session.End)
		}
	}))
	whole := segments(t, "S: 220 a\n", dialog.Options{})
	var now int64
	for _, s := range whole {
		tracker.Segment(&s)
		now = s.Time
	}
	tracker.Advance(now)
	for range 15*60 - 1 {
		now += 1e9
		tracker.Advance(now)
	}
	if len(ends) != 0 {
		t.Fatalf("ended early: %v", ends)
	}
	tracker.Advance(now + 3e9)
	if len(ends) != 1 || ends[0] != sessions.EndTimeout {
		t.Errorf("%v", ends)
	}
	if s := tracker.Stats(); s.Established+s.Opening+s.Closing != 0 || s.EvictedIdle != 1 {
		t.Errorf("%+v", s)
	}
}
