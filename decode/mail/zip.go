package mail

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// zipReader lists the names in a ZIP archive as it passes by, from the header
// before each entry and from the directory at the end (APPNOTE.TXT, 4.3.7 and
// 4.3.12). It decompresses nothing.
type zipReader struct {
	state zipState
	begun bool     // the file is an archive, or its name says so
	any   bool     // an entry was seen
	ended bool     // and the end of the directory behind it
	head  [46]byte // of the longest header
	have  int
	name  []byte
	rest  int   // octets of the name to come
	skip  int64 // octets to pass over

	encrypted bool // the entry
	pack      bool // the first entry is that of ODF and EPUB: scripts belong there
}

type zipState uint8

const (
	zipHeader zipState = iota
	zipName
	zipSkip
	zipSearch // no header is where it should be: behind an entry of unknown length
	zipOver
)

const (
	localHeader     = 30
	directoryHeader = 46
	maxZipName      = 4096 // octets of a name that are kept
)

func (z *zipReader) reset() { *z = zipReader{name: z.name[:0]} }

// expect makes the reader search for the first entry: programs open archives
// that have other octets ahead, and only the name says that they are ones.
func (z *zipReader) expect() { z.begun, z.state = true, zipSearch }

// cut says of a whole file that its directory is missing, or that an entry is
// told longer than the file: what stands in it programs find by its end, and
// who reads from its start is led past it.
func (z *zipReader) cut() bool { return z.any && !z.ended }

func (z *zipReader) write(l *leaf, b []byte) {
	for len(b) > 0 && z.state != zipOver {
		switch z.state {
		case zipHeader, zipSearch:
			b = z.readHeader(l, b)
		case zipName:
			n := min(z.rest, len(b))
			z.name = append(z.name, b[:min(n, maxZipName-len(z.name))]...)
			if z.rest -= n; z.rest == 0 {
				z.endName(l)
			}
			b = b[n:]
		case zipSkip:
			n := min(z.skip, int64(len(b)))
			if z.skip -= n; z.skip == 0 {
				z.state = zipHeader
			}
			b = b[n:]
		}
	}
}

// readHeader gathers a header. In a search, or where none stands in its place,
// it goes on at the next octet that may begin one.
func (z *zipReader) readHeader(l *leaf, b []byte) []byte {
	if z.have == 0 && z.state == zipSearch {
		i := bytes.IndexByte(b, 'P')
		if i < 0 {
			return nil
		}
		b = b[i:]
	}
	z.head[z.have] = b[0]
	z.have++
	for z.have > 0 {
		size, ok := z.headerSize()
		if ok && z.have < size {
			break
		}
		var behind [directoryHeader]byte // of a header that was found inside what was none
		n := 0
		if ok {
			n = copy(behind[:], z.head[size:z.have])
		}
		if ok && z.take() {
			z.write(l, behind[:n])
			break
		}
		if !z.next() {
			break
		}
	}
	return b[1:]
}

// headerSize is how long the header is that has begun, and whether it can be one.
func (z *zipReader) headerSize() (size int, ok bool) {
	for _, h := range [...]struct {
		start string
		size  int
	}{{"PK\x03\x04", localHeader}, {"PK\x01\x02", directoryHeader}, {"PK\x05\x06", len("PK\x05\x06")}} {
		n := min(z.have, 4)
		if string(z.head[:n]) == h.start[:n] {
			return h.size, z.begun || h.size == localHeader
		}
	}
	return 0, false
}

// next drops the octet that began no header, and says whether others may.
func (z *zipReader) next() bool {
	if !z.begun {
		z.state = zipOver
		return false
	}
	z.state = zipSearch
	i := bytes.IndexByte(z.head[1:z.have], 'P')
	z.have = copy(z.head[:], z.head[1+i:z.have])
	if i < 0 {
		z.have = 0
	}
	return true
}

// take reads a whole header and says whether it is one: in a search, octets
// that only look so are likely.
func (z *zipReader) take() bool {
	if z.head[2] == 5 { // the end of the directory; what follows may be the archive that counts
		z.have, z.ended, z.state = 0, z.any, zipSearch
		return true
	}
	u16 := func(at int) int { return int(binary.LittleEndian.Uint16(z.head[at:])) }
	at, skip := 4, 0 // version needed; in the directory behind the version of the maker
	if z.head[2] == 1 {
		at = 6
	}
	flags, method, size := u16(at+2), u16(at+4), binary.LittleEndian.Uint32(z.head[at+14:])
	name := u16(at + 22)
	if u16(at)&0xff > 100 || method > 99 || name == 0 {
		return false
	}
	z.begun, z.any, z.ended = true, true, false
	z.have = 0
	skip = u16(at + 24)
	z.skip = int64(skip)
	switch {
	case at == 6:
		z.skip += int64(u16(32)) // a comment
	case size == 1<<32-1: // ZIP64: the length is elsewhere, so the next header is searched
	default:
		z.skip += int64(size) // 0 where it was not known yet: likewise
	}
	z.name, z.rest, z.state = z.name[:0], name, zipName
	z.encrypted = flags&1 != 0
	return true
}

// endName keeps a name, once: the directory repeats those of the entries.
func (z *zipReader) endName(l *leaf) {
	z.state = zipSkip
	if z.skip == 0 {
		z.state = zipHeader
	}
	l.file().Encrypted = l.file().Encrypted || z.encrypted
	raw := z.name
	if !utf8.Valid(raw) {
		raw, _ = charmap.CodePage437.NewDecoder().Bytes(raw) // it has every octet
	}
	l.addEntry(clean(raw))
}
