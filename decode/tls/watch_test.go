package tls

import (
	"bufio"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// chunk is what one segment carried in one direction.
type chunk struct {
	client bool
	b      []byte
}

// conversation reads a file of testdata: a line a segment, C or S and its
// octets in hexadecimal. The numbered ones are connections of the capture
// they are named after, the openssl ones were made with that library.
func conversation(t testing.TB, name string) []chunk {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var chunks []chunk
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		from, octets, _ := strings.Cut(lines.Text(), " ")
		b, err := hex.DecodeString(octets)
		if err != nil {
			t.Fatal(err)
		}
		chunks = append(chunks, chunk{from == "C", b})
	}
	return chunks
}

func (w *Watch) take(c chunk) {
	if c.client {
		w.Client(c.b)
		return
	}
	w.Server(c.b)
}

func watch(chunks []chunk) *Watch {
	w := new(Watch)
	for _, c := range chunks {
		w.take(c)
	}
	return w
}

const (
	corpSubject = "CN=mail.corp.test,O=Corpus Test"
	gcm256      = "ECDHE-RSA-AES256-GCM-SHA384"
)

// shown says what of a certificate the cases compare.
type shown struct {
	subject    string
	selfSigned bool
}

var conversations = []struct {
	name  string
	want  Facts
	shown *shown
}{
	{"02a_starttls13_auth_postfix-0", Facts{Version: "TLSv1.3", Cipher: "TLS_AES_256_GCM_SHA384", Established: true, ClosedByQuit: true}, nil},
	{"02a_starttls13_auth_postfix-1", Facts{Version: "TLSv1.3", Cipher: "TLS_AES_256_GCM_SHA384", SNI: "10.20.0.25", Established: true, ClosedByQuit: true}, nil},
	{"02c_tls_handshake_failures-0", Facts{Version: "TLSv1.3", Cipher: "TLS_AES_256_GCM_SHA384", SNI: "mail.corp.test", Failed: true, AlertFrom: "server"}, nil},
	{"02c_tls_handshake_failures-2", Facts{Version: "TLSv1.2", Cipher: gcm256, SNI: "mail.corp.test", Failed: true, AlertFrom: "client", AlertName: "unknown_ca"}, &shown{corpSubject, false}},
	{"02c_tls_handshake_failures-3", Facts{Version: "TLSv1.3", Cipher: "TLS_AES_256_GCM_SHA384", SNI: "mail.corp.test", Failed: true, AlertFrom: "client", AlertName: "unknown_ca"}, nil},
	{"02c_tls_handshake_failures-4", Facts{SNI: "mail.corp.test", Failed: true, AlertFrom: "server", AlertName: "protocol_version"}, nil},
	{"02c_tls_handshake_failures-5", Facts{SNI: "mail.corp.test", Failed: true, AlertFrom: "server", AlertName: "handshake_failure"}, nil},
	{"03_starttls12_ecdhe_cert_visible-0", Facts{Version: "TLSv1.2", Cipher: gcm256, Established: true, ClosedByQuit: true}, &shown{corpSubject, false}},
	{"03_starttls12_ecdhe_cert_visible-1", Facts{Version: "TLSv1.2", Cipher: gcm256, SNI: "mail.corp.test", Established: true, ClosedByQuit: true}, &shown{corpSubject, false}},
	{"03_starttls12_ecdhe_cert_visible-2", Facts{Version: "TLSv1.2", Cipher: "ECDHE-ECDSA-AES256-GCM-SHA384", SNI: "mx.partner.test", Established: true, ClosedByQuit: true}, &shown{"CN=mx.partner.test,O=Corpus Test", false}},
	{"04b_465_tls12_aes128gcm_keylog-0", Facts{Version: "TLSv1.2", Cipher: "ECDHE-RSA-AES128-GCM-SHA256", SNI: "mail.corp.test", Established: true, ClosedByQuit: true}, &shown{corpSubject, false}},
	{"04f_587_starttls_tls12_rsakex_keylog-0", Facts{Version: "TLSv1.2", Cipher: "AES128-GCM-SHA256", SNI: "mail.corp.test", Established: true, ClosedByQuit: true}, &shown{corpSubject, false}},
	{"04g_587_starttls_tls13_keylog-0", Facts{Version: "TLSv1.3", Cipher: "TLS_AES_256_GCM_SHA384", SNI: "mail.corp.test", Established: true, ClosedByQuit: true}, nil},
	{"04i_465_tls13_chacha20_keylog-0", Facts{Version: "TLSv1.3", Cipher: "TLS_CHACHA20_POLY1305_SHA256", SNI: "mail.corp.test", Established: true, ClosedByQuit: true}, nil},
	{"04l_465_tls12_resumption_keylog-0", Facts{Version: "TLSv1.2", Cipher: gcm256, SNI: "mail.corp.test", Established: true, ClosedByQuit: true}, &shown{corpSubject, false}},
	{"04l_465_tls12_resumption_keylog-1", Facts{Version: "TLSv1.2", Cipher: gcm256, SNI: "mail.corp.test", Resumed: true, Established: true, ClosedByQuit: true}, nil},
	{"16_starttls_injection-2", Facts{Version: "TLSv1.3", Cipher: "TLS_AES_256_GCM_SHA384", SNI: "odd.test", Established: true}, nil},
	{"20d_bruteforce_in_tls_keylog-0", Facts{Version: "TLSv1.3", Cipher: "TLS_AES_256_GCM_SHA384", SNI: "mail.corp.test", Established: true, ClosedByQuit: true}, nil},
	{"25_ipv6-2", Facts{Version: "TLSv1.3", Cipher: "TLS_AES_256_GCM_SHA384", SNI: "mail.corp.test", Established: true, ClosedByQuit: true}, nil},
	{"40a_bad_certificates_tls12-0", Facts{Version: "TLSv1.2", Cipher: gcm256, SNI: "mail.corp.test", Established: true, ClosedByQuit: true}, &shown{"CN=expired.corp.test,O=Corpus Test", false}},
	{"40a_bad_certificates_tls12-1", Facts{Version: "TLSv1.2", Cipher: gcm256, SNI: "mail.corp.test", Established: true, ClosedByQuit: true}, &shown{"CN=future.corp.test,O=Corpus Test", false}},
	{"40a_bad_certificates_tls12-2", Facts{Version: "TLSv1.2", Cipher: gcm256, SNI: "mail.corp.test", Established: true, ClosedByQuit: true}, &shown{"CN=selfsigned.corp.test", true}},
	{"openssl_tls10_cbc", Facts{Version: "TLSv1", Cipher: "AES128-SHA", SNI: "mail.corp.test", ALPN: "smtp", Established: true, ClosedByQuit: true}, &shown{corpSubject, true}},
	{"openssl_tls11_cbc", Facts{Version: "TLSv1.1", Cipher: "AES256-SHA", SNI: "mail.corp.test", ALPN: "smtp", Established: true, ClosedByQuit: true}, &shown{corpSubject, true}},
	{"openssl_tls12_cbc_etm", Facts{Version: "TLSv1.2", Cipher: "ECDHE-RSA-AES256-SHA384", SNI: "mail.corp.test", ALPN: "smtp", Established: true, ClosedByQuit: true}, &shown{corpSubject, true}},
	{"openssl_tls12_gcm_no_quit", Facts{Version: "TLSv1.2", Cipher: gcm256, SNI: "mail.corp.test", ALPN: "smtp", Established: true}, &shown{corpSubject, true}},
	{"openssl_tls12_ccm8", Facts{Version: "TLSv1.2", Cipher: "AES128-CCM8", SNI: "mail.corp.test", ALPN: "smtp", Established: true, ClosedByQuit: true}, &shown{corpSubject, true}},
	{"openssl_tls12_chacha", Facts{Version: "TLSv1.2", Cipher: "ECDHE-RSA-CHACHA20-POLY1305", SNI: "mail.corp.test", ALPN: "smtp", Established: true, ClosedByQuit: true}, &shown{corpSubject, true}},
	{"openssl_tls12_anon", Facts{Version: "TLSv1.2", Cipher: "AECDH-AES128-SHA", SNI: "mail.corp.test", ALPN: "smtp", Established: true, ClosedByQuit: true}, nil},
	{"openssl_tls12_client_certificate_required", Facts{Version: "TLSv1.2", Cipher: gcm256, SNI: "mail.corp.test", ALPN: "smtp", Failed: true, AlertFrom: "server", AlertName: "handshake_failure", CertificateRequested: true}, &shown{corpSubject, true}},
	{"openssl_tls13_client_certificate_required", Facts{Version: "TLSv1.3", Cipher: "TLS_AES_256_GCM_SHA384", SNI: "mail.corp.test", Failed: true, AlertFrom: "server"}, nil},
}

func TestConversations(t *testing.T) {
	for _, c := range conversations {
		t.Run(c.name, func(t *testing.T) {
			got := watch(conversation(t, c.name)).Facts()
			want := c.want
			want.ClientHello = true
			want.ServerHello = want.Version != ""
			o := offered[c.name]
			want.OfferedVersion, want.JA3, want.JA3S, want.JA4 = o.version, o.ja3, o.ja3s, o.ja4
			if c.shown == nil != (got.Certificate == nil) {
				t.Fatalf("certificate %+v, want %+v", got.Certificate, c.shown)
			}
			if c.shown != nil {
				if is := (shown{got.Certificate.Subject, got.Certificate.SelfSigned}); is != *c.shown {
					t.Errorf("certificate %+v, want %+v", is, *c.shown)
				}
			}
			got.Certificate = nil
			if got != want {
				t.Errorf("facts\n%+v, want\n%+v", got, want)
			}
		})
	}
}

// TestEveryCut feeds each conversation octet by octet and with each single
// cut, and wants the same facts.
func TestEveryCut(t *testing.T) {
	stride := 1
	if testing.Short() {
		stride = 7
	}
	for _, c := range conversations {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			chunks := conversation(t, c.name)
			want := watch(chunks).Facts()
			if got := watch(octets(chunks)).Facts(); !reflect.DeepEqual(got, want) {
				t.Errorf("octet by octet\n%+v, want\n%+v", got, want)
			}
			for i, whole := range chunks {
				for cut := 1; cut < len(whole.b); cut += stride {
					w := watch(chunks[:i])
					w.take(chunk{whole.client, whole.b[:cut]})
					w.Facts()
					w.take(chunk{whole.client, whole.b[cut:]})
					for _, rest := range chunks[i+1:] {
						w.take(rest)
					}
					if got := w.Facts(); !reflect.DeepEqual(got, want) {
						t.Fatalf("chunk %d cut at %d\n%+v, want\n%+v", i, cut, got, want)
					}
				}
			}
		})
	}
}

// TestSettled: once settled the outcome stays.
func TestSettled(t *testing.T) {
	for _, c := range conversations {
		w := new(Watch)
		settled := false
		for _, octet := range octets(conversation(t, c.name)) {
			w.take(octet)
			if settled = settled || w.Settled(); settled && w.Established() != c.want.Established {
				t.Fatalf("%s: settled on established %v", c.name, w.Established())
			}
		}
		if !settled {
			t.Errorf("%s: never settled", c.name)
		}
	}
}

func octets(chunks []chunk) []chunk {
	var out []chunk
	for _, c := range chunks {
		for i := range c.b {
			out = append(out, chunk{c.client, c.b[i : i+1]})
		}
	}
	return out
}

func TestCertificate(t *testing.T) {
	c := watch(conversation(t, "40a_bad_certificates_tls12-0")).Facts().Certificate
	if want := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC); !c.NotAfter.Equal(want) {
		t.Errorf("not after %v, want %v", c.NotAfter, want)
	}
	if len(c.SHA256) != 64 || c.Serial == "" || c.Issuer == "" || c.Issuer == c.Subject {
		t.Errorf("certificate %+v", c)
	}
	c = watch(conversation(t, "openssl_tls12_chacha")).Facts().Certificate
	if want := []string{"mail.corp.test", "*.corp.test", "10.20.0.25", "fd20::25"}; !reflect.DeepEqual(c.Names, want) {
		t.Errorf("names %q, want %q", c.Names, want)
	}
}

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name    string
		options Options
		keep    bool
	}{
		{"handshake", Options{MaxHandshake: 300}, false},
		{"certificate", Options{MaxCertificate: 300}, false},
		{"names", Options{MaxNames: 1}, true},
		{"offered", Options{MaxOffered: 1}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := Watch{Options: &c.options}
			for _, chunk := range conversation(t, "openssl_tls12_chacha") {
				w.take(chunk)
			}
			f := w.Facts()
			if !f.LimitReached || !f.Established || f.Damaged || f.Certificate != nil != c.keep {
				t.Errorf("facts %+v", f)
			}
			if c.options.MaxNames > 0 && len(f.Certificate.Names) != 1 {
				t.Errorf("names %q", f.Certificate.Names)
			}
			if (f.JA3 == "") != (c.options.MaxOffered > 0) {
				t.Errorf("JA3 %q", f.JA3)
			}
		})
	}
}

// TestPlainAlertWarning: unrecognized_name at level warning ends nothing (RFC
// 6066, 3).
func TestPlainAlertWarning(t *testing.T) {
	chunks := conversation(t, "04f_587_starttls_tls12_rsakex_keylog-0")
	w := watch(chunks[:1])
	w.Server([]byte{21, 3, 3, 0, 2, 1, 112})
	for _, c := range chunks[1:] {
		w.take(c)
	}
	if f := w.Facts(); !f.Established || f.Failed || f.AlertName != "" {
		t.Errorf("facts %+v", f)
	}
}

func TestNotTLS(t *testing.T) {
	chunks := conversation(t, "02a_starttls13_auth_postfix-0")
	w := watch(chunks[:1])
	w.Server([]byte("454 4.7.0 TLS not available\r\n"))
	if f := w.Facts(); !f.NotTLS || f.Damaged || f.Established || f.Failed {
		t.Errorf("facts %+v", f)
	}
	w = watch(chunks)
	w.Client([]byte("QUIT\r\n"))
	if f := w.Facts(); f.NotTLS || !f.Damaged || !f.Established {
		t.Errorf("facts %+v", f)
	}
}

func TestLooksLike(t *testing.T) {
	for _, c := range []struct {
		b                []byte
		yes, need, hello bool
	}{
		{nil, false, true, false},
		{[]byte{22}, false, true, false},
		{[]byte{22, 3, 1, 2}, false, true, false},
		{[]byte{22, 3, 1, 2, 0}, true, false, false},
		{[]byte{22, 3, 1, 2, 0, 1}, true, false, true},
		{[]byte{22, 3, 1, 2, 0, 2}, true, false, false},
		{[]byte{23, 3, 3, 0x48, 0}, true, false, false},
		{[]byte{23, 3, 3, 0x48, 1}, false, false, false},
		{[]byte{24, 3}, false, false, false},
		{[]byte{22, 4}, false, false, false},
		{[]byte{22, 3, 5}, false, false, false},
		{[]byte("EHLO x"), false, false, false},
		{[]byte("\x80 garbage"), false, false, false},
	} {
		yes, need := LooksLikeRecord(c.b)
		if hello := LooksLikeClientHello(c.b); yes != c.yes || need != c.need || hello != c.hello {
			t.Errorf("%x: record %v need %v hello %v", c.b, yes, need, hello)
		}
	}
}
