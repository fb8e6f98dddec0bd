package capture

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/klauspost/compress/zstd"
)

// Why a file cannot be opened as a capture, beside what the operating system
// says (fs.ErrNotExist, fs.ErrPermission). Errors of Open and NewFile wrap them.
var (
	ErrDirectory   = errors.New("is a directory")
	ErrEmpty       = errors.New("is empty")
	ErrNotCapture  = errors.New("is no capture")
	ErrUnsupported = errors.New("is not supported")
)

// Open opens a capture file; "-" is standard input. A file whose header is
// cut gives a *DamageError.
func Open(path string, o FileOptions) (*File, error) {
	if path == "-" {
		return openStream(os.Stdin, "standard input", o)
	}
	in, err := os.Open(path)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f, err := openStream(in, path, o)
	if err != nil {
		in.Close()
		return nil, err
	}
	f.closers = append([]func() error{in.Close}, f.closers...)
	return f, nil
}

func openStream(in *os.File, name string, o FileOptions) (*File, error) {
	st, err := in.Stat()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if st.IsDir() {
		return nil, fmt.Errorf("%s: %w, wants a capture file", name, ErrDirectory)
	}
	f, err := NewFile(in, name, o)
	if err == nil && st.Mode().IsRegular() {
		f.size = st.Size()
	}
	return f, err
}

// NewFile reads a capture from r; name stands in errors. Close does not close r.
func NewFile(r io.Reader, name string, o FileOptions) (*File, error) {
	f := &File{name: name, opts: o.withDefaults(), count: &counter{r: r}}
	f.input = newWindow(f.count)
	f.stream = f.input
	if err := f.begin(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (f *File) begin() error {
	if err := f.unpack(); err != nil {
		return err
	}
	magic := f.stream.peek(4)
	if len(magic) == 0 {
		if err := f.ended("file", 0, 4); err != io.EOF {
			return err
		}
		return fmt.Errorf("%s: %w%s", f.name, ErrEmpty, f.inside())
	}
	return f.header()
}

// header begins with the capture that comes next in the stream.
func (f *File) header() (err error) {
	magic := f.stream.peek(4)
	switch {
	case isPcap(magic):
		f.records, err = newPcap(f)
	case isPcapng(magic):
		f.records, err = newPcapng(f)
	default:
		err = f.refuse(magic)
	}
	return err
}

// unpack puts a decompressor before the stream where the file asks for one.
func (f *File) unpack() error {
	magic := f.input.peek(4)
	switch {
	case len(magic) >= 2 && magic[0] == 0x1f && magic[1] == 0x8b: // RFC 1952, 2.3.1
		return f.unpackGzip()
	case isZstd(magic):
		return f.unpackZstd()
	}
	return nil
}

func (f *File) unpackGzip() error {
	f.packed = "gzip"
	z, err := gzip.NewReader(f.input)
	if err != nil {
		return f.damage("bad gzip header: %v", err)
	}
	f.closers = append(f.closers, z.Close)
	f.stream = newWindow(z)
	return nil
}

func (f *File) unpackZstd() error {
	f.packed = "zstd"
	z, err := zstd.NewReader(f.input,
		zstd.WithDecoderConcurrency(1), // in this goroutine: Offset stays honest, memory is one window
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(uint64(f.opts.MaxWindow)))
	if err != nil {
		return fmt.Errorf("%s: zstd: %w", f.name, err)
	}
	f.closers = append(f.closers, func() error { z.Close(); return nil })
	f.stream = newWindow(z)
	return nil
}

// isZstd knows frames (RFC 8878, 3.1.1) and the skippable ones that some
// compressors write first (3.1.2).
func isZstd(b []byte) bool {
	return bytes.Equal(b, []byte{0x28, 0xb5, 0x2f, 0xfd}) ||
		len(b) == 4 && b[0]&0xf0 == 0x50 && b[1] == 0x2a && b[2] == 0x4d && b[3] == 0x18
}

// foreign are formats that people take for a capture that we read.
var foreign = [...]struct{ magic, name string }{
	{"\x34\xcd\xb2\xa1", "the modified pcap of Kuznetzov's patches"},
	{"\xa1\xb2\xcd\x34", "the modified pcap of Kuznetzov's patches"},
	{"snoo", "Solaris snoop"},
	{"GMBU", "Microsoft Network Monitor"},
	{"RTSS", "Microsoft Network Monitor"},
	{"BZh", "bzip2"},
	{"\xfd7zX", "xz"},
	{"\x04\x22\x4d\x18", "lz4"},
	{"PK\x03\x04", "zip"},
}

const wanted = "wants pcap, pcapng, or gzip or zstd of them"

// refuse names only the four bytes of the magic number: a file that is no
// capture may begin with somebody's secret.
func (f *File) refuse(magic []byte) error {
	for _, k := range foreign {
		if bytes.HasPrefix(magic, []byte(k.magic)) {
			return fmt.Errorf("%s: %s%s %w, %s", f.name, k.name, f.inside(), ErrUnsupported, wanted)
		}
	}
	return fmt.Errorf("%s: %w%s: begins with %q, %s", f.name, ErrNotCapture, f.inside(), magic, wanted)
}

func (f *File) inside() string {
	if f.packed == "" {
		return ""
	}
	return " inside its " + f.packed
}
