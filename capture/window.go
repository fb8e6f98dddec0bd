package capture

import "io"

// bufferSize is one read(2): large enough to make the calls rare, small
// enough to stay in the processor's cache while its records are walked.
const bufferSize = 512 << 10

// emptyReads is how often a reader may return nothing before it counts as
// stuck.
const emptyReads = 100

// window is the part of a stream that lies in memory. Records are walked in
// it where they lie; what peek returned moves with the next peek.
type window struct {
	src  io.Reader
	buf  []byte
	r, w int   // buf[r:w] is read and not yet consumed
	base int64 // offset of buf[0] in the stream
	err  error // why src ended: io.EOF, or a failure
}

func newWindow(src io.Reader) *window {
	return &window{src: src, buf: make([]byte, bufferSize)}
}

// peek returns the next n bytes without consuming them, fewer only where the
// stream ended.
func (b *window) peek(n int) []byte {
	if b.w-b.r >= n {
		return b.buf[b.r : b.r+n]
	}
	return b.fill(n)
}

// buffered is what lies in memory and was not consumed.
func (b *window) buffered() []byte { return b.buf[b.r:b.w] }

func (b *window) advance(n int) { b.r += n }

// moveTo goes on in other memory: what was handed out stays where it is.
func (b *window) moveTo(room []byte) {
	left := b.buffered()
	if len(room) < max(len(left), bufferSize/8) {
		room = make([]byte, max(len(left), bufferSize/8))
	}
	b.base += int64(b.r)
	b.r, b.w = 0, copy(room, left)
	b.buf = room
}

func (b *window) offset() int64 { return b.base + int64(b.r) }

func (b *window) fill(n int) []byte {
	b.base += int64(b.r)
	b.w = copy(b.buf, b.buf[b.r:b.w])
	b.r = 0
	for b.w < n && b.err == nil {
		if b.w == len(b.buf) {
			// Grown by what has arrived, not by what a header claims.
			b.buf = append(b.buf, make([]byte, len(b.buf))...)
		}
		b.read()
	}
	return b.buf[:min(n, b.w)]
}

func (b *window) read() {
	for range emptyReads {
		n, err := b.src.Read(b.buf[b.w:])
		b.w += n
		b.err = err
		if n > 0 || err != nil {
			return
		}
	}
	b.err = io.ErrNoProgress
}

// restart counts offsets from here.
func (b *window) restart() { b.base = -int64(b.r) }

// discard consumes n bytes without holding them, and returns how many there
// were.
func (b *window) discard(n int64) int64 {
	left := n
	for left > 0 {
		b.peek(1)
		k := min(left, int64(b.w-b.r))
		if k == 0 {
			break
		}
		b.advance(int(k))
		left -= k
	}
	return n - left
}

// Read lets a decompressor read what was peeked at.
func (b *window) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(b.peek(1)) == 0 {
		return 0, b.err
	}
	n := copy(p, b.buf[b.r:b.w])
	b.advance(n)
	return n, nil
}
