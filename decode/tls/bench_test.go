package tls

import (
	gotls "crypto/tls"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/decode/tls/keys"
)

// established returns a Watch behind the handshake and a segment of
// application data of a mail of 100 kB.
func established(t testing.TB) (*Watch, []byte) {
	w := watch(conversation(t, "openssl_tls12_gcm_no_quit"))
	record := make([]byte, recordHeader+16408)
	copy(record, []byte{typeApplicationData, 3, 3, 16408 >> 8, 16408 & 0xff})
	return w, record
}

// TestApplicationDataAllocatesNothing in any cut.
func TestApplicationDataAllocatesNothing(t *testing.T) {
	w, record := established(t)
	if n := testing.AllocsPerRun(100, func() {
		for b := record; len(b) > 0; b = b[min(1448, len(b)):] {
			w.Client(b[:min(1448, len(b))])
			w.Established()
		}
	}); n > 0 {
		t.Errorf("%v allocations a record", n)
	}
}

// TestHelloAllocations: the strings of the facts, and no more.
func TestHelloAllocations(t *testing.T) {
	record := conversation(t, "02c_tls_handshake_failures-0")[0].b
	w := new(Watch)
	if n := testing.AllocsPerRun(100, func() {
		*w = Watch{}
		w.Client(record)
	}); n > 3 {
		t.Errorf("%v allocations, want those of SNI, JA3 and JA4", n)
	}
}

func BenchmarkApplicationData(b *testing.B) {
	w, record := established(b)
	b.SetBytes(int64(len(record)))
	b.ReportAllocs()
	for b.Loop() {
		for rest := record; len(rest) > 0; rest = rest[min(1448, len(rest)):] {
			w.Client(rest[:min(1448, len(rest))])
		}
	}
}

func BenchmarkSmallRecords(b *testing.B) {
	w, _ := established(b)
	record := make([]byte, recordHeader+54)
	copy(record, []byte{typeApplicationData, 3, 3, 0, 54})
	b.ReportAllocs()
	for b.Loop() {
		w.Client(record)
	}
}

func BenchmarkHandshake(b *testing.B) {
	for _, name := range []string{"03_starttls12_ecdhe_cert_visible-0", "04g_587_starttls_tls13_keylog-0"} {
		chunks := conversation(b, name)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if f := watch(chunks).Facts(); !f.Established {
					b.Fatal("not established")
				}
			}
		})
	}
}

// BenchmarkHello reads a client's hello and makes its fingerprints, whole and
// in two segments.
func BenchmarkHello(b *testing.B) {
	record := conversation(b, "02c_tls_handshake_failures-0")[0].b
	for name, cut := range map[string]int{"whole": 0, "segments": len(record) / 2} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(record)))
			for b.Loop() {
				w := new(Watch)
				w.Client(record[:cut])
				w.Client(record[cut:])
				if w.facts.JA4 == "" {
					b.Fatal("no fingerprint")
				}
			}
		})
	}
}

// BenchmarkCertificate reads a chain of three that is new or remembered.
func BenchmarkCertificate(b *testing.B) {
	all := handmade(b)
	shown := shownIn(all["leaf_of_strong"], all["strong_ca"], all["root"])
	for name, seen := range map[string]*Certificates{"new": nil, "seen": new(Certificates)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w := Watch{Options: &Options{Seen: seen}}
				w.certificate(&w.server, shown)
				if w.facts.Certificate == nil {
					b.Fatal("no certificate")
				}
			}
		})
	}
}

// stream is a mail of long records that a client sends over TLS 1.3.
func stream(t testing.TB) (log *keys.Log, chunks []chunk, text int) {
	t.Helper()
	log = new(keys.Log)
	lines := []string{strings.Repeat("a line of text, ", 64<<10) + "\r\n", "QUIT\r\n"}
	chunks = talk(t, &gotls.Config{InsecureSkipVerify: true, KeyLogWriter: log},
		&gotls.Config{Certificates: []gotls.Certificate{selfSignedCertificate(t)}}, lines...)
	return log, chunks, len(lines[0])
}

// BenchmarkPlain opens a megabyte in records of 16 kB, fed as whole records and
// as segments; without a log, for comparison, it is passed over.
func BenchmarkPlain(b *testing.B) {
	log, chunks, text := stream(b)
	for _, c := range []struct {
		name  string
		log   *keys.Log
		width int
	}{{"records", log, 1 << 20}, {"segments", log, 1448}, {"no log", nil, 1448}} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(text))
			b.ReportAllocs()
			var p Plain
			for b.Loop() {
				w := &Watch{Options: &Options{Keys: c.log}}
				for _, chunk := range chunks {
					for rest := chunk.b; len(rest) > 0; rest = rest[min(c.width, len(rest)):] {
						chunk.b = rest[:min(c.width, len(rest))]
						w.take(chunk)
						for w.Next(&p) {
							_ = p
						}
					}
				}
				w.Close()
			}
		})
	}
}

// TestPlainAllocatesNothing for a record in its steady state, in any cut.
func TestPlainAllocatesNothing(t *testing.T) {
	log, chunks, text := stream(t)
	for _, width := range []int{1 << 20, 1448} {
		l := listen(t, log, chunks[:len(chunks)/2])
		w, rest, told := l.w, chunks[len(chunks)/2:len(chunks)-8], len(l.said(true))
		var p Plain
		feed := func() {
			for b := rest[0].b; len(b) > 0; b = b[min(width, len(b)):] {
				w.take(chunk{rest[0].client, b[:min(width, len(b))]})
				for w.Next(&p) {
					told += len(p.Data)
				}
			}
			rest = rest[1:]
		}
		feed()
		if n := testing.AllocsPerRun(len(rest)-1, feed); n > 0 || told < text/2 {
			t.Errorf("%v allocations a record, %d octets told", n, told)
		}
	}
}

// idle is a record of each side on an established connection, as of a dialog.
func idle() (client, server []byte) {
	return record(typeApplicationData, make([]byte, 40)), record(typeApplicationData, make([]byte, 90))
}

// BenchmarkConnection reads a handshake and a hundred records behind it.
func BenchmarkConnection(b *testing.B) {
	client, server := idle()
	for _, name := range []string{"03_starttls12_ecdhe_cert_visible-0", "04g_587_starttls_tls13_keylog-0"} {
		chunks := conversation(b, name)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			options := remembering()
			for b.Loop() {
				w := &Watch{Options: options}
				for _, c := range chunks {
					w.take(c)
				}
				for range 50 {
					w.Client(client)
					w.Server(server)
				}
				if !w.Settled() {
					b.Fatal("not settled")
				}
			}
		})
	}
}

// BenchmarkCold gives each of a hundred thousand established connections a
// record in turn: the state of each is in no cache.
func BenchmarkCold(b *testing.B) {
	const many = 100_000
	chunks := conversation(b, "04g_587_starttls_tls13_keylog-0")
	options := remembering()
	all := make([]*Watch, many)
	for i := range all {
		all[i] = &Watch{Options: options}
		for _, c := range chunks {
			all[i].take(c)
		}
	}
	client, server := idle()
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if w := all[i%many]; i/many%2 == 0 {
			w.Client(client)
			w.Settled()
		} else {
			w.Server(server)
			w.Settled()
		}
		i++
	}
}

// remembering are options that share what was read of other connections.
func remembering() *Options { return &Options{Seen: new(Certificates), Hellos: new(Hellos)} }
