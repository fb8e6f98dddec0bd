package mail

import "strings"

// longestCommon is what a word may have that is looked for among the common
// ones.
const longestCommon = 64

// lower makes text in lower case. What most messages say costs no memory.
func lower(raw []byte) string {
	var buf [longestCommon]byte
	if len(raw) > len(buf) || !isPlain(raw) {
		return strings.ToLower(clean(raw))
	}
	word := appendLower(buf[:0], raw)
	if common := commonType(word); common != "" {
		return common
	}
	return string(word)
}

func appendLower(out, b []byte) []byte {
	if !isASCII(b) {
		return append(out, strings.ToLower(string(b))...)
	}
	for _, c := range b {
		out = append(out, lowerCase(c))
	}
	return out
}

func lowerCase(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// commonType knows the words that describe most contents; it is empty for others.
func commonType(lower []byte) string {
	switch string(lower) {
	case "text/plain":
		return "text/plain"
	case "text/html":
		return "text/html"
	case "text/calendar":
		return "text/calendar"
	case "text/csv":
		return "text/csv"
	case "multipart/mixed":
		return "multipart/mixed"
	case "multipart/alternative":
		return "multipart/alternative"
	case "multipart/related":
		return "multipart/related"
	case "multipart/report":
		return "multipart/report"
	case "multipart/signed":
		return "multipart/signed"
	case "multipart/encrypted":
		return "multipart/encrypted"
	case "multipart/digest":
		return "multipart/digest"
	case "message/rfc822":
		return "message/rfc822"
	case "message/delivery-status":
		return "message/delivery-status"
	case "application/pdf":
		return "application/pdf"
	case "application/octet-stream":
		return "application/octet-stream"
	case "application/zip":
		return "application/zip"
	case "application/pkcs7-signature":
		return "application/pkcs7-signature"
	case "application/x-pkcs7-signature":
		return "application/x-pkcs7-signature"
	case "application/pkcs7-mime":
		return "application/pkcs7-mime"
	case "application/pgp-signature":
		return "application/pgp-signature"
	case "application/msword":
		return "application/msword"
	case "application/json":
		return "application/json"
	case "application/xml":
		return "application/xml"
	case "image/png":
		return "image/png"
	case "image/jpeg":
		return "image/jpeg"
	case "image/gif":
		return "image/gif"
	case "utf-8":
		return "utf-8"
	case "us-ascii":
		return "us-ascii"
	case "iso-8859-1":
		return "iso-8859-1"
	case "windows-1252":
		return "windows-1252"
	case "attachment":
		return "attachment"
	case "inline":
		return "inline"
	case "base64":
		return "base64"
	case "quoted-printable":
		return "quoted-printable"
	case "7bit":
		return "7bit"
	case "8bit":
		return "8bit"
	case "binary":
		return "binary"
	}
	return ""
}

// commonWord knows those of Authentication-Results and of automatic systems.
func commonWord(lower []byte) string {
	switch string(lower) {
	case "spf":
		return "spf"
	case "dkim":
		return "dkim"
	case "dmarc":
		return "dmarc"
	case "arc":
		return "arc"
	case "pass":
		return "pass"
	case "fail":
		return "fail"
	case "none":
		return "none"
	case "neutral":
		return "neutral"
	case "softfail":
		return "softfail"
	case "header.d":
		return "header.d"
	case "header.i":
		return "header.i"
	case "header.s":
		return "header.s"
	case "header.b":
		return "header.b"
	case "header.from":
		return "header.from"
	case "smtp.mailfrom":
		return "smtp.mailfrom"
	case "smtp.helo":
		return "smtp.helo"
	case "bulk":
		return "bulk"
	case "no":
		return "no"
	case "auto-generated":
		return "auto-generated"
	case "auto-replied":
		return "auto-replied"
	}
	return ""
}
