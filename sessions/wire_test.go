package sessions_test

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// What the wire does to a connection and its dialog does not know of.

func plainDialog(t *testing.T) []packet.Segment {
	t.Helper()
	text, err := os.ReadFile("testdata/plain.txt")
	if err != nil {
		t.Fatal(err)
	}
	return segments(t, string(text), dialog.Options{})
}

// sameDialog says whether two runs tell the same of the dialog.
func sameDialog(t *testing.T, what, got, want string) {
	t.Helper()
	if got, want := withoutBytes(withoutTimes(facts(got))), withoutBytes(withoutTimes(facts(want))); got != want {
		t.Errorf("%s\ngot\n%s\nwant\n%s", what, got, want)
	}
}

// TestFastOpen lets the client's first octets travel in its SYN, and the
// server's in its answer (RFC 7413).
func TestFastOpen(t *testing.T) {
	early := "C: EHLO early.example\nS: 220 a\nS: 250 a\nC: QUIT\nS: 221 bye\nclose S\nclose C\n"
	whole := segments(t, early, dialog.Options{})
	want := play(t, whole)
	fast := slices.Clone(whole)
	hello := fast[3]
	fast[0].Payload, fast[0].Length = hello.Payload, hello.Length
	fast[1].Ack += uint32(hello.Length)
	fast[1].Payload, fast[1].Length = fast[4].Payload, fast[4].Length
	fast[2].Seq += uint32(hello.Length)
	fast[2].Ack += uint32(fast[4].Length)
	fast = slices.Delete(fast, 3, 5)
	got := play(t, fast)
	sameDialog(t, "data in the SYNs", got, want)
	if !strings.Contains(got, `"name":"early.example"`) {
		t.Errorf("the EHLO in the SYN is not read:\n%s", got)
	}
}

// TestKeepAlive puts probes of one old octet, and their answers, into a
// dialog (RFC 9293, 3.8.4).
func TestKeepAlive(t *testing.T) {
	whole := plainDialog(t)
	want := play(t, whole)
	for at := 4; at < len(whole)-3; at++ {
		s := whole[at]
		probe := s
		probe.Seq += uint32(s.Length) - 1
		probe.Payload, probe.Length, probe.Flags = []byte{0}, 1, packet.ACK
		answer := answerTo(probe)
		answer.Flags = packet.ACK
		sameDialog(t, "keep-alive", strings.ReplaceAll(play(t, slices.Insert(slices.Clone(whole), at+1, probe, answer)), `"anomalies":["overlap_conflict"],`, ""), want)
	}
}

// TestClockStepsBack lets the clock of the capture leap back, by a second and
// by a day, at each packet: nothing but durations changes, and none is
// negative.
func TestClockStepsBack(t *testing.T) {
	whole := plainDialog(t)
	want := play(t, whole)
	for _, step := range []time.Duration{time.Second, 24 * time.Hour} {
		for at := range whole {
			back := slices.Clone(whole)
			for i := at; i < len(back); i++ {
				back[i].Time -= int64(step)
			}
			got := play(t, back)
			if regexp.MustCompile(`"(duration|delay)":-`).MatchString(got) {
				t.Errorf("%v back at packet %d: a negative duration\n%s", step, at, got)
			}
			id := regexp.MustCompile(`"session":"[0-9a-f]*"`)
			sameDialog(t, "clock", id.ReplaceAllString(got, ""), id.ReplaceAllString(want, ""))
		}
	}
}

// TestSnapLength cuts the octets of each packet as a capture with a snap
// length does: what is missing is a gap, nothing is made up.
func TestSnapLength(t *testing.T) {
	whole := plainDialog(t)
	known := deliveries(t, play(t, whole))
	for snap := range 200 {
		cut := slices.Clone(whole)
		for i := range cut {
			cut[i].Payload = cut[i].Payload[:min(len(cut[i].Payload), snap)]
		}
		got := play(t, cut)
		for d := range deliveries(t, got) {
			if !known[d] {
				t.Errorf("snap length %d: made up %s in\n%s", snap, d, got)
			}
		}
		if snap < 20 && !strings.Contains(got, `"partial":true`) {
			t.Errorf("snap length %d: not partial\n%s", snap, got)
		}
		if !strings.Contains(got, `"end":"closed"`) && !strings.Contains(got, `"end":"quit"`) {
			t.Errorf("snap length %d: no end\n%s", snap, got)
		}
	}
}

// TestStartAnywhere begins the capture at each packet, and in the middle of
// each packet, of a dialog with two mails: no fact is made up, the two mails
// stay two, and once a reply was seen the second mail is whole.
func TestStartAnywhere(t *testing.T) {
	text := `S: 220 mail.example
C: EHLO client.example
S: 250 mail.example
C: MAIL FROM:<one@client.example>
S: 250 ok
C: RCPT TO:<first@mail.example>
S: 250 ok
C: DATA
S: 354 go on
C: Subject: the first
C:
C: MAIL FROM:<not@a.command>
C: RCPT TO:<nor@this.one>

C: DATA
C: .
S: 250 queued as 1ABC
C: MAIL FROM:<two@client.example>
S: 250 ok
C: RCPT TO:<second@mail.example>
S: 250 ok
C: DATA
S: 354 go on
C: Subject: the second
C:
C: .
S: 250 queued as 2ABC
C: QUIT
S: 221 bye
`
	whole := segments(t, text, dialog.Options{})
	known := deliveries(t, play(t, whole))
	second := `"from":"two@client.example","to":["second@mail.example"],"result":"accepted"`
	for from := range whole {
		for at := range max(1, len(whole[from].Payload)) {
			late := slices.Clone(whole[from:])
			late[0].Payload = late[0].Payload[at:]
			late[0].Seq += uint32(at)
			late[0].Length -= at
			got := play(t, late)
			for d := range deliveries(t, got) {
				if !known[d] {
					t.Fatalf("from octet %d of packet %d on: made up %s in\n%s", at, from, d, got)
				}
			}
			if beforeMail := bytes.Contains(late[0].Payload, []byte("queued as 1ABC")) || from < 12; beforeMail && strings.Count(got, second) != 2 {
				t.Fatalf("from octet %d of packet %d on: the second mail is not read\n%s", at, from, got)
			}
		}
	}
}

// TestEndAnywhere ends the capture behind each packet: what is open is not
// called accepted.
func TestEndAnywhere(t *testing.T) {
	whole := plainDialog(t)
	queued := slices.IndexFunc(whole, func(s packet.Segment) bool { return bytes.Contains(s.Payload, []byte("queued as")) })
	for n := range whole {
		got := play(t, whole[:n])
		if n <= queued && strings.Contains(got, `"accepted"`) && strings.Contains(got, `"result":"accepted"`) {
			t.Errorf("%d packets: accepted before the server said so\n%s", n, got)
		}
	}
}

// TestZeroWindow lets the receiver close its window and the sender probe it
// with the octet that comes next, which the receiver does not take
// (RFC 9293, 3.8.6.1).
func TestZeroWindow(t *testing.T) {
	whole := plainDialog(t)
	want := play(t, whole)
	for at := 4; at < len(whole)-3; at++ {
		if whole[at].Length < 2 {
			continue
		}
		probe := whole[at]
		probe.Payload, probe.Length = probe.Payload[:1], 1
		full := answerTo(probe)
		full.Ack, full.Flags = probe.Seq, packet.ACK
		sameDialog(t, "window probe", play(t, slices.Insert(slices.Clone(whole), at, probe, full, probe, full)), want)
	}
}

// TestResetBeforeServer gives all of the client, up to its reset, before the
// server: each direction has its own tap.
func TestResetBeforeServer(t *testing.T) {
	const mail = "S: 220 a\nC: EHLO b\nS: 250 a\nC: MAIL FROM:<a@x>\nS: 250 ok\nC: RCPT TO:<b@y>\nS: 250 ok\nC: DATA\nS: 354 go\nC: Subject: x\nC:\nC: .\nS: 250 queued\nC: QUIT\nS: 221 bye\nreset C\n"
	whole := segments(t, mail, dialog.Options{})
	apart := slices.Clone(whole)
	slices.SortStableFunc(apart, func(a, b packet.Segment) int { return int(a.DstPort) - int(b.DstPort) })
	if apart[0].DstPort != 25 {
		t.Fatal("the server comes first")
	}
	sameDialog(t, "client first", play(t, apart), play(t, whole))
}
