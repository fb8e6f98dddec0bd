package stream_test

import (
	"testing"

	"github.com/mailtap/mailtap/capture/stream"
)

// BenchmarkTake is the short way, which nearly all segments go.
func BenchmarkTake(b *testing.B) {
	var h stream.Half
	h.Start(1)
	b.SetBytes(1448)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := h.Take(h.NextSeq(), 1448); !ok {
			b.Fatal("not in place")
		}
	}
}

// BenchmarkOutOfOrder brings the first segment of a run last: the others wait.
// The time is that of a segment.
func BenchmarkOutOfOrder(b *testing.B) {
	for _, run := range []struct {
		name string
		n    uint32
	}{{"pairs", 2}, {"runs of 16", 16}, {"runs of 256", 256}} {
		b.Run(run.name, func(b *testing.B) {
			var h stream.Half
			var pool stream.Pool
			var c stream.Chunk
			data := make([]byte, 1448)
			h.Start(1)
			add := func(place uint32) {
				h.Add(stream.Input{Seq: h.NextSeq() + place*1448, Data: data, Length: len(data)}, &pool)
				for h.Next(&c, &pool) {
				}
			}
			b.SetBytes(1448)
			b.ReportAllocs()
			place := uint32(0)
			for b.Loop() {
				if place++; place == run.n {
					place = 0
				}
				add(place)
			}
			if h.Held(&pool) > 256*(2048+128) {
				b.Fatalf("%d octets are held", h.Held(&pool))
			}
		})
	}
}
