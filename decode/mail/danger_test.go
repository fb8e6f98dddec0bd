package mail

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
)

// TestDangerByName: what a name tells, however it is written.
func TestDangerByName(t *testing.T) {
	for name, want := range map[string]string{
		`filename="setup.exe"`:                                 "executable/name",
		`filename="SETUP.EXE. . "`:                             "executable/name",
		`filename="a.exe::$DATA"`:                              "executable/name",
		`filename="a.ps1"`:                                     "script/name",
		`filename="report.docm"`:                               "macro/name",
		`filename="open me.lnk"`:                               "shortcut/name",
		`filename="a.searchConnector-ms"`:                      "shortcut/name",
		`filename="a.iso"`:                                     "disk_image/name",
		`filename="invoice.pdf.exe"`:                           "executable/name disguised/name",
		`filename="invoice.pdf          .js"`:                  "script/name disguised/name",
		`filename="a.v2.exe"`:                                  "executable/name",
		`filename*=utf-8''inv%E2%80%AEfdp.scr`:                 "executable/name disguised/name",
		`filename*0="set"; filename*1="up.e"; filename*2="xe"`: "executable/name",
		`filename="=?utf-8?B?c2V0dXAuZXhl?="`:                  "executable/name",
		`filename="=?utf-8?Q?setup=2Eexe?="`:                   "executable/name",
		`filename="a.txt"; filename="a.exe"`:                   "executable/name/a.exe",
		`filename="a.exe"; filename*=utf-8''a.txt`:             "executable/name/a.exe",
		`filename="` + strings.Repeat("x", 300) + `.exe"`:      "executable/name",
		`filename="c:\dir\a.bat"`:                              "script/name",

		`filename="a.pdf"`:                              "",
		`filename="exe"`:                                "",
		`filename="a.exe.pdf"`:                          "",
		`filename="a.exe b"`:                            "",
		`filename="a.executable"`:                       "",
		`filename="a.p7s"`:                              "",
		`filename="a.cer"`:                              "",
		`filename="sheet.xlsx"`:                         "",
		`filename*=utf-8''inv%E2%80%AEfdp.txt`:          "",
		`filename="Ü.pdf"; filename*=utf-8''%C3%9C.pdf`: "",
		`filename=""`:                                   "",
		`filename="..."`:                                "",
	} {
		t.Run(name, func(t *testing.T) {
			content := crlf(mixed("Content-Disposition: attachment; " + name + "\n\nx"))
			for width := range len(content) {
				var m Message
				readIn(&m, content, width+1)
				if got := m.Attachments(); len(got) != 1 || dangers(got[0]) != want {
					t.Fatalf("pieces of %d: %+v, want %s", width+1, got, want)
				}
			}
		})
	}
}

// TestDangerByOtherName: who names a part twice is asked for both.
func TestDangerByOtherName(t *testing.T) {
	for header, want := range map[string]string{
		"Content-Type: text/plain; name=a.exe\nContent-Disposition: attachment; filename=a.txt":                                   "executable/name/a.exe [mime_conflicting_name]",
		"Content-Type: text/plain; name=a.txt\nContent-Disposition: attachment; filename=a.exe":                                   "executable/name [mime_conflicting_name]",
		"Content-Type: text/plain; name=a.exe\nContent-Disposition: attachment; filename=a":                                       "executable/name/a.exe []",
		"Content-Type: text/plain; name=a\nContent-Disposition: attachment; filename=a.txt":                                       " []",
		"Content-Type: text/plain; name=\"=?utf-8?Q?=C3=9C.PDF?=\"\nContent-Disposition: attachment; filename*=utf-8''%C3%9C.pdf": " []",
		"Content-Type: text/plain; name=a.exe":                                                                                    "executable/name []",
		"Content-Type: message/rfc822; name=\"Welcome to example.com\"":                                                           " []",
		"Content-Type: application/x-dosexec; name=\"example.com\"":                                                               "executable/name []",
	} {
		var m Message
		readIn(&m, crlf(mixed(header+"\n\nx")), 7)
		if got := dangers(m.Attachments()[0]) + " " + fmt.Sprint(m.Malformed()); got != want {
			t.Errorf("%s: %s, want %s", header, got, want)
		}
	}
}

// compound makes an OLE2 file of one sector before its directory, which has
// these entries.
func compound(entries ...string) []byte {
	b := make([]byte, 1024)
	copy(b, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	for _, name := range entries {
		name, class, _ := strings.Cut(name, "|")
		e := make([]byte, compoundEntry)
		wide := utf16.Encode([]rune(name))
		for i, c := range wide {
			binary.LittleEndian.PutUint16(e[2*i:], c)
		}
		binary.LittleEndian.PutUint16(e[64:], uint16(2*len(wide)+2))
		if e[66] = 1; name == "Root Entry" {
			e[66] = 5
		}
		copy(e[80:], class)
		b = append(b, e...)
	}
	return append(b, make([]byte, 512)...)
}

const installer = "\x84\x10\x0c\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46"

// program is the start of a file for Windows.
const program = "MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00\xb8\x00\x00\x00\x00\x00\x00\x00@\x00\x00\x00\x00\x00\x00\x00"

func padded(at int, mark string) string {
	return strings.Repeat("\x00", at) + mark + strings.Repeat("\x00", 99)
}

// TestDangerByContent: what the octets tell, whatever the name says.
func TestDangerByContent(t *testing.T) {
	fat := []byte(padded(600, ""))
	copy(fat, "\xeb\x3c\x90MSDOS5.0")
	copy(fat[54:], "FAT12   ")
	fat[510], fat[511] = 0x55, 0xaa
	for _, c := range []struct{ name, content, want string }{
		{"PE", program, "executable/content"},
		{"text with MZ", "MZ is how Mark Zbikowski signed his programs.", ""},
		{"short MZ", "MZ\x00", ""},
		{"ELF", "\x7fELF\x02\x01\x01\x00", "executable/content"},
		{"Mach-O", "\xcf\xfa\xed\xfe\x07\x00\x00\x01", "executable/content"},
		{"class", "\xca\xfe\xba\xbe\x00\x00\x00\x34", "executable/content"},
		{"shebang", "#!/bin/sh\nrm -rf /\n", "script/content"},
		{"shebang with a blank", "#! /usr/bin/perl\n", "script/content"},
		{"no shebang", "#!important notes", ""},
		{"batch", "\r\n@ECHO OFF\r\n", "script/content"},
		{"registry", "\xef\xbb\xbfWindows Registry Editor Version 5.00\r\n", "script/content"},
		{"encoded script", "#@~^WwAAAA==-mD", "script/content"},
		{"help", "ITSF\x03\x00\x00\x00", "script/content"},
		{"HTA", "<html><head><HTA:APPLICATION ID=a></head>", "script/content"},
		{"WSF", "<?xml version=\"1.0\"?><job id=\"a\"><script language=\"VBScript\">", "script/content"},
		{"HTML", "<html><script>alert(1)</script> a job <b>", ""},
		{"LNK", "\x4c\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46\x9b", "shortcut/content"},
		{"URL", "[InternetShortcut]\r\nURL=file://192.0.2.1/a", "shortcut/content"},
		{"VHD", "conectix\x00\x00\x00\x02", "disk_image/content"},
		{"FAT", string(fat), "disk_image/content"},
		{"ISO", padded(32769, "CD001\x01"), "disk_image/content"},
		{"UDF", padded(32769, "BEA01\x01"), "disk_image/content"},
		{"nearly ISO", padded(32768, "CD001\x01"), ""},
		{"document", string(compound("Root Entry", "WordDocument", "1Table")), ""},
		{"document with macros", string(compound("Root Entry", "WordDocument", "Macros", "VBA", "_VBA_PROJECT")), "macro/content"},
		{"sheet with macros", string(compound("Root Entry", "Workbook", "_VBA_PROJECT_CUR")), "macro/content"},
		{"installer", string(compound("Root Entry|" + installer)), "executable/content"},
		{"not OLE2", "x" + string(compound("_VBA_PROJECT"))[1:], ""},
		{"OOXML", string(zipOf(t, "[Content_Types].xml", "word/document.xml")), ""},
		{"OOXML with macros", string(zipOf(t, "[Content_Types].xml", "word/document.xml", "word/vbaProject.bin")), "macro/content/word/vbaProject.bin"},
		{"macro sheets", string(zipOf(t, "[Content_Types].xml*", "xl/macrosheets/sheet1.xml*")), "macro/content/xl/macrosheets/sheet1.xml"},
		{"OpenDocument", string(zipOf(t, "mimetype", "content.xml", "Basic/script-lc.xml", "Basic/Standard/script-lb.xml")), ""},
		{"OpenDocument with macros", string(zipOf(t, "mimetype", "content.xml", "Basic/Standard/Module1.xml")), "macro/content/Basic/Standard/Module1.xml"},
		{"PDF", "%PDF-1.7\n1 0 obj <</Type/Catalog/OpenAction 2 0 R>>", ""},
		{"PNG", "\x89PNG\r\n\x1a\n", ""},
		{"text", "Hello", ""},
		{"empty", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, width := range []int{1, 2, 3, 63, 127, 128, 129, 500, 1448, 1 << 20} {
				if width < 63 && len(c.content) > 4000 && width != 1 {
					continue
				}
				if got := lookInto([]byte(c.content), width); dangers(got) != c.want {
					t.Fatalf("pieces of %d: %s, want %s", width, dangers(got), c.want)
				}
			}
			encoded := "Content-Type: image/jpeg; name=a.jpg\nContent-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString([]byte(c.content))
			var m Message
			readIn(&m, crlf(mixed(encoded)), 100)
			got := dangers(m.Attachments()[0])
			if first, _, _ := strings.Cut(got, " "); first != c.want {
				t.Errorf("in base64: %s, want %s", got, c.want)
			}
		})
	}
	var m Message
	readIn(&m, "Content-Type: image/jpeg; name=holiday.jpg\r\n\r\n"+program, 5)
	if got := dangers(m.Attachments()[0]); got != "executable/content disguised/content" {
		t.Errorf("a program that says it is a picture: %s", got)
	}
	text := "Content-Type: text/plain\r\n\r\n#!/bin/sh\r\n"
	if readIn(&m, text, 9); len((&m).Attachments()) != 1 {
		t.Error("read on without Reset")
	}
}

// TestDangerInside: names of entries, one level deep.
func TestDangerInside(t *testing.T) {
	many := make([]string, 150)
	for i := range many {
		many[i] = fmt.Sprint(i, ".txt")
	}
	inner := zipOf(t, "deep.exe")
	nested := storedZip("inner.zip", string(inner))
	for _, c := range []struct{ name, content, want string }{
		{"ZIP", string(zipOf(t, "a.txt", "b/c.exe")), "executable/name/b/c.exe"},
		{"streamed ZIP", string(zipOf(t, "a.txt*", "b.vbs*")), "script/name/b.vbs"},
		{"disguised", string(zipOf(t, "invoice.pdf.exe")), "executable/name/invoice.pdf.exe disguised/name/invoice.pdf.exe"},
		{"several kinds", string(zipOf(t, "a.exe", "b.exe", "c.js", "d.lnk")), "executable/name/a.exe script/name/c.js shortcut/name/d.lnk"},
		{"behind the limit of names", string(zipOf(t, append(many, "z.exe")...)), "executable/name/z.exe"},
		{"in the directory only", strings.Replace(string(zipOf(t, "a.txt", "b.exe")), "b.exe", "b.txt", 1), "executable/name/b.exe"},
		{"in the entry only", strings.Replace(string(zipOf(t, "a.txt", "b.txt")), "b.txt", "b.exe", 1), "executable/name/b.exe"},
		{"behind a false end", "PK\x03\x04" + string(zipOf(t, "a.txt"))[4:] + string(zipOf(t, "b.exe")), "executable/name/b.exe"},
		{"nested", nested, ""},
		{"program of macOS", string(zipOf(t, "A.app/Contents/Info.plist", "A.app/Contents/MacOS/A")), "executable/name/A.app/Contents/MacOS/A"},
		{"folder", string(zipOf(t, "site.com/", "site.com/index.html")), ""},
		{"RAR 5", rar5("a.txt", "b.exe"), "executable/name/b.exe"},
		{"RAR 4", rar4("a.txt", "b.exe"), "executable/name/b.exe"},
		{"tar", tarOf("a.txt", "b.exe"), "executable/name/b.exe"},
		{"tar with a long name", tarOf("L:" + strings.Repeat("d/", 80) + "c.exe"), "executable/name/" + strings.Repeat("d/", 80) + "c.exe"},
		{"tar with records", tarOf("x:" + strings.Repeat("d/", 80) + "c.exe"), "executable/name/" + strings.Repeat("d/", 80) + "c.exe"},
		{"gzip", "\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03invoice.exe\x00data", "executable/name/invoice.exe"},
		{"gzip with more", "\x1f\x8b\x08\x0c\x00\x00\x00\x00\x00\x03\x02\x00xxinvoice.exe\x00data", "executable/name/invoice.exe"},
		{"gzip without name", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03data", ""},
		{"winmail", string(winmail("a.exe")), "executable/name/a.exe"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, width := range []int{1, 2, 3, 29, 31, 511, 1448, 1 << 20} {
				if got := lookInto([]byte(c.content), width); dangers(got) != c.want {
					t.Fatalf("pieces of %d: %q %s, want %s", width, got.Names, dangers(got), c.want)
				}
			}
		})
	}
}

// storedZip is an archive of one entry without compression.
func storedZip(name, content string) string {
	var b bytes.Buffer
	put := func(v ...any) {
		for _, x := range v {
			switch x := x.(type) {
			case int:
				binary.Write(&b, binary.LittleEndian, uint16(x))
			case uint32:
				binary.Write(&b, binary.LittleEndian, x)
			case string:
				b.WriteString(x)
			}
		}
	}
	size := uint32(len(content))
	put("PK\x03\x04", 20, 0, 0, 0, 0, uint32(0), size, size, len(name), 0, name, content)
	at := uint32(b.Len())
	put("PK\x01\x02", 20, 20, 0, 0, 0, 0, uint32(0), size, size, len(name), 0, 0, 0, 0, uint32(0), uint32(0), name)
	put("PK\x05\x06", 0, 0, 1, 1, uint32(b.Len())-at, at, 0)
	return b.String()
}

// TestBadArchives: a ZIP that leads who reads from its start past an entry.
func TestBadArchives(t *testing.T) {
	good := storedZip("a.txt", "content")
	long := []byte(good)
	binary.LittleEndian.PutUint32(long[18:], 1<<30)
	for _, c := range []struct {
		name, content string
		want          string
	}{
		{"good", good, "[]"},
		{"with octets behind", good + "trailer", "[]"},
		{"two", good + good, "[]"},
		{"an entry longer than the file", string(long), "[mime_bad_archive]"},
		{"without directory", good[:50], "[mime_bad_archive]"},
		{"with a comment", string(zipOf(t, "a")), "[]"},
		{"empty", string(zipOf(t)), "[]"},
		{"no archive", "PK\x03\x04 or not", "[]"},
	} {
		for _, width := range []int{1, 7, 1000} {
			var m Message
			readIn(&m, "Content-Type: application/zip\r\n\r\n"+c.content, width)
			if got := fmt.Sprint(m.Malformed()); got != c.want {
				t.Errorf("%s, pieces of %d: %s, want %s", c.name, width, got, c.want)
			}
		}
	}
	for header, want := range map[string]int{"application/zip; name=a.zip": 1, "application/zip; name=a.bin": 0} {
		var m Message
		readIn(&m, "Content-Type: "+header+"\r\n\r\nGIF89a and so on"+storedZip("a.exe", "x"), 3)
		if a := m.Attachments()[0]; len(a.Names) != want || len(a.Danger) != want {
			t.Errorf("octets ahead of %s: %+v", header, a)
		}
	}
}

// rarNumberOf writes a number of 7 bits an octet.
func rarNumberOf(v int) string {
	var b []byte
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return string(append(b, byte(v)))
}

// rar5 makes an archive of stored files; a name with ! before it is of an
// encrypted one, ! alone an archive whose list is.
func rar5(names ...string) string {
	header := func(fields string) string { return "\x00\x00\x00\x00" + rarNumberOf(len(fields)) + fields }
	b := "Rar!\x1a\x07\x01\x00" + header("\x01\x00\x00")
	for _, name := range names {
		if name == "!" {
			return b + header("\x04\x00\x00\x00\x0f"+strings.Repeat("s", 16)) + "noise"
		}
		name, encrypted := strings.CutPrefix(name, "!")
		extra := ""
		if encrypted {
			extra = "\x03\x01\x00\x00"
		}
		const data = "Rar!\x1a\x07\x01\x00some"
		b += header("\x02\x03"+rarNumberOf(len(extra))+rarNumberOf(len(data))+"\x06\x0c\x20tttt\x00\x00\x00\x00\x00\x01"+rarNumberOf(len(name))+name+extra) + data
	}
	return b + header("\x05\x00\x00")
}

// rar4 makes an archive as RAR did before; ! as in rar5.
func rar4(names ...string) string {
	block := func(kind byte, flags uint16, fields string) string {
		b := []byte{0, 0, kind}
		b = binary.LittleEndian.AppendUint16(b, flags)
		b = binary.LittleEndian.AppendUint16(b, uint16(7+len(fields)))
		return string(b) + fields
	}
	b := "Rar!\x1a\x07\x00"
	if len(names) > 0 && names[0] == "!" {
		return b + block(0x73, 0x80, "\x00\x00\x00\x00\x00\x00") + "noise"
	}
	b += block(0x73, 0, "\x00\x00\x00\x00\x00\x00")
	for _, name := range names {
		name, encrypted := strings.CutPrefix(name, "!")
		flags := uint16(0x8000)
		if encrypted {
			flags |= 4
		}
		fields := []byte("\x04\x00\x00\x00\x04\x00\x00\x00\x02ccccTTTT\x14\x30")
		fields = binary.LittleEndian.AppendUint16(fields, uint16(len(name)))
		b += block(0x74, flags, string(fields)+"aaaa"+name) + "data"
	}
	return b + block(0x7b, 0, "")
}

// tarOf makes an archive; names behind L: and x: are told by a block before.
func tarOf(names ...string) string {
	block := func(name string, kind byte, data string) string {
		b := make([]byte, tarBlock)
		copy(b, name)
		copy(b[124:], fmt.Sprintf("%011o\x00", len(data)))
		b[156] = kind
		copy(b[257:], "ustar\x0000")
		return string(b) + data + strings.Repeat("\x00", -len(data)&(tarBlock-1))
	}
	var b strings.Builder
	for _, name := range names {
		if long, found := strings.CutPrefix(name, "L:"); found {
			b.WriteString(block("././@LongLink", 'L', long+"\x00"))
			name = long[:99]
		} else if long, found := strings.CutPrefix(name, "x:"); found {
			b.WriteString(block("PaxHeader", 'x', "30 mtime=1\n99 path="+long+"\n"))
			name = long[:99]
		}
		b.WriteString(block(name, '0', "data"))
	}
	return b.String() + strings.Repeat("\x00", 2*tarBlock)
}

func TestListings(t *testing.T) {
	for _, c := range []struct {
		name, content string
		want          string
	}{
		{"RAR 5", rar5("a", "b/c", "d"), "[a b/c d] false"},
		{"RAR 4", rar4("a", `b\c`, "d"), "[a b/c d] false"},
		{"RAR 5, encrypted", rar5("a", "!b"), "[a b] true"},
		{"RAR 4, encrypted", rar4("a", "!b"), "[a b] true"},
		{"RAR 5, list encrypted", rar5("!"), "[] true"},
		{"RAR 4, list encrypted", rar4("!"), "[] true"},
		{"RAR 5, cut off", rar5("abc", "def")[:60], "[abc] false"},
		{"RAR 5, no header", "Rar!\x1a\x07\x01\x00\x00\x00\x00\x00\x00", "[] false"},
		{"RAR 4, header of no size", "Rar!\x1a\x07\x00\x00\x00\x74\x00\x00\x00\x00", "[] false"},
		{"tar", tarOf("a", "b/c"), "[a b/c] false"},
		{"tar of an older kind", strings.ReplaceAll(tarOf("a"), "ustar", "\x00\x00\x00\x00\x00"), "[] false"},
		{"tar with a bad size", strings.Replace(tarOf("a", "b"), "00000000004", "9999999999x", 1), "[] false"},
	} {
		for _, width := range []int{1, 2, 5, 100, 1 << 20} {
			got := lookInto([]byte(c.content), width)
			if text := fmt.Sprint(got.Names, got.Encrypted); text != c.want {
				t.Errorf("%s, pieces of %d: %s, want %s", c.name, width, text, c.want)
			}
		}
	}
}
