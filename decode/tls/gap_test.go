package tls

import (
	"reflect"
	"testing"
)

// without feeds a conversation of which n octets from at on are lost in one
// direction.
func without(chunks []chunk, client bool, at, n int) *Watch {
	w := new(Watch)
	place := 0
	for _, c := range chunks {
		if c.client != client {
			w.take(c)
			continue
		}
		from, to := clamp(at-place, len(c.b)), clamp(at+n-place, len(c.b))
		if from > 0 {
			w.take(chunk{client, c.b[:from]})
		}
		if from < to {
			if client {
				w.ClientGap(int64(to - from))
			} else {
				w.ServerGap(int64(to - from))
			}
		}
		if to < len(c.b) {
			w.take(chunk{client, c.b[to:]})
		}
		place += len(c.b)
	}
	return w
}

func clamp(n, limit int) int { return max(0, min(n, limit)) }

func total(chunks []chunk, client bool) int {
	n := 0
	for _, c := range chunks {
		if c.client == client {
			n += len(c.b)
		}
	}
	return n
}

// TestLossInventsNothing loses each stretch of one conversation of each kind
// and wants no fact that the whole conversation does not show.
func TestLossInventsNothing(t *testing.T) {
	for _, name := range []string{
		"03_starttls12_ecdhe_cert_visible-0", "04l_465_tls12_resumption_keylog-1", "04g_587_starttls_tls13_keylog-0",
		"02c_tls_handshake_failures-0", "02c_tls_handshake_failures-2", "02c_tls_handshake_failures-3",
		"openssl_tls13_client_certificate_required", "openssl_tls12_gcm_no_quit",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			chunks := conversation(t, name)
			whole := watch(chunks).Facts()
			for _, client := range []bool{true, false} {
				for _, n := range []int{1, 40, 300, 1400} {
					for at := 0; at < total(chunks, client); at += 3 {
						check(t, whole, without(chunks, client, at, n).Facts())
						if t.Failed() {
							t.Fatalf("client %v, %d octets lost at %d", client, n, at)
						}
					}
				}
			}
		})
	}
}

func check(t *testing.T, whole, part Facts) {
	t.Helper()
	text := func(name, part, whole string) {
		if part != "" && part != whole {
			t.Errorf("%s %q, want %q", name, part, whole)
		}
	}
	fact := func(name string, part, whole bool) {
		if part && !whole {
			t.Errorf("%s invented", name)
		}
	}
	text("version", part.Version, whole.Version)
	text("cipher", part.Cipher, whole.Cipher)
	text("sni", part.SNI, whole.SNI)
	text("offered version", part.OfferedVersion, whole.OfferedVersion)
	text("JA3", part.JA3, whole.JA3)
	text("JA3S", part.JA3S, whole.JA3S)
	text("JA4", part.JA4, whole.JA4)
	text("alert", part.AlertName, whole.AlertName)
	text("alert from", part.AlertFrom, whole.AlertFrom)
	fact("established", part.Established, whole.Established)
	fact("failed", part.Failed, whole.Failed)
	fact("resumed", part.Resumed, whole.Resumed)
	fact("retried", part.Retried, whole.Retried)
	fact("certificate requested", part.CertificateRequested, whole.CertificateRequested)
	fact("quit", part.ClosedByQuit, whole.ClosedByQuit)
	fact("not tls", part.NotTLS, false)
	fact("incomplete missing", !part.Incomplete, false)
	if part.Certificate != nil && !reflect.DeepEqual(part.Certificate, whole.Certificate) {
		t.Errorf("certificate %+v", part.Certificate)
	}
	if part.ClientCertificate != nil && !reflect.DeepEqual(part.ClientCertificate, whole.ClientCertificate) {
		t.Errorf("client certificate %+v", part.ClientCertificate)
	}
}

// TestLossInsideRecord: the framing survives a loss that stays in one body.
func TestLossInsideRecord(t *testing.T) {
	chunks := conversation(t, "03_starttls12_ecdhe_cert_visible-0")
	last := total(chunks, true)
	w := without(chunks, true, last-20, 5) // in the QUIT
	if f := w.Facts(); f.Damaged || !f.Established || !f.ClosedByQuit || !f.Incomplete {
		t.Errorf("facts %+v", f)
	}
	w = watch(chunks)
	w.ClientGap(10) // behind the QUIT: it was not the last
	if f := w.Facts(); f.Damaged || !f.Established || f.ClosedByQuit {
		t.Errorf("facts %+v", f)
	}
}

// TestResync: a loss that ends with a record costs that record only, any
// other costs the direction.
func TestResync(t *testing.T) {
	chunks := conversation(t, "03_starttls12_ecdhe_cert_visible-0")
	lose := func(chunk int, n int64) Facts {
		w := watch(chunks[:chunk])
		w.ClientGap(n)
		for _, c := range chunks[chunk+1:] {
			w.take(c)
		}
		return w.Facts()
	}
	middle := 0
	for i, c := range chunks {
		if c.client && c.b[0] == typeApplicationData {
			middle = i
			break
		}
	}
	if f := lose(middle, int64(len(chunks[middle].b))); f.Damaged || !f.ClosedByQuit {
		t.Errorf("facts %+v", f)
	}
	w := watch(chunks[:middle])
	w.ClientGap(0)
	w.Client(chunks[middle].b[7:])
	if f := w.Facts(); !f.Damaged || !f.Established {
		t.Errorf("facts %+v", f)
	}
}

// TestMidStream: a connection that was met after its handshake.
func TestMidStream(t *testing.T) {
	for _, name := range []string{"03_starttls12_ecdhe_cert_visible-0", "04g_587_starttls_tls13_keylog-0"} {
		w := new(Watch)
		w.ClientGap(0)
		w.ServerGap(0)
		for _, c := range conversation(t, name)[6:] {
			w.take(c)
		}
		f := w.Facts()
		if !f.Established || f.NotTLS || f.Damaged || f.Version != "" || f.ClosedByQuit {
			t.Errorf("%s: facts %+v", name, f)
		}
	}
}
