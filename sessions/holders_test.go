package sessions_test

import (
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// TestHoldersPay has connections fill the room for what waits, in each way that there
// is. Those pay: of others that merely come out of order nothing is lost.
func TestHoldersPay(t *testing.T) {
	const total, hogs, others = 400 << 10, 40, 60
	hello := "S: 220 mx\nC: EHLO a\nS: 250 mx\n"
	lost := "!C: lost\n\n"
	whole := segments(t, hello+"C: MAIL FROM:<a@b>\n\nC: RCPT TO:<c@d>\nC: QUIT\n\nS: 250 ok\nS: 250 ok\nS: 221 bye\nclose S\nclose C\n", dialog.Options{})
	swapped := append([]packet.Segment(nil), whole...)
	swapped[6], swapped[7] = swapped[7], swapped[6] // MAIL comes behind RCPT
	for name, text := range map[string]string{
		"behind a hole":          hello + lost + strings.Repeat("C: "+strings.Repeat("x", 1000)+"\n", 40),
		"behind many holes":      hello + strings.Repeat(lost+"C: "+strings.Repeat("x", 1000)+"\n\n", 20),
		"for the other side":     hello + "!S: 250 lost\n" + strings.Repeat("C: "+strings.Repeat("x", 1000)+"\n", 40),
		"until it is acquitted":  hello + strings.Repeat("C: "+strings.Repeat("x", 1000)+"\n", 40),
		"of a server, in a hole": hello + "!S: 250 lost\n\n" + strings.Repeat("S: 250-"+strings.Repeat("x", 1000)+"\n", 40),
	} {
		t.Run(name, func(t *testing.T) {
			told, partial := 0, 0
			tracker := sessions.NewTracker(sessions.Options{Limits: sessions.Limits{HeldTotal: total}}, sessions.HandlerFunc(func(e sessions.Event) {
				if c, ok := e.(*sessions.Closed); ok && c.Conn.Client.Addr().As4()[0] == 10 {
					told++
					if c.Session.Partial || len(c.Session.Anomalies) > 0 || len(c.Session.Mails) != 1 || c.Session.End != sessions.EndQuit {
						partial++
					}
				}
			}))
			hog := segments(t, text, dialog.Options{Cut: func(b []byte) [][]byte { return chop(b, 1400) }})
			if name == "until it is acquitted" {
				for i := range hog[6:] {
					hog[6+i].TTL++ // as if it did not reach the receiver
				}
			}
			for i := range hogs {
				playFrom(tracker, hog, 0x0b000000+uint64(i))
			}
			if n := tracker.Stats().HeldBytes; n < total/2 || n > total {
				t.Errorf("%d octets are held, of %d", n, total)
			}
			for i := range others {
				playFrom(tracker, swapped, 0x0a000000+uint64(i))
				playFrom(tracker, hog, 0x0c000000+uint64(i))
				if wrong := tracker.Misreckoned(); wrong != "" {
					t.Fatal(wrong)
				}
			}
			if n := tracker.Stats().HeldBytes; n > total {
				t.Errorf("%d octets are held, of %d", n, total)
			}
			tracker.Close()
			if told != others || partial > 0 || tracker.Stats().EvictedMemory == 0 {
				t.Errorf("%d of %d others are told, %d of them in part; %+v", told, others, partial, tracker.Stats())
			}
			if n := tracker.Stats().HeldBytes; n != 0 {
				t.Errorf("%d octets are held in the end", n)
			}
		})
	}
}
