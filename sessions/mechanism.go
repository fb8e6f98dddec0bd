package sessions

import "strings"

// mechanisms are the names that AUTH is known by (IANA, SASL Mechanisms; and
// Exchange's). Families end with a dash.
var mechanisms = [...]string{
	"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "NTLM", "GSSAPI", "GSS-SPNEGO", "GS2-", "SCRAM-", "EXTERNAL", "ANONYMOUS",
	"XOAUTH", "XOAUTH2", "OAUTHBEARER", "OAUTH10A", "OPENID20", "SAML20", "KERBEROS_V4", "KERBEROS_V5", "OTP", "SKEY", "S/KEY",
	"SECURID", "SRP", "ECDSA-NIST256P-CHALLENGE", "ECDH-X25519-CHALLENGE", "NMAS_LOGIN", "NMAS_AUTHEN", "NMAS-SAMBA-AUTH", "9798-",
	"EAP-", "PASSDSS-3DES-1", "CRAM-SHA1", "CRAM-SHA256", "MSN", "WSS-NTLM", "EXCHANGEAUTH", "XAOL-UAS-MB", "XYMCOOKIE",
}

// mechanism is the name of an AUTH attempt. A word that nobody knows and the
// server does not offer may be a password that was typed in its place.
func (s *session) mechanism(name string) string {
	for _, known := range mechanisms {
		if name == known || strings.HasSuffix(known, "-") && strings.HasPrefix(name, known) {
			return name
		}
	}
	for _, line := range s.extensions {
		if rest, ok := strings.CutPrefix(line, "AUTH"); ok && strings.Contains(strings.ReplaceAll(rest, "=", " ")+" ", " "+name+" ") {
			return name
		}
	}
	if name == "" {
		return ""
	}
	return "OTHER"
}
