package tls

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"math/big"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// handmade reads certificates.txt: a line a certificate, its name and its DER
// form in hexadecimal. They were made with OpenSSL.
func handmade(t testing.TB) map[string][]byte {
	t.Helper()
	file, err := os.Open("testdata/certificates.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	all := make(map[string][]byte)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, digits, _ := strings.Cut(lines.Text(), " ")
		if all[name], err = hex.DecodeString(digits); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestAlgorithms(t *testing.T) {
	all := handmade(t)
	for name, want := range map[string]struct {
		key, signature string
		problems       []string
	}{
		"rsa512_md5":         {"RSA-512", "MD5-RSA", []string{ProblemSelfSigned, ProblemWeakKey, ProblemWeakSignature}},
		"rsa1024_sha1":       {"RSA-1024", "SHA1-RSA", []string{ProblemSelfSigned, ProblemWeakKey, ProblemWeakSignature}},
		"rsa2048_sha256":     {"RSA-2048", "SHA256-RSA", []string{ProblemSelfSigned}},
		"rsa2048_pss_sha1":   {"RSA-2048", "SHA1-RSAPSS", []string{ProblemSelfSigned, ProblemWeakSignature}},
		"rsa2048_pss_sha256": {"RSA-2048", "SHA256-RSAPSS", []string{ProblemSelfSigned}},
		"dsa1024_sha1":       {"DSA-1024", "DSA-SHA1", []string{ProblemSelfSigned, ProblemWeakKey, ProblemWeakSignature}},
		"dsa1024_sha256":     {"DSA-1024", "DSA-SHA256", []string{ProblemSelfSigned, ProblemWeakKey}},
		"p224_sha256":        {"ECDSA-P-224", "ECDSA-SHA256", []string{ProblemSelfSigned}},
		"p384_sha384":        {"ECDSA-P-384", "ECDSA-SHA384", []string{ProblemSelfSigned}},
		"p521_sha512":        {"ECDSA-P-521", "ECDSA-SHA512", []string{ProblemSelfSigned}},
		"ed25519":            {"Ed25519", "Ed25519", []string{ProblemSelfSigned}},
		// crypto/x509 refuses these curves: who signed them is not known.
		"p192_sha1":        {"ECDSA-P-192", "ECDSA-SHA1", []string{ProblemWeakKey, ProblemWeakSignature}},
		"secp160_sha256":   {"ECDSA-1.3.132.0.8", "ECDSA-SHA256", []string{ProblemWeakKey}},
		"brainpool_sha256": {"ECDSA-1.3.36.3.3.2.8.1.1.7", "ECDSA-SHA256", nil},
		"ed448":            {"Ed448", "Ed448", []string{ProblemSelfSigned}},
		"leaf_of_strong":   {"RSA-2048", "SHA256-RSA", nil},
	} {
		c := new(Watch).leaf(all[name])
		if c == nil {
			t.Errorf("%s cannot be read", name)
			continue
		}
		if c.Key != want.key || c.SignatureAlgorithm != want.signature {
			t.Errorf("%s: key %q signed by %q, want %q %q", name, c.Key, c.SignatureAlgorithm, want.key, want.signature)
		}
		if got := c.Problems(c.NotBefore, ""); !slices.Equal(got, want.problems) {
			t.Errorf("%s: problems %q, want %q", name, got, want.problems)
		}
	}
}

// issued makes a certificate with these names, valid in 2020 and 2021.
func issued(t testing.TB, template x509.Certificate) []byte {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(7)
	template.NotBefore = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	template.NotAfter = time.Date(2021, 12, 31, 23, 59, 59, 0, time.UTC)
	parent := template
	parent.Subject = pkix.Name{CommonName: "Test CA"}
	der, err := x509.CreateCertificate(rand.Reader, &template, &parent, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func addresses(list ...string) (out [][]byte) {
	for _, a := range list {
		out = append(out, netip.MustParseAddr(a).AsSlice())
	}
	return out
}

func TestNameMismatch(t *testing.T) {
	template := x509.Certificate{Subject: pkix.Name{CommonName: "cn.test"}, DNSNames: []string{"mail.corp.test", "*.corp.test", "*.wild.corp.test", "m*.odd.test", "*", "10.9.9.9"}}
	for _, a := range addresses("10.20.0.25", "fd20::25") {
		template.IPAddresses = append(template.IPAddresses, a)
	}
	full := issued(t, template)
	onlyName := issued(t, x509.Certificate{Subject: pkix.Name{CommonName: "cn.test"}})
	onlyMail := issued(t, x509.Certificate{Subject: pkix.Name{CommonName: "cn.test"}, EmailAddresses: []string{"a@cn.test"}})
	withURI := issued(t, x509.Certificate{Subject: pkix.Name{CommonName: "cn.test"}, URIs: []*url.URL{{Scheme: "sip", Host: "cn.test"}}})
	for _, c := range []struct {
		der []byte
		sni string
		ok  bool
	}{
		{full, "", true},
		{full, "mail.corp.test", true},
		{full, "MAIL.Corp.TEST", true},
		{full, "mail.corp.test.", true},
		{full, "mx.corp.test", true},
		{full, "corp.test", false},
		{full, ".corp.test", false},
		{full, "a.b.corp.test", false},
		{full, "a.wild.corp.test", true},
		{full, "mx.odd.test", false},
		{full, "localhost", false},
		{full, "cn.test", false},
		{full, "10.20.0.25", true},
		{full, "::ffff:10.20.0.25", true},
		{full, "fd20:0::25", true},
		{full, "10.20.0.26", false},
		{full, "10.9.9.9", false},
		{onlyName, "cn.test", true},
		{onlyName, "other.test", false},
		{onlyMail, "cn.test", true},
		{withURI, "cn.test", false},
	} {
		leaf := new(Watch).leaf(c.der)
		problems := leaf.Problems(leaf.NotAfter, c.sni)
		if got := !slices.Contains(problems, ProblemNameMismatch); got != c.ok {
			t.Errorf("%q for %q: %q", c.sni, leaf.Names, problems)
		}
	}
	// Of names beyond the limit nothing is said.
	w := Watch{Options: &Options{MaxNames: 1}}
	if c := w.leaf(full); !c.cut || c.Problems(c.NotAfter, "mx.other.test") != nil || c.Problems(c.NotAfter, "10.20.0.26") != nil {
		t.Errorf("certificate %+v", c)
	}
}

func TestValidity(t *testing.T) {
	c := new(Watch).leaf(issued(t, x509.Certificate{DNSNames: []string{"a.test"}}))
	for _, v := range []struct {
		at   time.Time
		want []string
	}{
		{c.NotBefore.Add(-time.Second), []string{ProblemNotYetValid}},
		{c.NotBefore, nil},
		{c.NotAfter, nil},
		{c.NotAfter.Add(time.Second), []string{ProblemExpired}},
	} {
		if got := c.Problems(v.at, "a.test"); !slices.Equal(got, v.want) {
			t.Errorf("%v: %q, want %q", v.at, got, v.want)
		}
	}
}

// TestBadCertificates are those of one capture.
func TestBadCertificates(t *testing.T) {
	at := time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC)
	for name, want := range map[string][]string{
		"40a_bad_certificates_tls12-0": {ProblemExpired, ProblemNameMismatch},
		"40a_bad_certificates_tls12-1": {ProblemNameMismatch, ProblemNotYetValid},
		"40a_bad_certificates_tls12-2": {ProblemNameMismatch, ProblemSelfSigned, ProblemWeakKey, ProblemWeakSignature},
	} {
		f := watch(conversation(t, name)).Facts()
		if got := f.Certificate.Problems(at, f.SNI); !slices.Equal(got, want) {
			t.Errorf("%s for %s: %q, want %q", f.Certificate.Subject, f.SNI, got, want)
		}
	}
}

// shownIn is a Certificate message's body up to TLS 1.2.
func shownIn(certificates ...[]byte) []byte {
	var entries [][]byte
	for _, der := range certificates {
		entries = append(entries, vector(3, der))
	}
	return vector(3, entries...)
}

func TestChain(t *testing.T) {
	all := handmade(t)
	subjects := func(c *Certificate) (list []string) {
		for _, i := range c.Chain {
			list = append(list, i.Subject+" by "+i.Issuer)
		}
		return list
	}
	const root = "CN=root.test,O=Test"
	for _, c := range []struct {
		name     string
		message  []byte
		chain    []string
		problems []string
		damaged  bool
	}{
		{"leaf alone", shownIn(all["leaf_of_weak"]), nil, nil, false},
		{"weak intermediate", shownIn(all["leaf_of_weak"], all["weak_ca"]), []string{"CN=weak_ca.test by " + root}, []string{ProblemWeakSignature}, false},
		{"weak root", shownIn(all["leaf_of_strong"], all["strong_ca"], all["root"]), []string{"CN=strong_ca.test by " + root, root + " by " + root}, nil, false},
		{"root for a leaf", shownIn(all["root"]), nil, []string{ProblemSelfSigned, ProblemWeakKey, ProblemWeakSignature}, false},
		{"no certificate behind", shownIn(all["leaf_of_strong"], []byte("x"), all["root"]), []string{root + " by " + root}, nil, true},
		{"an empty one behind", shownIn(all["leaf_of_strong"], nil, all["root"]), nil, nil, true},
		{"cut short", shownIn(all["leaf_of_strong"], all["strong_ca"])[:900], nil, nil, true},
		{"none", shownIn(), nil, nil, false},
	} {
		var w Watch
		w.certificate(&w.server, c.message)
		got := w.facts.Certificate
		if w.facts.Damaged != c.damaged || w.facts.LimitReached {
			t.Errorf("%s: facts %+v", c.name, w.facts)
		}
		if got == nil {
			if c.name != "none" && c.name != "cut short" {
				t.Errorf("%s: no certificate", c.name)
			}
			continue
		}
		if !slices.Equal(subjects(got), c.chain) {
			t.Errorf("%s: chain %q, want %q", c.name, subjects(got), c.chain)
		}
		if problems := got.Problems(got.NotBefore, ""); !slices.Equal(problems, c.problems) {
			t.Errorf("%s: problems %q, want %q", c.name, problems, c.problems)
		}
	}
}

// TestSeenChain: the same leaf behind another chain is another certificate,
// and what limits left out is told each time.
func TestSeenChain(t *testing.T) {
	all := handmade(t)
	var seen Certificates
	read := func(message []byte) Facts {
		w := Watch{Options: &Options{Seen: &seen, MaxChain: 1, MaxNames: 1}}
		w.certificate(&w.server, message)
		return w.Facts()
	}
	one := shownIn(all["leaf_of_strong"], all["strong_ca"])
	two := shownIn(all["leaf_of_strong"], all["strong_ca"], all["root"])
	other := shownIn(all["leaf_of_strong"], all["root"])
	damaged := shownIn(all["leaf_of_strong"], []byte{0x30})
	for range 2 {
		if f := read(one); f.LimitReached || f.Damaged || len(f.Certificate.Chain) != 1 {
			t.Errorf("facts %+v", f)
		}
		if f := read(two); !f.LimitReached || f.Damaged || len(f.Certificate.Chain) != 1 {
			t.Errorf("facts %+v", f)
		}
		if f := read(other); f.Certificate.Chain[0].Subject != "CN=root.test,O=Test" {
			t.Errorf("facts %+v", f)
		}
		if f := read(damaged); !f.Damaged || f.Certificate == nil || f.Certificate.Chain != nil {
			t.Errorf("facts %+v", f)
		}
		if f := read(shownIn([]byte("none"))); !f.Damaged || f.Certificate != nil {
			t.Errorf("facts %+v", f)
		}
	}
	if first, again := read(one).Certificate, read(one).Certificate; first != again || len(seen.byHash) != 5 {
		t.Errorf("%d are remembered", len(seen.byHash))
	}
	// Octets dealt out otherwise over the certificates are others.
	joined := append(bytes.Clone(all["leaf_of_strong"]), all["strong_ca"]...)
	if reflect.DeepEqual(read(shownIn(joined)).Certificate, read(one).Certificate) {
		t.Error("taken for the certificate remembered")
	}
}

// TestChainLimits: the default, and a certificate of the chain that is too large.
func TestChainLimits(t *testing.T) {
	all := handmade(t)
	leaf, ca := all["leaf_of_strong"], all["root"]
	for _, c := range []struct {
		behind  int
		options Options
		kept    int
		limit   bool
	}{
		{10, Options{}, 10, false},
		{11, Options{}, 10, true},
		{40, Options{}, 10, true},
		{3, Options{MaxChain: 2}, 2, true},
		{2, Options{MaxChain: 2}, 2, false},
		{1, Options{MaxCertificate: len(leaf)}, 1, false},
	} {
		w := Watch{Options: &c.options}
		w.certificate(&w.server, shownIn(append([][]byte{leaf}, slices.Repeat([][]byte{ca}, c.behind)...)...))
		if f := w.Facts(); f.LimitReached != c.limit || len(f.Certificate.Chain) != c.kept || f.Damaged {
			t.Errorf("%d behind %+v: facts %+v", c.behind, c.options, f)
		}
	}
	w := Watch{Options: &Options{MaxCertificate: len(ca)}}
	w.certificate(&w.server, shownIn(ca, leaf, ca))
	if f := w.Facts(); !f.LimitReached || len(f.Certificate.Chain) != 1 || f.Damaged {
		t.Errorf("facts %+v", f)
	}
}
