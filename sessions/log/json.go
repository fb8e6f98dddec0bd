package log

import (
	"math"
	"strconv"
	"time"
)

// The field functions append `"key":value,` with the comma behind, and nothing
// at all where the value is unknown; end takes the last comma away. A key
// is given quoted and with its colon, so that it is copied as it stands.

func text(b []byte, key, s string) []byte {
	if s == "" {
		return b
	}
	b = append(b, key...)
	b = appendString(b, s)
	return append(b, ',')
}

func texts(b []byte, key string, list []string) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(b, key...)
	b = append(b, '[')
	for _, s := range list {
		b = appendString(b, s)
		b = append(b, ',')
	}
	return append(end(b, ']'), ',')
}

func number(b []byte, key string, n int64) []byte {
	if n == 0 {
		return b
	}
	return whole(b, key, n)
}

// whole writes zero too, for counts where it is a fact.
func whole(b []byte, key string, n int64) []byte {
	b = append(b, key...)
	b = appendInt(b, n)
	return append(b, ',')
}

func truth(b []byte, key string, v bool) []byte {
	if !v {
		return b
	}
	b = append(b, key...)
	return append(b, "true,"...)
}

func instant(b []byte, key string, t time.Time) []byte {
	if t.IsZero() || t.Unix() < firstSecond || t.Unix() > lastSecond {
		return b
	}
	b = append(b, key...)
	b = appendTime(b, t)
	return append(b, ',')
}

func seconds(b []byte, key string, d time.Duration) []byte {
	b = append(b, key...)
	b = appendSeconds(b, d)
	return append(b, ',')
}

// float leaves out what JSON has no number for.
func float(b []byte, key string, v float64) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return b
	}
	b = append(b, key...)
	b = strconv.AppendFloat(b, v, 'f', -1, 64)
	return append(b, ',')
}

// open begins a nested object or list.
func open(b []byte, key string) []byte { return append(b, key...) }

// end closes an object or a list over its last comma.
func end(b []byte, bracket byte) []byte {
	if b[len(b)-1] == ',' {
		b[len(b)-1] = bracket
		return b
	}
	return append(b, bracket)
}
