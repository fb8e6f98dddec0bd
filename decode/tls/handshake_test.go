package tls

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/mailtap/mailtap/decode/tls/keys"
)

// recut puts the handshake messages that stand in clear, up to the first
// record of another kind, into records of at most n octets.
func recut(chunks []chunk, n int) []chunk {
	var out []chunk
	other := map[bool]bool{}
	for _, c := range chunks {
		var messages, rest []byte
		for b := c.b; len(b) > 0; {
			whole := recordHeader + bodyLength(b)
			other[c.client] = other[c.client] || b[0] != typeHandshake
			if other[c.client] {
				rest = append(rest, b[:whole]...)
			} else {
				messages = append(messages, b[recordHeader:whole]...)
			}
			b = b[whole:]
		}
		var b []byte
		for ; len(messages) > 0; messages = messages[min(n, len(messages)):] {
			b = append(b, record(typeHandshake, messages[:min(n, len(messages))])...)
		}
		out = append(out, chunk{c.client, append(b, rest...)})
	}
	return out
}

// TestRecordsCutMessages: in one record or in many, the messages are the same.
func TestRecordsCutMessages(t *testing.T) {
	for _, name := range []string{"openssl_tls12_chacha", "openssl_tls12_client_certificate_required", "openssl_tls13_client_certificate_required"} {
		chunks := joined(conversation(t, name))
		want := watch(chunks).Facts()
		for _, n := range []int{1, 2, 3, 4, 5, 7, 64, 255, 1000, 1 << 14} {
			again := recut(chunks, n)
			if got := watch(again).Facts(); !reflect.DeepEqual(got, want) {
				t.Errorf("%s in records of %d\n%+v, want\n%+v", name, n, got, want)
			}
			if got := watch(octets(again)).Facts(); !reflect.DeepEqual(got, want) {
				t.Errorf("%s in records of %d, octet by octet\n%+v, want\n%+v", name, n, got, want)
			}
		}
	}
}

// joined makes one chunk of the segments that follow each other in a direction.
func joined(chunks []chunk) []chunk {
	var out []chunk
	for _, c := range chunks {
		if last := len(out) - 1; last >= 0 && out[last].client == c.client {
			out[last].b = append(out[last].b, c.b...)
			continue
		}
		out = append(out, chunk{c.client, bytes.Clone(c.b)})
	}
	return out
}

// large is a hello of more than a record, as key shares of post-quantum
// groups make it, with empty and doubled extensions.
func large() []byte {
	return message(messageClientHello, helloBody(0x0303, u16(0x1301, 0x1302),
		extension(0x23), // session_ticket without a ticket
		extension(0x33, vector(2, u16(0x6399), vector(2, make([]byte, 20000)))),
		extension(extServerName, vector(2, []byte{0}, vector(2, []byte("mail.corp.test")))),
		extension(extServerName, vector(2, []byte{0}, vector(2, []byte("other.test")))),
		extension(extSupportedGroups),
		extension(extALPN),
		extension(extSupportedVersions, vector(1, u16(0x0304))),
		extension(extSupportedVersions)))
}

func TestLargeHello(t *testing.T) {
	body := large()
	half := record(typeHandshake, body[:1<<14])
	whole := append(half, record(typeHandshake, body[1<<14:])...)
	w := new(Watch)
	w.Client(whole)
	want := w.Facts()
	if !want.ClientHello || want.SNI != "mail.corp.test" || want.OfferedVersion != "TLSv1.3" || want.Damaged || want.LimitReached || want.JA4[:10] != "t13d020800" {
		t.Fatalf("facts %+v", want)
	}
	for cut := 1; cut < len(whole); cut++ {
		w := new(Watch)
		w.Client(whole[:cut])
		w.Client(whole[cut:])
		if got := w.Facts(); got != want {
			t.Fatalf("cut at %d\n%+v, want\n%+v", cut, got, want)
		}
	}
	// The records may end anywhere.
	for at := 1; at < len(body)-1; at += 97 {
		w := new(Watch)
		for _, part := range [][]byte{body[:at], body[at:]} {
			for len(part) > 0 {
				n := min(len(part), 1<<14)
				w.Client(record(typeHandshake, part[:n]))
				part = part[n:]
			}
		}
		if got := w.Facts(); got != want {
			t.Fatalf("record ends at %d\n%+v, want\n%+v", at, got, want)
		}
	}
}

// TestExtensionsCutShort: what stands before the damage is read, and there is
// no fingerprint.
func TestExtensionsCutShort(t *testing.T) {
	body := documented(vector(1, []byte("h2")))
	w := new(Watch)
	w.clientHello(body)
	want := w.Facts()
	for n := range body {
		w := new(Watch)
		w.clientHello(body[:n])
		f := w.Facts()
		bare := n == 2+randomLength+1+2+32+2 // as old clients send it
		if f.Damaged == bare || f.JA3 == want.JA3 || f.JA4 == want.JA4 || (f.JA3 != "") != bare {
			t.Errorf("%d octets: facts %+v", n, f)
		}
	}
	for _, extensions := range [][]byte{{0, 16, 0, 1}, {0}, {0, 0, 0}} { // a body that is missing, half a header
		w := new(Watch)
		w.clientHello(append(helloBody(0x0303, u16(1)), vector(2, extensions)...))
		if f := w.Facts(); !f.ClientHello || !f.Damaged || f.JA3 != "" || f.OfferedVersion != "TLSv1.2" {
			t.Errorf("facts %+v", f)
		}
	}
}

// TestCertificateRequest knows the form of each version.
func TestCertificateRequest(t *testing.T) {
	old := append(vector(1, []byte{1, 64}), vector(2, vector(2, []byte("CA")))...)
	tls12 := append(append(vector(1, []byte{1, 64}), vector(2, u16(0x0403))...), vector(2)...)
	tls13 := append(vector(1), vector(2, extension(extSignatureAlgorithms, vector(2, u16(0x0403))))...)
	for _, c := range []struct {
		version uint16
		body    []byte
		want    bool
	}{
		{0x0300, old, true}, {0x0302, old, true}, {0, old, true}, {0, tls12, true}, {0x0303, tls12, true}, {0x0304, tls13, true},
		{0x0303, old, false}, {0x0303, tls12[:5], false}, {0x0302, append(old, 0), false}, {0x0303, nil, false}, {0, []byte{9, 1}, false},
	} {
		w := new(Watch)
		w.version = c.version
		read := w.handshake
		if c.version >= version13 {
			read = w.inner
		}
		read(&w.server, message(messageCertificateRequest, c.body))
		if f := w.Facts(); f.CertificateRequested != c.want || f.Damaged == c.want {
			t.Errorf("%04x %x: facts %+v", c.version, c.body, f)
		}
	}
}

// TestInner gives the messages that TLS 1.3 encrypts, in records of any size.
func TestInner(t *testing.T) {
	all := handmade(t)
	entry := func(der []byte, extensions ...[]byte) []byte {
		return append(vector(3, der), vector(2, extensions...)...)
	}
	certificate := func(context []byte, entries ...[]byte) []byte {
		return message(messageCertificate, append(vector(1, context), vector(3, entries...)...))
	}
	staple := extension(5, []byte("OCSP"))
	server := bytes.Join([][]byte{
		message(messageEncryptedExtensions, vector(2, extension(10), extension(extALPN, vector(2, vector(1, []byte("smtp")))))),
		message(messageCertificateRequest, append(vector(1), vector(2, extension(extSignatureAlgorithms, vector(2, u16(0x0403))))...)),
		certificate(nil, entry(all["leaf_of_strong"], staple), entry(all["strong_ca"]), entry(all["root"], staple)),
		message(15, make([]byte, 70)),
		message(messageFinished, make([]byte, 48)),
	}, nil)
	client := bytes.Join([][]byte{
		certificate([]byte("context"), entry(all["ed25519"])),
		message(messageFinished, make([]byte, 48)),
		certificate(nil, entry(all["root"])), // after the handshake
	}, nil)
	for n := 1; n <= len(server); n++ {
		w := new(Watch)
		w.clientHello(helloBody(0x0303, u16(0x1301)))
		w.serverHello(serverHelloBody(0x0303, 0x1301, extension(extSupportedVersions, u16(0x0304))))
		for b := server; len(b) > 0; b = b[min(n, len(b)):] {
			w.inner(&w.server, b[:min(n, len(b))])
		}
		for b := client; len(b) > 0; b = b[min(n, len(b)):] {
			w.inner(&w.client, b[:min(n, len(b))])
		}
		f := w.Facts()
		if f.ALPN != "smtp" || !f.CertificateRequested || f.Certificate == nil || f.ClientCertificate == nil || f.Damaged || f.LimitReached {
			t.Fatalf("records of %d: facts %+v", n, f)
		}
		if c := f.Certificate; c.Subject != "CN=leaf_of_strong.test" || len(c.Chain) != 2 || c.Chain[1].Subject != "CN=root.test,O=Test" {
			t.Fatalf("records of %d: certificate %+v", n, c)
		}
		if f.ClientCertificate.Key != "Ed25519" {
			t.Fatalf("records of %d: certificate %+v", n, f.ClientCertificate)
		}
		if n := held(w, &w.server, true); n > 0 {
			t.Fatalf("records of %d: %d octets are still held", n, n)
		}
	}
}

// TestOutOfPlace: no message of TLS 1.3 is read from the clear, and none of a
// later handshake of TLS 1.2.
func TestOutOfPlace(t *testing.T) {
	all := handmade(t)
	shown := message(messageCertificate, shownIn(all["root"]))
	shown13 := message(messageCertificate, append(vector(1), vector(3, vector(3, all["root"]), vector(2))...))
	alpn := message(messageEncryptedExtensions, vector(2, extension(extALPN, vector(2, vector(1, []byte("smtp"))))))
	later := message(messageClientHello, helloBody(0x0303, u16(1), extension(extServerName, vector(2, []byte{0}, vector(2, []byte("later.test"))))))
	for _, version := range []uint16{version12, version13} {
		w := new(Watch)
		w.version = version
		read := w.inner
		if version == version13 {
			read = w.handshake
		}
		for _, m := range [][]byte{shown, shown13, alpn} {
			read(&w.server, m)
			read(&w.client, m)
		}
		w.inner(&w.client, later)
		if f := w.Facts(); f != (Facts{}) {
			t.Errorf("%04x: facts %+v", version, f)
		}
	}
}

// TestInnerLoss: behind a record that was lost a message begins anew.
func TestInnerLoss(t *testing.T) {
	all := handmade(t)
	shown := message(messageCertificate, append(vector(1), vector(3, vector(3, all["root"]), vector(2))...))
	w := new(Watch)
	w.version = version13
	w.inner(&w.server, shown[:100])
	w.messages(&w.server, true).restart()
	w.inner(&w.server, bytes.Repeat([]byte{0xff}, 100)) // the middle of a message
	w.inner(&w.server, shown)
	if f := w.Facts(); f.Certificate == nil || f.Damaged {
		t.Errorf("facts %+v", f)
	}
}

// parameters are what the hellos settle (RFC 5246, 8.1; RFC 8446, 7.1).
type parameters struct {
	Version, Suite                 uint16
	ClientRandom, ServerRandom     [randomLength]byte
	ExtendedMaster, EncryptThenMAC bool
}

// TestParameters are what the derivation of keys needs.
func TestParameters(t *testing.T) {
	for _, c := range []struct {
		name                           string
		version, suite                 uint16
		extendedMaster, encryptThenMAC bool
	}{
		{"openssl_tls12_cbc_etm", version12, 0xc028, true, true},
		{"openssl_tls12_chacha", version12, 0xcca8, true, false},
		{"04g_587_starttls_tls13_keylog-0", version13, 0x1302, false, false},
	} {
		chunks := conversation(t, c.name)
		w := &Watch{Options: &Options{Keys: new(keys.Log)}}
		for _, c := range chunks {
			w.take(c)
		}
		want := parameters{Version: c.version, Suite: c.suite, ExtendedMaster: c.extendedMaster, EncryptThenMAC: c.encryptThenMAC}
		copy(want.ClientRandom[:], chunks[0].b[recordHeader+messageHeader+2:])
		for _, answer := range chunks[1:] {
			if !answer.client {
				copy(want.ServerRandom[:], answer.b[recordHeader+messageHeader+2:])
				break
			}
		}
		h := &w.opening.hello
		got := parameters{h.Version, h.Suite, h.ClientRandom, h.ServerRandom, h.ExtendedMaster, h.EncryptThenMAC}
		if got != want {
			t.Errorf("%s: %+v, want %+v", c.name, got, want)
		}
	}
}

// TestEveryAlert of either side in clear, at each place of a handshake.
func TestEveryAlert(t *testing.T) {
	chunks := recut(joined(conversation(t, "openssl_tls12_chacha")), 1<<14)[:2]
	for version := byte(0); version <= 3; version++ {
		for _, a := range alertNames {
			for n := 1; n <= len(chunks); n++ {
				for _, client := range []bool{true, false} {
					w := watch(chunks[:n])
					w.take(chunk{client, []byte{typeAlert, 3, version, 0, 2, levelFatal, a.code}})
					f := w.Facts()
					from := fromServer
					if client {
						from = fromClient
					}
					if !f.Failed || f.Established || f.AlertFrom != from || f.AlertName != a.name || f.ServerHello != (n == 2) || f.Certificate != nil != (n == 2) || !w.Settled() {
						t.Fatalf("%s of %s behind %d chunks: facts %+v", a.name, from, n, f)
					}
				}
			}
		}
	}
}

// TestEncryptedAlert: behind its ChangeCipherSpec a side's alert shows its
// size alone.
func TestEncryptedAlert(t *testing.T) {
	chunks := joined(conversation(t, "openssl_tls12_chacha"))[:3]
	if f := watch(chunks).Facts(); !f.ServerHello || f.Failed || f.Established {
		t.Fatalf("facts %+v", f)
	}
	alert := record(typeAlert, make([]byte, 18))
	for n := range alert {
		w := watch(chunks)
		w.Client(alert[:n])
		w.Client(alert[n:])
		if f := w.Facts(); !f.Failed || f.AlertFrom != fromClient || f.AlertName != "" {
			t.Errorf("facts %+v", f)
		}
	}
	w := watch(chunks)
	w.ServerGap(1) // the rest of the handshake may have been there
	w.Client(alert)
	if f := w.Facts(); f.Failed || f.AlertFrom != "" {
		t.Errorf("facts %+v", f)
	}
}

func TestOfferedLimit(t *testing.T) {
	const most = 5
	list := u16(1, 2, 3, 4, 5, 6)
	var extensions [][]byte
	for i := range most + 1 {
		extensions = append(extensions, extension(100+i))
	}
	for name, body := range map[string]func(n int) []byte{
		"suites":     func(n int) []byte { return helloBody(0x0303, list[:2*n]) },
		"extensions": func(n int) []byte { return helloBody(0x0303, nil, extensions[:n]...) },
		"groups": func(n int) []byte {
			return helloBody(0x0303, nil, extension(extSupportedGroups, vector(2, list[:2*n])))
		},
		"signatures": func(n int) []byte {
			return helloBody(0x0303, nil, extension(extSignatureAlgorithms, vector(2, list[:2*n])))
		},
	} {
		for n := most; n <= most+1; n++ {
			w := Watch{Options: &Options{MaxOffered: most}}
			w.clientHello(body(n))
			if f := w.Facts(); f.LimitReached != (n > most) || (f.JA3 == "") != (n > most) || (f.JA4 == "") != (n > most) || !f.ClientHello || f.Damaged {
				t.Errorf("%d %s: facts %+v", n, name, f)
			}
		}
	}
	for n := most; n <= most+1; n++ {
		w := Watch{Options: &Options{MaxOffered: most}}
		w.serverHello(serverHelloBody(0x0303, 1, extensions[:n]...))
		if f := w.Facts(); f.LimitReached != (n > most) || (f.JA3S == "") != (n > most) || !f.ServerHello {
			t.Errorf("%d extensions of the server: facts %+v", n, f)
		}
	}
	if len(suites) > new(Options).maxOffered() {
		t.Error("the default is below what is assigned")
	}
}
