package tls

import "fmt"

const (
	version11 = 0x0302
	version13 = 0x0304
)

// Extensions (RFC 8446, 4.2; RFC 7366).
const (
	extServerName        = 0
	extALPN              = 16
	extEncryptThenMAC    = 22
	extPreSharedKey      = 41
	extEarlyData         = 42
	extSupportedVersions = 43
)

const randomLength = 32

// retryRandom is the random of a ServerHello that is a HelloRetryRequest (RFC
// 8446, 4.1.3).
const retryRandom = "\xCF\x21\xAD\x74\xE5\x9A\x61\x11\xBE\x1D\x8C\x02\x1E\x65\xB8\x91" +
	"\xC2\xA2\x11\x16\x7A\xBB\x8C\x5E\x07\x9E\x09\xE2\xC8\xA8\x33\x9C"

// clientHello reads a ClientHello (RFC 8446, 4.1.2).
func (w *Watch) clientHello(b []byte) {
	r := reader{b: b}
	r.take(2 + randomLength)
	r.take(r.number(1)) // session id
	r.take(r.number(2)) // cipher suites
	r.take(r.number(1)) // compression methods
	w.facts.ClientHello = !r.short
	extensions := r.extensions()
	for extensions.more() {
		kind, body := extensions.extension()
		switch kind {
		case extServerName:
			w.facts.SNI = serverName(body)
		case extEarlyData:
			w.earlyData = true
		}
	}
	w.facts.Damaged = w.facts.Damaged || r.short || extensions.short
}

// serverName finds the host_name of a list of names (RFC 6066, 3).
func serverName(b []byte) string {
	r := reader{b: b}
	list := reader{b: r.take(r.number(2))}
	for list.more() {
		kind := list.number(1)
		name := list.take(list.number(2))
		if kind == 0 && !list.short {
			return printable(name)
		}
	}
	return ""
}

// serverHello reads a ServerHello (RFC 8446, 4.1.3; RFC 5246, 7.4.1.3).
func (w *Watch) serverHello(b []byte) {
	r := reader{b: b}
	h := hello{version: uint16(r.number(2))}
	retry := string(r.take(randomLength)) == retryRandom
	r.take(r.number(1)) // session id
	h.suite = uint16(r.number(2))
	r.take(1) // compression method
	extensions := r.extensions()
	for extensions.more() {
		h.extension(extensions.extension())
	}
	damaged := r.short || extensions.short
	w.facts.Damaged = w.facts.Damaged || damaged
	switch {
	case r.short:
	case retry:
		w.retry = true
	default:
		w.retry = false
		w.negotiated(&h)
	}
}

// hello is what a server chose.
type hello struct {
	version, suite uint16
	alpn           string
	encryptThenMAC bool
	preShared      bool
}

func (h *hello) extension(kind int, b []byte) {
	r := reader{b: b}
	switch kind {
	case extSupportedVersions:
		if v := r.number(2); !r.short {
			h.version = uint16(v)
		}
	case extALPN:
		r.number(2)
		h.alpn = printable(r.take(r.number(1)))
	case extEncryptThenMAC:
		h.encryptThenMAC = true
	case extPreSharedKey:
		h.preShared = true
	}
}

func (w *Watch) negotiated(h *hello) {
	f := &w.facts
	f.ServerHello = true
	f.Version, f.Cipher, f.ALPN = versionName(h.version), cipherName(h.suite), h.alpn
	f.Resumed = h.preShared && h.version >= version13
	w.version = h.version
	w.overhead = overheadOf(f.Cipher, h.version, h.encryptThenMAC)
}

func versionName(v uint16) string {
	switch v {
	case 0x0300:
		return "SSLv3"
	case 0x0301:
		return "TLSv1"
	case version11:
		return "TLSv1.1"
	case 0x0303:
		return "TLSv1.2"
	case version13:
		return "TLSv1.3"
	}
	return fmt.Sprintf("0x%04x", v)
}

// printable makes a string of what should be ASCII; other octets become
// question marks, so that no log or terminal meets them.
func printable(b []byte) string {
	const longest = 255 // RFC 1035, 2.3.4; RFC 7301, 3.1
	clean := make([]byte, min(len(b), longest))
	for i := range clean {
		clean[i] = b[i]
		if b[i] < ' ' || b[i] > '~' {
			clean[i] = '?'
		}
	}
	return string(clean)
}

// reader takes fields off a message. Where there are too few octets short is
// set and what is returned is zero, then and ever after.
type reader struct {
	b     []byte
	short bool
}

func (r *reader) more() bool { return !r.short && len(r.b) > 0 }

func (r *reader) take(n int) []byte {
	if r.short || n > len(r.b) {
		r.short = true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

// number reads a big-endian number of so many octets.
func (r *reader) number(octets int) int {
	n := 0
	for _, b := range r.take(octets) {
		n = n<<8 | int(b)
	}
	return n
}

// extensions returns the extensions of a hello, which may have none.
func (r *reader) extensions() reader {
	if !r.more() {
		return reader{}
	}
	b := r.take(r.number(2))
	return reader{b: b}
}

func (r *reader) extension() (kind int, body []byte) {
	kind = r.number(2)
	return kind, r.take(r.number(2))
}
