package mail

import (
	"bytes"
	"encoding/binary"
)

// compoundReader looks for macros and installers in an OLE2 file as it passes
// by (MS-CFB). Entries of the directory have 128 octets and stand at multiples
// of them, in any sector: each such place is looked at, so no chain of sectors
// need be followed. The macros of PowerPoint's old format are compressed inside
// a stream, those of Excel 4 are cells: neither shows here.
type compoundReader struct {
	entry [compoundEntry]byte
	have  int
	state compoundState
}

type compoundState uint8

const (
	compoundStart compoundState = iota
	compoundEntries
	compoundOver
)

const compoundEntry = 128

func (c *compoundReader) reset() { c.have, c.state = 0, compoundStart }

func (c *compoundReader) write(l *leaf, b []byte) {
	for len(b) > 0 && c.state != compoundOver {
		if c.have == 0 && len(b) >= compoundEntry {
			c.look(l, b[:compoundEntry])
			b = b[compoundEntry:]
			continue
		}
		n := copy(c.entry[c.have:], b)
		b = b[n:]
		if c.have += n; c.have == compoundEntry {
			c.have = 0
			c.look(l, c.entry[:])
		}
	}
}

func (c *compoundReader) look(l *leaf, e []byte) {
	if c.state == compoundStart {
		c.state = compoundOver
		if string(e[:8]) == "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" {
			c.state = compoundEntries
		}
		return
	}
	const size, kind, class = 64, 66, 80 // where they stand (MS-CFB, 2.6.1)
	switch n := binary.LittleEndian.Uint16(e[size:]); {
	case e[kind] != 1 && e[kind] != 2 && e[kind] != 5:
	case n == 26 && isWide(e, "_vba_project"), n == 34 && isWide(e, "_vba_project_cur"): // MS-OVBA, 2.2.1
		l.file().addDanger(Danger{DangerMacro, ByContent, ""})
	case e[kind] == 5 && isInstaller(e[class:class+16]):
		l.file().addDanger(Danger{DangerExecutable, ByContent, ""})
	}
}

// isWide compares UTF-16 with a name in lower case and its end.
func isWide(b []byte, lower string) bool {
	for i := range len(lower) {
		if lowerCase(b[2*i]) != lower[i] || b[2*i+1] != 0 {
			return false
		}
	}
	return b[2*len(lower)] == 0 && b[2*len(lower)+1] == 0
}

// isInstaller knows the class of an .msi, a patch and a transform:
// 000C1084, 000C1086 and 000C1082, all -0000-0000-C000-000000000046.
func isInstaller(class []byte) bool {
	return (class[0] == 0x84 || class[0] == 0x86 || class[0] == 0x82) &&
		bytes.Equal(class[1:], []byte("\x10\x0c\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"))
}
