package mail

import (
	"bytes"
	"strconv"
)

// tarReader lists the names in a tar archive as it passes by: of POSIX and
// GNU (POSIX.1-2017, pax, ustar Interchange Format), which say ustar. In a
// compressed one no name shows but that of the archive.
type tarReader struct {
	block [tarBlock]byte
	have  int
	state tarState
	skip  int64  // octets of the file to pass over, its padding too
	name  []byte // that a block before told for the next one
	kind  byte   // of the data that is kept: L a name, x records
	data  int64  // octets of it to come
}

type tarState uint8

const (
	tarStart tarState = iota
	tarHead
	tarData // that is kept
	tarSkip
	tarOver
)

const (
	tarBlock   = 512
	maxTarName = 4096
)

func (t *tarReader) reset() { t.have, t.state, t.name = 0, tarStart, t.name[:0] }

func (t *tarReader) write(l *leaf, b []byte) {
	for len(b) > 0 && t.state != tarOver {
		switch t.state {
		case tarData, tarSkip:
			n := min(t.skip, int64(len(b)))
			if t.state == tarData {
				own := min(n, t.data)
				t.data -= own
				t.name = append(t.name, b[:min(own, int64(maxTarName-len(t.name)))]...)
			}
			b = b[n:]
			if t.skip -= n; t.skip == 0 {
				t.endData()
			}
		default:
			n := copy(t.block[t.have:], b)
			b = b[n:]
			if t.have += n; t.have == tarBlock {
				t.have = 0
				t.take(l)
			}
		}
	}
}

func (t *tarReader) take(l *leaf) {
	h := &t.block
	if string(h[257:262]) != "ustar" {
		if t.state == tarStart || h[0] != 0 { // zeros end the archive
			t.state = tarOver
		}
		return
	}
	t.state = tarHead
	size := tarNumber(h[124:136])
	if size < 0 {
		t.state = tarOver
		return
	}
	t.kind, t.data = h[156], size
	t.skip = (size + tarBlock - 1) &^ (tarBlock - 1)
	next := tarSkip
	switch t.kind {
	case 'L', 'x':
		t.name, next = t.name[:0], tarData
	case 'g', 'K': // of all files, of a link
	default:
		t.entry(l)
	}
	if t.skip > 0 {
		t.state = next
	}
}

// entry tells the name of a file.
func (t *tarReader) entry(l *leaf) {
	h := &t.block
	name, _, _ := bytes.Cut(h[:100], []byte{0})
	if prefix, _, _ := bytes.Cut(h[345:500], []byte{0}); len(prefix) > 0 && h[262] == 0 {
		name = bytes.Join([][]byte{prefix, name}, []byte("/"))
	}
	if len(t.name) > 0 {
		name = t.name
	}
	if len(name) > 0 && t.kind != '5' && name[len(name)-1] != '/' { // no folder
		l.addName(clean(name))
	}
	t.name = t.name[:0]
}

// endData takes the name of the next file out of what was kept.
func (t *tarReader) endData() {
	if t.state == tarData && t.kind == 'x' {
		t.name = append(t.name[:0], paxPath(t.name)...)
	} else if t.state == tarData {
		name, _, _ := bytes.Cut(t.name, []byte{0})
		t.name = name
	}
	t.state = tarHead
}

// paxPath finds a path among records such as "20 path=a/b.exe\n".
func paxPath(records []byte) []byte {
	for len(records) > 0 {
		var line []byte
		line, records, _ = bytes.Cut(records, []byte("\n"))
		if _, path, found := bytes.Cut(line, []byte(" path=")); found {
			return path
		}
	}
	return nil
}

// tarNumber reads octal digits; -1 is what is none. Files of 8 GB and more are
// written otherwise and do not come by mail.
func tarNumber(b []byte) int64 {
	n, err := strconv.ParseInt(string(bytes.Trim(b, " \x00")), 8, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}
