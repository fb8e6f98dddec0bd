package main

import (
	"context"
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/evidence"
	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
)

// No file of evidence has a secret that a client of these captures sent, in
// whatever way its packets were cut, sent again, reordered or lost.
func TestNoSecretInEvidence(t *testing.T) {
	cases := authCases(t)
	k := known{secrets: make(map[string]bool), users: make(map[string]bool)}
	for _, file := range cases {
		log, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		k.learn(string(log))
	}
	var all []string
	for secret := range k.secrets {
		all = append(all, forms(secret)...)
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	files, packets := 0, 0
	for _, file := range cases {
		captures, _ := filepath.Glob(filepath.Join(filepath.Dir(file), "capture.pcap*"))
		if len(captures) != 1 {
			continue
		}
		for i, conn := range connectionsOf(t, captures[0]) {
			for what, change := range changes(rnd) {
				if what != "as it was" && (conn.octets > 20_000 || i%5 > 0 && os.Getenv("MAILTAP_TEST_EVERYTHING") == "") {
					continue // the same again, or more of a message
				}
				path := evidenceFile(t, change(slices.Clone(conn.segments)), conn, false)
				if path == "" {
					continue
				}
				files++
				for _, text := range textsOf(t, path, &packets) {
					for _, form := range all {
						if at := stands(text, form); at >= 0 {
							t.Fatalf("%s, %s: %q stands in the evidence: …%q…", file, what, form, text[max(0, at-60):min(len(text), at+60)])
						}
					}
				}
			}
		}
	}
	// The search can fail.
	conn := connectionsOf(t, shipped(oneLogin))[0]
	found := false
	for _, text := range textsOf(t, evidenceFile(t, conn.segments, conn, true), &packets) {
		found = found || slices.ContainsFunc(all, func(form string) bool { return stands(text, form) >= 0 })
	}
	if !found {
		t.Error("no secret is found where they are kept")
	}
	t.Logf("%d files with %d packets searched for %d secrets", files, packets, len(k.secrets))
}

// recordedConn is a connection of a capture.
type recordedConn struct {
	client, server netip.AddrPort
	segments       []packet.Segment
	octets         int
}

func connectionsOf(t *testing.T, file string) []*recordedConn {
	t.Helper()
	f, err := capture.Open(file, capture.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ports := &packet.PortSet{}
	ports.Add(24, 25, 465, 587, 2525)
	d := packet.Decoder{Ports: ports}
	byEnds := map[string]*recordedConn{}
	var all []*recordedConn
	var p capture.Packet
	for f.Next(&p) == nil {
		var s packet.Segment
		if d.Decode(&p, &s) != packet.OK {
			continue
		}
		s.Keep()
		from, to := s.From(), s.To()
		if ports.Has(from.Port()) {
			from, to = to, from
		}
		c := byEnds[from.String()+to.String()]
		if c == nil {
			c = &recordedConn{client: from, server: to}
			byEnds[from.String()+to.String()], all = c, append(all, c)
		}
		c.segments = append(c.segments, s)
		c.octets += len(s.Payload)
	}
	return all
}

// changes are what may happen to packets on the way to the tap.
func changes(rnd *rand.Rand) map[string]func([]packet.Segment) []packet.Segment {
	cut := func(size func() int) func([]packet.Segment) []packet.Segment {
		return func(list []packet.Segment) []packet.Segment { return cutInto(list, size) }
	}
	lose := func(list []packet.Segment) []packet.Segment {
		return slices.DeleteFunc(list, func(packet.Segment) bool { return rnd.IntN(8) == 0 })
	}
	some := func() int { return 1 + rnd.IntN(40) }
	return map[string]func([]packet.Segment) []packet.Segment{
		"as it was":     func(list []packet.Segment) []packet.Segment { return list },
		"single octets": cut(func() int { return 1 }),
		"random sizes":  cut(some),
		"some lost":     lose,
		"cut and lost":  func(list []packet.Segment) []packet.Segment { return lose(cutInto(list, some)) },
		"first lost":    func(list []packet.Segment) []packet.Segment { return list[rnd.IntN(len(list)):] },
		"server lost": func(list []packet.Segment) []packet.Segment {
			port := list[0].SrcPort
			return slices.DeleteFunc(cutInto(list, some), func(s packet.Segment) bool { return s.SrcPort != port })
		},
		"twice and in another order": func(list []packet.Segment) []packet.Segment {
			list = append(cutInto(list, some), cutInto(list, some)...)
			for i := 1; i < len(list); i += 2 {
				list[i], list[i-1] = list[i-1], list[i]
			}
			return list
		},
	}
}

func cutInto(list []packet.Segment, size func() int) []packet.Segment {
	var out []packet.Segment
	for _, s := range list {
		for {
			part := s
			n := min(size(), len(s.Payload))
			part.Payload, part.Length = s.Payload[:n], n
			out = append(out, part)
			if s.Payload = s.Payload[n:]; len(s.Payload) == 0 {
				break
			}
			s.Seq += uint32(n)
		}
	}
	return out
}

// evidenceFile has the segments kept and written.
func evidenceFile(t *testing.T, list []packet.Segment, c *recordedConn, secrets bool) string {
	t.Helper()
	k, err := evidence.Open(evidence.Options{
		Directory: filepath.Join(t.TempDir(), "e"), Memory: 8 << 20, Packets: 1 << 20, Octets: 4 << 20, Wait: true, KeepSecrets: secrets,
	})
	if err != nil {
		t.Fatal(err)
	}
	ring := k.Ring(1)
	first, last := int64(math.MaxInt64), int64(0)
	for i := range list {
		first, last = min(first, list[i].Time), max(last, list[i].Time)
		ring.AddSegment(&list[i])
	}
	k.Saw(&sessions.Conn{ID: "c", Client: c.client, Server: c.server, Start: time.Unix(0, first)})
	path := k.Take(&alerts.Alert{Time: time.Unix(0, last), Rule: "R", Severity: alerts.Info, Status: alerts.Firing, Sessions: []string{"c"}, Fingerprint: "1"})
	if err := k.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	return path
}

// textsOf gives a file as it is, and what both sides say, in order.
func textsOf(t *testing.T, path string, packets *int) [][]byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := capture.Open(path, capture.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sides := map[uint16][]packet.Segment{}
	d := packet.Decoder{}
	var p capture.Packet
	for f.Next(&p) == nil {
		var s packet.Segment
		if why := d.Decode(&p, &s); why != packet.OK {
			t.Fatalf("a packet that is %v", why)
		}
		*packets++
		s.Keep()
		sides[s.SrcPort] = append(sides[s.SrcPort], s)
	}
	texts := [][]byte{raw}
	for _, list := range sides {
		slices.SortStableFunc(list, func(a, b packet.Segment) int { return int(int32(a.Seq - b.Seq)) })
		var text []byte
		next := list[0].Seq
		for _, s := range list {
			if skip := int(int32(next - s.Seq)); skip >= 0 && skip < len(s.Payload) {
				text = append(text, s.Payload[skip:]...)
				next = s.Seq + uint32(len(s.Payload))
			} else if skip < 0 {
				text = append(append(text, 0), s.Payload...)
				next = s.Seq + uint32(len(s.Payload))
			}
		}
		texts = append(texts, text)
	}
	return texts
}
