package tls

const (
	version2  = 0x0002 // SSL 2.0, as its own hello writes it
	version11 = 0x0302
	version12 = 0x0303
	version13 = 0x0304
)

// Extensions (RFC 8446, 4.2; RFC 8422, 5.1; RFC 7366; RFC 7627).
const (
	extServerName          = 0
	extSupportedGroups     = 10
	extPointFormats        = 11
	extSignatureAlgorithms = 13
	extALPN                = 16
	extEncryptThenMAC      = 22
	extExtendedMaster      = 23
	extSessionTicket       = 35
	extPreSharedKey        = 41
	extEarlyData           = 42
	extSupportedVersions   = 43
)

const randomLength = 32

// retryRandom is the random of a ServerHello that is a HelloRetryRequest (RFC
// 8446, 4.1.3).
const retryRandom = "\xCF\x21\xAD\x74\xE5\x9A\x61\x11\xBE\x1D\x8C\x02\x1E\x65\xB8\x91" +
	"\xC2\xA2\x11\x16\x7A\xBB\x8C\x5E\x07\x9E\x09\xE2\xC8\xA8\x33\x9C"

func versionName(v uint16) string {
	switch v {
	case version2:
		return "SSLv2"
	case 0x0300:
		return "SSLv3"
	case 0x0301:
		return "TLSv1"
	case version11:
		return "TLSv1.1"
	case version12:
		return "TLSv1.2"
	case version13:
		return "TLSv1.3"
	}
	const digits = "0123456789abcdef"
	return string([]byte{'0', 'x', digits[v>>12], digits[v>>8&15], digits[v>>4&15], digits[v&15]})
}

// grease says whether a number is one of those that mean nothing and are sent
// at random to keep servers tolerant (RFC 8701).
func grease(n int) bool { return n&0x0f0f == 0x0a0a && n>>8 == n&0xff }
