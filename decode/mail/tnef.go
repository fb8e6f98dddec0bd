package mail

import (
	"bytes"
	"encoding/binary"
)

// tnefReader lists the titles of the files in a winmail.dat as it passes by
// (MS-OXTNEF, 2.1.3): a signature, then attributes with their length.
type tnefReader struct {
	state tnefState
	head  [9]byte
	have  int
	title []byte
	isOne bool  // the attribute is a title
	left  int64 // octets of the attribute to come, its checksum too
}

type tnefState uint8

const (
	tnefSignature tnefState = iota
	tnefHeader
	tnefData
	tnefOver
)

const (
	tnefMagic    = 0x223e9f78
	attachTitle  = 0x00018010
	maxTNEFTitle = 1024
)

func (t *tnefReader) reset() { *t = tnefReader{title: t.title[:0]} }

func (t *tnefReader) write(l *leaf, b []byte) {
	for len(b) > 0 && t.state != tnefOver {
		switch t.state {
		case tnefSignature:
			b = t.gather(b, 6)
			if t.have == 6 {
				t.have, t.state = 0, tnefHeader
				if binary.LittleEndian.Uint32(t.head[:]) != tnefMagic {
					t.state = tnefOver
				}
			}
		case tnefHeader:
			b = t.gather(b, 9)
			if t.have == 9 {
				t.begin()
			}
		case tnefData:
			b = t.data(l, b)
		}
	}
}

func (t *tnefReader) gather(b []byte, size int) []byte {
	n := copy(t.head[t.have:size], b)
	t.have += n
	return b[n:]
}

func (t *tnefReader) begin() {
	t.have, t.state = 0, tnefData
	t.isOne = binary.LittleEndian.Uint32(t.head[1:]) == attachTitle
	t.left = int64(binary.LittleEndian.Uint32(t.head[5:])) + 2
	t.title = t.title[:0]
	if level := t.head[0]; level != 1 && level != 2 { // of the message, or of a file
		t.state = tnefOver
	}
}

func (t *tnefReader) data(l *leaf, b []byte) []byte {
	n := min(t.left, int64(len(b)))
	if t.isOne && t.left > 2 {
		own := min(n, t.left-2)
		t.title = append(t.title, b[:min(own, int64(maxTNEFTitle-len(t.title)))]...)
	}
	if t.left -= n; t.left == 0 {
		t.state = tnefHeader
		title, _, _ := bytes.Cut(t.title, []byte{0})
		if len(title) > 0 {
			l.addName(clean(title))
		}
	}
	return b[n:]
}
