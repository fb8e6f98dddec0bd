package smtp

import (
	"bytes"
	"strings"
)

// Exchange reads one AUTH exchange (RFC 4954), or one of X-EXPS, as far as it
// names somebody. The secret is looked at only to say that it was there: it is
// not kept, and what was decoded is wiped. The zero value works.
type Exchange struct {
	Limit int // lines of the client that are read; default 16

	Mechanism   string // upper case, "" where the command named none
	Username    string
	Domain      string // NTLM: whose user it is
	Authzid     string // ANONYMOUS: the trace that the client gave (RFC 4505)
	Target      string // what the login is for: NTLM's target name, Kerberos' service@REALM
	Workstation string // NTLM: the client's name of itself
	Secret      bool   // a reusable secret was in what the client sent
	Cancelled   bool   // the client sent "*"
	Odd         bool   // something could not be decoded
	Overrun     bool   // the client sent more lines than Limit

	lost bool // a line of the client may be missing
	step int
}

const (
	defaultSteps = 16
	maxIdentity  = 320 // octets of a name that is kept: 64 of local part, "@", 255 of domain (RFC 5321, 4.5.3.1)
	maxMechanism = 20  // octets of a mechanism's name (RFC 4422, 3.1)
)

// Start reads the argument of the AUTH command: the mechanism and perhaps an
// initial response, "=" for an empty one.
func (e *Exchange) Start(arg []byte) {
	*e = Exchange{Limit: e.Limit}
	name, rest := nextWord(arg)
	e.Mechanism = mechanismName(name)
	rest = trim(rest)
	if e.Mechanism == "EXCHANGEAUTH" { // [MS-XEXPS]: the name of a hash stands before the token
		rest = lastWord(rest)
	}
	switch {
	case len(rest) == 0:
	case len(rest) == 1 && rest[0] == '=':
		e.step++
	default:
		e.respond(rest, nil)
	}
}

// mechanismName takes a mechanism in any mix of case if it is known, else only
// as RFC 4422, 3.1 writes it: in place of a mechanism, clients also send a
// password.
func mechanismName(word []byte) string {
	if len(word) > maxMechanism || bytes.ContainsAny(word, "+/=") {
		return ""
	}
	upper := bytes.ToUpper(word)
	if !isMechanism(upper) && !bytes.Equal(upper, word) {
		return ""
	}
	for _, c := range upper {
		if !isMechanismOctet(c) {
			return ""
		}
	}
	return string(upper)
}

func isMechanism(upper []byte) bool {
	switch string(upper) {
	case "PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "NTLM", "GSSAPI", "GSS-SPNEGO", "KERBEROS_V4", "KERBEROS_V5", "EXTERNAL",
		"ANONYMOUS", "XOAUTH2", "OAUTHBEARER", "OTP", "SKEY", "SECURID", "EXCHANGEAUTH", "MSN":
		return true
	}
	return bytes.HasPrefix(upper, []byte("SCRAM-SHA"))
}

// Respond reads a line of the client that answers a 334 with the given text.
func (e *Exchange) Respond(line, challenge []byte) {
	line = trim(line)
	if len(line) == 1 && line[0] == '*' {
		e.Cancelled = true
		return
	}
	e.respond(line, challenge)
}

// Lost says that a line of the exchange may be missing: without a readable
// challenge the next one may be the password.
func (e *Exchange) Lost() { e.lost = true }

// Unsure says whether a line, a cancel perhaps, may be missing.
func (e *Exchange) Unsure() bool { return e.lost }

func (e *Exchange) respond(line, challenge []byte) {
	limit := e.Limit
	if limit <= 0 {
		limit = defaultSteps
	}
	if e.step >= limit {
		e.Overrun = true
		return
	}
	defer func() { e.step++ }()
	if e.Mechanism == "LOGIN" {
		e.login(line, challenge)
		return
	}
	plain, ok := decode64(line)
	if !ok && hasSpace(line) {
		packed := withoutBlanks(line)
		plain, ok = decode64(packed)
		clear(packed)
		e.Odd = true
	}
	if !ok {
		e.Odd = true
		return
	}
	e.read(plain, challenge)
	clear(plain)
}

func (e *Exchange) read(plain, challenge []byte) {
	switch {
	case len(plain) == 0: // an empty first response, or the end of a failed OAuth (RFC 7628, 3.2.3)
	case e.Mechanism == "PLAIN":
		e.plain(plain)
	case e.Mechanism == "CRAM-MD5":
		e.cram(plain)
	case e.Mechanism == "DIGEST-MD5":
		e.digest(plain)
	case strings.HasPrefix(e.Mechanism, "SCRAM-"):
		e.scram(plain)
	case e.Mechanism == "XOAUTH2":
		e.xoauth(plain)
	case e.Mechanism == "OAUTHBEARER":
		e.bearer(plain)
	case e.Mechanism == "EXTERNAL" || e.Mechanism == "ANONYMOUS":
		e.name(&e.Authzid, plain)
	case e.Mechanism == "NTLM" || e.Mechanism == "GSSAPI" || e.Mechanism == "GSS-SPNEGO" || e.Mechanism == "EXCHANGEAUTH":
		e.windows(plain, challenge)
	}
}

// windows reads a token of NTLM or Kerberos: GSSAPI and SPNEGO carry either.
func (e *Exchange) windows(token, challenge []byte) {
	if ask, ok := decode64(challenge); ok {
		e.ntlmTarget(ask)
	}
	if !e.ntlm(token) {
		e.kerberos(token)
	}
}

func (e *Exchange) name(to *string, b []byte) {
	if *to == "" && len(b) > 0 {
		*to = printable(b[:min(len(b), maxIdentity)])
	}
}
