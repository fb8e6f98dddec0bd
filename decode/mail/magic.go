package mail

import (
	"bytes"
	"encoding/binary"
)

// dangerOfContent tells the kind of a file from its first octets, where they
// can mean nothing else. Left out is what ordinary mail has too: PDF with
// JavaScript (forms), HTML with script (reports, saved pages), RTF with
// objects. What it tells of the start of a file it tells of the whole.
func dangerOfContent(head []byte) string {
	if len(head) < 4 {
		return ""
	}
	switch {
	case isProgram(head):
		return DangerExecutable
	case bytes.HasPrefix(head, []byte("\x4c\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46")): // MS-SHLLINK, 2.1
		return DangerShortcut
	case isDiskImage(head):
		return DangerDiskImage
	case bytes.HasPrefix(head, []byte("ITSF")), // compiled help, which runs scripts
		bytes.HasPrefix(head, []byte("#@~^")), // encoded VBScript or JScript
		head[0] == '#' && head[1] == '!' && (head[2] == '/' || head[2] == ' ' && head[3] == '/'):
		return DangerScript
	}
	return dangerOfText(head)
}

func isProgram(head []byte) bool {
	switch first := binary.BigEndian.Uint32(head); first {
	case 0x7f454c46, // ELF
		0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe, // Mach-O
		0xcafebabe, // Mach-O for several processors, or a Java class
		0x6465780a, // dex, Android
		0xedabeedb, // rpm
		0x78617221: // xar, an installer of macOS
		return true
	}
	if bytes.HasPrefix(head, []byte("!<arch>\ndebian")) {
		return true
	}
	// A header of DOS. Its fields of two octets leave a zero among the first 28,
	// which no text that begins with MZ has. Where the PE header stands is not
	// asked: it may be anywhere.
	return head[0] == 'M' && head[1] == 'Z' && len(head) >= 28 && bytes.IndexByte(head[:28], 0) >= 0
}

// isDiskImage knows virtual disks and the boot sectors of volumes. What ISO
// 9660 and UDF have to say comes later: see volumeReader.
func isDiskImage(head []byte) bool {
	if bytes.HasPrefix(head, []byte("conectix")) || bytes.HasPrefix(head, []byte("vhdxfile")) {
		return true
	}
	if len(head) < 512 || head[510] != 0x55 || head[511] != 0xaa || head[0] != 0xeb && head[0] != 0xe9 {
		return false
	}
	return string(head[54:57]) == "FAT" || string(head[82:85]) == "FAT" || string(head[3:7]) == "NTFS"
}

// dangerOfText knows texts that only an interpreter is meant to read.
func dangerOfText(head []byte) string {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case len(head) == 0:
	case beginsWith(head, "@echo off"), beginsWith(head, "windows registry editor version"), beginsWith(head, "regedit4"):
		return DangerScript
	case beginsWith(head, "[internetshortcut]"):
		return DangerShortcut
	case head[0] == '<':
		lower := bytes.ToLower(head)
		if bytes.Contains(lower, []byte("<hta:application")) || bytes.Contains(lower, []byte("<scriptlet>")) ||
			(bytes.Contains(lower, []byte("<job>")) || bytes.Contains(lower, []byte("<job "))) && bytes.Contains(lower, []byte("<script ")) {
			return DangerScript
		}
	}
	return ""
}

// beginsWith compares with a start in lower case.
func beginsWith(b []byte, lower string) bool {
	return len(b) >= len(lower) && equalFold(b[:len(lower)], lower)
}

// gzipName is the name of the file before it was compressed (RFC 1952, 2.3).
func gzipName(head []byte) []byte {
	const hasExtra, hasName = 4, 8
	if len(head) < 12 || head[0] != 0x1f || head[1] != 0x8b || head[3]&hasName == 0 {
		return nil
	}
	rest := head[10:]
	if head[3]&hasExtra != 0 {
		n := 2 + int(binary.LittleEndian.Uint16(rest))
		if n >= len(rest) {
			return nil
		}
		rest = rest[n:]
	}
	name, _, whole := bytes.Cut(rest, []byte{0})
	if !whole {
		return nil
	}
	return name
}
