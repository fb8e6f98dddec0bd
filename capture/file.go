package capture

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// FileOptions bounds what a capture file may make us hold. Its zero value
// works.
type FileOptions struct {
	MaxRecord     int // bytes of one packet; default 1 MiB. A longer one is a DamageError
	MaxInterfaces int // pcapng interfaces of one section; default 4096. One more is a DamageError
	MaxWindow     int // bytes of zstd's window; default 128 MiB, as the zstd program has it. A larger one is a DamageError
	// Joined: behind a capture's last record another one may begin, of either format,
	// as where two write into a pipe.
	Joined bool
}

func (o FileOptions) withDefaults() FileOptions {
	if o.MaxRecord <= 0 {
		o.MaxRecord = 1 << 20
	}
	if o.MaxInterfaces <= 0 {
		o.MaxInterfaces = 4096
	}
	if o.MaxWindow <= 0 {
		o.MaxWindow = 128 << 20
	}
	return o
}

// File reads a capture file: pcap (micro- and nanosecond, both byte orders),
// pcapng, or gzip or zstd of them. One goroutine reads it; Offset and Size
// may be asked from another.
type File struct {
	name    string
	opts    FileOptions
	count   *counter
	size    int64
	input   *window // the file as it lies on disk
	stream  *window // the capture; the same as input where nothing is compressed
	packed  string  // gzip, zstd, or empty
	records records
	err     error // how it ended; repeated ever after
	closers []func() error
}

// records walks one format's records in the stream.
type records interface {
	next(p *Packet) error
	// fill reads into batch the packets that lie in memory as a whole, so
	// that what was handed out stays where it is, and returns how many. It
	// leaves to next what is odd.
	fill(batch []Packet) int
}

// Next reads the next packet. p.Data is borrowed until the next call. It
// returns io.EOF at a clean end, and a *DamageError where the file is cut or
// nonsense, after all packets before that place were delivered; either is
// repeated by every further call.
func (f *File) Next(p *Packet) error {
	if f.err != nil {
		return f.err
	}
	f.err = f.records.next(p)
	for f.err == errAnother { // who sends nothing but headers gets no deeper stack
		if f.err = f.another(); f.err == nil {
			f.err = f.records.next(p)
		}
	}
	return f.err
}

// NextBatchIn is NextBatch for a caller who works on several batches at once:
// the packets lie in room, and stay there until it is given again. It returns
// the room for the next time, which may be a larger one.
func (f *File) NextBatchIn(room []byte, batch []Packet) (int, []byte, error) {
	f.stream.moveTo(room)
	n, err := f.NextBatch(batch)
	return n, f.stream.buf, err
}

// NextBatch fills batch from its begin with the packets that follow, as far as
// they lie in memory, and returns how many it read: at least one, or the error
// that Next would have returned. Their Data is borrowed until the next call.
func (f *File) NextBatch(batch []Packet) (int, error) {
	if len(batch) == 0 {
		return 0, nil
	}
	if err := f.Next(&batch[0]); err != nil {
		return 0, err
	}
	return 1 + f.records.fill(batch[1:]), nil
}

// Offset tells how many bytes of the input, as compressed as it lies on disk,
// were read.
func (f *File) Offset() int64 { return f.count.n.Load() }

// Size is the length of the input in bytes, 0 where it is unknown (a pipe).
func (f *File) Size() int64 { return f.size }

// Close frees the file. Packets borrowed from it end with it.
func (f *File) Close() error {
	if f.err == nil {
		f.err = fmt.Errorf("%s: is closed", f.name)
	}
	var errs []error
	for i := len(f.closers) - 1; i >= 0; i-- {
		errs = append(errs, f.closers[i]())
	}
	f.closers = nil
	return errors.Join(errs...)
}

// DamageError says where and why a capture file cannot be read further.
type DamageError struct {
	Name   string // of the file
	Offset int64  // bytes from the start of the capture, after decompression; of joined ones, from the last one's
	What   string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("%s: damaged at byte %d: %s", e.Name, e.Offset, e.What)
}

func (f *File) damage(format string, args ...any) error {
	return &DamageError{Name: f.name, Offset: f.stream.offset(), What: fmt.Sprintf(format, args...)}
}

// ended says why the stream holds only have of the want bytes of a record.
func (f *File) ended(what string, have, want int) error {
	switch {
	case f.input.err != nil && f.input.err != io.EOF:
		return fmt.Errorf("%s: reading failed at byte %d: %w", f.name, f.Offset(), f.input.err)
	case f.stream.err != io.EOF && errors.Is(f.stream.err, io.ErrUnexpectedEOF):
		return f.damage("the %s data is cut", f.packed)
	case f.stream.err != io.EOF:
		return f.damage("bad %s data: %v", f.packed, f.stream.err)
	case have == 0:
		return io.EOF
	}
	return f.damage("cut: %s has %d of %d bytes", what, have, want)
}

// counter counts what is read from the input, for a progress bar.
type counter struct {
	r io.Reader
	n atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}
