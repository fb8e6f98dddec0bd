package evidence

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture/packet"
)

func FuzzBlank(f *testing.F) {
	for i := range conversations() {
		f.Add(uint8(i), uint64(i), uint8(7), []byte("x"))
	}
	f.Fuzz(func(t *testing.T, which uint8, seed uint64, most uint8, noise []byte) {
		all := conversations()
		c := all[int(which)%len(all)]
		rnd := rand.New(rand.NewPCG(seed, 1))
		flow := ends()
		list := copied(recut(segmentsOf(t, c.text), rnd, 1+int(most)))
		list = lossy(again(list, rnd), rnd, int(seed%1000))
		if len(noise) > 0 && len(list) > 0 { // octets of nobody, anywhere behind what was sent
			odd := list[rnd.IntN(len(list))]
			odd.Seq += 1<<20 + uint32(rnd.Uint64())>>2
			odd.Payload, odd.Length = bytes.Clone(noise), len(noise)
			list = slices.Insert(list, rnd.IntN(len(list)), odd)
		}
		sizes := make([]int, len(list))
		for i := range list {
			sizes[i] = len(list[i].Payload)
		}
		blank(list, &flow)
		for i := range list {
			if len(list[i].Payload) != sizes[i] {
				t.Fatal("a packet has another size")
			}
		}
		for _, g := range list { // each packet alone, noise apart
			if bytes.Equal(g.Payload, noise) {
				continue
			}
			for _, s := range hidden {
				for i := 0; i+gram <= len(s); i++ {
					if bytes.Contains(g.Payload, []byte(s[i:i+gram])) && !bytes.Contains(noise, []byte(s[i:i+gram])) {
						t.Fatalf("%s: %q", c.name, g.Payload)
					}
				}
			}
		}
	})
}

// Hostile sessions take no more time than others of their size: each line a
// secret, each reply a prompt, each packet at odds with the one before.
func BenchmarkBlankHostile(b *testing.B) {
	for name, make := range map[string]func(n int, s *packet.Segment) string{
		"short lines": func(n int, s *packet.Segment) string { return strings.Repeat("abcd\r\n", 240) },
		"prompts":     func(n int, s *packet.Segment) string { return strings.Repeat("334\n", 360) },
		"AUTH":        func(n int, s *packet.Segment) string { return strings.Repeat("AUTH A abcde\n", 110) },
		"at odds": func(n int, s *packet.Segment) string {
			s.Seq -= 1000
			return strings.Repeat(fmt.Sprint(n%10, "\n"), 700)
		},
		"single chars": func(n int, s *packet.Segment) string { return strings.Repeat("b\n", 700) },
	} {
		b.Run(name, func(b *testing.B) {
			flow := ends()
			whole := segmentsOf(b, "S: 220 mx\nC: AUTH LOGIN\n")
			seq := [2]uint32{5 << 20, 9 << 20}
			for n := range 360 {
				s := whole[0]
				s.Flags = packet.ACK
				if n%2 == 1 {
					s.Turn()
				}
				s.Seq, s.Ack = seq[n%2], seq[1-n%2]
				s.Payload = []byte(make(n, &s))
				seq[n%2] += uint32(len(s.Payload))
				whole = append(whole, s)
			}
			octets := 0
			for i := range whole {
				octets += len(whole[i].Payload)
			}
			b.SetBytes(int64(octets))
			for b.Loop() {
				blank(copied(whole), &flow)
			}
		})
	}
}
