package tls

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// step is one feed or loss of a fuzzed connection.
type step struct {
	chunk
	gap int64
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
	f.Fuzz(func(t *testing.T, input []byte) {
		const limit = 2000
		all := steps(input)
		whole := Watch{Options: Options{MaxHandshake: limit, MaxNames: 3}}
		want := run(&whole, all, 1<<20)
		cut := Watch{Options: whole.Options}
		if got := run(&cut, all, 1+len(input)%3); !reflect.DeepEqual(got, want) {
			t.Errorf("cut\n%+v, whole\n%+v", got, want)
		}
		for _, s := range []*side{&whole.client, &whole.server} {
			if cap(s.messages.buf) > 2*limit {
				t.Errorf("%d octets held", cap(s.messages.buf))
			}
		}
		if want.Established && want.Failed || want.Failed != (want.AlertFrom != "") || want.ClosedByQuit && !want.Established {
			t.Errorf("facts contradict each other: %+v", want)
		}
	})
}

// leafOf is the leaf certificate that a conversation shows.
func leafOf(t testing.TB, name string) []byte {
	w := new(Watch)
	for _, c := range octets(conversation(t, name)) {
		if w.take(c); w.full {
			list := reader{b: w.server.messages.buf[3:]}
			return list.take(list.number(3))
		}
	}
	t.Fatal("no certificate")
	return nil
}

func FuzzCertificate(f *testing.F) {
	for _, name := range []string{"40a_bad_certificates_tls12-2", "03_starttls12_ecdhe_cert_visible-2", "openssl_tls12_chacha"} {
		f.Add(leafOf(f, name))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		var w Watch
		w.leaf(der)
		if w.facts.Certificate == nil && !w.facts.Damaged {
			t.Error("neither read nor counted as damaged")
		}
		if c := w.facts.Certificate; c != nil && !utf8.ValidString(c.Subject+c.Issuer+strings.Join(c.Names, "")) {
			t.Errorf("not UTF-8: %+v", *c)
		}
	})
}

// TestSalvage: what crypto/x509 refuses still shows its subject and dates.
func TestSalvage(t *testing.T) {
	der := leafOf(t, "openssl_tls12_chacha")
	at := bytes.Index(der, []byte("mail.corp.test\x82")) // the first name of subjectAltName
	broken := bytes.Clone(der)
	broken[at] = 0xff // no IA5String
	var w, whole Watch
	w.leaf(broken)
	whole.leaf(der)
	got, want := w.facts.Certificate, whole.facts.Certificate
	if got == nil || got.Subject != want.Subject || got.Serial != want.Serial || !got.NotAfter.Equal(want.NotAfter) || got.Names != nil {
		t.Errorf("certificate %+v, want %+v", got, want)
	}
	w = Watch{}
	if w.leaf(der[:100]); w.facts.Certificate != nil || !w.facts.Damaged {
		t.Errorf("facts %+v", w.facts)
	}
}
