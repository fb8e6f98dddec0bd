package keys

import (
	"crypto"
	_ "crypto/md5" // the hashes that suites name, for crypto.Hash.New
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
)

// algorithm is the cipher of a suite with its mode.
type algorithm uint8

const (
	aesGCM algorithm = iota + 1
	aesCCM
	aesCCM8 // CCM with a tag of 8 octets
	chacha20
	aesCBC
	desCBC
	tripleDES
	rc4Stream
)

// protection is what a suite says of its records. How the keys were agreed on
// makes no difference to them.
type protection struct {
	algorithm algorithm
	key       int         // octets
	mac       crypto.Hash // of CBC and stream suites
	prf       crypto.Hash // of TLS 1.2 and 1.3
}

// fixedVector is how many octets of vector the key block holds (RFC 5246, 6.3).
func (p protection) fixedVector() int {
	switch p.algorithm {
	case aesGCM, aesCCM, aesCCM8: // RFC 5288, 3; RFC 6655, 3
		return 4
	case chacha20: // RFC 7905, 2
		return 12
	case aesCBC:
		return 16
	case desCBC, tripleDES:
		return 8
	}
	return 0
}

// macKey is how long the key of the MAC is: as its result.
func (p protection) macKey() int {
	if p.mac == 0 {
		return 0
	}
	return p.mac.Size()
}

// protectionOf looks a suite up by its number. Suites of TLS 1.3 are no suites
// of older versions, nor are theirs any of TLS 1.3.
func protectionOf(suite, version uint16) (p protection, known bool) {
	if version < version10 || version > version13 || (version == version13) != (suite>>8 == 0x13) {
		return protection{}, false
	}
	p, known = authenticated(suite)
	if known {
		return p, version >= version12 // RFC 5246, 6.2.3.3
	}
	return authenticatedByMAC(suite)
}

func authenticated(suite uint16) (p protection, known bool) {
	switch suite {
	case 0x009C, 0x009E, 0x00A0, 0x00A2, 0x00A4, 0x00A6, 0x00A8, 0x00AA, 0x00AC, 0x1301, 0xC02B, 0xC02D, 0xC02F, 0xC031:
		return protection{algorithm: aesGCM, key: 16, prf: crypto.SHA256}, true
	case 0x009D, 0x009F, 0x00A1, 0x00A3, 0x00A5, 0x00A7, 0x00A9, 0x00AB, 0x00AD, 0x1302, 0xC02C, 0xC02E, 0xC030, 0xC032:
		return protection{algorithm: aesGCM, key: 32, prf: crypto.SHA384}, true
	case 0x1303, 0xCCA8, 0xCCA9, 0xCCAA, 0xCCAB, 0xCCAC, 0xCCAD, 0xCCAE:
		return protection{algorithm: chacha20, key: 32, prf: crypto.SHA256}, true
	case 0x1304, 0xC09C, 0xC09E, 0xC0A4, 0xC0A6, 0xC0AC:
		return protection{algorithm: aesCCM, key: 16, prf: crypto.SHA256}, true
	case 0xC09D, 0xC09F, 0xC0A5, 0xC0A7, 0xC0AD:
		return protection{algorithm: aesCCM, key: 32, prf: crypto.SHA256}, true
	case 0x1305, 0xC0A0, 0xC0A2, 0xC0A8, 0xC0AA, 0xC0AE:
		return protection{algorithm: aesCCM8, key: 16, prf: crypto.SHA256}, true
	case 0xC0A1, 0xC0A3, 0xC0A9, 0xC0AB, 0xC0AF:
		return protection{algorithm: aesCCM8, key: 32, prf: crypto.SHA256}, true
	}
	return protection{}, false
}

func authenticatedByMAC(suite uint16) (p protection, known bool) {
	switch suite {
	case 0x002F, 0x0030, 0x0031, 0x0032, 0x0033, 0x0034, 0x008C, 0x0090, 0x0094,
		0xC004, 0xC009, 0xC00E, 0xC013, 0xC018, 0xC01D, 0xC01E, 0xC01F, 0xC035:
		return protection{aesCBC, 16, crypto.SHA1, crypto.SHA256}, true
	case 0x0035, 0x0036, 0x0037, 0x0038, 0x0039, 0x003A, 0x008D, 0x0091, 0x0095,
		0xC005, 0xC00A, 0xC00F, 0xC014, 0xC019, 0xC020, 0xC021, 0xC022, 0xC036:
		return protection{aesCBC, 32, crypto.SHA1, crypto.SHA256}, true
	case 0x003C, 0x003E, 0x003F, 0x0040, 0x0067, 0x006C, 0x00AE, 0x00B2, 0x00B6,
		0xC023, 0xC025, 0xC027, 0xC029, 0xC037:
		return protection{aesCBC, 16, crypto.SHA256, crypto.SHA256}, true
	case 0x003D, 0x0068, 0x0069, 0x006A, 0x006B, 0x006D:
		return protection{aesCBC, 32, crypto.SHA256, crypto.SHA256}, true
	case 0x00AF, 0x00B3, 0x00B7, 0xC024, 0xC026, 0xC028, 0xC02A, 0xC038:
		return protection{aesCBC, 32, crypto.SHA384, crypto.SHA384}, true
	case 0x000A, 0x000D, 0x0010, 0x0013, 0x0016, 0x001B, 0x008B, 0x008F, 0x0093,
		0xC003, 0xC008, 0xC00D, 0xC012, 0xC017, 0xC01A, 0xC01B, 0xC01C, 0xC034:
		return protection{tripleDES, 24, crypto.SHA1, crypto.SHA256}, true
	case 0x0009, 0x000C, 0x000F, 0x0012, 0x0015, 0x001A:
		return protection{desCBC, 8, crypto.SHA1, crypto.SHA256}, true
	case 0x0005, 0x008A, 0x008E, 0x0092, 0xC002, 0xC007, 0xC00C, 0xC011, 0xC016, 0xC033:
		return protection{rc4Stream, 16, crypto.SHA1, crypto.SHA256}, true
	case 0x0004, 0x0018:
		return protection{rc4Stream, 16, crypto.MD5, crypto.SHA256}, true
	}
	return protection{}, false
}
