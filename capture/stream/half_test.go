package stream_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/mailtap/mailtap/capture/stream"
)

// pull takes all that the half has; a gap shows as '?' octets.
func pull(t testing.TB, h *stream.Half, pool *stream.Pool) []byte {
	t.Helper()
	var out []byte
	var c stream.Chunk
	for h.Next(&c, pool) {
		if len(c.Data) == 0 && c.Gap <= 0 {
			t.Fatalf("an empty chunk: %+v", c)
		}
		out = append(out, c.Data...)
		out = append(out, bytes.Repeat([]byte{'?'}, int(c.Gap))...)
	}
	return out
}

func in(seq uint32, data string) stream.Input {
	return stream.Input{Seq: seq, Data: []byte(data), Length: len(data)}
}

func TestHalf(t *testing.T) {
	const isn = 0xfffffffa // the sequence wraps inside each case
	tests := []struct {
		name string
		in   []stream.Input
		lost uint32 // holes before this are given up, relative to the first octet
		want string
	}{
		{"in order", []stream.Input{in(0, "abc"), in(3, "def")}, 0, "abcdef"},
		{"reordered", []stream.Input{in(0, "ab"), in(4, "ef"), in(2, "cd")}, 0, "abcdef"},
		{"reversed", []stream.Input{in(0, "a"), in(5, "f"), in(4, "e"), in(3, "d"), in(2, "c"), in(1, "b")}, 0, "abcdef"},
		{"retransmitted", []stream.Input{in(0, "abc"), in(0, "abc"), in(1, "bcd")}, 0, "abcd"},
		{"retransmitted with more", []stream.Input{in(0, "ab"), in(0, "abcdef")}, 0, "abcdef"},
		{"keep-alive", []stream.Input{in(0, "abc"), in(2, "x"), in(3, "d")}, 0, "abcd"},
		{"first copy stays, delivered", []stream.Input{in(0, "abc"), in(0, "xyzd")}, 0, "abcd"},
		{"first copy stays, waiting", []stream.Input{in(0, "a"), in(2, "cd"), in(2, "xy"), in(1, "b")}, 0, "abcd"},
		{"overlap from the left", []stream.Input{in(0, "a"), in(3, "de"), in(2, "cxy"), in(1, "b")}, 0, "abcde"},
		{"overlap over both ends", []stream.Input{in(0, "a"), in(3, "d"), in(2, "cxef"), in(1, "b")}, 0, "abcdef"},
		{"overlap of two", []stream.Input{in(0, "a"), in(2, "c"), in(4, "e"), in(1, "bxdxf")}, 0, "abxdxf"},
		{"bridge over two that wait", []stream.Input{in(0, "a"), in(2, "c"), in(6, "g"), in(2, "cdefgh"), in(1, "b")}, 0, "abcdefgh"},
		{"hole stays", []stream.Input{in(0, "ab"), in(4, "ef")}, 0, "ab"},
		{"hole given up", []stream.Input{in(0, "ab"), in(4, "ef")}, 4, "ab??ef"},
		{"two holes, one given up", []stream.Input{in(0, "a"), in(2, "c"), in(4, "e")}, 3, "a?c"},
		{"nothing behind the hole", []stream.Input{in(0, "ab")}, 5, "ab???"},
		{"cut by the snap length", []stream.Input{{Seq: 0, Data: []byte("ab"), Length: 4}, in(4, "ef")}, 0, "ab??ef"},
		{"cut, then sent again whole", []stream.Input{in(0, "a"), {Seq: 2, Data: []byte("c"), Length: 3}, in(1, "b")}, 0, "abc??"},
		{"data in the SYN", []stream.Input{{Seq: ^uint32(0), SYN: true, Data: []byte("ab"), Length: 2}, in(2, "cd")}, 0, "abcd"},
		{"end", []stream.Input{in(0, "ab"), {Seq: 2, FIN: true, Data: []byte("c"), Length: 1}}, 5, "abc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var h stream.Half
			var pool stream.Pool
			var got []byte
			h.Start(isn)
			for _, i := range tt.in {
				i.Seq += isn
				h.Add(i, &pool)
				got = append(got, pull(t, &h, &pool)...)
			}
			if tt.lost > 0 {
				h.Lost(isn+tt.lost, &pool)
				got = append(got, pull(t, &h, &pool)...)
			}
			if string(got) != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if h.Offset() != int64(len(tt.want)) {
				t.Errorf("offset %d after %d octets", h.Offset(), len(tt.want))
			}
			h.Free(&pool)
			if h.Held(&pool) != 0 {
				t.Errorf("%d octets held after Free", h.Held(&pool))
			}
		})
	}
}

func TestEnded(t *testing.T) {
	var h stream.Half
	var pool stream.Pool
	h.Add(in(1, "ab"), &pool)
	h.Add(stream.Input{Seq: 5, FIN: true}, &pool)
	pull(t, &h, &pool)
	if h.Ended(&pool) {
		t.Error("ended before the hole was filled")
	}
	h.Add(in(3, "cd"), &pool)
	pull(t, &h, &pool)
	if !h.Ended(&pool) {
		t.Error("not ended")
	}
}

// TestConflict counts copies of an octet that differ.
func TestConflict(t *testing.T) {
	var h stream.Half
	var pool stream.Pool
	h.Add(in(0, "a"), &pool)
	pull(t, &h, &pool)
	h.Add(in(2, "cd"), &pool)
	h.Add(in(2, "cd"), &pool)
	if h.Counts(&pool).Conflicts != 0 {
		t.Error("equal copies count as a conflict")
	}
	h.Add(in(2, "cX"), &pool)
	if h.Counts(&pool).Conflicts != 1 {
		t.Errorf("%d conflicts", h.Counts(&pool).Conflicts)
	}
}

// TestAnyOrder sends a stream in pieces of any size, in any order within a
// window, some twice: it comes out whole.
func TestAnyOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		data := make([]byte, 1+rnd.IntN(5000))
		for i := range data {
			data[i] = byte(rnd.Uint32())
		}
		isn := rnd.Uint32()
		var parts []stream.Input
		for at := 0; at < len(data); {
			n := min(1+rnd.IntN(300), len(data)-at)
			p := stream.Input{Seq: isn + uint32(at), Data: data[at : at+n], Length: n}
			parts = append(parts, p)
			if rnd.IntN(5) == 0 {
				parts = append(parts, p)
			}
			if rnd.IntN(4) > 0 {
				at += n
			} else {
				at += max(n/2, 1) // the next one overlaps
			}
		}
		for i := range parts {
			j := min(i+rnd.IntN(8), len(parts)-1)
			parts[i], parts[j] = parts[j], parts[i]
		}
		var h stream.Half
		var pool stream.Pool
		h.Start(isn)
		var got []byte
		for _, p := range parts {
			p.Data = bytes.Clone(p.Data)
			h.Add(p, &pool)
			got = append(got, pull(t, &h, &pool)...)
			clear(p.Data)
		}
		if !bytes.Equal(got, data) {
			t.Fatalf("%d octets came out as %d, or other ones", len(data), len(got))
		}
		if h.Held(&pool) != 0 || h.Counts(&pool).Conflicts != 0 {
			t.Fatalf("held %d, conflicts %d", h.Held(&pool), h.Counts(&pool).Conflicts)
		}
	}
}

// FuzzHalf adds any segments: octets come out in order, what is held is
// counted, nothing panics.
func FuzzHalf(f *testing.F) {
	f.Add([]byte{0, 3, 1, 2, 0, 4, 8, 2, 5, 0x80, 9, 9})
	f.Fuzz(func(t *testing.T, b []byte) {
		var h stream.Half
		var pool stream.Pool
		h.Start(0xfffffff0)
		var total int64
		for len(b) >= 4 {
			op, at, n, more := b[0], uint32(b[1]), int(b[2]), int(b[3])
			b = b[4:]
			seq := 0xfffffff0 + at + uint32(op>>4)*64
			if op&1 != 0 {
				h.Lost(seq, &pool)
			} else {
				data := bytes.Repeat([]byte{op}, n)
				h.Add(stream.Input{Seq: seq, SYN: op&2 != 0, FIN: op&4 != 0, Data: data, Length: n + more}, &pool)
			}
			before := h.Offset()
			got := pull(t, &h, &pool)
			total += int64(len(got))
			if h.Offset()-before != int64(len(got)) || h.Offset() != total {
				t.Fatalf("offset %d after %d octets", h.Offset(), total)
			}
			if h.Held(&pool) < 0 || h.Held(&pool) > 255*len(b)+1<<16 {
				t.Fatalf("held %d", h.Held(&pool))
			}
		}
		h.Free(&pool)
		if h.Held(&pool) != 0 {
			t.Fatalf("%d octets held after Free", h.Held(&pool))
		}
	})
}

func BenchmarkInOrder(b *testing.B) {
	var h stream.Half
	var pool stream.Pool
	var c stream.Chunk
	data := make([]byte, 1448)
	seq := uint32(1)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		h.Add(stream.Input{Seq: seq, Data: data, Length: len(data)}, &pool)
		for h.Next(&c, &pool) {
		}
		seq += uint32(len(data))
	}
}

// TestHeldIsMemory counts what early octets cost, not what they are: a flood
// of single octets must reach the limit.
func TestHeldIsMemory(t *testing.T) {
	var h stream.Half
	var pool stream.Pool
	h.Start(0)
	for i := range uint32(100) {
		h.Add(in(2+2*i, "x"), &pool)
		h.Add(stream.Input{Seq: 3 + 2*i, Length: 1}, &pool) // cut off by the snap length
	}
	if h.Held(&pool) < 100*2048+100*64 {
		t.Errorf("%d octets are held", h.Held(&pool))
	}
	h.Add(in(0, "ab"), &pool)
	if got := len(pull(t, &h, &pool)); got != 202 || h.Held(&pool) != 0 {
		t.Errorf("%d octets came out, %d are held", got, h.Held(&pool))
	}
}
