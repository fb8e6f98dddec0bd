package mail

import (
	"encoding/binary"
	"slices"
)

// base64Decoder reads base64 as mail readers do (RFC 2045, 6.8): octets that
// are not of the alphabet are passed over, padding ends a group wherever it
// stands, and may be missing.
type base64Decoder struct {
	bits   uint32
	n      uint8 // how many bits are held: 0, 2, 4 or 6
	padded bool  // by the last octet of the alphabet or =
	odd    bool  // junk, or data behind padding
}

// decode appends the octets that are complete. Groups of eight digits, that
// is nearly everything, are taken at once.
func (d *base64Decoder) decode(out, b []byte) []byte {
	at := len(out)
	out = slices.Grow(out, len(b)/4*3+10) // a group writes two octets beyond its six
	out = out[:cap(out)]
	for len(b) > 0 {
		if d.n == 0 && !d.padded {
			taken, made := decodeLines(out[at:], b)
			b, at = b[taken:], at+made
		}
		for len(b) > 0 && fourthDigit[b[0]] == noDigit && b[0] != '=' {
			d.odd = d.odd || !isBlank(b[0])
			b = b[1:]
		}
		if len(b) == 0 {
			break
		}
		if d.digit(b[0]) {
			out[at] = byte(d.bits >> d.n)
			at++
		}
		b = b[1:]
	}
	return out[:at]
}

// decodeLines decodes whole groups, and passes over the line ends between
// them. It says how many octets it took and how many it made.
func decodeLines(out, b []byte) (taken, made int) {
	i, o := 0, 0
	for {
		for i+8 <= len(b) && o+8 <= len(out) {
			g := binary.LittleEndian.Uint64(b[i:])
			high := firstDigit[byte(g)] | secondDigit[byte(g>>8)] | thirdDigit[byte(g>>16)] | fourthDigit[byte(g>>24)]
			low := firstDigit[byte(g>>32)] | secondDigit[byte(g>>40)] | thirdDigit[byte(g>>48)] | fourthDigit[byte(g>>56)]
			if (high|low)&noDigit != 0 {
				break
			}
			binary.BigEndian.PutUint64(out[o:], uint64(high)<<40|uint64(low)<<16)
			i, o = i+8, o+6
		}
		before := i
		if i+4 <= len(b) && o+3 <= len(out) {
			bits := firstDigit[b[i]] | secondDigit[b[i+1]] | thirdDigit[b[i+2]] | fourthDigit[b[i+3]]
			if bits&noDigit == 0 {
				out[o], out[o+1], out[o+2] = byte(bits>>16), byte(bits>>8), byte(bits)
				i, o = i+4, o+3
			}
		}
		if i+2 <= len(b) && b[i] == '\r' && b[i+1] == '\n' {
			i += 2
		}
		if i == before {
			return i, o
		}
	}
}

// digit takes a digit or padding and says whether an octet is complete, above
// the n bits that remain.
func (d *base64Decoder) digit(c byte) bool {
	if c == '=' {
		d.bits, d.n, d.padded = 0, 0, true
		return false
	}
	d.odd = d.odd || d.padded
	d.padded = false
	d.bits = d.bits<<6 | fourthDigit[c]
	if d.n += 6; d.n < 8 {
		return false
	}
	d.n -= 8
	return true
}

const noDigit = 1 << 31

// What a digit is worth in each place of a group.
var (
	firstDigit  = digitsWorth(18)
	secondDigit = digitsWorth(12)
	thirdDigit  = digitsWorth(6)
	fourthDigit = digitsWorth(0)
)

func digitsWorth(shift int) (table [256]uint32) {
	for c := range table {
		table[c] = noDigit
		if v := base64Digit(byte(c)); v < 64 {
			table[c] = uint32(v) << shift
		}
	}
	return table
}
