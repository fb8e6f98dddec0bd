package sessions_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
)

// FuzzSession plays any octets in both directions, with gaps, forged
// acknowledgements, resets and leaps of time: nothing panics, nothing is held
// at the end, every connection is closed once.
func FuzzSession(f *testing.F) {
	for _, text := range conversations(f) {
		var seed []byte
		for _, line := range strings.Split(text, "\n") {
			side := byte(0)
			if strings.HasPrefix(line, "S") {
				side = 1
			}
			if len(line) > 3 && len(line) < 250 {
				seed = append(seed, side, byte(len(line)-1))
				seed = append(append(seed, line[3:]...), '\r', '\n')
			}
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		open, closed := 0, 0
		over := map[*sessions.Conn]bool{}
		tracker := sessions.NewTracker(sessions.Options{Limits: sessions.Limits{Waiting: 4096, Pending: 20, OutOfOrder: 4096, HeldTotal: 3000, Line: 256, Mails: 3, Recipients: 3, Auths: 3, Extensions: 3}},
			sessions.HandlerFunc(func(e sessions.Event) {
				if over[e.Of()] {
					t.Fatalf("%T behind the end of its connection", e)
				}
				switch e := e.(type) {
				case *sessions.Opened:
					open++
				case *sessions.Closed:
					closed++
					over[e.Conn] = true
					if len(e.Session.Mails) > 3 || len(e.Session.Auth) > 3 || len(e.Session.Extensions) > 3 {
						t.Fatalf("a limit does not hold: %+v", e.Session)
					}
				}
			}))
		ends := [2]netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:40000"), netip.MustParseAddrPort("192.0.2.25:25")}
		next := [2]uint32{0xffffff00, 77}
		now := int64(1e18)
		for len(b) >= 2 {
			op, n := b[0], min(int(b[1]), len(b)-2)
			s := packet.Segment{Time: now, Flags: packet.ACK, Seq: next[op&1], Ack: next[1-op&1], Payload: bytes.Clone(b[2 : 2+n]), Length: n}
			s.SetEnds(ends[op&1], ends[1-op&1])
			b = b[2+n:]
			next[op&1] += uint32(n)
			now += 1e7
			switch op >> 1 & 15 {
			case 1:
				continue // lost by the tap
			case 2:
				s.Flags |= packet.FIN
				next[op&1]++
			case 3:
				s.Flags |= packet.RST
			case 4:
				s.Flags |= packet.SYN
			case 5:
				s.Flags = packet.SYN
			case 6:
				s.Seq += 100
			case 7:
				s.Ack += 100
			case 8:
				s.Length += 50
			case 9:
				now += 20 * 60e9
				tracker.Advance(now)
			case 10:
				s.Seq -= 10
			case 11:
				s.Flags &^= packet.ACK
			}
			tracker.Segment(&s)
			clear(s.Payload)
			if wrong := tracker.Misreckoned(); wrong != "" {
				t.Fatal(wrong)
			}
		}
		tracker.Close()
		if open > closed {
			t.Fatalf("%d opened, %d closed", open, closed)
		}
		if n := tracker.Stats().HeldBytes; n != 0 {
			t.Fatalf("%d octets are still held", n)
		}
		if n := tracker.Kept(); n != 0 {
			t.Fatalf("%d octets are still kept", n)
		}
	})
}
