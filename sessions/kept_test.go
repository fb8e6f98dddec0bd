package sessions_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// hoards are dialogs after which a session keeps a lot, each in another way.
func hoards() map[string]string {
	hello := "S: 220 mx\nC: EHLO a\nS: 250 mx\n"
	mail := hello + "C: MAIL FROM:<a@b>\nS: 250 ok\n"
	long := strings.Repeat("y", 900)
	rcpts := strings.Repeat("C: RCPT TO:<"+long+"@b>\n", 200)
	parts := strings.Repeat("C: --x\nC: Content-Disposition: attachment; filename="+long[:200]+"\nC:\nC: text\n", 100)
	tops := mail + "C: RCPT TO:<c@d>\nS: 250 ok\nC: DATA\nS: 354 go\n"
	return map[string]string{
		"octets behind DATA":    mail + "C: RCPT TO:<c@d>\nS: 250 ok\nC: DATA\n" + strings.Repeat("C: "+long+"\n", 200) + "ack S\n",
		"commands":              mail + rcpts + "ack S\n",
		"recipients":            mail + rcpts + strings.Repeat("S: 250 ok\n", 200) + "C: RSET\nS: 250 ok\n",
		"refused recipients":    mail + rcpts + strings.Repeat("S: 550 no\n", 200) + "C: RSET\nS: 250 ok\n",
		"a reply without end":   hello + "C: HELP\nS\" \"214-" + strings.Repeat("z", 60_000) + "\"\n",
		"a header without end":  tops + strings.Repeat("C: Received: from "+long+"\n", 100),
		"names of files":        tops + "C: Content-Type: multipart/mixed; boundary=x\nC:\n" + parts,
		"messages in chunks":    mail + "C: RCPT TO:<c@d>\nS: 250 ok\n" + strings.Repeat("C\" \"BDAT 970 LAST\\r\\nSubject: "+strings.Repeat("s", 957)+"\\r\\n\\r\\n\"\n", 100) + "ack S\n",
		"segments that wait":    hello + "!S: 250 lost\n" + strings.Repeat("C\" \"N\"\n\n", 250),
		"logins":                hello + strings.Repeat("C: AUTH PLAIN AGEAYg==\nS: 535 no\n", 200),
		"content taken for one": tops + "C\" \"Subject: a\\r\\n\\r\\n\\n.\\n" + strings.Repeat("NOOP "+long+"\\r\\n", 60) + "\"\n",
	}
}

// playFrom plays a client's segments from another address.
func playFrom(tracker *sessions.Tracker, segs []packet.Segment, from uint64) {
	for _, s := range segs {
		for _, a := range []*packet.Address{&s.Src, &s.Dst} {
			if a.Lo == 0xc0000201 { // the client's
				a.Lo = from
			}
		}
		tracker.Segment(&s)
	}
}

// TestHoardersGoFirst has sessions that keep a lot fill the memory: those go, and what
// is kept stays in bounds. Sessions in a mail stay that keep what is usual.
func TestHoardersGoFirst(t *testing.T) {
	const memory, usual = 4 << 20, 500
	text := "S: 220 mx\nC: EHLO a\nS: 250 mx\nC: MAIL FROM:<a@b>\nS: 250 ok\nC: QUIT\nS: 221 bye\nclose S\nclose C\n"
	whole := segments(t, text, dialog.Options{})
	half := len(whole) - 6
	for name, text := range hoards() {
		t.Run(name, func(t *testing.T) {
			ends := map[string]int{}
			tracker := sessions.NewTracker(sessions.Options{Memory: memory}, sessions.HandlerFunc(func(e sessions.Event) {
				if c, ok := e.(*sessions.Closed); ok && c.Conn.Client.Addr().As4()[0] == 10 {
					ends[c.Session.End]++
				}
			}))
			segs := segments(t, text, dialog.Options{Cut: func(b []byte) [][]byte { return chop(b, 1400) }})
			before := heap()
			playRow(tracker, whole[:half], 0x0a000000, usual)
			for i := range 1000 {
				playFrom(tracker, segs, 0x0b000000+uint64(i))
				if wrong := tracker.Misreckoned(); wrong != "" {
					t.Fatal(wrong)
				}
			}
			if grown := heap() - before; grown > 3*memory {
				t.Errorf("%d octets more", grown)
			}
			if tracker.Stats().EvictedMemory == 0 {
				t.Error("none was let go")
			}
			playRow(tracker, whole[half:], 0x0a000000, usual)
			tracker.Close()
			if ends[sessions.EndQuit] != usual || len(ends) != 1 {
				t.Errorf("the others ended as %v", ends)
			}
			if n := tracker.Kept(); n != 0 {
				t.Errorf("%d octets are kept in the end", n)
			}
		})
	}
}

// TestNothingIsKeptInTheEnd plays the real captures: what is kept is what is reckoned
// behind each segment, and nothing when all connections have ended.
func TestNothingIsKeptInTheEnd(t *testing.T) {
	for _, r := range connections(t) {
		tracker := sessions.NewTracker(r.options(t), sessions.HandlerFunc(func(sessions.Event) {}))
		for i := range r.segments {
			tracker.Segment(&r.segments[i])
			if wrong := tracker.Misreckoned(); wrong != "" {
				t.Fatalf("%s, packet %d: %s", r.name, i, wrong)
			}
		}
		tracker.Close()
		if n := tracker.Kept(); n != 0 {
			t.Errorf("%s: %d octets are kept in the end", r.name, n)
		}
	}
}

// TestMailsSize has more accepted in one session than its record takes: every mail is
// told with all that is known of it, and the session's record ends early.
func TestMailsSize(t *testing.T) {
	const count = 20
	mail := "C: MAIL FROM:<a@b>\nS: 250 ok\n" + strings.Repeat("C: RCPT TO:<"+strings.Repeat("y", 500)+"@b>\nS: 250 ok\n", 10) + "C: RSET\nS: 250 ok\n"
	refused := "C: MAIL FROM:<" + strings.Repeat("z", 900) + "@b>\nS: 550 no\n"
	for text, most := range map[string]int{mail: 3, refused: 9} {
		var to []string
		var rec *sessions.Session
		tracker := sessions.NewTracker(sessions.Options{Limits: sessions.Limits{MailsSize: 15_000}}, sessions.HandlerFunc(func(e sessions.Event) {
			switch e := e.(type) {
			case *sessions.MailDone:
				to = append(to, fmt.Sprint(len(e.Mail.To)))
			case *sessions.Closed:
				rec = e.Session
			}
		}))
		for _, s := range segments(t, "S: 220 mx\nC: EHLO a\nS: 250 mx\n"+strings.Repeat(text, count), dialog.Options{}) {
			tracker.Segment(&s)
		}
		if n := tracker.Kept(); n > 25_000 {
			t.Errorf("%d octets are kept", n)
		}
		tracker.Close()
		if n := len(rec.Mails); n == 0 || n > 2*most || !slices.Contains(rec.Anomalies, sessions.MailsLimit) {
			t.Errorf("%d mails in the record, %v", n, rec.Anomalies)
		}
		if len(to) != count || len(slices.Compact(to)) != 1 {
			t.Errorf("mails were told with recipients: %v", to)
		}
	}
}
