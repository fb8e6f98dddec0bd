package alerts

import (
	"encoding/binary"
	"errors"
)

// encoder writes the state file's values: whole numbers as varints, texts with
// their length before them.
type encoder struct{ b []byte }

func (w *encoder) uint(x uint64) { w.b = binary.AppendUvarint(w.b, x) }
func (w *encoder) int(x int64)   { w.b = binary.AppendVarint(w.b, x) }

func (w *encoder) bool(x bool) {
	if x {
		w.b = append(w.b, 1)
	} else {
		w.b = append(w.b, 0)
	}
}

func (w *encoder) word(x uint64) { w.b = binary.LittleEndian.AppendUint64(w.b, x) }

func (w *encoder) key(k key) {
	w.word(k.a)
	w.word(k.b)
}

func (w *encoder) text(s string) {
	w.uint(uint64(len(s)))
	w.b = append(w.b, s...)
}

func (w *encoder) texts(list []string) {
	w.uint(uint64(len(list)))
	for _, s := range list {
		w.text(s)
	}
}

// part writes what f writes, with its length before it.
func (w *encoder) part(f func(w *encoder)) {
	inner := &encoder{}
	f(inner)
	w.uint(uint64(len(inner.b)))
	w.b = append(w.b, inner.b...)
}

var errState = errors.New("no valid state")

// decoder reads what encoder wrote. After the first value that is not there, or
// not possible, all others are zero and err tells.
type decoder struct {
	b   []byte
	err error
}

func (r *decoder) fail() {
	r.err, r.b = errState, nil
}

// ok says that a condition holds of what was read.
func (r *decoder) ok(holds bool) bool {
	if !holds {
		r.fail()
	}
	return holds && r.err == nil
}

func (r *decoder) uint() uint64 {
	x, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return x
}

func (r *decoder) int() int64 {
	x, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return x
}

func (r *decoder) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *decoder) word() uint64 {
	if b := r.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (r *decoder) key() key     { return key{r.word(), r.word()} }
func (r *decoder) text() string { return string(r.take(r.uint())) }

func (r *decoder) bool() bool {
	b := r.take(1)
	return b != nil && b[0] != 0
}

// count reads how many values follow: at most max, each of at least one octet.
func (r *decoder) count(max int) int {
	n := r.uint()
	if !r.ok(n <= uint64(max) && n <= uint64(len(r.b))) {
		return 0
	}
	return int(n)
}

func (r *decoder) texts(max int) []string {
	var out []string
	for range r.count(max) {
		out = append(out, r.text())
	}
	return out
}

// part is a decoder of what part wrote.
func (r *decoder) part() *decoder {
	b := r.take(r.uint())
	return &decoder{b: b, err: r.err}
}

// end says whether all was read, and read well.
func (r *decoder) end() bool { return r.err == nil && len(r.b) == 0 }

// countTo reads a number of at most max.
func (r *decoder) countTo(max int) int {
	n := r.uint()
	if !r.ok(n <= uint64(max)) {
		return 0
	}
	return int(n)
}
