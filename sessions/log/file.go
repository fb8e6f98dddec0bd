package log

import (
	"bytes"
	"fmt"
	"io"
	"sync"
)

// DefaultFileBuffer is how many octets a File gathers before it writes: from
// here on larger writes are not cheaper.
const DefaultFileBuffer = 1 << 20

// FileOptions of a File. The zero value works.
type FileOptions struct {
	Buffer int // octets gathered before a write; default 1 MiB
}

// File writes records to a file or to standard output, one a line. Lines wait
// in a buffer until it is full or Flush is called, which cmd/mailtap does
// every second and at the end.
type File struct {
	mu      sync.Mutex
	w       io.Writer
	buf     []byte
	limit   int
	lines   uint64 // in buf
	cut     bool   // the last write ended inside a line
	counts  Counts
	failure error // not yet told by Err
}

// NewFile makes a sink that writes to w.
func NewFile(w io.Writer, o FileOptions) *File {
	if o.Buffer <= 0 {
		o.Buffer = DefaultFileBuffer
	}
	return &File{w: w, limit: o.Buffer, buf: make([]byte, 0, o.Buffer)}
}

// Write implements Sink.
func (f *File) Write(rec Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.buf)+len(rec.Line)+1 > f.limit {
		f.flush()
	}
	f.buf = append(f.buf, rec.Line...)
	f.buf = append(f.buf, '\n')
	f.lines++
	if len(f.buf) >= f.limit {
		f.flush()
	}
}

// Flush writes what waits. Its error is the one that Err would tell.
func (f *File) Flush() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flush()
	return f.takeError()
}

// Err tells the first failure since it was last asked, once, and nil if
// there was none. A failed write drops the lines that waited and counts them;
// later ones are tried again, so a disk that is full for a while costs only that
// while.
func (f *File) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.takeError()
}

// Counts says what became of the records.
func (f *File) Counts() Counts {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.counts
	c.Waiting = int(f.lines)
	return c
}

func (f *File) takeError() error {
	err := f.failure
	f.failure = nil
	return err
}

func (f *File) flush() {
	if len(f.buf) == 0 {
		return
	}
	whole, err := f.put()
	f.counts.Written += whole
	f.counts.Dropped += f.lines - whole
	if err != nil && f.failure == nil {
		f.failure = fmt.Errorf("log: writing records: %w", err)
	}
	f.lines = 0
	f.buf = f.buf[:0]
	if cap(f.buf) > max(f.limit, maxKept) {
		f.buf = make([]byte, 0, f.limit)
	}
}

// put writes the buffer and says how many whole lines went out. Behind a write
// that was cut inside a line it begins a new line, so that one failure spoils
// one line only.
func (f *File) put() (lines uint64, err error) {
	if f.cut {
		if _, err := f.w.Write([]byte{'\n'}); err != nil {
			return 0, err
		}
		f.cut = false
	}
	n, err := f.w.Write(f.buf)
	if err == nil && n == len(f.buf) {
		return f.lines, nil
	}
	if err == nil {
		err = io.ErrShortWrite
	}
	out := f.buf[:max(0, min(n, len(f.buf)))]
	f.cut = len(out) > 0 && out[len(out)-1] != '\n'
	return uint64(bytes.Count(out, []byte{'\n'})), err
}
