package mail

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// FuzzMessage: the cut of the octets changes nothing, all is bounded, texts
// are clean, and a message that was cut short tells the start of the whole.
func FuzzMessage(f *testing.F) {
	for _, c := range messages {
		f.Add([]byte(crlf(c.content)), []byte{3, 50, 1})
	}
	for _, c := range hostile() {
		f.Add([]byte(c.head[:min(len(c.head), 4000)]+strings.Repeat(c.again, 1+300/len(c.again))), []byte{1})
	}
	f.Add([]byte("Content-Type: application/octet-stream\r\n\r\n"+string(winmail("a"))), []byte{2})
	head := "Content-Type: application/octet-stream; name=a.zip\r\n\r\n"
	for _, file := range []string{rar5("a.exe", "!b"), rar5("!"), rar4("a.exe", "!b"), tarOf("a.exe", "L:"+strings.Repeat("d/", 60)), storedZip("a.exe", "x") + storedZip("b.js", "y"),
		"GIF89a" + storedZip("word/vbaProject.bin", "x"), string(compound("Root Entry|"+installer, "_VBA_PROJECT")), program, "\x1f\x8b\x08\x08\x00\x00\x00\x00\x00\x03a.exe\x00"} {
		f.Add([]byte(head+file), []byte{5, 200})
	}
	f.Add([]byte(crlf("Subject: a\x00\n"+mixed("Content-Type: text/plain; name=a.exe; name=a.txt\nno field\nContent-Disposition: attachment; filename*=''a%2Etxt; filename=a.js\n\nx"))), []byte{4})
	f.Fuzz(func(t *testing.T, content, cuts []byte) {
		var whole, cut, short Message
		whole.Write(content)
		whole.End()
		half := len(content) / 2
		for at, i := 0, 0; at < len(content); i++ {
			n := 1
			if len(cuts) > 0 {
				n += int(cuts[i%len(cuts)])
			}
			end := min(at+n, len(content))
			cut.Write(content[at:end])
			at = end
		}
		cut.End()
		short.Write(content[:half])
		if got, want := tell(&cut), tell(&whole); got != want {
			t.Fatalf("cut\n%swhole\n%s", got, want)
		}
		checkMalformed(t, &whole)
		if err := isPrefix(short.Attachments(), whole.Attachments()); err != nil {
			t.Fatal(err)
		}
		checkBounds(t, &whole)
		if r := whole.Report(); r != nil {
			for _, text := range []string{r.Kind, r.ReportingMTA, r.OriginalMessageID, r.Disposition, r.FeedbackType, r.SourceIP, fmt.Sprint(r.Recipients)} {
				checkClean(t, text)
			}
		}
		sizes := make(map[int]int64)
		for _, a := range whole.Attachments() {
			sizes[a.Forwarded] += a.Size
			for _, d := range a.Danger {
				checkClean(t, d.File)
			}
			for _, text := range append([]string{a.Filename, a.ContentType, a.Sniffed, a.Disposition, a.Charset}, a.Names...) {
				checkClean(t, text)
			}
		}
		for _, size := range sizes {
			if size > int64(len(content)) {
				t.Fatalf("%d octets of files in %d", size, len(content))
			}
		}
	})
}

// FuzzLoss: a gap anywhere, then the rest. Nothing may break, and no file that
// it runs through has a hash.
func FuzzLoss(f *testing.F) {
	for _, c := range messages {
		f.Add([]byte(crlf(c.content)), uint(20), uint(30))
	}
	f.Fuzz(func(t *testing.T, content []byte, at, size uint) {
		at = min(at, uint(len(content)))
		size = min(size, uint(len(content))-at)
		var m, before Message
		m.Write(content[:at])
		before.Write(content[:at])
		m.Lost(int64(size) + 1)
		m.Write(content[at+size:])
		m.End()
		checkBounds(t, &m)
		checkMalformed(t, &m)
		all := m.Attachments()
		for i, a := range before.Attachments() {
			if all[i].Filename != a.Filename || a.Truncated && all[i].SHA256 != "" {
				t.Fatalf("%+v was %+v", all[i], a)
			}
		}
	})
}

// checkMalformed: what is malformed is odd, and sorted as that is.
func checkMalformed(t *testing.T, m *Message) {
	odd := m.Oddities()
	for _, name := range m.Malformed() {
		i := slices.Index(odd, name)
		if i < 0 {
			t.Fatalf("%v of %v", m.Malformed(), m.Oddities())
		}
		odd = odd[i+1:]
	}
}
