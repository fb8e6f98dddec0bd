package log

import (
	"bytes"
	"encoding/json"
	"math"
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

// FuzzString holds the escaping against encoding/json: it reads back what its
// own writer would have kept.
func FuzzString(f *testing.F) {
	f.Add("a\xffb\u2028\x00\"\\")
	f.Fuzz(func(t *testing.T, s string) {
		line := appendString(nil, s)
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
