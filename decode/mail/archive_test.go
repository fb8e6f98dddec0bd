package mail

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// zipOf makes an archive. Entries with a trailing * are written without their
// size ahead, as programs do that stream.
func zipOf(t *testing.T, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i, name := range names {
		name, streamed := strings.CutSuffix(name, "*")
		content := bytes.Repeat([]byte("PK\x03\x04PK\x01\x02 PP"), i*10)
		if streamed {
			e, _ := w.Create(name)
			e.Write(content)
			continue
		}
		e, _ := w.CreateRaw(&zip.FileHeader{Name: name, CompressedSize64: uint64(len(content)), UncompressedSize64: uint64(len(content)), Method: zip.Store})
		e.Write(content)
	}
	w.SetComment("PK\x01\x02 comment")
	w.Close()
	return b.Bytes()
}

// lookInto reads a file in pieces of so many octets.
func lookInto(content []byte, width int) Attachment {
	var m Message
	readIn(&m, "Content-Type: application/octet-stream\r\n\r\n"+string(content), width)
	return m.Attachments()[0]
}

func TestArchives(t *testing.T) {
	encrypted := zipOf(t, "a.exe", "b.txt")
	encrypted[6] |= 1
	cp437 := bytes.ReplaceAll(zipOf(t, "gr__en.txt"), []byte("gr__en"), []byte("gr\x94\xe1en"))
	tail := zipOf(t, "one", "two", "three")
	hidden := zipOf(t, "one", "two")
	copy(hidden[bytes.Index(hidden, []byte("two"))-localHeader:], "XX")
	for _, c := range []struct {
		name      string
		content   []byte
		want      []string
		encrypted bool
	}{
		{"stored", zipOf(t, "a", "b/c.exe", "d"), []string{"a", "b/c.exe", "d"}, false},
		{"streamed", zipOf(t, "a*", "b*", "c*"), []string{"a", "b", "c"}, false},
		{"both", zipOf(t, "a", "b*", "c", "d*"), []string{"a", "b", "c", "d"}, false},
		{"encrypted", encrypted, []string{"a.exe", "b.txt"}, true},
		{"code page", cp437, []string{"größen.txt"}, false},
		{"same name twice", zipOf(t, "a", "a"), []string{"a"}, false},
		{"UTF-8", zipOf(t, "日本語.txt"), []string{"日本語.txt"}, false},
		{"cut off", tail[:len(tail)-200], []string{"one", "two", "three"}, false},
		{"entry that only the directory has", hidden, []string{"one", "two"}, false},
		{"empty", zipOf(t), nil, false},
		{"none", []byte("PK\x03\x05 and so on"), nil, false},
		{"not at the start", append([]byte("x"), zipOf(t, "a")...), nil, false},
		{"winmail", winmail("doc.pdf", "ü"), []string{"doc.pdf", "ü"}, false},
		{"winmail of the wrong level", append(winmail("a"), winmail("b")...), []string{"a"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, width := range []int{1, 2, 3, 29, 31, 1 << 20} {
				got := lookInto(c.content, width)
				if !slices.Equal(got.Names, c.want) || got.Encrypted != c.encrypted {
					t.Errorf("pieces of %d: %q %v, want %q", width, got.Names, got.Encrypted, c.want)
				}
			}
		})
	}
}

// winmail makes a stream with files of these titles (MS-OXTNEF, 2.1.3).
func winmail(titles ...string) []byte {
	b := binary.LittleEndian.AppendUint32(nil, tnefMagic)
	b = append(b, 1, 0)
	attribute := func(level byte, id uint32, data string) {
		b = append(b, level)
		b = binary.LittleEndian.AppendUint32(b, id)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
		b = append(append(b, data...), 0, 0)
	}
	attribute(1, 0x00089006, "\x00\x00\x01\x00")
	for _, title := range titles {
		attribute(2, 0x00069002, "rendering")
		attribute(2, attachTitle, title+"\x00")
		attribute(2, 0x0006800f, "data")
	}
	return b
}

func TestManyEntries(t *testing.T) {
	var names []string
	for i := range 300 {
		names = append(names, fmt.Sprint(i, strings.Repeat("x", 300)))
	}
	var m Message
	readIn(&m, "Content-Type: application/zip\r\n\r\n"+string(zipOf(t, names...)), 1000)
	checkBounds(t, &m)
	if n := len(m.Attachments()[0].Names); n != 100 || !slices.Equal(m.Oddities(), []string{OddEntriesLimit, OddNameLimit}) {
		t.Errorf("%d names, %v", n, m.Oddities())
	}
}
