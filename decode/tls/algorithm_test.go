package tls

import (
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"
)

func identifier(t *testing.T, number string) asn1.ObjectIdentifier {
	t.Helper()
	var id asn1.ObjectIdentifier
	for _, part := range strings.Split(number, ".") {
		n, ok := new(big.Int).SetString(part, 10)
		if !ok {
			t.Fatal(number)
		}
		id = append(id, int(n.Int64()))
	}
	return id
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	der, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestSignatureNames(t *testing.T) {
	null := asn1.RawValue{FullBytes: []byte{5, 0}}
	for number, want := range map[string]struct {
		name string
		weak bool
	}{
		"1.2.840.113549.1.1.2":   {"MD2-RSA", true},
		"1.2.840.113549.1.1.4":   {"MD5-RSA", true},
		"1.2.840.113549.1.1.5":   {"SHA1-RSA", true},
		"1.3.14.3.2.29":          {"SHA1-RSA", true},
		"1.2.840.10040.4.3":      {"DSA-SHA1", true},
		"1.2.840.10045.4.1":      {"ECDSA-SHA1", true},
		"1.2.840.113549.1.1.14":  {"SHA224-RSA", false},
		"1.2.840.113549.1.1.11":  {"SHA256-RSA", false},
		"1.2.840.113549.1.1.12":  {"SHA384-RSA", false},
		"1.2.840.113549.1.1.13":  {"SHA512-RSA", false},
		"2.16.840.1.101.3.4.3.2": {"DSA-SHA256", false},
		"1.2.840.10045.4.3.1":    {"ECDSA-SHA224", false},
		"1.2.840.10045.4.3.2":    {"ECDSA-SHA256", false},
		"1.2.840.10045.4.3.3":    {"ECDSA-SHA384", false},
		"1.2.840.10045.4.3.4":    {"ECDSA-SHA512", false},
		"1.3.101.112":            {"Ed25519", false},
		"1.3.101.113":            {"Ed448", false},
		"1.2.3.4":                {"1.2.3.4", false},
	} {
		der := marshal(t, signed{TBS: null, Algorithm: algorithm{ID: identifier(t, number), Parameters: null}, Signature: null})
		if name, weak := signatureOf(der); name != want.name || weak != want.weak {
			t.Errorf("%s: %q weak %v, want %q", number, name, weak, want.name)
		}
	}
	long := make(asn1.ObjectIdentifier, 2000)
	long[0] = 1
	der := marshal(t, signed{TBS: null, Algorithm: algorithm{ID: long, Parameters: null}, Signature: null})
	if name, _ := signatureOf(der); len(name) != longestAlgorithm {
		t.Errorf("%d octets of an identifier", len(name))
	}
	if name, weak := signatureOf(nil); name != "" || weak {
		t.Errorf("%q", name)
	}
}

// TestPSSNames: without a hash it is SHA-1.
func TestPSSNames(t *testing.T) {
	with := func(number string) []byte {
		hash := marshal(t, algorithm{ID: identifier(t, number)})
		return vector1(0x30, vector1(0xa0, hash))
	}
	for _, c := range []struct {
		parameters []byte
		name       string
		weak       bool
	}{
		{nil, "SHA1-RSAPSS", true},
		{[]byte{0x30, 0}, "SHA1-RSAPSS", true},
		{with("1.3.14.3.2.26"), "SHA1-RSAPSS", true},
		{with("2.16.840.1.101.3.4.2.1"), "SHA256-RSAPSS", false},
		{with("2.16.840.1.101.3.4.2.2"), "SHA384-RSAPSS", false},
		{with("2.16.840.1.101.3.4.2.3"), "SHA512-RSAPSS", false},
		{with("1.2.3"), "RSAPSS", false},
		{[]byte{2, 1, 1}, "RSAPSS", false},
	} {
		if name, weak := pssName(asn1.RawValue{FullBytes: c.parameters}); name != c.name || weak != c.weak {
			t.Errorf("%x: %q weak %v, want %q", c.parameters, name, weak, c.name)
		}
	}
}

// vector1 is a value of DER under 128 octets.
func vector1(tag byte, body []byte) []byte { return append([]byte{tag, byte(len(body))}, body...) }

// TestOddKeys: what cannot be measured is not called weak.
func TestOddKeys(t *testing.T) {
	key := func(number string, parameters, octets []byte) []byte {
		return marshal(t, publicKey{
			Algorithm: algorithm{ID: identifier(t, number), Parameters: asn1.RawValue{FullBytes: parameters}},
			Key:       asn1.BitString{Bytes: octets, BitLength: 8 * len(octets)},
		})
	}
	null := []byte{5, 0}
	odd := marshal(t, identifier(t, "1.2.3"))
	const rsa, curve = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1"
	for _, c := range []struct {
		spki []byte
		name string
		weak bool
	}{
		{key(rsa, null, marshal(t, struct{ N, E *big.Int }{new(big.Int).Lsh(big.NewInt(1), 2046), big.NewInt(3)})), "RSA-2047", true},
		{key(rsa, null, marshal(t, struct{ N, E *big.Int }{new(big.Int).Lsh(big.NewInt(1), 2047), big.NewInt(3)})), "RSA-2048", false},
		{key(rsa, null, []byte("none")), "RSA", false},
		{key(curve, null, nil), "ECDSA", false},
		{key(curve, odd, append([]byte{4}, make([]byte, 2*27)...)), "ECDSA-1.2.3", true},
		{key(curve, odd, append([]byte{4}, make([]byte, 2*28)...)), "ECDSA-1.2.3", false},
		{key(curve, odd, append([]byte{3}, make([]byte, 27)...)), "ECDSA-1.2.3", true},
		{key(curve, odd, append([]byte{2}, make([]byte, 28)...)), "ECDSA-1.2.3", false},
		{key(curve, odd, []byte{9, 9}), "ECDSA-1.2.3", false},
		{key(curve, odd, nil), "ECDSA-1.2.3", false},
		{key("1.2.3.4", null, nil), "1.2.3.4", false},
		{nil, "", false},
	} {
		if name, weak := keyOf(c.spki); name != c.name || weak != c.weak {
			t.Errorf("%q weak %v, want %q %v", name, weak, c.name, c.weak)
		}
	}
}
