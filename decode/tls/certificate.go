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

// maxVerify is the largest RSA modulus a signature is checked with, in bits:
// the time grows with its square, and a certificate may claim any.
const maxVerify = 8192

// certificate reads the leaf of a Certificate message (RFC 5246, 7.4.2).
func (w *Watch) certificate(b []byte) {
	r := reader{b: b}
	list := reader{b: r.take(r.number(3))}
	der := list.take(list.number(3))
	switch {
	case r.short || list.short:
		w.facts.Damaged = true
	case len(der) > w.Options.maxCertificate():
		w.facts.LimitReached = true
	case len(der) > 0:
		w.leaf(der)
	}
}

func (w *Watch) leaf(der []byte) {
	sum := sha256.Sum256(der)
	c, known := w.Options.Seen.get(sum)
	if !known {
		c = w.read(der, sum)
		w.Options.Seen.put(sum, c)
	}
	if c == nil {
		w.facts.Damaged = true
		return
	}
	w.facts.Certificate = c
}

func (w *Watch) read(der []byte, sum [sha256.Size]byte) *Certificate {
	c := parseCertificate(der)
	if c == nil {
		if c = salvage(der); c == nil {
			return nil
		}
	}
	if limit := w.Options.maxNames(); len(c.Names) > limit {
		c.Names = c.Names[:limit:limit]
		w.facts.LimitReached = true
	}
	c.SHA256 = hex.EncodeToString(sum[:])
	return c
}

// parseCertificate reads what crypto/x509 accepts, else nil. The recover is
// for hostile octets: a panic of a library must not end the monitor.
func parseCertificate(der []byte) (c *Certificate) {
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
	return &Certificate{
		Subject: subject, Issuer: issuer,
		Serial:    serial(x.SerialNumber),
		NotBefore: x.NotBefore.UTC(), NotAfter: x.NotAfter.UTC(),
		Names:      names(x),
		SelfSigned: selfSigned(x),
	}
}

// bare is the part of a certificate (RFC 5280, 4.1) that is read where
// crypto/x509 refuses the whole, as it does for odd extensions and keys.
type bare struct {
	TBS struct {
		Version   int `asn1:"optional,explicit,default:0,tag:0"`
		Serial    *big.Int
		Algorithm asn1.RawValue
		Issuer    asn1.RawValue
		Validity  struct{ NotBefore, NotAfter time.Time }
		Subject   asn1.RawValue
	}
}

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
	return &Certificate{
		Subject: subject, Issuer: issuer,
		Serial:    serial(b.TBS.Serial),
		NotBefore: b.TBS.Validity.NotBefore.UTC(), NotAfter: b.TBS.Validity.NotAfter.UTC(),
	}
}

func serial(n *big.Int) string {
	if n.Sign() == 0 {
		return "00"
	}
	return hex.EncodeToString(n.Bytes())
}

func names(x *x509.Certificate) []string {
	list := make([]string, 0, len(x.DNSNames)+len(x.IPAddresses))
	for _, name := range x.DNSNames {
		list = append(list, printable([]byte(name)))
	}
	for _, address := range x.IPAddresses {
		list = append(list, address.String())
	}
	if len(list) == 0 {
		return nil
	}
	return list
}

// selfSigned tells a certificate of its own making from one that merely
// names itself as its issuer. What cannot be checked is believed.
func selfSigned(x *x509.Certificate) bool {
	if !bytes.Equal(x.RawSubject, x.RawIssuer) {
		return false
	}
	if key, ok := x.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() > maxVerify {
		return true
	}
	err := x.CheckSignature(x.SignatureAlgorithm, x.RawTBSCertificate, x.Signature)
	var insecure x509.InsecureAlgorithmError
	return err == nil || errors.Is(err, x509.ErrUnsupportedAlgorithm) || errors.As(err, &insecure)
}
