package tls

import "time"

// Facts is what the wire told of a TLS connection. A fact that is not known
// is zero: so is what is encrypted, unless a key log opens it. It is a value; the Certificate it points to never changes.
type Facts struct {
	Version string // negotiated: TLSv1.3, TLSv1.2, TLSv1.1, TLSv1, SSLv3, SSLv2, or 0x7f1c for another
	Cipher  string // OpenSSL's name, e.g. ECDHE-RSA-AES256-GCM-SHA384; 0xC0FF for one that has none here
	SNI     string // host_name of the client's hello (RFC 6066, 3)
	ALPN    string // the server's choice (RFC 7301); TLS 1.3 encrypts it

	ClientHello, ServerHello bool // seen and in one piece

	// OfferedVersion is the highest version that the client offered, named
	// like Version (RFC 8446, 4.2.1).
	OfferedVersion string
	// Retried: the server asked for a second hello (RFC 8446, 4.1.4).
	Retried bool

	// JA3 and JA4 are fingerprints of the client's first hello, and JA3S of
	// the ServerHello, in hexadecimal (github.com/salesforce/ja3,
	// github.com/FoxIO-LLC/ja4). Empty where the hello was lost, damaged, in
	// the format of SSL 2.0, or above Options.MaxOffered. A second hello says
	// what the server wanted to hear, so it is never the one that counts.
	JA3, JA3S, JA4 string

	// Resumed: the handshake took up an earlier session. TLS 1.3: the server
	// chose a pre-shared key. Before: it changed ciphers without having sent
	// a Certificate, key exchange or ServerHelloDone (RFC 5246, 7.3).
	Resumed bool
	// Established: the handshake was completed. Up to TLS 1.2 both sides sent
	// ChangeCipherSpec and an encrypted handshake message. In TLS 1.3 the
	// Finished cannot be seen: the server sent encrypted records, and the
	// first one that the client encrypted is no alert by its size, nor is it
	// what the server answered to it. Where a key log opens them both Finished
	// were seen.
	Established bool
	// Failed: an alert ended the handshake. An end without an alert, of the
	// connection or of the capture, is neither Established nor Failed. An
	// alert behind the handshake is no fact.
	Failed bool
	// AlertFrom is client or server: who ended the handshake. Empty unless Failed.
	AlertFrom string
	// AlertName is the name of RFC 8446, 6. Empty where the alert was
	// encrypted and known by its size alone, and for an error of SSL 2.0.
	AlertName string

	// Decrypted: a record was opened with a key log, and authenticated.
	Decrypted bool
	// WaitingLimit: Options.MaxWaiting was reached before secrets came.
	WaitingLimit bool

	Certificate          *Certificate // leaf that the server showed; none where resumed; TLS 1.3 encrypts it
	CertificateRequested bool         // the server asked for the client's certificate; encrypted likewise
	ClientCertificate    *Certificate // leaf that the client showed; encrypted likewise

	// ClosedByQuit is an inference from record sizes: the newest data of the
	// client is one record of six octets, as QUIT and its line end are, and
	// the server answered it with a record that may be a 221 (at most 128
	// octets). RSET, DATA, NOOP and HELP have six octets too: it holds for an
	// established connection that has ended. With CBC suites only the number
	// of cipher blocks shows, so any 0 to 15 octets may fit. False where
	// octets were lost since that record. Where a key log opens the connection
	// it is what was said: a client's record that ends with QUIT, and a 221.
	ClosedByQuit bool

	NotTLS       bool // a direction began with what is no TLS record
	Damaged      bool // later octets broke the framing, or a message or certificate could not be read
	Incomplete   bool // octets of a direction were lost
	LimitReached bool // a handshake message, certificate, part of a chain, names or a fingerprint were left out by a limit of Options
}

// Certificate is the leaf certificate of a server or client (RFC 5280).
type Certificate struct {
	// Subject and Issuer are as in RFC 2253: CN=mail.corp.test,O=Corpus Test,
	// the last attribute of the certificate first.
	Subject, Issuer     string
	Serial              string // hexadecimal, lower case, in whole octets, without sign; at most 64 octets
	NotBefore, NotAfter time.Time
	Names               []string // DNS names and addresses of subjectAltName
	SHA256              string   // of the DER form, hexadecimal
	// SelfSigned: issuer and subject are the same, and the signature verifies
	// by the certificate's own key, or cannot be checked here (MD5, SHA-1, DSA,
	// RSA under 1024 or above 8192 bits).
	SelfSigned bool
	// Key is the algorithm of the public key and its size in bits or curve:
	// RSA-2048, ECDSA-P-256, Ed25519, or the object identifier of another.
	// Empty where it could not be read.
	Key string
	// SignatureAlgorithm is what the issuer signed with, named as crypto/x509
	// does: SHA256-RSA, ECDSA-SHA384, or the object identifier of another.
	SignatureAlgorithm string
	// Chain is what was shown behind the leaf, in that order, a root among it
	// if it was. That one signed the other is not checked.
	Chain []Intermediate

	hosts         int    // how many of Names are DNS names: they stand first
	commonName    string // a host name where there are no Names for it
	namesCut      bool   // there are, or may be, names that are not in Names
	weakKey       bool
	weakSignature bool // of the leaf or of one in Chain that is no root
	cut, damaged  bool // something was left out: by a limit, as not readable
}

// Intermediate is a certificate that was shown behind the leaf, its fields as
// in Certificate.
type Intermediate struct {
	Subject, Issuer string
	NotAfter        time.Time
	SHA256          string
}

const (
	fromClient = "client"
	fromServer = "server"
)

// alertLength is the plaintext of an alert: level and description (RFC 8446, 6).
const alertLength = 2

const (
	levelFatal  = 2
	closeNotify = 0
)

// alertNames holds the descriptions of RFC 8446, 6, with those that RFC 5246
// and RFC 6101 reserve for older versions.
var alertNames = [...]struct {
	code byte
	name string
}{
	{0, "close_notify"},
	{10, "unexpected_message"},
	{20, "bad_record_mac"},
	{21, "decryption_failed"},
	{22, "record_overflow"},
	{30, "decompression_failure"},
	{40, "handshake_failure"},
	{41, "no_certificate"},
	{42, "bad_certificate"},
	{43, "unsupported_certificate"},
	{44, "certificate_revoked"},
	{45, "certificate_expired"},
	{46, "certificate_unknown"},
	{47, "illegal_parameter"},
	{48, "unknown_ca"},
	{49, "access_denied"},
	{50, "decode_error"},
	{51, "decrypt_error"},
	{60, "export_restriction"},
	{70, "protocol_version"},
	{71, "insufficient_security"},
	{80, "internal_error"},
	{86, "inappropriate_fallback"},
	{90, "user_canceled"},
	{100, "no_renegotiation"},
	{109, "missing_extension"},
	{110, "unsupported_extension"},
	{111, "certificate_unobtainable"},
	{112, "unrecognized_name"},
	{113, "bad_certificate_status_response"},
	{114, "bad_certificate_hash_value"},
	{115, "unknown_psk_identity"},
	{116, "certificate_required"},
	{120, "no_application_protocol"},
	{121, "ech_required"},
}

// alertName names a description; an unassigned one by its number.
func alertName(code byte) string {
	for _, a := range alertNames {
		if a.code == code {
			return a.name
		}
	}
	return "alert_" + decimal(code)
}

func decimal(n byte) string {
	return string([]byte{'0' + n/100, '0' + n/10%10, '0' + n%10})
}
