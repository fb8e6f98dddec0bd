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
