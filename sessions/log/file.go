package log

import (
	"bytes"
	"context"
	"errors"
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
	// Queue is how many octets more may wait for a slow disk: a goroutine writes,
	// and what finds no room is dropped and counted. Default none: Write writes
	// itself, and waits for the disk.
	Queue int
}

// File writes records to a file or to standard output, one a line. Lines wait
// in a buffer until it is full or Flush is called, which cmd/mailtap does
// every second and at the end.
type File struct {
	w       io.Writer
	o       FileOptions
	cut     bool           // the last write ended inside a line; of the one that writes
	wake    *sync.Cond     // on mu: there is something to do. nil: Write writes itself
	started sync.WaitGroup // the goroutine

	mu      sync.Mutex
	buf     []byte
	lines   int     // in buf
	chunks  []chunk // wait for the goroutine
	queued  int     // octets in chunks and under way
	waiting int     // lines in chunks and under way
	spare   []byte
	look    bool // the goroutine shall let the file be looked after
	reopen  bool
	ended   bool // Close was called
	over    bool // and its time is over
	counted Counts
	failure error  // of the last write
	failed  uint64 // writes
	trouble error  // with rotation
}

// chunk is a full buffer.
type chunk struct {
	text  []byte
	lines int
}

// tended is a file that wants to be looked after now and then.
type tended interface {
	Tend() error
	Reopen() error
	Close() error
}

// NewFile makes a sink that writes to w. Close closes w where it is a LogFile.
func NewFile(w io.Writer, o FileOptions) *File {
	if o.Buffer <= 0 {
		o.Buffer = DefaultFileBuffer
	}
	f := &File{w: w, o: o, buf: make([]byte, 0, o.Buffer)}
	if o.Queue > 0 {
		f.wake = sync.NewCond(&f.mu)
		f.started.Go(f.writeQueued)
	}
	return f
}

// Write implements Sink.
func (f *File) Write(rec Record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.buf)+len(rec.Line)+1 > f.o.Buffer && !f.pass() || f.ended {
		f.counted.drop(QueueFull, 1)
		return
	}
	f.buf = append(f.buf, rec.Line...)
	f.buf = append(f.buf, '\n')
	f.lines++
	if len(f.buf) >= f.o.Buffer {
		f.pass()
	}
}

// Flush writes what waits and says why that failed. Where a goroutine writes, it
// only tells it to, and says how the last write went.
func (f *File) Flush() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pass()
	if f.wake != nil {
		f.look = true
		f.wake.Signal()
	}
	return f.failure
}

// Reopen lets the file be opened anew, where it is one that can be: it was moved
// away.
func (f *File) Reopen() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.wake != nil {
		f.pass()
		f.reopen = true
		f.wake.Signal()
	}
}

// Err says why the last write failed, nil where it did not. A failed write drops
// the lines that waited and counts them; later ones are tried again, so a disk
// that is full for a while costs only that while.
func (f *File) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failure
}

// Failed is how many writes failed.
func (f *File) Failed() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

// Trouble says what is wrong with the rotation or the opening of the file, which
// costs no record by itself; nil where nothing is.
func (f *File) Trouble() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.trouble
}

// Counts says what became of the records.
func (f *File) Counts() Counts {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.counted
	c.Waiting = f.lines + f.waiting
	return c
}

// Close writes what waits until ctx ends, and counts what is then left as
// dropped.
func (f *File) Close(ctx context.Context) error {
	err := f.Flush()
	if f.wake == nil {
		return errors.Join(err, f.closeFile())
	}
	f.mu.Lock()
	f.ended = true
	f.wake.Signal()
	f.mu.Unlock()
	done := make(chan struct{})
	go func() { f.started.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if lost := f.lines + f.waiting; lost > 0 {
		f.counted.drop(TimeOver, lost)
		f.failure = fmt.Errorf("log: writing records: %d had no time left", lost)
	}
	f.over, f.lines, f.waiting = true, 0, 0
	return f.failure
}

// pass hands the buffer on, or writes it. It is false where there is no room; mu
// is held.
func (f *File) pass() bool {
	if len(f.buf) == 0 {
		return true
	}
	if f.wake == nil {
		f.count(f.put(f.buf, f.lines))
		f.empty(f.buf)
		return true
	}
	if f.queued > 0 && f.queued+len(f.buf) > f.o.Queue {
		return false
	}
	f.chunks = append(f.chunks, chunk{f.buf, f.lines})
	f.queued += len(f.buf)
	f.waiting += f.lines
	f.wake.Signal()
	spare := f.spare
	f.spare = nil
	f.empty(spare)
	return true
}

// empty begins a buffer, in the memory of an old one that is not too large.
func (f *File) empty(old []byte) {
	f.lines = 0
	f.buf = old[:0]
	if old == nil || cap(old) > max(f.o.Buffer, maxKept) {
		f.buf = make([]byte, 0, f.o.Buffer)
	}
}

// count of a write; mu is held.
func (f *File) count(written, of int, err error) {
	if f.over {
		return
	}
	f.counted.Written += uint64(written)
	f.counted.drop(Unwritten, of-written)
	f.failure = nil
	if err != nil {
		f.failed++
		f.failure = fmt.Errorf("log: writing records: %w", err)
	}
}

// writeQueued is the goroutine.
func (f *File) writeQueued() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		switch {
		case len(f.chunks) > 0:
			c := f.chunks[0]
			f.chunks = f.chunks[1:]
			f.mu.Unlock()
			written, of, err := f.put(c.text, c.lines)
			f.mu.Lock()
			f.count(written, of, err)
			f.queued -= len(c.text)
			f.waiting = max(0, f.waiting-of) // none where Close has counted them
			f.spare = c.text
		case f.reopen, f.look:
			f.tend(f.reopen)
		case f.ended:
			f.mu.Unlock()
			err := f.closeFile()
			f.mu.Lock()
			if f.failure == nil {
				f.failure = err
			}
			return
		default:
			f.wake.Wait()
		}
	}
}

func (f *File) closeFile() error {
	if t, ok := f.w.(tended); ok {
		return t.Close()
	}
	return nil
}

// tend looks after the file; mu is held when it is called and when it returns.
func (f *File) tend(reopen bool) {
	f.look, f.reopen = false, false
	t, ok := f.w.(tended)
	if !ok {
		return
	}
	f.mu.Unlock()
	err := t.Tend()
	if reopen {
		err = errors.Join(t.Reopen(), err)
	}
	f.mu.Lock()
	f.trouble = nil
	if err != nil {
		f.trouble = fmt.Errorf("log: the file of records: %w", err)
	}
}

// put writes a buffer and says how many of its lines went out. Behind a write
// that was cut inside a line it begins a new line, so that one failure spoils
// one line only.
func (f *File) put(text []byte, lines int) (written, of int, err error) {
	if f.cut {
		if _, err := f.w.Write([]byte{'\n'}); err != nil {
			return 0, lines, err
		}
		f.cut = false
	}
	n, err := f.w.Write(text)
	if err == nil && n == len(text) {
		return lines, lines, nil
	}
	if err == nil {
		err = io.ErrShortWrite
	}
	out := text[:max(0, min(n, len(text)))]
	f.cut = len(out) > 0 && out[len(out)-1] != '\n'
	return bytes.Count(out, []byte{'\n'}), lines, err
}
