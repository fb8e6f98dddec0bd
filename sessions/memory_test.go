package sessions_test

import (
	"runtime"
	"testing"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// TestMemoryOfConnections measures what connections hold, of the heap in use with
// so many of them open at once: when nobody answered, before their first octet,
// when they were greeted and say nothing, and in the middle of a session. What is
// allowed is a little more than what it is.
func TestMemoryOfConnections(t *testing.T) {
	const count = 20_000
	text := "S: 220 mx.corp.test ESMTP\nC: EHLO client.example\nS: 250-mx.corp.test\nS: 250-PIPELINING\nS: 250-SIZE 10240000\nS: 250 STARTTLS\n" +
		"C: MAIL FROM:<a@client.example>\nS: 250 2.1.0 Ok\nC: RCPT TO:<b@corp.test>\nS: 250 2.1.5 Ok\n" +
		"C: DATA\nS: 354 go on\nC: From: <a@client.example>\nC: Subject: a line\nC:\nC: text\n"
	all := segments(t, text, dialog.Options{})
	if len(all) != 13 {
		t.Fatalf("%d segments", len(all))
	}
	for _, c := range []struct {
		name     string
		segments []packet.Segment
		most     int // octets a connection
	}{
		{"a SYN", all[:1], 256},
		{"opened", all[:3], 256},
		{"greeted", all[:4], 320},
		{"behind EHLO", all[:6], 1100},
		{"behind MAIL", all[:8], 1600},
		{"behind RCPT", all[:10], 1600},
		{"in a mail's header and text", all, 3072},
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
		if s := tracker.Stats(); s.Opening+s.Established != count {
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
