package capture

import (
	"math"
	"math/bits"
)

// Options of an interface description (draft-ietf-opsawg-pcapng, 4.2).
const (
	optionEnd      = 0
	optionTsresol  = 9
	optionTsoffset = 14
)

// ngInterface is what an interface description says of its packets.
type ngInterface struct {
	link   LinkType
	snap   uint32 // 0: not limited
	units  uint64 // of time in a second; 0 where there are more than 2^64-1
	times  uint64 // nanoseconds in a unit, 0 where that is no whole number
	offset int64  // seconds to add
}

func newNgInterface(big byteOrder, b []byte) ngInterface {
	i := ngInterface{link: LinkType(big.u16(b)), snap: big.u32(b[4:])}
	i.resolution(6)
	i.options(big, b[8:])
	return i
}

// options reads what matters and passes over the rest; one that overruns the
// block ends the list.
func (i *ngInterface) options(big byteOrder, b []byte) {
	for len(b) >= 4 {
		code, n := big.u16(b), int(big.u16(b[2:]))
		b = b[4:]
		if code == optionEnd || n > len(b) {
			return
		}
		switch {
		case code == optionTsresol && n == 1:
			i.resolution(b[0])
		case code == optionTsoffset && n == 8:
			i.offset = int64(big.u64(b))
		}
		b = b[min(len(b), (n+3)&^3):]
	}
}

// resolution takes if_tsresol: a negative power of 10, or of 2 if the top bit
// is set.
func (i *ngInterface) resolution(v byte) {
	i.units, i.times = 0, 0
	if v&0x80 != 0 {
		if v &= 0x7f; v < 64 {
			i.units = 1 << v
		}
	} else if v < 20 {
		i.units = uint64(math.Pow10(int(v))) // exact up to 10^22
	}
	if i.units != 0 && 1e9%i.units == 0 {
		i.times = 1e9 / i.units
	}
}

// nanoseconds turns a packet's time into nanoseconds since 1970; what does not
// fit becomes the farthest time that does.
func (i *ngInterface) nanoseconds(t uint64) int64 {
	if i.times != 0 {
		hi, lo := bits.Mul64(t, i.times)
		return addSeconds(clamp(hi, lo), i.offset)
	}
	if i.units == 0 {
		return addSeconds(0, i.offset)
	}
	hi, lo := bits.Mul64(t/i.units, 1e9)
	whole := clamp(hi, lo)
	hi, lo = bits.Mul64(t%i.units, 1e9)
	part, _ := bits.Div64(hi, lo, i.units) // the remainder is below units, so hi is too
	return addSeconds(add(whole, int64(part)), i.offset)
}

func clamp(hi, lo uint64) int64 {
	if hi != 0 || lo > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(lo)
}

func addSeconds(t, s int64) int64 {
	const most = math.MaxInt64 / int64(1e9)
	return add(t, max(-most, min(most, s))*int64(1e9))
}

func add(a, b int64) int64 {
	switch {
	case b > 0 && a > math.MaxInt64-b:
		return math.MaxInt64
	case b < 0 && a < math.MinInt64-b:
		return math.MinInt64
	}
	return a + b
}

// captured is how much of a simple packet was kept, which it does not say
// itself (4.4).
func (i *ngInterface) captured(length uint32, room int) uint32 {
	n := min(length, uint32(room))
	if i.snap != 0 {
		n = min(n, i.snap)
	}
	return n
}
