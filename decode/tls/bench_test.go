package tls

import "testing"

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
				w := Watch{Options: Options{Seen: seen}}
				w.certificate(&w.server, shown)
				if w.facts.Certificate == nil {
					b.Fatal("no certificate")
				}
			}
		})
	}
}
