package tls

import (
	"crypto/md5"
	"encoding/hex"
	"strconv"
)

// textRoom is for the text of a usual hello, without allocation.
const textRoom = 1024

// fingerprint sets JA3 and JA4. A part of a list would give the fingerprint of
// another client: where one is too long there is none.
func (w *Watch) fingerprint(o *offer) {
	f := w.told()
	if o.longest() > w.Options.maxOffered() {
		f.LimitReached = true
		return
	}
	var room [textRoom]byte
	seen := w.Options.given().Hellos
	if seen == nil {
		f.JA3, f.JA4 = o.fingerprints(room[:0])
		return
	}
	said := o.appendSaid(room[:0])
	known, ok := seen.clients.get(said)
	if !ok {
		var text [textRoom]byte
		known.ja3, known.ja4 = o.fingerprints(text[:0])
		seen.clients.put(said, known)
	}
	f.JA3, f.JA4 = known.ja3, known.ja4
}

// fingerprints are JA3 and JA4; text is room to write in.
func (o *offer) fingerprints(text []byte) (ja3, ja4 string) {
	const length3, length4 = 2 * md5.Size, len("t13d1516h2_8daaf6152771_e5627efa2ab1")
	both := make([]byte, 0, length3+length4)
	text = o.ja3(text)
	both = appendMD5(both, text)
	all := string(o.appendJA4(both, text[:0]))
	return all[:length3], all[length3:]
}

// fingerprintServer sets JA3S: version, suite and extensions as they stand.
func (w *Watch) fingerprintServer(c *choice) {
	f := w.told()
	if c.nextensions > w.Options.maxOffered() {
		f.LimitReached = true
		return
	}
	var room [textRoom]byte
	text := strconv.AppendUint(room[:0], uint64(c.legacy), 10)
	text = strconv.AppendUint(append(text, ','), uint64(c.suite), 10)
	text = appendTypes(append(text, ','), c.extensions)
	seen := w.Options.given().Hellos
	if seen == nil {
		f.JA3S = md5Hex(text)
		return
	}
	known, ok := seen.servers.get(text)
	if !ok {
		known = md5Hex(text)
		seen.servers.put(text, known)
	}
	f.JA3S = known
}

func md5Hex(text []byte) string {
	var room [2 * md5.Size]byte
	return string(appendMD5(room[:0], text))
}

func appendMD5(out, text []byte) []byte {
	sum := md5.Sum(text)
	return hex.AppendEncode(out, sum[:])
}

// longest is the length of the longest list that goes into a fingerprint.
// Groups and signature algorithms stand behind a length.
func (o *offer) longest() int {
	return max(len(o.suites)/2, o.nextensions, len(o.groups)/2-1, len(o.signatures)/2-1)
}

// ja3 writes the text that JA3 is the MD5 of: version, suites, extensions,
// groups and point formats, in decimal and in their order
// (github.com/salesforce/ja3).
func (o *offer) ja3(text []byte) []byte {
	text = strconv.AppendUint(text, uint64(o.legacy), 10)
	text = appendNumbers(append(text, ','), o.suites, 2)
	text = appendTypes(append(text, ','), o.extensions)
	groups, formats := reader{b: o.groups}, reader{b: o.pointFormats}
	text = appendNumbers(append(text, ','), groups.vector(2), 2)
	return appendNumbers(append(text, ','), formats.vector(1), 1)
}

func appendNumbers(text, list []byte, octets int) []byte {
	begin := len(text)
	for r := (reader{b: list}); len(r.b) >= octets; {
		text = appendNumber(text, begin, r.number(octets))
	}
	return text
}

func appendTypes(text, extensions []byte) []byte {
	begin := len(text)
	for r := (reader{b: extensions}); r.more(); {
		kind, _ := r.extension()
		text = appendNumber(text, begin, kind)
	}
	return text
}

// appendNumber continues a list that begins there.
func appendNumber(text []byte, begin, n int) []byte {
	if grease(n) {
		return text
	}
	if len(text) > begin {
		text = append(text, '-')
	}
	return strconv.AppendUint(text, uint64(n), 10)
}
