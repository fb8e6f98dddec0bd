package tls

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"math/big"
	"time"
)

// A signature is checked with RSA moduli between these, in bits: the time
// grows with the square, and a certificate may claim any; smaller ones
// crypto/rsa refuses.
const (
	minVerify = 1024
	maxVerify = 8192
)

// leaf reads a certificate, nil where it is none.
func (w *Watch) leaf(der []byte) *Certificate {
	c := parseCertificate(der, w.Options.maxNames())
	if c == nil {
		if c = salvage(der); c == nil {
			return nil
		}
	}
	c.SHA256 = sha256Hex(der)
	c.SignatureAlgorithm, c.weakSignature = signatureOf(der)
	return c
}

func sha256Hex(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// parseCertificate reads what crypto/x509 accepts, else nil. The recover is
// for hostile octets: a panic of a library must not end the monitor.
func parseCertificate(der []byte, maxNames int) (c *Certificate) {
	defer func() {
		if recover() != nil {
			c = nil
		}
	}()
	x, err := x509.ParseCertificate(bytes.Clone(der))
	if err != nil {
		return nil
	}
	subject, ok1 := distinguishedName(x.RawSubject)
	issuer, ok2 := distinguishedName(x.RawIssuer)
	if !ok1 || !ok2 {
		return nil
	}
	c = &Certificate{
		Subject: subject, Issuer: issuer,
		Serial:    serial(x.SerialNumber),
		NotBefore: x.NotBefore.UTC(), NotAfter: x.NotAfter.UTC(),
		SelfSigned: selfSigned(x),
	}
	c.Key, c.weakKey = keyOf(x.RawSubjectPublicKeyInfo)
	c.names(x, maxNames)
	return c
}

// names keeps the names that a client may mean. The common name is one only
// where subjectAltName has none of its kind (RFC 6125, 6.4.4).
func (c *Certificate) names(x *x509.Certificate, limit int) {
	if len(x.DNSNames)+len(x.IPAddresses)+len(x.URIs) == 0 {
		c.commonName = printable([]byte(x.Subject.CommonName))
	}
	for _, name := range x.DNSNames[:min(limit, len(x.DNSNames))] {
		c.Names = append(c.Names, printable([]byte(name)))
	}
	c.hosts = len(c.Names)
	for _, address := range x.IPAddresses[:min(limit-c.hosts, len(x.IPAddresses))] {
		c.Names = append(c.Names, address.String())
	}
	c.namesCut = len(c.Names) < len(x.DNSNames)+len(x.IPAddresses)
	c.cut = c.cut || c.namesCut
}

// bare is the part of a certificate (RFC 5280, 4.1) that is read where
// crypto/x509 refuses the whole, as it does for odd extensions and keys, and
// where no more is wanted.
type bare struct {
	TBS struct {
		Version   int `asn1:"optional,explicit,default:0,tag:0"`
		Serial    *big.Int
		Algorithm asn1.RawValue
		Issuer    asn1.RawValue
		Validity  struct{ NotBefore, NotAfter time.Time }
		Subject   asn1.RawValue
		PublicKey asn1.RawValue
	}
}

// salvage reads a certificate without its extensions: its names are unknown.
func salvage(der []byte) *Certificate {
	var b bare
	if _, err := asn1.Unmarshal(der, &b); err != nil {
		return nil
	}
	subject, ok1 := distinguishedName(b.TBS.Subject.FullBytes)
	issuer, ok2 := distinguishedName(b.TBS.Issuer.FullBytes)
	if !ok1 || !ok2 {
		return nil
	}
	c := &Certificate{
		Subject: subject, Issuer: issuer,
		Serial:    serial(b.TBS.Serial),
		NotBefore: b.TBS.Validity.NotBefore.UTC(), NotAfter: b.TBS.Validity.NotAfter.UTC(),
		namesCut: true,
	}
	c.Key, c.weakKey = keyOf(b.TBS.PublicKey.FullBytes)
	return c
}

// intermediate reads a certificate behind the leaf. weak speaks of its
// signature; a root's own proves nothing, and nobody relies on it.
func intermediate(der []byte) (i Intermediate, weak, ok bool) {
	var b bare
	if _, err := asn1.Unmarshal(der, &b); err != nil {
		return i, false, false
	}
	subject, ok1 := distinguishedName(b.TBS.Subject.FullBytes)
	issuer, ok2 := distinguishedName(b.TBS.Issuer.FullBytes)
	i = Intermediate{Subject: subject, Issuer: issuer, NotAfter: b.TBS.Validity.NotAfter.UTC(), SHA256: sha256Hex(der)}
	_, weak = signatureOf(der)
	root := bytes.Equal(b.TBS.Subject.FullBytes, b.TBS.Issuer.FullBytes)
	return i, weak && !root, ok1 && ok2
}

// serial writes a serial number. RFC 5280, 4.1.2.2, allows 20 octets; what is
// far beyond is cut.
func serial(n *big.Int) string {
	const longest = 64
	if n.Sign() == 0 {
		return "00"
	}
	octets := n.Bytes()
	return hex.EncodeToString(octets[:min(longest, len(octets))])
}

// selfSigned tells a certificate of its own making from one that merely
// names itself as its issuer. What cannot be checked is believed.
func selfSigned(x *x509.Certificate) bool {
	if !bytes.Equal(x.RawSubject, x.RawIssuer) {
		return false
	}
	if key, ok := x.PublicKey.(*rsa.PublicKey); ok && (key.N.BitLen() < minVerify || key.N.BitLen() > maxVerify) {
		return true
	}
	err := x.CheckSignature(x.SignatureAlgorithm, x.RawTBSCertificate, x.Signature)
	var insecure x509.InsecureAlgorithmError
	return err == nil || errors.Is(err, x509.ErrUnsupportedAlgorithm) || errors.As(err, &insecure)
}
