package log

import (
	"slices"
	"time"
)

// pairs are the numbers 00 to 99, two digits each.
const pairs = "00010203040506070809" + "10111213141516171819" + "20212223242526272829" + "30313233343536373839" + "40414243444546474849" +
	"50515253545556575859" + "60616263646566676869" + "70717273747576777879" + "80818283848586878889" + "90919293949596979899"

// pair writes n below 100 as two digits.
func pair(b []byte, n uint) {
	_ = b[1]
	b[0], b[1] = pairs[2*n%200], pairs[2*n%200+1]
}

// nine writes n below 10^9 as nine digits.
func nine(b []byte, n uint) {
	_ = b[8]
	high, low := n/10_000, n%10_000
	b[0] = byte('0' + high/10_000)
	high %= 10_000
	pair(b[1:], high/100)
	pair(b[3:], high%100)
	pair(b[5:], low/100)
	pair(b[7:], low%100)
}

func appendInt(b []byte, n int64) []byte {
	if n < 0 {
		return appendUint(append(b, '-'), -uint64(n))
	}
	return appendUint(b, uint64(n))
}

func appendUint(b []byte, n uint64) []byte {
	switch {
	case n < 10:
		return append(b, byte('0'+n))
	case n < 100:
		return append(b, pairs[2*n], pairs[2*n+1])
	case n < 1000:
		return append(b, byte('0'+n/100), pairs[n%100*2], pairs[n%100*2+1])
	}
	var d [20]byte
	i := len(d)
	for ; n >= 10; n /= 100 {
		i -= 2
		pair(d[i:], uint(n%100))
	}
	if n > 0 {
		i--
		d[i] = byte('0' + n)
	}
	return append(b, d[i:]...)
}

// The years 0 to 9999 in seconds of Unix time: RFC 3339, 5.6, has four digits.
const (
	firstSecond = -62_167_219_200
	lastSecond  = 253_402_300_799
	secondsADay = 86_400
)

// appendTime writes RFC 3339 in UTC with always nine digits of the second, so
// that times sort as text.
func appendTime(b []byte, t time.Time) []byte {
	const form = `"2006-01-02T15:04:05.000000000Z"`
	n := len(b)
	b = slices.Grow(b, len(form))[:n+len(form)]
	out := b[n:]
	copy(out, form)
	year, month, day := t.UTC().Date()
	second := uint((t.Unix()%secondsADay + secondsADay) % secondsADay)
	pair(out[1:], uint(year)/100)
	pair(out[3:], uint(year)%100)
	pair(out[6:], uint(month))
	pair(out[9:], uint(day))
	pair(out[12:], second/3600)
	pair(out[15:], second/60%60)
	pair(out[18:], second%60)
	nine(out[21:], uint(t.Nanosecond()))
	return b
}

// appendSeconds writes a duration in seconds exactly, without going through
// a float and without an exponent.
func appendSeconds(b []byte, d time.Duration) []byte {
	n := uint64(d)
	if d < 0 {
		b = append(b, '-')
		n = -n
	}
	b = appendUint(b, n/1e9)
	fraction := uint(n % 1e9)
	if fraction == 0 {
		return b
	}
	b = append(b, ".000000000"...)
	nine(b[len(b)-9:], fraction)
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}
