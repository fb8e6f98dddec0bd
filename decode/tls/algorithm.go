package tls

import (
	"encoding/asn1"
	"fmt"
	"math/big"
)

// longestAlgorithm bounds the number of an algorithm that has no name here.
const longestAlgorithm = 64

// algorithm is an AlgorithmIdentifier (RFC 5280, 4.1.1.2).
type algorithm struct {
	ID         asn1.ObjectIdentifier
	Parameters asn1.RawValue `asn1:"optional"`
}

// signed is the outer form of a certificate (RFC 5280, 4.1).
type signed struct {
	TBS       asn1.RawValue
	Algorithm algorithm
	Signature asn1.RawValue
}

// signatureOf names the algorithm of a certificate's signature as crypto/x509
// does, with those that it no longer knows. MD2, MD5 and SHA-1 are weak.
func signatureOf(der []byte) (name string, weak bool) {
	var s signed
	if _, err := asn1.Unmarshal(der, &s); err != nil {
		return "", false
	}
	switch id := s.Algorithm.ID.String(); id {
	case "1.2.840.113549.1.1.2":
		return "MD2-RSA", true
	case "1.2.840.113549.1.1.4":
		return "MD5-RSA", true
	case "1.2.840.113549.1.1.5", "1.3.14.3.2.29":
		return "SHA1-RSA", true
	case "1.2.840.10040.4.3":
		return "DSA-SHA1", true
	case "1.2.840.10045.4.1":
		return "ECDSA-SHA1", true
	case "1.2.840.113549.1.1.10":
		return pssName(s.Algorithm.Parameters)
	case "1.2.840.113549.1.1.14":
		return "SHA224-RSA", false
	case "1.2.840.113549.1.1.11":
		return "SHA256-RSA", false
	case "1.2.840.113549.1.1.12":
		return "SHA384-RSA", false
	case "1.2.840.113549.1.1.13":
		return "SHA512-RSA", false
	case "2.16.840.1.101.3.4.3.2":
		return "DSA-SHA256", false
	case "1.2.840.10045.4.3.1":
		return "ECDSA-SHA224", false
	case "1.2.840.10045.4.3.2":
		return "ECDSA-SHA256", false
	case "1.2.840.10045.4.3.3":
		return "ECDSA-SHA384", false
	case "1.2.840.10045.4.3.4":
		return "ECDSA-SHA512", false
	case "1.3.101.112":
		return "Ed25519", false
	case "1.3.101.113":
		return "Ed448", false
	default:
		return cut(id, longestAlgorithm), false
	}
}

// pssName names RSASSA-PSS by its hash, which is SHA-1 where none is given
// (RFC 4055, 3.1).
func pssName(parameters asn1.RawValue) (name string, weak bool) {
	var p struct {
		Hash algorithm `asn1:"optional,explicit,tag:0"`
	}
	if len(parameters.FullBytes) > 0 {
		if _, err := asn1.Unmarshal(parameters.FullBytes, &p); err != nil {
			return "RSAPSS", false
		}
	}
	switch p.Hash.ID.String() {
	case "", "1.3.14.3.2.26":
		return "SHA1-RSAPSS", true
	case "2.16.840.1.101.3.4.2.1":
		return "SHA256-RSAPSS", false
	case "2.16.840.1.101.3.4.2.2":
		return "SHA384-RSAPSS", false
	case "2.16.840.1.101.3.4.2.3":
		return "SHA512-RSAPSS", false
	}
	return "RSAPSS", false
}

// publicKey is a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7).
type publicKey struct {
	Algorithm algorithm
	Key       asn1.BitString
}

// Sizes in bits under which a key is weak (NIST SP 800-57 part 1, 5.6.1: 112
// bits of strength).
const (
	strongRSA   = 2048
	strongCurve = 224
)

// keyOf names a key by its algorithm and size or curve.
func keyOf(spki []byte) (name string, weak bool) {
	var k publicKey
	if _, err := asn1.Unmarshal(spki, &k); err != nil {
		return "", false
	}
	switch id := k.Algorithm.ID.String(); id {
	case "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10":
		return sized("RSA", firstInteger(k.Key.Bytes))
	case "1.2.840.10040.4.1":
		return sized("DSA", firstInteger(k.Algorithm.Parameters.FullBytes))
	case "1.2.840.10045.2.1":
		return curveName(k)
	case "1.3.101.112":
		return "Ed25519", false
	case "1.3.101.113":
		return "Ed448", false
	default:
		return cut(id, longestAlgorithm), false
	}
}

// firstInteger is the size of the first number of a sequence, in bits: RSA's
// modulus (RFC 8017, A.1.1) and DSA's prime (RFC 3279, 2.3.2).
func firstInteger(der []byte) int {
	var s struct{ N *big.Int }
	if _, err := asn1.Unmarshal(der, &s); err != nil {
		return 0
	}
	return s.N.BitLen()
}

func sized(kind string, bits int) (name string, weak bool) {
	if bits == 0 {
		return kind, false
	}
	return fmt.Sprintf("%s-%d", kind, bits), bits < strongRSA
}

// curveName names the curve of a key (RFC 5480, 2.1.1.1), and one that has no
// name here by its number; its size is that of a coordinate of the point.
func curveName(k publicKey) (name string, weak bool) {
	var curve asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(k.Algorithm.Parameters.FullBytes, &curve); err != nil {
		return "ECDSA", false
	}
	switch id := curve.String(); id {
	case "1.2.840.10045.3.1.1":
		return "ECDSA-P-192", true
	case "1.3.132.0.33":
		return "ECDSA-P-224", false
	case "1.2.840.10045.3.1.7":
		return "ECDSA-P-256", false
	case "1.3.132.0.34":
		return "ECDSA-P-384", false
	case "1.3.132.0.35":
		return "ECDSA-P-521", false
	default:
		bits := coordinate(k.Key.Bytes)
		return "ECDSA-" + cut(id, longestAlgorithm), bits > 0 && bits < strongCurve
	}
}

// coordinate is the size of a coordinate in bits, rounded up to octets (SEC 1,
// 2.3.3), 0 where the point has no known form.
func coordinate(point []byte) int {
	switch {
	case len(point) < 2:
		return 0
	case point[0] == 4: // both coordinates
		return (len(point) - 1) / 2 * 8
	case point[0] == 2 || point[0] == 3: // one and a sign
		return (len(point) - 1) * 8
	}
	return 0
}
