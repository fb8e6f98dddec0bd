package log

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestStrings(t *testing.T) {
	for in, want := range map[string]string{
		"":                        `""`,
		"plain / <b>":             `"plain / <b>"`,
		"\"\\":                    `"\"\\"`,
		"\r\n\t\b\x00\x1f\x7f":    `"\r\n\t\u0008\u0000\u001f\u007f"`,
		"\u2028\u2029":            `"\u2028\u2029"`,
		"\u009b31m":               `"\u009b31m"`,
		"Grüße 😀 \uFFFD":          `"Grüße 😀 ` + "\uFFFD" + `"`,
		"a\xff\xc3(b":             `"a` + "\uFFFD\uFFFD" + `(b"`,
		"\xed\xa0\x80":            `"` + strings.Repeat("\uFFFD", 3) + `"`,
		"cut at the end \xf0\x9f": `"cut at the end ` + "\uFFFD\uFFFD" + `"`,
	} {
		if got := string(appendString(nil, in)); got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

// bytewise is a string looked at octet by octet from its beginning.
func bytewise(s string) string { return string(appendEscaped([]byte{'"'}, s)) }

// Each octet at each place of strings of each length around a word's: looked at
// in words or alone, the result is the same.
func TestStringsInWords(t *testing.T) {
	for n := range 35 {
		for at := range n {
			for c := range 256 {
				s := []byte(strings.Repeat("a", n))
				s[at] = byte(c)
				if got, want := string(appendString(nil, string(s))), bytewise(string(s)); got != want {
					t.Fatalf("%q: got %s, want %s", s, got, want)
				}
				if at+1 < n { // a rune of two octets
					s[at], s[at+1] = 0xc3, byte(c)
					if got, want := string(appendString([]byte("x"), string(s))), "x"+bytewise(string(s)); got != want {
						t.Fatalf("%q: got %s, want %s", s, got, want)
					}
				}
			}
		}
	}
}

// FuzzString holds the escaping against encoding/json: it reads back what its
// own writer would have kept.
func FuzzString(f *testing.F) {
	f.Add("a\xffb\u2028\x00\"\\")
	f.Add("a plain string of some length, then ü and \x7f")
	f.Fuzz(func(t *testing.T, s string) {
		line := appendString(nil, s)
		if want := bytewise(s); string(line) != want {
			t.Fatalf("%q: got %s, want %s", s, line, want)
		}
		var got, want string
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		theirs, _ := json.Marshal(s)
		_ = json.Unmarshal(theirs, &want)
		if got != want {
			t.Fatalf("%q: got %q, want %q", s, got, want)
		}
		if bytes.ContainsFunc(line, func(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }) {
			t.Fatalf("%q has a control character", line)
		}
	})
}

func TestTimes(t *testing.T) {
	for in, want := range map[time.Time]string{
		time.Unix(0, 0): `"1970-01-01T00:00:00.000000000Z"`,
		time.Unix(1773043626, 5).In(time.FixedZone("", 7200)):   `"2026-03-09T08:07:06.000000005Z"`,
		time.Date(2024, 2, 29, 23, 59, 59, 999999999, time.UTC): `"2024-02-29T23:59:59.999999999Z"`,
	} {
		if got := string(appendTime(nil, in)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for _, odd := range []time.Time{{}, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if got := instant(nil, `"t":`, odd); len(got) != 0 {
			t.Errorf("%v was written as %s", odd, got)
		}
	}
}

func TestTimesAsTimeHasThem(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		at := time.Unix(firstSecond+r.Int64N(lastSecond-firstSecond+1), r.Int64N(1e9))
		if got, want := string(appendTime(nil, at)), at.UTC().Format(`"2006-01-02T15:04:05.000000000Z"`); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	for _, at := range []time.Time{time.Unix(firstSecond, 0), time.Unix(lastSecond, 999_999_999)} {
		if got := instant(nil, "", at); len(got) == 0 {
			t.Errorf("%v is left out", at)
		}
	}
	for _, at := range []time.Time{time.Unix(firstSecond, -1), time.Unix(lastSecond, 1e9)} {
		if got := instant(nil, "", at); len(got) != 0 {
			t.Errorf("%v is written as %s", at, got)
		}
	}
}

func TestNumbersAsStrconvHasThem(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	check := func(n int64) {
		if got, want := string(appendInt(nil, n)), strconv.FormatInt(n, 10); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		if got, want := string(appendUint(nil, uint64(n))), strconv.FormatUint(uint64(n), 10); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
	for n := range int64(20_000) {
		check(n)
		check(-n)
	}
	for power := int64(1); power > 0 && power < math.MaxInt64/10; power *= 10 {
		check(power - 1)
		check(power)
		check(power + 1)
	}
	for range 10_000 {
		check(int64(r.Uint64()) >> r.IntN(64))
	}
	check(math.MaxInt64)
	check(math.MinInt64)
}

func TestSeconds(t *testing.T) {
	for in, want := range map[time.Duration]string{
		0: "0", 1: "0.000000001", time.Second: "1", 1500 * time.Millisecond: "1.5", -250 * time.Millisecond: "-0.25",
		10 * time.Second: "10", math.MaxInt64: "9223372036.854775807", math.MinInt64: "-9223372036.854775808",
	} {
		if got := string(appendSeconds(nil, in)); got != want {
			t.Errorf("%d: got %s, want %s", int64(in), got, want)
		}
	}
}

func TestFloatsHaveNoExponent(t *testing.T) {
	for _, v := range []float64{1e21, 1e-9, 0, -3.25} {
		if got := float(nil, `"v":`, v); bytes.ContainsAny(got, "eE") {
			t.Errorf("%v was written as %s", v, got)
		}
	}
}
