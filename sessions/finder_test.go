package sessions_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

var otherPort = netip.MustParseAddrPort("192.0.2.25:2526")

// search gives segments of ports that nobody named to a finder and returns
// those that are to be followed.
func search(segments []packet.Segment) []packet.Segment {
	f := sessions.NewFinder(sessions.FinderOptions{Copies: new(packet.Copies)})
	var out []packet.Segment
	for i := range segments {
		s := segments[i]
		s.Payload = bytes.Clone(s.Payload) // borrowed: wiped behind the finder's back
		s.Number, s.Clock = uint64(i)+1, s.Time
		f.Advance(s.Clock)
		before, follow := f.Segment(&s)
		if follow {
			last := s
			last.Payload = segments[i].Payload
			out = append(append(out, before...), last)
		}
		clear(s.Payload)
	}
	return out
}

// TestFinder finds conversations on a port that nobody named: what is told is
// what is told where the port is configured with the role other.
func TestFinder(t *testing.T) {
	found := 0
	for file, text := range conversations(t) {
		if strings.Contains(text, "# midstream") || !strings.Contains(text, "\nC: EHLO") {
			continue
		}
		o := sessions.Options{Sensor: "test", Ports: []sessions.PortRole{{Port: otherPort.Port(), Role: "other"}}}
		whole := segments(t, text, dialog.Options{Server: otherPort})
		want := playWith(t, o, whole)
		rest := search(whole)
		if len(rest) == 0 {
			t.Logf("%s is not found", file)
			continue
		}
		found++
		got := play(t, rest)
		if strings.Contains(text, "\nC: PROXY") || strings.HasPrefix(text, "C: PROXY") { // the client spoke first
			if !strings.Contains(got, `"anomalies":["midstream"]`) || strings.Contains(got, `"lost"`) {
				t.Errorf("%s\ngot\n%s\nthe start was missed, nothing was lost", file, got)
			}
			continue
		}
		if got != want {
			t.Errorf("%s\ngot\n%s\nwant\n%s", file, got, want)
		}
	}
	if found < 20 {
		t.Errorf("%d conversations are found", found)
	}
}

// TestFinderEveryCut cuts a conversation in pieces of every size, and at
// every place.
func TestFinderEveryCut(t *testing.T) {
	text := "S: 220-mx.example ESMTP\nS: 220 all is logged\nC: ehlo a.example\nS: 250 mx.example\nC: QUIT\nS: 221 bye\nclose S\nclose C\n"
	o := sessions.Options{Sensor: "test", Ports: []sessions.PortRole{{Port: otherPort.Port(), Role: "other"}}}
	for n := 1; n < 50; n++ {
		for _, cut := range []func([]byte) [][]byte{
			func(b []byte) [][]byte { return cutAt(b, n) },
			func(b []byte) [][]byte { return chop(b, n+3) },
		} {
			whole := segments(t, text, dialog.Options{Server: otherPort, Cut: cut})
			if got, want := play(t, search(whole)), playWith(t, o, whole); got != want {
				t.Fatalf("cut at %d\ngot\n%s\nwant\n%s", n, got, want)
			}
		}
	}
}

// TestFinderStartMissed begins the capture at the greeting.
func TestFinderStartMissed(t *testing.T) {
	whole := segments(t, conversations(t)["testdata/plain.txt"], dialog.Options{Server: otherPort, NoHandshake: true})
	got := play(t, search(whole))
	if !strings.Contains(got, `"queue_id":"4ABC"`) || !strings.Contains(got, `"role":"other"`) || !strings.Contains(got, `"server":{"ip":"192.0.2.25","port":2526}`) {
		t.Errorf("the mail is not found:\n%s", got)
	}
}

// TestFinderTwice shows every packet twice, and has the addresses again for a
// second connection.
func TestFinderTwice(t *testing.T) {
	text := conversations(t)["testdata/plain.txt"]
	o := sessions.Options{Sensor: "test", Ports: []sessions.PortRole{{Port: otherPort.Port(), Role: "other"}}}
	whole := segments(t, text, dialog.Options{Server: otherPort})
	want := playWith(t, o, whole)
	if got := play(t, search(twice(whole, 1, func(s packet.Segment) packet.Segment { return behindRouter(s, 0) }))); got != want {
		t.Errorf("every packet twice\ngot\n%s\nwant\n%s", got, want)
	}
	later := segments(t, text, dialog.Options{Server: otherPort, ISN: [2]uint32{7, 9}, Start: time.Date(2026, 1, 2, 3, 4, 20, 0, time.UTC)})
	both := append(whole, later...)
	if got, want := play(t, search(both)), playWith(t, o, both); got != want || strings.Count(got, `"event":"mail"`) != 2 {
		t.Errorf("a second connection\ngot\n%s\nwant\n%s", got, want)
	}
}

// TestFinderForgedSYN puts a SYN with other numbers into each place behind the
// EHLO: the connection is still followed.
func TestFinderForgedSYN(t *testing.T) {
	o := sessions.Options{Sensor: "test", Ports: []sessions.PortRole{{Port: otherPort.Port(), Role: "other"}}}
	whole := segments(t, conversations(t)["testdata/plain.txt"], dialog.Options{Server: otherPort})
	for at := 5; at < len(whole)-4; at++ {
		syn := whole[0]
		syn.Seq, syn.Time = 77777, whole[at].Time
		all := slices.Insert(slices.Clone(whole), at+1, syn)
		if got, want := play(t, search(all)), playWith(t, o, all); got != want {
			t.Fatalf("behind packet %d\ngot\n%s\nwant\n%s", at, got, want)
		}
	}
}

// TestFinderLeavesOut shows what begins alike and is no mail.
func TestFinderLeavesOut(t *testing.T) {
	for name, text := range map[string]string{
		"FTP":                   "S: 220 ftp.example ready\nC: USER bob\nS: 331 password?\nC: PASS x\nS: 230 in\nC: QUIT\nS: 221 bye\nclose S\nclose C\n",
		"FTP, EHLO later":       "S: 220 ftp.example ready\nC: USER bob\nS: 331 password?\nC: EHLO x\nS: 500 no\n",
		"FTP, 220 later":        "S: 200 hm\nC: USER bob\nS: 220 ready\nC: EHLO x\nS: 500 no\n",
		"HTTP":                  "C: GET / HTTP/1.1\nC:\nS: HTTP/1.1 220 x\nS:\n",
		"nobody answers":        "S: 220 mx.example\nwait 10s\nclose S\nclose C\n",
		"the client goes":       "S: 220 mx.example\nclose C\nclose S\n",
		"EHLO behind a reset":   "S: 220 mx.example\nreset C\nC: EHLO a\nS: 250 a\n",
		"another word":          "S: 220 mx.example\nC: EHLOX a\nS: 500 what\n",
		"a part of one":         "S: 220 mx.example\nC: EHL\nclose C\n",
		"not a code":            "S: 2200 mx.example\nC: EHLO a\nS: 250 a\n",
		"TLS":                   "C\" \"\\x16\\x03\\x01\\x00\\x05hello\"\nS\" \"\\x16\\x03\\x03\\x00\\x05hello\"\n",
		"the server says hello": "C: 220 mx\nS: 500 what\nC: EHLO a\n",
		"a long greeting":       "S: 220-" + strings.Repeat("x", 3000) + "\nS: 220 x\nC: EHLO a\nS: 250 a\n",
	} {
		if got := search(segments(t, text, dialog.Options{Server: otherPort})); len(got) > 0 {
			t.Errorf("%s: %d segments are followed", name, len(got))
		}
	}
}

// TestFinderIsBounded sends SYNs, whole openings and greetings, all to other
// ports, and finds the mail among them.
func TestFinderIsBounded(t *testing.T) {
	const scans = 100_000
	f := sessions.NewFinder(sessions.FinderOptions{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range scans {
		s := packet.Segment{Time: int64(i), Clock: int64(i), Flags: packet.SYN, Seq: uint32(i), SrcPort: uint16(i), DstPort: 8080,
			Src: packet.Address{Lo: 0x0a000000 + uint64(i)}, Dst: packet.Address{Lo: 0x0b000000 + uint64(i%7)}}
		take := func() {
			if _, follow := f.Segment(&s); follow {
				t.Fatalf("scan %d is followed", i)
			}
		}
		take()
		s.Turn()
		s.Flags, s.Seq, s.Ack = packet.SYN|packet.ACK, 1, s.Seq+1
		take()
		s.Flags, s.Seq, s.Payload = packet.ACK, 2, []byte("220 "+strings.Repeat("x", 1000)+"\r\n")
		s.Length = len(s.Payload)
		take()
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 12<<20 {
		t.Errorf("%d SYNs took %d octets", scans, grown)
	}
	whole := segments(t, conversations(t)["testdata/plain.txt"], dialog.Options{Server: otherPort})
	followed := 0
	for i := range whole {
		if before, follow := f.Segment(&whole[i]); follow {
			followed += 1 + len(before)
		}
	}
	if followed != len(whole) {
		t.Errorf("%d segments of %d are followed", followed, len(whole))
	}
}

// TestFinderForgets lets a followed connection be silent for too long: nothing
// is known of it then.
func TestFinderForgets(t *testing.T) {
	whole := segments(t, "S: 220 a\nC: EHLO b\nS: 250 a\nwait 20m\nC: NOOP\nS: 250 a\n", dialog.Options{Server: otherPort})
	got := search(whole)
	late := slices.IndexFunc(whole, func(s packet.Segment) bool { return string(s.Payload) == "NOOP\r\n" })
	if len(got) == 0 || len(got) > late+1 {
		t.Errorf("%d segments are followed, %d came before the silence", len(got), late)
	}
}

func BenchmarkFinder(b *testing.B) {
	for _, payload := range []string{"", "HTTP/1.1 200 OK\r\n"} {
		b.Run(fmt.Sprintf("%d octets", len(payload)), func(b *testing.B) {
			f := sessions.NewFinder(sessions.FinderOptions{})
			s := packet.Segment{Flags: packet.SYN, SrcPort: 40000, DstPort: 80, Src: packet.Address{Lo: 1}, Dst: packet.Address{Lo: 2}}
			f.Segment(&s)
			s.Flags, s.Payload, s.Length = packet.ACK, []byte(payload), len(payload)
			for b.Loop() {
				s.SrcPort++
				if _, follow := f.Segment(&s); follow {
					b.Fatal("followed")
				}
			}
		})
	}
}
