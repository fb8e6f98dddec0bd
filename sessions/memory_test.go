package sessions_test

import (
	"runtime"
	"testing"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// TestMemoryOfConnections measures what connections hold: before their first
// octet, when they were greeted and say nothing, and in the middle of a mail.
func TestMemoryOfConnections(t *testing.T) {
	const count = 50_000
	text := "S: 220 mx.corp.test ESMTP\nC: EHLO client.example\nS: 250-mx.corp.test\nS: 250-PIPELINING\nS: 250-SIZE 10240000\nS: 250 STARTTLS\n" +
		"C: MAIL FROM:<a@client.example>\nS: 250 2.1.0 Ok\nC: RCPT TO:<b@corp.test>\nS: 250 2.1.5 Ok\n"
	all := segments(t, text, dialog.Options{})
	banner := 3 // behind the handshake
	for _, c := range []struct {
		name     string
		segments []packet.Segment
		most     int // octets a connection
	}{
		{"opened", all[:banner], 256},
		{"greeted", all[:banner+1], 320},
		{"in the middle of a mail", all, 3072},
	} {
		tracker := sessions.NewTracker(sessions.Options{Memory: 1 << 40}, sessions.HandlerFunc(func(sessions.Event) {}))
		before := heap()
		for i := range count {
			for _, s := range c.segments {
				for _, a := range []*packet.Address{&s.Src, &s.Dst} {
					if a.Lo == 0xc0000201 { // the client's
						a.Lo = 0x0a000000 + uint64(i)
					}
				}
				tracker.Segment(&s)
			}
		}
		each := (heap() - before) / count
		if s := tracker.Stats(); s.Established != count {
			t.Fatalf("%s: %d connections of %d", c.name, s.Established, count)
		}
		t.Logf("%s: %d octets a connection", c.name, each)
		if each > c.most {
			t.Errorf("%s: %d octets a connection, want at most %d", c.name, each, c.most)
		}
		runtime.KeepAlive(tracker)
	}
}

func heap() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
