// Package keys opens the records of TLS connections that were captured on the
// wire, with the secrets that a client or a server wrote to an NSS key log
// (SSLKEYLOGFILE). It owns the key log, the derivation of keys (RFC 5246, 6.3
// and 8.1; RFC 8446, 7) and the protection of records (RFC 5246, 6.2.3; RFC
// 8446, 5.2), from TLS 1.0 to TLS 1.3.
//
// A Log takes the octets of a key log file as it grows. package tls frames the
// records of both directions, reads the hellos, and holds a Direction for each:
// it gives it keys from the Log (Rekey) and whole records in their order
// (Open). The package reads no file, frames no record, keeps no text of a
// record, and never shows a secret: not in an error, a count or by fmt.
//
// Not opened are SSL 3.0, Camellia, ARIA, SEED, IDEA, export and NULL suites,
// and records with a truncated MAC (RFC 6066, 7). A connection that agreed on
// compression gives the compressed text.
package keys

// Versions of the protocol as the hellos number them.
const (
	version10 = 0x0301
	version11 = 0x0302
	version12 = 0x0303
	version13 = 0x0304
)

// Error says why a record or a direction cannot be opened. Each is returned
// as it is and can be compared.
type Error uint8

const (
	// NoSecret: the log does not hold what is needed. It may come later:
	// Log.Generation tells when a try is worth it.
	NoSecret Error = iota + 1
	// Unsupported: the version or the suite is none that this package opens.
	Unsupported
	// NoKeys: the direction was given no keys, or Close took them.
	NoKeys
	// Unprotected: a record that TLS 1.3 sends in clear by its content type.
	Unprotected
	// Malformed: the length or the padding cannot be that of a record.
	Malformed
	// NotAuthentic: other octets, keys or records before it than these.
	NotAuthentic
	// PlaceLost: the suite chains records, and what the next one builds on
	// was lost (see Direction.Skip).
	PlaceLost
)

// Error is a sentence without any octet of a record or secret.
func (e Error) Error() string {
	switch e {
	case NoSecret:
		return "the key log holds no secret for the connection"
	case Unsupported:
		return "a TLS version or cipher suite that cannot be opened"
	case NoKeys:
		return "the direction has no keys"
	case Unprotected:
		return "the record is not protected"
	case Malformed:
		return "the record is malformed"
	case NotAuthentic:
		return "the record does not authenticate"
	case PlaceLost:
		return "the state of the cipher was lost with earlier records"
	}
	return "no error"
}
