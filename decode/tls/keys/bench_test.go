package keys

import (
	"bytes"
	"fmt"
	"testing"
)

// benchmarked is the ways that mail servers choose, and the worst.
var benchmarked = []string{"1.3 AES-128-GCM", "1.3 AES-256-GCM", "1.3 ChaCha20", "1.3 AES-128-CCM", "1.2 AES-256-GCM", "1.2 ChaCha20",
	"1.2 AES-128-CBC-SHA", "1.2 AES-256-CBC-SHA256", "1.0 AES-256-CBC-SHA", "1.2 RC4-SHA"}

// BenchmarkOpen opens one record again and again.
func BenchmarkOpen(b *testing.B) {
	for _, name := range benchmarked {
		for _, size := range []int{100, 1 << 14} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				w := wayNamed(name)
				d, s := w.start(b)
				r := s.seal(typeData, bytes.Repeat([]byte("x"), size), 0)
				dst := make([]byte, 0, len(r.Body))
				again := rewind(d)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if _, _, err := d.Open(dst, r); err != nil {
						b.Fatal(err)
					}
					again()
				}
			})
		}
	}
}

// rewind returns what sets a direction back to its first record.
func rewind(d *Direction) func() {
	k := d.keyed
	switch o := k.opener.(type) {
	case *block:
		vector := o.vector
		return func() { k.number, o.vector = 0, vector }
	case *stream:
		first := *o.cipher
		return func() { k.number, *o.cipher = 0, first }
	}
	return func() { k.number = 0 }
}

// TestOpenAllocatesNothing where dst has room.
func TestOpenAllocatesNothing(t *testing.T) {
	each(t, func(t *testing.T, w way) {
		d, s := w.start(t)
		r := s.seal(typeData, bytes.Repeat([]byte("x"), 1000), 0)
		dst := make([]byte, 0, len(r.Body))
		again := rewind(d)
		d.Open(dst, r)
		again()
		if n := testing.AllocsPerRun(20, func() {
			if _, _, err := d.Open(dst, r); err != nil {
				t.Fatal(err)
			}
			again()
		}); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

// BenchmarkResync is the cost of a record that belongs nowhere.
func BenchmarkResync(b *testing.B) {
	for _, name := range benchmarked {
		b.Run(name, func(b *testing.B) {
			d, s := wayNamed(name).start(b)
			r := s.seal(typeData, bytes.Repeat([]byte("x"), 1<<14), 0)
			r.Body[len(r.Body)-1] ^= 1
			dst := make([]byte, 0, len(r.Body))
			for b.Loop() {
				if _, _, _, err := d.Resync(dst, r, 0); err != NotAuthentic {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRekey derives the keys of one direction.
func BenchmarkRekey(b *testing.B) {
	for _, name := range []string{"1.3 AES-256-GCM", "1.2 AES-256-GCM", "1.0 AES-256-CBC-SHA"} {
		b.Run(name, func(b *testing.B) {
			w := wayNamed(name)
			log, hello := logOf(b, []byte(w.keyLog())), w.hello()
			var d Direction
			b.ReportAllocs()
			for b.Loop() {
				if err := d.Rekey(log, hello, Server, Application); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkWrite reads a key log.
func BenchmarkWrite(b *testing.B) {
	text := []byte(masterLine(1) + wayNamed("1.3 AES-256-GCM").keyLog())
	log := logOf(b, text)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		log.Write(text)
	}
}
