package mail

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"
)

// base64Lines are lines of 76 digits.
func base64Lines(size int) string {
	r := rand.New(rand.NewPCG(1, 2))
	raw := make([]byte, 57)
	var b strings.Builder
	for b.Len() < size {
		for i := range raw {
			raw[i] = byte(r.Uint32())
		}
		b.WriteString(base64.StdEncoding.EncodeToString(raw) + "\r\n")
	}
	return b.String()
}

func textLines(size int) string {
	return strings.Repeat("The quick brown fox jumps over the lazy dog, as it has always done.\r\n", size/69)
}

// BenchmarkMessage reads messages in segments of 1448 octets.
func BenchmarkMessage(b *testing.B) {
	multi := "Content-Type: multipart/mixed; boundary=\"----=_Part_1\"\r\n\r\n------=_Part_1\r\n"
	for _, c := range []struct{ name, content string }{
		{"base64File", multi + "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=a.pdf\r\n\r\n" + base64Lines(1<<20) + "\r\n------=_Part_1--\r\n"},
		{"binaryFile", multi + "Content-Disposition: attachment; filename=a.txt\r\n\r\n" + textLines(1<<20) + "\r\n------=_Part_1--\r\n"},
		{"quotedFile", multi + "Content-Transfer-Encoding: quoted-printable\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\n" + textLines(1<<20) + "\r\n------=_Part_1--\r\n"},
		{"textPart", multi + "Content-Type: text/plain\r\n\r\n" + textLines(1<<20) + "\r\n------=_Part_1--\r\n"},
		{"text", "Subject: x\r\n\r\n" + textLines(1<<20)},
	} {
		b.Run(c.name, func(b *testing.B) {
			content := []byte(c.content)
			var m Message
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			for b.Loop() {
				m.Reset()
				for at := 0; at < len(content); at += 1448 {
					m.Write(content[at:min(at+1448, len(content))])
				}
				m.End()
			}
		})
	}
}

// BenchmarkSmall reads short mails, of text, and of two texts with a small file.
func BenchmarkSmall(b *testing.B) {
	parts := strings.Replace(ordinary, "Content-Type: text/plain; charset=utf-8", "Content-Type: multipart/alternative; boundary=b", 1) +
		"--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Hello\r\n"
	file := "--b\r\nContent-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n"
	for _, c := range []struct{ name, content string }{
		{"headerOnly", ordinary}, {"text", ordinary + "Hello\r\n"}, {"alternative", parts + "--b--\r\n"}, {"file", parts + file + "--b--\r\n"},
	} {
		b.Run(c.name, func(b *testing.B) {
			var m Message
			content := []byte(c.content)
			b.ReportAllocs()
			for b.Loop() {
				m.Reset()
				m.Write(content)
				m.End()
			}
		})
	}
}

// TestTextAllocatesNothing: what is not made of parts costs its header.
func TestTextAllocatesNothing(t *testing.T) {
	var m Message
	content := []byte(strings.Replace(ordinary, "Content-Type: text/plain; charset=utf-8\r\n", "", 1) + textLines(4000))
	if n := testing.AllocsPerRun(100, func() {
		m.Reset()
		m.Write(content)
		m.End()
	}); n > 3 {
		t.Errorf("%v allocations a message", n)
	}
}

// TestIdleIsSmall: a connection holds a Message for its life.
func TestIdleIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(Message{}); n > 2048 {
		t.Errorf("%d octets", n)
	}
	var m Message
	for _, c := range messages {
		m.Reset()
		readIn(&m, crlf(c.content), 100)
	}
	if m.Reset(); m.parts != nil || m.found.attachments != nil || cap(m.header.buf) > maxIdle {
		t.Error("parts are kept")
	}
}
