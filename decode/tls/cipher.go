package tls

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// cipherName is OpenSSL's name of a suite, or its number.
func cipherName(id uint16) string {
	i, found := slices.BinarySearchFunc(suites[:], id, func(s suite, id uint16) int { return cmp.Compare(s.id, id) })
	if !found {
		return fmt.Sprintf("0x%04X", id)
	}
	return suites[i].name
}

// overhead says how large a record gets by its protection, in octets. The
// zero value is that of an unknown suite.
type overhead struct {
	known bool
	fixed uint8 // explicit nonce or vector, tag or MAC behind the padding, inner content type
	mac   uint8 // MAC that is padded along with the text
	block uint8 // 0 where nothing is padded
}

// record is the body length of a record with n octets of text, -1 where that
// is not known.
func (o overhead) record(n int) int {
	switch {
	case !o.known:
		return -1
	case o.block == 0:
		return int(o.fixed) + n
	}
	padded, block := n+int(o.mac)+1, int(o.block) // at least one octet of padding (RFC 5246, 6.2.3.2)
	return int(o.fixed) + (padded+block-1)/block*block
}

// overheadOf reads the protection from a suite's name.
func overheadOf(name string, version uint16, encryptThenMAC bool) overhead {
	has := func(part string) bool { return strings.Contains(name, part) }
	switch {
	case has("0x") || has("GOST"):
		return overhead{}
	case version >= version13 && has("CCM_8"):
		return overhead{known: true, fixed: 1 + 8}
	case version >= version13: // RFC 8446, 5.2: inner content type and tag
		return overhead{known: true, fixed: 1 + 16}
	case has("CHACHA20"): // RFC 7905
		return overhead{known: true, fixed: 16}
	case has("CCM8"): // RFC 6655: explicit nonce and tag
		return overhead{known: true, fixed: 8 + 8}
	case has("GCM"), has("CCM"): // RFC 5288
		return overhead{known: true, fixed: 8 + 16}
	case has("RC4"), has("NULL"):
		return overhead{known: true, fixed: macLength(name)}
	}
	return blockOverhead(name, version, encryptThenMAC)
}

// blockOverhead is that of the CBC suites (RFC 5246, 6.2.3.2), whose vector
// is sent since TLS 1.1.
func blockOverhead(name string, version uint16, encryptThenMAC bool) overhead {
	o := overhead{known: true, block: 16, mac: macLength(name)}
	if strings.Contains(name, "DES") || strings.Contains(name, "IDEA") || strings.Contains(name, "RC2") {
		o.block = 8
	}
	if version >= version11 {
		o.fixed = o.block
	}
	if encryptThenMAC { // RFC 7366: the MAC stands behind the padded text
		o.fixed, o.mac = o.fixed+o.mac, 0
	}
	return o
}

func macLength(name string) uint8 {
	switch {
	case strings.HasSuffix(name, "SHA384"):
		return 48
	case strings.HasSuffix(name, "SHA256"):
		return 32
	case strings.HasSuffix(name, "MD5"):
		return 16
	}
	return 20 // SHA-1
}
