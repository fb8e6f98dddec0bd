package tls

import "testing"

// oldHello is a hello in the format of SSL 2.0 for this version.
func oldHello(version int) []byte {
	hello := append([]byte{0x80, 0x1f, 1}, u16(version)...)
	hello = append(hello, 0, 6, 0, 0, 0, 16, 0, 0, 5, 0, 0, 4)
	return append(hello, make([]byte, 16)...)
}

func TestSSLv2(t *testing.T) {
	for version, name := range map[int]string{2: "SSLv2", 0x0300: "SSLv3", 0x0301: "TLSv1", 0x0303: "TLSv1.2"} {
		hello := oldHello(version)
		if !LooksLikeClientHello(hello) {
			t.Error("hello of SSL 2.0 not known")
		}
		for cut := range hello {
			for answered := 1; answered < 7; answered++ {
				w := new(Watch)
				w.Client(hello[:cut])
				if w.Facts().ClientHello {
					t.Fatal("hello was seen before its end")
				}
				w.Client(hello[cut:])
				answer := []byte{0x80, 0x20, 4, 0, 1, 0, 2}
				w.Server(answer[:answered])
				w.Server(answer[answered:])
				want := Facts{ClientHello: true, ServerHello: true, Version: "SSLv2", OfferedVersion: name}
				if f := w.Facts(); f != want {
					t.Fatalf("cut at %d and %d: facts %+v", cut, answered, f)
				}
			}
		}
	}
}

// TestSSLv2Loss: a hello with a hole was not seen in one piece.
func TestSSLv2Loss(t *testing.T) {
	hello := oldHello(0x0301)
	w := new(Watch)
	w.Client(hello[:20])
	w.ClientGap(int64(len(hello) - 20))
	if f := w.Facts(); f.ClientHello || f.OfferedVersion != "" || f.Damaged {
		t.Errorf("facts %+v", f)
	}
}

// TestSSLv2Refused: a server of SSL 2.0 answers with an error.
func TestSSLv2Refused(t *testing.T) {
	refusal := []byte{0x80, 3, 0, 0, 1}
	for cut := range refusal {
		w := new(Watch)
		w.Client(oldHello(0x0301))
		w.Server(refusal[:cut])
		w.Server(refusal[cut:])
		if f := w.Facts(); !f.Failed || f.AlertFrom != fromServer || f.AlertName != "" || f.NotTLS || !w.Settled() {
			t.Errorf("facts %+v", f)
		}
	}
	w := new(Watch)
	w.Server(refusal) // nobody asked
	if f := w.Facts(); f.Failed || !f.NotTLS {
		t.Errorf("facts %+v", f)
	}
}

// TestSSLv2HelloOfTLS: a newer server answers the old format with its own.
func TestSSLv2HelloOfTLS(t *testing.T) {
	chunks := conversation(t, "openssl_tls10_cbc")
	w := new(Watch)
	w.Client(oldHello(0x0301))
	for _, c := range chunks[1:] {
		w.take(c)
	}
	if f := w.Facts(); f.Version != "TLSv1" || f.OfferedVersion != "TLSv1" || !f.Established || !f.ClosedByQuit || f.JA3 != "" || f.JA4 != "" || f.JA3S == "" {
		t.Errorf("facts %+v", f)
	}
}
