package smtp

import (
	"bytes"
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// Exchange reads one AUTH exchange (RFC 4954) as far as it names somebody. The
// secret is looked at only to say that it was there: it is not kept, and what
// was decoded is wiped.
type Exchange struct {
	Mechanism string // upper case, "" where the command named none
	Username  string
	Authzid   string
	Secret    bool // a reusable secret was in what the client sent
	Cancelled bool // the client sent "*"
	Odd       bool // something could not be decoded
	lost      bool // a line of the client may be missing
	step      int
}

// maxIdentity bounds a user name that is kept, in octets.
const maxIdentity = 320 // 64 octets of local part, "@", 255 of domain (RFC 5321, 4.5.3.1)

// Start reads the argument of the AUTH command: the mechanism and perhaps an
// initial response, "=" for an empty one.
func (e *Exchange) Start(arg []byte) {
	*e = Exchange{}
	name, rest, _ := bytes.Cut(arg, []byte{' '})
	if len(name) <= 20 { // RFC 4422, 3.1
		e.Mechanism = strings.ToUpper(printable(name))
	}
	rest = trim(rest)
	switch {
	case len(rest) == 0:
	case len(rest) == 1 && rest[0] == '=':
		e.step++
	default:
		e.respond(rest, nil)
	}
}

// Respond reads a line of the client that answers a 334 with the given text.
func (e *Exchange) Respond(line, challenge []byte) {
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
	plain, ok := decode64(line)
	if !ok {
		e.Odd = true
		// Some clients send LOGIN's answers unencoded: a secret all the same.
		e.Secret = e.Secret || e.Mechanism == "LOGIN" && e.step > 0
		e.step++
		return
	}
	e.read(plain, challenge)
	clear(plain)
	e.step++
}

func (e *Exchange) read(plain, challenge []byte) {
	switch {
	case e.Mechanism == "PLAIN":
		e.plain(plain)
	case e.Mechanism == "LOGIN":
		e.login(plain, challenge)
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
	}
}

// plain reads authzid NUL authcid NUL password (RFC 4616, 2).
func (e *Exchange) plain(b []byte) {
	parts := bytes.SplitN(b, []byte{0}, 3)
	if len(parts) < 3 {
		e.Odd = true
		return
	}
	e.name(&e.Authzid, parts[0])
	e.name(&e.Username, parts[1])
	e.Secret = e.Secret || len(parts[2]) > 0
}

// login reads a user name, then a password; the challenge tells which where it
// can be read (draft-murchison-sasl-login).
func (e *Exchange) login(b, challenge []byte) {
	password := e.step > 0 || e.lost
	if prompt, ok := decode64(challenge); ok && len(prompt) > 0 {
		prompt = bytes.ToLower(prompt)
		switch {
		case bytes.Contains(prompt, []byte("pass")):
			password = true
		case bytes.Contains(prompt, []byte("user")):
			password = false
		}
	}
	if password {
		e.Secret = e.Secret || len(b) > 0
		return
	}
	e.name(&e.Username, b)
}

// cram reads user name, space, digest (RFC 2195, 2).
func (e *Exchange) cram(b []byte) {
	if i := bytes.LastIndexByte(b, ' '); i >= 0 {
		e.name(&e.Username, b[:i])
		return
	}
	e.Odd = true
}

// digest reads username="…" and authzid="…" (RFC 2831, 2.1.2).
func (e *Exchange) digest(b []byte) {
	if e.step > 0 && e.Username != "" {
		return
	}
	e.name(&e.Username, directive(b, "username"))
	e.name(&e.Authzid, directive(b, "authzid"))
}

func directive(b []byte, key string) []byte {
	for from := 0; ; {
		i := bytes.Index(b[from:], []byte(key+`="`))
		if i < 0 {
			return nil
		}
		i += from
		if i > 0 && b[i-1] != ',' && b[i-1] != ' ' {
			from = i + 1
			continue
		}
		value := b[i+len(key)+2:]
		var out []byte
		for j := 0; j < len(value) && value[j] != '"'; j++ {
			if value[j] == '\\' && j+1 < len(value) {
				j++
			}
			out = append(out, value[j])
		}
		return out
	}
}

// scram reads the first message: gs2 header, then n=user (RFC 5802, 7).
func (e *Exchange) scram(b []byte) {
	if e.Username != "" {
		return
	}
	parts := bytes.Split(b, []byte{','})
	for i, p := range parts {
		switch {
		case i == 1 && bytes.HasPrefix(p, []byte("a=")):
			e.name(&e.Authzid, saslName(p[2:]))
		case i >= 2 && bytes.HasPrefix(p, []byte("n=")):
			e.name(&e.Username, saslName(p[2:]))
			return
		}
	}
}

// saslName undoes "=2C" and "=3D" (RFC 5802, 5.1).
func saslName(b []byte) []byte {
	b = bytes.ReplaceAll(b, []byte("=2C"), []byte{','})
	return bytes.ReplaceAll(b, []byte("=3D"), []byte{'='})
}

// xoauth reads user=…^Aauth=Bearer …^A^A.
func (e *Exchange) xoauth(b []byte) {
	for _, p := range bytes.Split(b, []byte{1}) {
		switch {
		case bytes.HasPrefix(p, []byte("user=")):
			e.name(&e.Username, p[5:])
		case bytes.HasPrefix(bytes.ToLower(p), []byte("auth=")):
			e.Secret = e.Secret || len(p) > 5
		}
	}
}

// bearer reads the gs2 header's a=user and the token (RFC 7628, 3.1).
func (e *Exchange) bearer(b []byte) {
	for i, p := range bytes.Split(b, []byte{1}) {
		switch {
		case i == 0:
			for _, f := range bytes.Split(p, []byte{','}) {
				if bytes.HasPrefix(f, []byte("a=")) {
					e.name(&e.Username, saslName(f[2:]))
				}
			}
		case bytes.HasPrefix(bytes.ToLower(p), []byte("auth=")):
			e.Secret = e.Secret || len(p) > 5
		}
	}
}

func (e *Exchange) name(to *string, b []byte) {
	if *to == "" && len(b) > 0 {
		*to = printable(b[:min(len(b), maxIdentity)])
	}
}

// printable copies text as valid UTF-8 without control characters.
func printable(b []byte) string {
	clean := true
	for _, c := range b {
		if c < ' ' || c >= 0x7f {
			clean = false
			break
		}
	}
	if clean {
		return string(b)
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(string(b), string(utf8.RuneError)))
}

// decode64 reads base64 as servers do: with or without padding.
func decode64(b []byte) ([]byte, bool) {
	b = bytes.TrimRight(trim(b), "=")
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(b)))
	n, err := base64.RawStdEncoding.Decode(out, b)
	if err != nil {
		clear(out)
		return nil, false
	}
	return out[:n], true
}

// Base64 says whether a line could be an answer in an AUTH exchange.
func Base64(line []byte) bool {
	line = trim(line)
	if len(line) == 1 && line[0] == '*' {
		return true
	}
	for i, c := range line {
		ok := 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/' || c == '=' && i > 0
		if !ok {
			return false
		}
	}
	return len(line)%4 == 0
}
