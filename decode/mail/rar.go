package mail

import (
	"bytes"
	"encoding/binary"
)

// rarReader lists the names in a RAR archive as it passes by: of version 4
// (technote.txt of unrar) and 5 ("RAR 5.0 archive format"). Where the headers
// are encrypted no name shows, and the archive counts as encrypted.
type rarReader struct {
	state   rarState
	version byte
	head    []byte // the header so far
	need    int    // octets of it
	skip    int64  // octets to pass over: of the header's rest, and of the data
}

type rarState uint8

const (
	rarMark rarState = iota
	rarSize          // until the size of a header is known
	rarHeader
	rarSkip
	rarOver
)

const (
	rarStart   = "Rar!\x1a\x07"
	maxRarHead = 8 << 10 // octets of a header that are kept; names come before what is left out
)

func (r *rarReader) reset() { *r = rarReader{head: r.head[:0]} }

func (r *rarReader) write(l *leaf, b []byte) {
	for len(b) > 0 && r.state != rarOver {
		switch r.state {
		case rarHeader:
			n := min(r.need-len(r.head), len(b))
			r.head = append(r.head, b[:n]...)
			if b = b[n:]; len(r.head) == r.need {
				r.take(l)
			}
		case rarSkip:
			n := min(r.skip, int64(len(b)))
			b = b[n:]
			if r.skip -= n; r.skip == 0 {
				r.state = rarSize
			}
		default:
			r.head = append(r.head, b[0])
			b = b[1:]
			if r.state == rarMark {
				r.mark()
			} else {
				r.size(l)
			}
		}
	}
}

func (r *rarReader) mark() {
	n := len(r.head)
	switch {
	case n <= len(rarStart):
		if r.head[n-1] != rarStart[n-1] {
			r.state = rarOver
		}
		return
	case n == len(rarStart)+1 && r.head[n-1] == 0:
		r.version = 4
	case n == len(rarStart)+1 && r.head[n-1] == 1:
		return
	case n == len(rarStart)+2 && r.head[n-1] == 0:
		r.version = 5
	default:
		r.state = rarOver
		return
	}
	r.head, r.state = r.head[:0], rarSize
}

// size reads how long the header is: behind a checksum of two octets, a type
// and flags, or behind one of four as a number of 7 bits each.
func (r *rarReader) size(l *leaf) {
	n := len(r.head)
	if r.version == 4 {
		if n == 7 {
			r.expect(l, int(binary.LittleEndian.Uint16(r.head[5:])))
		}
		return
	}
	const checksum, longest = 4, 3
	if n <= checksum || r.head[n-1] >= 0x80 && n < checksum+longest {
		return
	}
	size, _, ok := rarNumber(r.head[checksum:])
	if !ok || size == 0 {
		r.state = rarOver
		return
	}
	r.head = r.head[:0]
	r.expect(l, int(size))
}

// expect waits for the rest of a header; that of version 4 has begun.
func (r *rarReader) expect(l *leaf, size int) {
	if size < len(r.head) {
		r.state = rarOver
		return
	}
	r.need = min(size, maxRarHead)
	r.skip = int64(size - r.need)
	if r.state = rarHeader; len(r.head) == r.need {
		r.take(l)
	}
}

// take reads a whole header, and passes over what belongs to it.
func (r *rarReader) take(l *leaf) {
	ok := false
	if r.version == 4 {
		ok = r.take4(l)
	} else {
		ok = r.take5(l)
	}
	r.head = r.head[:0]
	switch {
	case !ok || r.skip < 0:
		r.state = rarOver
	case r.skip > 0:
		r.state = rarSkip
	default:
		r.state = rarSize
	}
}

func (r *rarReader) take4(l *leaf) (goesOn bool) {
	const archive, file, last = 0x73, 0x74, 0x7b
	h := r.head
	kind, flags := h[2], binary.LittleEndian.Uint16(h[3:])
	if flags&0x8000 != 0 && len(h) >= 11 {
		r.skip += int64(binary.LittleEndian.Uint32(h[7:]))
	}
	switch {
	case kind == last:
		return false
	case kind == archive && flags&0x80 != 0:
		l.file().Encrypted = true
		return false
	case kind != file || len(h) < 32:
		return true
	}
	at := 32
	if flags&0x100 != 0 && len(h) >= 40 {
		r.skip += int64(binary.LittleEndian.Uint32(h[32:])) << 32
		at = 40
	}
	name := h[at:min(len(h), at+int(binary.LittleEndian.Uint16(h[26:])))]
	name, _, _ = bytes.Cut(name, []byte{0}) // behind it stands what Unicode needs more
	l.file().Encrypted = l.file().Encrypted || flags&4 != 0
	if flags&0xe0 != 0xe0 { // a folder
		l.addName(clean(bytes.ReplaceAll(name, []byte(`\`), []byte(`/`))))
	}
	return true
}

func (r *rarReader) take5(l *leaf) (goesOn bool) {
	const file, encryption, last = 2, 4, 5
	n := rarNumbers{b: r.head}
	kind, flags := n.next(), n.next()
	extra := uint64(0)
	if flags&1 != 0 {
		extra = n.next()
	}
	if flags&2 != 0 {
		r.skip += int64(n.next())
	}
	switch {
	case n.bad || kind == last:
		return false
	case kind == encryption:
		l.file().Encrypted = true
		return false
	case kind != file:
		return true
	}
	fileFlags := n.next()
	n.next() // size
	n.next() // attributes
	if fileFlags&2 != 0 {
		n.pass(4) // time
	}
	if fileFlags&4 != 0 {
		n.pass(4) // checksum
	}
	n.next() // compression
	n.next() // system
	name := n.take(n.next())
	if n.bad {
		return true
	}
	l.file().Encrypted = l.file().Encrypted || rarEncrypted(r.head[len(r.head)-int(min(extra, uint64(len(r.head)))):])
	if fileFlags&1 == 0 { // no folder
		l.addName(clean(name))
	}
	return true
}

// rarEncrypted looks for the record that tells how a file is encrypted.
func rarEncrypted(extra []byte) bool {
	n := rarNumbers{b: extra}
	for len(n.b) > 0 && !n.bad {
		record := rarNumbers{b: n.take(n.next())}
		if record.next() == 1 && !record.bad {
			return true
		}
	}
	return false
}

// rarNumbers takes a header apart; bad says that it is too short.
type rarNumbers struct {
	b   []byte
	bad bool
}

func (n *rarNumbers) next() uint64 {
	v, size, ok := rarNumber(n.b)
	n.bad = n.bad || !ok
	n.b = n.b[size:]
	return v
}

func (n *rarNumbers) pass(size int) { n.take(uint64(size)) }

// take gives so many octets, or those that are there.
func (n *rarNumbers) take(size uint64) []byte {
	if size > uint64(len(n.b)) {
		n.bad, size = true, uint64(len(n.b))
	}
	out := n.b[:size]
	n.b = n.b[size:]
	return out
}

// rarNumber reads a number of 7 bits an octet, the lowest first.
func rarNumber(b []byte) (v uint64, size int, ok bool) {
	for i := 0; i < len(b) && i < 10; i++ {
		v |= uint64(b[i]&0x7f) << (7 * i)
		if b[i] < 0x80 {
			return v, i + 1, true
		}
	}
	return 0, 0, false
}
