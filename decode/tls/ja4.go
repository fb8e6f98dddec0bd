package tls

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// listRoom is for the suites or extensions of a usual hello, without allocation.
const listRoom = 128

// appendJA4 writes the client's JA4 (github.com/FoxIO-LLC/ja4,
// technical_details/JA4.md); text is room to write in. What is followed here is
// always TLS over TCP.
func (o *offer) appendJA4(out, text []byte) []byte {
	var suiteRoom, kindRoom [listRoom]uint16
	suites := appendKnown(suiteRoom[:0], o.suites)
	kinds := o.kinds(kindRoom[:0])

	out = append(out, 't')
	out = append(out, ja4Version(o.highest())...)
	out = append(out, o.ja4Destination())
	out = appendCount(out, len(suites))
	out = appendCount(out, len(kinds))
	out = o.appendJA4Protocol(out)

	slices.Sort(suites)
	out = appendHash(out, appendHexList(text, suites))

	kinds = slices.DeleteFunc(kinds, func(kind uint16) bool { return kind == extServerName || kind == extALPN })
	slices.Sort(kinds)
	text = appendHexList(text, kinds)
	signatures := reader{b: o.signatures}
	if list := appendKnown(suites[:0], signatures.vector(2)); len(list) > 0 {
		text = appendHexList(append(text, '_'), list) // in their order
	}
	return appendHash(out, text)
}

// appendKnown reads a list of numbers without GREASE.
func appendKnown(list []uint16, b []byte) []uint16 {
	for r := (reader{b: b}); len(r.b) >= 2; {
		if n := r.number(2); !grease(n) {
			list = append(list, uint16(n))
		}
	}
	return list
}

// kinds lists the types of the extensions without GREASE.
func (o *offer) kinds(list []uint16) []uint16 {
	for r := (reader{b: o.extensions}); r.more(); {
		if kind, _ := r.extension(); !grease(kind) {
			list = append(list, uint16(kind))
		}
	}
	return list
}

func ja4Version(v uint16) string {
	switch v {
	case version13:
		return "13"
	case version12:
		return "12"
	case version11:
		return "11"
	case 0x0301:
		return "10"
	case 0x0300:
		return "s3"
	case version2:
		return "s2"
	}
	return "00"
}

// ja4Destination is a domain or, without a name, an IP address.
func (o *offer) ja4Destination() byte {
	if o.serverName != nil {
		return 'd'
	}
	return 'i'
}

func appendCount(out []byte, n int) []byte {
	n = min(n, 99)
	return append(out, '0'+byte(n/10), '0'+byte(n%10))
}

// appendJA4Protocol writes the first and last character of the first ALPN
// value, or where one of them is no letter or digit those of its hexadecimal
// form.
func (o *offer) appendJA4Protocol(out []byte) []byte {
	r := reader{b: o.protocols}
	list := r.list(2)
	name := list.vector(1)
	if len(name) == 0 {
		return append(out, "00"...)
	}
	head, tail := name[0], name[len(name)-1]
	if alphanumeric(head) && alphanumeric(tail) {
		return append(out, head, tail)
	}
	const digits = "0123456789abcdef"
	return append(out, digits[head>>4], digits[tail&15])
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

func appendHexList(text []byte, list []uint16) []byte {
	for i, n := range list {
		if i > 0 {
			text = append(text, ',')
		}
		text = hex.AppendEncode(text, []byte{byte(n >> 8), byte(n)})
	}
	return text
}

// appendHash writes the first 12 digits of the hash of a list, and of an empty
// one zeros, as the document has it.
func appendHash(out, text []byte) []byte {
	out = append(out, '_')
	if len(text) == 0 {
		return append(out, "000000000000"...)
	}
	sum := sha256.Sum256(text)
	return hex.AppendEncode(out, sum[:6])
}
