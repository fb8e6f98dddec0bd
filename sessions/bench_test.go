package sessions_test

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// BenchmarkSmallMail follows connections of one small mail. They go on side by
// side, so that with many of them a packet finds nothing of its own connection in
// the processor's caches. The time holds that of copying the segment.
func BenchmarkSmallMail(b *testing.B) {
	for _, open := range []int{1, 1000, 20_000} {
		b.Run(fmt.Sprintf("open=%d", open), func(b *testing.B) {
			closed := 0
			t := sessions.NewTracker(sessions.Options{Memory: 4 << 30}, sessions.HandlerFunc(func(e sessions.Event) {
				if _, is := e.(*sessions.Closed); is {
					closed++
				}
			}))
			c := newCrowd(b, open)
			var size int64
			for i := range c.script {
				size += int64(c.script[i].Length) + 54
			}
			b.SetBytes(size / int64(len(c.script)))
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if n++; n%len(c.ready) == 0 {
					t.Segments(c.next())
					t.Advance(c.now)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/packet")
			if n > len(c.script)*open+len(c.ready)*2 && closed == 0 {
				b.Fatal("no session ended")
			}
		})
	}
}

// crowd plays the same dialog on many connections in turn, a segment each.
type crowd struct {
	script []packet.Segment
	ready  []packet.Segment
	open   int
	step   int // of the dialog
	who    int // of those that are open
	base   int // connections that have ended
	now    int64
}

func newCrowd(b *testing.B, open int) *crowd {
	c := &crowd{script: segmentsOf(b, dialog.SmallMail), ready: make([]packet.Segment, 64), open: open}
	c.now = c.script[0].Time
	return c
}

// next makes segments that follow. 100,000 come in a second of packet time.
func (c *crowd) next() []packet.Segment {
	for i := range c.ready {
		s := &c.ready[i]
		*s = c.script[c.step]
		c.now += 10_000
		s.Time = c.now
		number := uint64(c.base + c.who)
		client, port := &s.Src, &s.SrcPort
		if s.SrcPort == 25 {
			client, port = &s.Dst, &s.DstPort
		}
		client.Lo, *port = 10<<24+number>>14&0xffffff, uint16(1024+number&0x3fff)
		if c.who++; c.who == c.open {
			c.who = 0
			if c.step++; c.step == len(c.script) {
				c.step = 0
				c.base += c.open
			}
		}
	}
	return c.ready
}

func segmentsOf(t testing.TB, text string) []packet.Segment {
	all, err := dialog.Segments(text, dialog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// bulk is what nearly all packets of an established connection are: each run
// of segments goes on where the last one ended.
type bulk struct {
	tracker  *sessions.Tracker
	segments []packet.Segment
	events   int
	closed   *sessions.Session
	octets   int
	wire     int
}

// newBulk opens a connection with a dialog. Then one side sends octets again and
// again, in segments of 1448, each second of which the other acknowledges.
func newBulk(t testing.TB, opening []packet.Segment, from int, octets string) *bulk {
	b := &bulk{}
	b.tracker = sessions.NewTracker(sessions.Options{}, sessions.HandlerFunc(func(e sessions.Event) {
		b.events++
		if c, is := e.(*sessions.Closed); is {
			b.closed = c.Session
		}
	}))
	b.tracker.Segments(opening)
	next := [2]uint32{}
	var ends [2]packet.Segment
	for i := range opening {
		s := &opening[i]
		side := 0
		if s.SrcPort < s.DstPort {
			side = 1
		}
		ends[side] = *s
		next[side] = s.Seq + uint32(s.Length)
		if s.Flags&packet.SYN != 0 {
			next[side]++
		}
	}
	add := func(side int, payload []byte) {
		s := ends[side]
		s.Flags, s.Seq, s.Ack, s.Payload, s.Length = packet.ACK, next[side], next[1-side], payload, len(payload)
		next[side] += uint32(len(payload))
		b.segments = append(b.segments, s)
		b.wire += 54 + len(payload)
	}
	for rest := []byte(octets); len(rest) > 0; rest = rest[min(1448, len(rest)):] {
		add(from, rest[:min(1448, len(rest))])
		if len(b.segments)%3 == 2 {
			add(1-from, nil)
		}
	}
	if octets == "" {
		for i := range 60 {
			add(i%2, nil)
		}
	}
	b.octets = len(octets)
	b.more(from)
	b.events = 0
	return b
}

// more plays the segments once and moves them on.
func (b *bulk) more(from int) {
	b.tracker.Segments(b.segments)
	for i := range b.segments {
		s := &b.segments[i]
		if (s.SrcPort < s.DstPort) == (from == 1) {
			s.Seq += uint32(b.octets)
		} else {
			s.Ack += uint32(b.octets)
		}
	}
}

// bulks are the kinds of established traffic that are most packets of mail.
func bulks(t testing.TB) map[string]func() *bulk {
	data := strings.Split(dialog.SmallMail, "C: From")[0]
	text := strings.Repeat("The quick brown fox jumps over the lazy dog, as it has always done.\r\n", 1000)
	attachment := data + `C: Content-Type: multipart/mixed; boundary=b
C:
C: --b
C: Content-Type: application/pdf; name=minutes.pdf
C: Content-Disposition: attachment; filename=minutes.pdf
C: Content-Transfer-Encoding: base64
C:
`
	record := "\x17\x03\x03\x40\x18" + strings.Repeat("\xa5", 0x4018)
	return map[string]func() *bulk{
		"text": func() *bulk { return newBulk(t, segmentsOf(t, data+"C: Subject: long\nC:\n"), 0, text) },
		"attachment": func() *bulk {
			return newBulk(t, segmentsOf(t, attachment), 0, strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 1000))
		},
		"tls":  func() *bulk { return newBulk(t, secured(t), 0, strings.Repeat(record, 4)) },
		"acks": func() *bulk { return newBulk(t, segmentsOf(t, data), 0, "") },
	}
}

// secured is a connection behind its TLS handshake: a recorded one of real
// programs.
func secured(t testing.TB) []packet.Segment {
	f, err := os.Open("../decode/tls/testdata/openssl_tls12_gcm_no_quit.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	text := strings.Split(dialog.SmallMail, "C: MAIL")[0] + "C: STARTTLS\nS: 220 go on\n"
	for lines := bufio.NewScanner(f); lines.Scan(); {
		from, digits, _ := strings.Cut(lines.Text(), " ")
		octets, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("%s\" %q\n\n", from, octets)
	}
	return segmentsOf(t, text)
}

// BenchmarkEstablished follows the packets that nearly all are.
func BenchmarkEstablished(b *testing.B) {
	for name, make := range bulks(b) {
		b.Run(name, func(b *testing.B) {
			k := make()
			b.SetBytes(int64(k.wire))
			b.ReportAllocs()
			for b.Loop() {
				k.more(0)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(k.segments)), "ns/packet")
		})
	}
}

// TestEstablishedAllocatesNothing: what nearly all packets are leaves no work
// for the collector, and tells nothing.
func TestEstablishedAllocatesNothing(t *testing.T) {
	for name, make := range bulks(t) {
		t.Run(name, func(t *testing.T) {
			k := make()
			if n := testing.AllocsPerRun(100, func() { k.more(0) }); n != 0 {
				t.Errorf("%v allocations in %d packets", n, len(k.segments))
			}
			if k.events != 0 {
				t.Errorf("%d events: this is no traffic between events", k.events)
			}
			if k.tracker.Close(); k.closed == nil || k.closed.Partial || k.closed.Bytes.Client < uint64(50*k.octets) {
				t.Fatalf("the octets were not followed: %+v", k.closed)
			}
			if name == "tls" && !k.closed.TLS.Established {
				t.Errorf("this is no TLS: %+v", k.closed.TLS)
			}
			if name == "attachment" && len(k.closed.Mails[0].Attachments) != 1 {
				t.Error("this is no attachment")
			}
		})
	}
}
