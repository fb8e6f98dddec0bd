package mail

import (
	"bytes"
	"strings"
)

const (
	smimeSigned    = "smime-signed"
	smimeEncrypted = "smime-encrypted"
	pgpSigned      = "pgp-signed"
	pgpEncrypted   = "pgp-encrypted"
)

// protect notes how a part is signed or encrypted (RFC 1847, 3156 and 8551).
// The outermost one counts.
func (f *findings) protect(d *description) {
	if f.protection == "" {
		f.protection = d.protection()
	}
}

func (d *description) protection() string {
	switch d.mediaType {
	case "multipart/signed":
		if strings.Contains(d.protocol, "pkcs7") {
			return smimeSigned
		} else if strings.Contains(d.protocol, "pgp") {
			return pgpSigned
		}
	case "multipart/encrypted":
		if strings.Contains(d.protocol, "pgp") {
			return pgpEncrypted
		}
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		switch d.smimeType {
		case "signed-data":
			return smimeSigned
		case "enveloped-data", "authenveloped-data":
			return smimeEncrypted
		case "": // the name tells (RFC 8551, 3.2.1)
			if strings.HasSuffix(strings.ToLower(d.filename), ".p7m") {
				return smimeEncrypted
			}
		}
	}
	return ""
}

// armor finds the line with which PGP begins in a text (RFC 9580, 6.2). It
// holds no octets, and looks only at the start of the text.
type armor struct {
	left    int  // octets still to be looked at
	matched int  // octets of the line so far that are the armor's
	other   bool // this line is another
}

const (
	armorStart   = "-----BEGIN PGP "
	armorMessage = "-----BEGIN PGP MESSAGE-----"
	armorSigned  = "-----BEGIN PGP SIGNED MESSAGE-----"
	armorWindow  = 4 << 10
)

func (a *armor) reset() { *a = armor{left: armorWindow} }

func (a *armor) stop() { a.left = 0 }

// find returns the protection, or nothing.
func (a *armor) find(b []byte) string {
	b = b[:min(len(b), a.left)]
	a.left -= len(b)
	for len(b) > 0 {
		if a.other {
			n := nextArmor(b)
			a.other = n < 0
			if a.other {
				return ""
			}
			b = b[n:]
			continue
		}
		if found := a.octet(b[0]); found != "" {
			a.stop()
			return found
		}
		b = b[1:]
	}
	return ""
}

// nextArmor is where a line behind the first one begins that may be the
// armor's, -1 where there is none. Of the last one the start may be all that
// came.
func nextArmor(b []byte) int {
	at := 0
	for {
		i := bytes.Index(b[at:], []byte(armorStart))
		if i < 0 {
			break
		}
		if at += i; at > 0 && b[at-1] == '\n' {
			return at
		}
		at += len(armorStart)
	}
	end := max(0, len(b)-len(armorStart))
	if i := bytes.LastIndexByte(b[end:], '\n'); i >= 0 {
		return end + i + 1
	}
	return -1
}

// octet compares with both lines. They share their start; which of them it is
// shows in the sign of matched.
func (a *armor) octet(c byte) string {
	n := max(a.matched, -a.matched)
	switch {
	case a.matched >= 0 && n < len(armorMessage) && c == armorMessage[n]:
		a.matched = n + 1
	case (a.matched < 0 || n == len(armorStart)) && c == armorSigned[n]:
		a.matched = -(n + 1)
	default:
		a.matched, a.other = 0, c != '\n'
	}
	switch a.matched {
	case len(armorMessage):
		return pgpEncrypted
	case -len(armorSigned):
		return pgpSigned
	}
	return ""
}
