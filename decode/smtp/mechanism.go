package smtp

import "bytes"

// plain reads authzid NUL authcid NUL password (RFC 4616, 2).
func (e *Exchange) plain(b []byte) {
	parts := bytes.SplitN(b, []byte{0}, 3)
	if len(parts) < 3 {
		e.Odd = true
		e.Secret = e.Secret || len(parts) == 2 && len(parts[1]) > 0 // the first NUL is forgotten at times
		return
	}
	e.name(&e.Authzid, parts[0])
	e.name(&e.Username, parts[1])
	e.Secret = e.Secret || len(parts[2]) > 0
}

// login reads a user name, then a password; the challenge tells which where it
// can be read (draft-murchison-sasl-login). Some clients send them unencoded,
// or both in one line: secrets all the same.
func (e *Exchange) login(line, challenge []byte) {
	password := e.passwordIsAsked(challenge)
	if hasSpace(line) {
		e.Odd, e.Secret = true, true
		if password {
			return
		}
		line, _ = nextWord(line)
	}
	if password {
		e.Secret = e.Secret || len(line) > 0
		return
	}
	user, ok := decode64(line)
	if !ok {
		e.Odd = true
		return
	}
	e.name(&e.Username, user)
	clear(user)
}

func (e *Exchange) passwordIsAsked(challenge []byte) bool {
	prompt, ok := decode64(challenge)
	if !ok {
		return e.step > 0 || e.lost
	}
	prompt = bytes.ToLower(prompt)
	switch {
	case bytes.Contains(prompt, []byte("pass")):
		return true
	case bytes.Contains(prompt, []byte("user")):
		return false
	}
	return e.step > 0 || e.lost
}

// cram reads user name, space, digest (RFC 2195, 2). What is no digest may be
// a password.
func (e *Exchange) cram(b []byte) {
	i := bytes.LastIndexByte(b, ' ')
	if i < 0 || !isDigest(b[i+1:]) {
		e.Odd = true
		return
	}
	e.name(&e.Username, b[:i])
}

func isDigest(b []byte) bool {
	for _, c := range b {
		if !isHex(c) {
			return false
		}
	}
	return len(b) > 0 // MD5 has 32; fewer are met where something was cut
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
		case equalFold(p, "AUTH="):
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
		case equalFold(p, "AUTH="):
			e.Secret = e.Secret || len(p) > 5
		}
	}
}
