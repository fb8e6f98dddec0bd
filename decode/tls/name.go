package tls

import (
	"encoding/asn1"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// maxName bounds the text of a subject or issuer, in octets.
const maxName = 1024

// attribute is one part of a name; the value is kept in any string type, as
// certificates of old mail servers hold T61String and BMPString.
type attribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

// attributeSET is read as a SET because its name ends so (encoding/asn1).
type attributeSET []attribute

// distinguishedName writes a name as RFC 2253 does: the last part first.
func distinguishedName(der []byte) (string, bool) {
	var parts []attributeSET
	if rest, err := asn1.Unmarshal(der, &parts); err != nil || len(rest) > 0 {
		return "", false
	}
	var out []byte
	for i := len(parts) - 1; i >= 0 && len(out) < maxName; i-- {
		for j, a := range parts[i] {
			if len(out) > 0 {
				out = append(out, separator(j))
			}
			out = append(out, attributeName(a.Type)...)
			out = append(out, '=')
			out = appendEscaped(out, attributeValue(a.Value))
		}
	}
	return cut(string(out), maxName), true
}

func separator(j int) byte {
	if j > 0 {
		return '+'
	}
	return ','
}

// cut shortens text without leaving half a character.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// attributeName is the short name of RFC 4514, 3, and of the usual others;
// else the number.
func attributeName(id asn1.ObjectIdentifier) string {
	switch number := id.String(); number {
	case "2.5.4.3":
		return "CN"
	case "2.5.4.5":
		return "serialNumber"
	case "2.5.4.6":
		return "C"
	case "2.5.4.7":
		return "L"
	case "2.5.4.8":
		return "ST"
	case "2.5.4.9":
		return "street"
	case "2.5.4.10":
		return "O"
	case "2.5.4.11":
		return "OU"
	case "2.5.4.17":
		return "postalCode"
	case "0.9.2342.19200300.100.1.1":
		return "UID"
	case "0.9.2342.19200300.100.1.25":
		return "DC"
	case "1.2.840.113549.1.9.1":
		return "emailAddress"
	default:
		return number
	}
}

// attributeValue is the text of a value, or its octets as #hex where it is none.
func attributeValue(v asn1.RawValue) string {
	if v.Class != asn1.ClassUniversal || v.IsCompound {
		return "#" + hex.EncodeToString(v.FullBytes)
	}
	switch v.Tag {
	case asn1.TagBMPString:
		return bmpText(v.Bytes)
	case asn1.TagT61String:
		return latinText(v.Bytes)
	case asn1.TagUTF8String, asn1.TagPrintableString, asn1.TagIA5String, asn1.TagNumericString:
		if utf8.Valid(v.Bytes) {
			return string(v.Bytes)
		}
		return latinText(v.Bytes)
	}
	return "#" + hex.EncodeToString(v.FullBytes)
}

func bmpText(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
	}
	return string(utf16.Decode(units))
}

// latinText reads octets as ISO 8859-1, which is what T61String holds in practice.
func latinText(b []byte) string {
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}

// appendEscaped escapes as RFC 4514, 2.4, and as hex what does not print: a
// control character, or a mark that turns the direction of the text around.
func appendEscaped(out []byte, text string) []byte {
	for i, c := range text {
		edge := c == ' ' && (i == 0 || i == len(text)-1)
		switch {
		case edge, strings.ContainsRune(`,+"\<>;`, c):
			out = append(out, '\\')
			out = utf8.AppendRune(out, c)
		case !unicode.IsPrint(c):
			out = appendHex(out, c)
		default:
			out = utf8.AppendRune(out, c)
		}
	}
	return out
}

func appendHex(out []byte, c rune) []byte {
	for _, octet := range utf8.AppendRune(nil, c) {
		out = append(out, '\\')
		out = hex.AppendEncode(out, []byte{octet})
	}
	return out
}
