package tls

import (
	"bytes"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// step is one feed or loss of a fuzzed connection, or what one of its records
// decrypted to.
type step struct {
	chunk
	gap   int64
	inner bool
}

// steps reads an input as feeds of both directions and losses: an octet says
// what comes, the next how much of the rest it takes, in units of 16 octets
// where the second bit is set.
func steps(input []byte) []step {
	var out []step
	for len(input) >= 2 {
		kind, n := input[0], int(input[1])
		input = input[2:]
		s := step{chunk: chunk{client: kind&1 != 0}}
		if kind&2 != 0 {
			n *= 16
		}
		if kind&12 == 12 {
			s.gap = int64(n) + 1
		} else {
			n = min(n, len(input))
			s.b, input = input[:n], input[n:]
			s.inner = kind&16 != 0
		}
		out = append(out, s)
	}
	return out
}

// script is the input that steps reads as these feeds.
func script(chunks []chunk) []byte {
	var out []byte
	for _, c := range chunks {
		kind := byte(0)
		if c.client {
			kind = 1
		}
		for b := c.b; len(b) > 0; {
			n := min(len(b), 255)
			out = append(append(out, kind, byte(n)), b[:n]...)
			b = b[n:]
		}
	}
	return out
}

func run(w *Watch, all []step, width int) Facts {
	for _, s := range all {
		switch {
		case s.gap > 0 && s.client:
			w.ClientGap(s.gap)
		case s.gap > 0:
			w.ServerGap(s.gap)
		case s.inner && s.client:
			w.inner(&w.client, s.b)
			continue
		case s.inner:
			w.inner(&w.server, s.b)
			continue
		}
		for b := s.b; len(b) > 0; b = b[min(width, len(b)):] {
			w.take(chunk{s.client, b[:min(width, len(b))]})
		}
	}
	return w.Facts()
}

// FuzzWatch feeds hostile octets and losses, cut in two ways: the facts must
// be the same, and what is held must stay within the limit.
func FuzzWatch(f *testing.F) {
	for _, c := range conversations {
		chunks := conversation(f, c.name)
		f.Add(script(chunks))
		f.Add(append([]byte{13, 4}, script(chunks[1:])...))
		lossy := append(script(chunks[:2]), 12, 200)
		f.Add(append(lossy, script(chunks[2:])...))
	}
	shown := message(messageCertificate, append(vector(1), vector(3, vector(3, handmade(f)["ed25519"]), vector(2))...))
	hellos := script(conversation(f, "04g_587_starttls_tls13_keylog-0")[:2])
	f.Add(append(append(hellos, 2|16, byte(len(shown)/16+1)), shown...))
	var texts string
	for _, name := range withKeys {
		texts += keyLog(f, ofCapture(name))
	}
	log := logOf(f, texts)
	f.Fuzz(func(t *testing.T, input []byte) {
		const limit = 2000
		all := steps(input)
		whole := Watch{Options: &Options{MaxHandshake: limit, MaxNames: 3, MaxChain: 2, MaxOffered: 40, MaxWaiting: limit}}
		if len(input)%2 == 0 {
			whole.Options.Keys = log
		}
		want := run(&whole, all, 1<<20)
		cut := Watch{Options: whole.Options}
		if got := run(&cut, all, 1+len(input)%3); !reflect.DeepEqual(got, want) {
			t.Errorf("cut\n%+v, whole\n%+v", got, want)
		}
		if o := whole.opening; o != nil && o.octets > limit {
			t.Errorf("%d octets wait", o.octets)
		}
		for _, s := range []*side{&whole.client, &whole.server} {
			if held := held(&whole, s, false) + held(&whole, s, true); held > 2*limit {
				t.Errorf("%d octets held", held)
			}
		}
		if c := want.Certificate; c != nil && len(c.Chain) > 2 {
			t.Errorf("chain %+v", c.Chain)
		}
		if want.Established && want.Failed || want.Failed != (want.AlertFrom != "") || want.ClosedByQuit && !want.Established {
			t.Errorf("facts contradict each other: %+v", want)
		}
	})
}

func held(w *Watch, s *side, inner bool) int {
	if m := w.messages(s, inner); m != nil {
		return cap(m.buf)
	}
	return 0
}

// leafOf is the leaf certificate that a conversation shows.
func leafOf(t testing.TB, name string) []byte {
	w := new(Watch)
	for _, c := range octets(conversation(t, name)) {
		if w.take(c); w.full {
			r := reader{b: w.messages(&w.server, false).buf}
			list := r.list(3)
			return list.vector(3)
		}
	}
	t.Fatal("no certificate")
	return nil
}

// FuzzCertificate reads a certificate as the leaf and behind one.
func FuzzCertificate(f *testing.F) {
	for _, name := range []string{"40a_bad_certificates_tls12-2", "03_starttls12_ecdhe_cert_visible-2", "openssl_tls12_chacha"} {
		f.Add(leafOf(f, name))
	}
	for _, der := range handmade(f) {
		f.Add(der)
	}
	leaf := leafOf(f, "openssl_tls12_chacha")
	at := time.Unix(1e9, 0)
	f.Fuzz(func(t *testing.T, der []byte) {
		options := Options{MaxCertificate: 2000, MaxNames: 3, MaxChain: 1}
		shown := vector(3, vector(3, der), vector(3, leaf), vector(3, der))
		var w, again, behind Watch
		w.Options, again.Options, behind.Options = &options, &options, &options
		w.certificate(&w.server, shown)
		again.certificate(&again.client, shown)
		behind.certificate(&behind.server, vector(3, vector(3, leaf), vector(3, der)))
		c := w.facts.Certificate
		if !reflect.DeepEqual(c, again.facts.ClientCertificate) || w.facts.Damaged != again.facts.Damaged {
			t.Errorf("read anew %+v, want %+v", again.facts.ClientCertificate, c)
		}
		if c == nil && !w.facts.Damaged && !w.facts.LimitReached {
			t.Error("neither read nor counted")
		}
		if i := behind.facts.Certificate.Chain; len(i) == 0 && !behind.facts.Damaged && !behind.facts.LimitReached || len(i) > 0 && !sound(i[0].Subject, i[0].Issuer) {
			t.Errorf("chain %+v", i)
		}
		if c == nil {
			return
		}
		if !sound(append(c.Names, c.Subject, c.Issuer, c.Serial, c.Key, c.SignatureAlgorithm)...) || len(c.Names) > options.MaxNames || len(c.Chain) > options.MaxChain {
			t.Errorf("certificate %+v", *c)
		}
		for _, sni := range append(c.Names, "", "mail.corp.test", "10.0.0.1") {
			problems := c.Problems(at, sni)
			if !slices.IsSorted(problems) || !slices.Equal(problems, c.Problems(at, sni)) {
				t.Errorf("problems %q", problems)
			}
		}
	})
}

// sound: text is bounded, printable and UTF-8.
func sound(texts ...string) bool {
	for _, text := range texts {
		if len(text) > maxName || !utf8.ValidString(text) || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsPrint(c) }) {
			return false
		}
	}
	return true
}

// FuzzHello reads one message as the hello of each side, whole and in parts.
func FuzzHello(f *testing.F) {
	for _, c := range conversations {
		for _, chunk := range conversation(f, c.name)[:2] {
			if len(chunk.b) > recordHeader+messageHeader {
				f.Add(chunk.b[recordHeader+messageHeader:])
			}
		}
	}
	f.Add(documented(vector(1, []byte("h2"))))
	f.Add(serverHelloBody(0x0303, 0x1301, extension(extSupportedVersions, u16(0x0304)), extension(extPreSharedKey, u16(0))))
	var hellos Hellos
	pattern := regexp.MustCompile("^t(1[0-3]|s[23]|00)[di][0-9]{4}[0-9A-Za-z]{2}_[0-9a-f]{12}_[0-9a-f]{12}$")
	f.Fuzz(func(t *testing.T, body []byte) {
		var whole, parts Watch
		whole.Options = &Options{MaxOffered: 40}
		parts.Options = whole.Options
		client, server := message(messageClientHello, body), message(messageServerHello, body)
		whole.handshake(&whole.client, client)
		whole.handshake(&whole.server, server)
		for i := range client {
			parts.handshake(&parts.client, client[i:i+1])
		}
		for i := range server {
			parts.handshake(&parts.server, server[i:i+1])
		}
		got := whole.Facts()
		for range 2 { // new, then remembered
			again := Watch{Options: &Options{MaxOffered: 40, Hellos: &hellos}}
			again.handshake(&again.client, client)
			again.handshake(&again.server, server)
			if again.Facts() != got {
				t.Errorf("remembered\n%+v, want\n%+v", again.Facts(), got)
			}
		}
		if got != parts.Facts() || whole.version != parts.version {
			t.Errorf("in parts\n%+v, want\n%+v", parts.Facts(), got)
		}
		if got.JA4 != "" && !pattern.MatchString(got.JA4) || (got.JA3 == "") != (got.JA4 == "") || len(got.JA3)%32 != 0 || len(got.JA3S)%32 != 0 {
			t.Errorf("fingerprints of %+v", got)
		}
		if !sound(got.SNI, got.ALPN, got.Version, got.OfferedVersion, got.Cipher) {
			t.Errorf("text of %+v", got)
		}
		if got.JA3 != "" && !got.ClientHello || got.JA3S != "" && !got.ServerHello || got.ServerHello && got.Retried {
			t.Errorf("facts contradict each other: %+v", got)
		}
	})
}

// TestSalvage: what crypto/x509 refuses still shows its subject and dates.
func TestSalvage(t *testing.T) {
	der := leafOf(t, "openssl_tls12_chacha")
	at := bytes.Index(der, []byte("mail.corp.test\x82")) // the first name of subjectAltName
	broken := bytes.Clone(der)
	broken[at] = 0xff // no IA5String
	var w Watch
	got, want := w.leaf(broken), w.leaf(der)
	if got == nil || got.Subject != want.Subject || got.Serial != want.Serial || !got.NotAfter.Equal(want.NotAfter) || got.Names != nil {
		t.Fatalf("certificate %+v, want %+v", got, want)
	}
	if got.Key != want.Key || got.SignatureAlgorithm != want.SignatureAlgorithm || got.Key == "" {
		t.Errorf("key %q signed by %q", got.Key, got.SignatureAlgorithm)
	}
	if problems := got.Problems(got.NotBefore, "other.test"); problems != nil {
		t.Errorf("names that were not read do not match: %q", problems)
	}
	if c := w.leaf(der[:100]); c != nil {
		t.Errorf("certificate %+v", c)
	}
}
