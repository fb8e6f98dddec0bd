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

// received is a header of a dozen fields, as a server adds to it.
const received12 = "Return-Path: <sender@client.test>\r\n" +
	"Received: from client.test (client.test [10.20.0.10])\r\n\tby mail.corp.test (Postfix) with ESMTPS id 3A58A9FA7E5\r\n\tfor <alice@corp.test>; Mon, 23 Nov 2026 10:00:02 +0100 (CET)\r\n" +
	"Received: from [192.168.1.20] (unknown [203.0.113.7])\r\n\tby client.test (Postfix) with ESMTPSA id 9D1C3A0042\r\n\tfor <alice@corp.test>; Mon, 23 Nov 2026 10:00:01 +0100 (CET)\r\n" +
	"Message-ID: <4f1f0f6e-91a5-4d5c-8f9e-0d4d0a7f6d0b@client.test>\r\n" +
	"Date: Mon, 23 Nov 2026 09:59:58 +0100\r\n" +
	"MIME-Version: 1.0\r\n" +
	"User-Agent: Mozilla Thunderbird\r\n" +
	"From: Sender Person <sender@client.test>\r\n" +
	"To: Alice Example <alice@corp.test>\r\n" +
	"Subject: Minutes of the meeting on Monday\r\n" +
	"Content-Language: en-US\r\n" +
	"Content-Type: text/plain; charset=UTF-8; format=flowed\r\n" +
	"Content-Transfer-Encoding: 7bit\r\n\r\n"

// kinds are mails of usual shapes.
func kinds() []struct{ name, content string } {
	multi := strings.Replace(received12, "text/plain; charset=UTF-8; format=flowed", "multipart/mixed;\r\n boundary=\"------------0A1B2C3D4E5F\"", 1)
	parts := multi + "This is a multi-part message in MIME format.\r\n--------------0A1B2C3D4E5F\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n" + textLines(700) +
		"\r\n--------------0A1B2C3D4E5F\r\nContent-Type: application/pdf; name=\"minutes.pdf\"\r\nContent-Disposition: attachment; filename=\"minutes.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	return []struct{ name, content string }{
		{"plain1500", received12 + textLines(1500-len(received12))},
		{"generated2500", "Received: from [192.0.2.7] by client.example.org with ESMTPA id 5f3a;\r\n\tThu, 1 Jan 2026 10:11:12 +0000\r\nFrom: <u1@example.org>\r\nTo: <u2@example.net>\r\n" +
			"Subject: Test message 17 about the schedule\r\nMessage-ID: <5f3a2b.17@client.example.org>\r\nDate: Thu, 1 Jan 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n" +
			"Content-Type: multipart/mixed; boundary=\"b5f3a\"\r\n\r\n" + textLines(2100)},
		{"signed", ordinary + textLines(500)},
		{"text40k", received12 + textLines(40000)},
		{"alternative", parts[:strings.Index(parts, "Content-Type: application")] + "Content-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + textLines(700) + "\r\n--------------0A1B2C3D4E5F--\r\n"},
		{"pdf150k", parts + base64Lines(205000) + "--------------0A1B2C3D4E5F--\r\n"},
	}
}

// all takes what a mail tells, as its record does.
func all(m *Message) (Fields, []Attachment) {
	m.End()
	m.Report()
	m.Protection()
	m.Oddities()
	return m.Fields(), m.Attachments()
}

// BenchmarkMail reads a mail in segments of 1448 octets and all that it tells.
func BenchmarkMail(b *testing.B) {
	for _, c := range kinds() {
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
				all(&m)
			}
		})
	}
}

// BenchmarkManyMails has thousands of mails open at once: none finds its memory
// in the cache.
func BenchmarkManyMails(b *testing.B) {
	for _, c := range kinds()[:3] {
		b.Run(c.name, func(b *testing.B) {
			content := []byte(c.content)
			open := make([]Message, 8000)
			b.ReportAllocs()
			for b.Loop() {
				for i := range open {
					open[i].Reset()
				}
				for at := 0; at < len(content); at += 1448 {
					for i := range open {
						open[i].Write(content[at:min(at+1448, len(content))])
					}
				}
				for i := range open {
					all(&open[i])
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(open)), "ns/mail")
		})
	}
}

// TestSmallMailAllocates: what a small mail tells takes few allocations.
func TestSmallMailAllocates(t *testing.T) {
	for _, c := range kinds()[:2] {
		var m Message
		content := []byte(c.content)
		if n := testing.AllocsPerRun(100, func() {
			m.Reset()
			m.Write(content)
			all(&m)
		}); n > 4 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}
