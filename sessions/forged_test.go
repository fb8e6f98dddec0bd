package sessions_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// asServer turns a segment of the client into one that the server could have
// sent at that moment, and the other way round.
func answerTo(s packet.Segment) packet.Segment {
	s.Turn()
	s.Seq, s.Ack = s.Ack, s.Seq+uint32(s.Length)
	s.Payload, s.Length = nil, 0
	return s
}

var odd = regexp.MustCompile(`"anomalies":\[[^]]*\],?`)

// TestForged puts a segment that no receiver would take behind each packet of
// a conversation: nothing of what it tells counts (RFC 9293, 3.10.7; RFC 5961).
func TestForged(t *testing.T) {
	text, err := os.ReadFile("testdata/plain.txt")
	if err != nil {
		t.Fatal(err)
	}
	told := func(segments []packet.Segment) string {
		return withoutBytes(odd.ReplaceAllString(facts(play(t, segments)), ""))
	}
	whole := segments(t, string(text), dialog.Options{})
	want := told(whole)
	evil := []byte("RSET\r\nQUIT\r\n")
	forge := map[string]func(s packet.Segment) packet.Segment{
		"old FIN":     func(s packet.Segment) packet.Segment { s.Seq -= 100000; s.Flags |= packet.FIN; return s },
		"RST far off": func(s packet.Segment) packet.Segment { s.Seq += 900000; s.Flags |= packet.RST; return s },
		"ACK far off": func(s packet.Segment) packet.Segment { s.Ack += 10_000_000; return s },
		"SYN|ACK with data": func(s packet.Segment) packet.Segment {
			s.Seq--
			s.Flags |= packet.SYN
			s.Payload, s.Length = evil, len(evil)
			return s
		},
		"data without ACK": func(s packet.Segment) packet.Segment {
			s.Flags, s.Payload, s.Length = 0, evil, len(evil)
			return s
		},
		"SYN": func(s packet.Segment) packet.Segment { s.Flags, s.Seq = packet.SYN, s.Seq+77777; return s },
	}
	for name, make := range forge {
		for i := 2; i < len(whole)-6; i++ {
			s := whole[i]
			s.Seq += uint32(s.Length)
			s.Payload, s.Length, s.Flags = nil, 0, packet.ACK
			for who, f := range map[string]packet.Segment{"the sender": make(s), "the other side": make(answerTo(s))} {
				if f.Flags&packet.SYN != 0 && f.Flags&packet.ACK == 0 && f.From().Port() == 25 {
					continue
				}
				some := append([]packet.Segment(nil), whole[:i+1]...)
				some = append(append(some, f), whole[i+1:]...)
				if got := told(some); got != want {
					t.Errorf("%s by %s behind packet %d\ngot\n%s\nwant\n%s", name, who, i, got, want)
				}
			}
		}
	}
}

// TestRefusal needs the acknowledgement of the SYN.
func TestRefusal(t *testing.T) {
	whole := segments(t, "S: 220 a\n", dialog.Options{})
	rst := answerTo(whole[0])
	rst.Flags, rst.Seq = packet.RST, 0
	forged := append(append([]packet.Segment(nil), whole[0], rst), whole[1:]...)
	if got := play(t, forged); strings.Contains(got, "refused") || !strings.Contains(got, `"code":220`) {
		t.Errorf("a RST without ACK counts:\n%s", got)
	}
	rst.Flags, rst.Ack = packet.RST|packet.ACK, whole[0].Seq+1
	if got := play(t, []packet.Segment{whole[0], rst}); !strings.Contains(got, `"end":"refused"`) {
		t.Errorf("not refused:\n%s", got)
	}
}

// TestPortReuse reads a second connection on the same ports right after the
// first, although its SYN was lost.
func TestPortReuse(t *testing.T) {
	text := "S: 220 a\nC: QUIT\nS: 221 bye\nclose S\nclose C\n"
	first := segments(t, text, dialog.Options{})
	second := segments(t, text, dialog.Options{ISN: [2]uint32{700000, 900000}, Start: time.Date(2026, 1, 2, 3, 4, 7, 0, time.UTC)})
	for lost, what := range []string{"nothing lost", "SYN lost"} {
		got := play(t, append(append([]packet.Segment(nil), first...), second[lost:]...))
		if n := strings.Count(got, `"end":"quit"`); n != 2 {
			t.Errorf("%s: %d sessions\n%s", what, n, got)
		}
	}
}
